"""The names of everything that is kept in Redis."""

from dataclasses import dataclass

from bot.approvals import Approval
from bot.runs import Run


@dataclass(frozen=True)
class Keys:
    """The names of all keys. One hash tag, so that one script may touch them together."""

    namespace: str

    @property
    def prefix(self) -> str:
        return f"{{countersign}}:{self.namespace}:"

    def record(self, record: Run | Approval) -> str:
        if isinstance(record, Run):
            return self.run(record.thread_id)
        return self.approval(record.id)

    def run(self, thread_id: str) -> str:
        return f"{self.prefix}run:{thread_id}"

    def approval(self, approval_id: str) -> str:
        return f"{self.prefix}approval:{approval_id}"

    def trail(self, thread_id: str) -> str:
        return f"{self.prefix}trail:{thread_id}"

    def of_thread(self, thread_id: str) -> str:
        return f"{self.prefix}approvals:{thread_id}"

    def unposted(self, channel: str) -> str:
        return f"{self.prefix}unposted:{channel}"

    def hold(self, channel: str) -> str:
        return f"{self.prefix}hold:{channel}"

    def alike(self, key: str) -> str:
        """Approvals with this business key, by when they were asked; gone when nobody asks any
        more."""
        return f"{self.prefix}alike:{key}"

    @property
    def no_lease(self) -> str:
        """Never written: what a click is taken under."""
        return f"{self.prefix}lease:"

    @property
    def server(self) -> str:
        return f"{self.prefix}server"

    @property
    def absences(self) -> str:
        return f"{self.prefix}absences"

    @property
    def runs(self) -> str:
        return f"{self.prefix}runs"

    @property
    def pending(self) -> str:
        return f"{self.prefix}pending"

    @property
    def decided(self) -> str:
        """By when it was."""
        return f"{self.prefix}decided"

    def asked_back(self, requester: str) -> str:
        """What waits for an answer of theirs."""
        return f"{self.prefix}asked:{requester}"

    def changed(self, user: str) -> str:
        """There for as long as any instance may take them for who they were."""
        return f"{self.prefix}changed:{user}"

    @property
    def open(self) -> str:
        """Runs that are not closed."""
        return f"{self.prefix}open"

    @property
    def owed(self) -> str:
        return f"{self.prefix}owed"
