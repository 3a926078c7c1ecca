"""What workers do, in the order of an approval's life. Each task may run any number of times.

A task reads the record, does what is owed, commits, and asks `steps.due` again.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import steps
from bot.advancing import Advancing
from bot.approvals import Approval, Closed
from bot.changes import Changes
from bot.comparing import Comparing
from bot.delegating import Delegating
from bot.looking import Looking
from bot.noticing import Noticing
from bot.posting import Posting
from bot.records import Change
from bot.reminding import Reminding
from bot.retiring import Retiring
from bot.showing import Showing
from bot.steps import Step
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

TAKEN_AND_GONE = timedelta(seconds=8)  # a step that was queued and is still owed; doubled each time


@dataclass(frozen=True)
class Tasks:
    """Its bound methods are the docket tasks. owed_since: the steps that were owed when it was
    last asked, by key, and since when."""

    changes: Changes
    advancing: Advancing
    comparing: Comparing
    posting: Posting
    showing: Showing
    noticing: Noticing
    reminding: Reminding
    retiring: Retiring
    delegating: Delegating
    looking: Looking
    owed_since: dict[str, datetime] = field(default_factory=dict[str, datetime])

    def register(self) -> None:
        self.changes.queue.serve(
            advance=self.advance,
            compare=self.compare,
            post=self.post,
            show=self.show,
            notify=self.notify,
            remind=self.remind,
            escalate=self.escalate,
            expire=self.expire,
            retire=self.retire,
            delegate=self.delegate,
            look=self.look,
        )

    async def advance(self, thread_id: str) -> None:
        """Start, resume or recover a run, and note what came of it."""
        await self.advancing.advance(thread_id)

    async def compare(self, approval_id: str) -> None:
        """Whether the same business is asked elsewhere; before its card is posted, and whenever
        one of those alike changes."""
        await self.comparing.compare(approval_id)

    async def post(self, channel: str) -> None:
        """The cards that the channel does not have yet, in the order in which they were asked."""
        await self.posting.post(channel)

    async def show(self, approval_id: str) -> None:
        """The card, and the replies that tell its trail, in order."""
        await self.showing.show(approval_id)

    async def notify(self, approval_id: str) -> None:
        """Direct messages: what became of it, to its requester; what is asked, to reviewers."""
        await self.noticing.notify(approval_id)

    async def remind(self, approval_id: str) -> None:
        """Those whose decision is missing, by day."""
        await self.reminding.remind(approval_id)

    async def escalate(self, approval_id: str) -> None:
        """Nobody decided in time: others may, too."""
        await self.reminding.escalate(approval_id)

    async def expire(self, approval_id: str) -> None:
        """The deadline of a question has passed."""
        now = self.changes.now()

        def expired(approval: Approval) -> Change:
            past = approval.expires_at is not None and approval.expires_at <= now
            return approval.expire(now) if past else Change(approval)

        try:
            await self.changes.change(approval_id, expired, queue=True)
        except Closed:
            log.info("%s was decided before it expired", approval_id)
        except Unreadable as error:
            self.changes.store.pass_over(error)

    async def delegate(self, user: str) -> None:
        """Someone is away, and who takes their place is told."""
        await self.delegating.delegate(user)

    async def look(self, approval_id: str) -> None:
        """What may stand in Slack twice is taken back."""
        await self.looking.look(approval_id)

    async def reconcile(self) -> None:
        """Ask for every record what is still owed; what many owe (their channel) is added once."""
        await self._after_a_restart()
        now = self.changes.now()
        since: dict[str, datetime] = {}
        async for record in self.changes.store.owing(now):
            await self._queue(steps.due(record, now), since, now)
        await self._queue(await self.delegating.due(), since, now)
        self.owed_since.clear()
        self.owed_since.update(since)

    async def _queue(self, owed: list[Step], since: dict[str, datetime], now: datetime) -> None:
        for step in [step for step in owed if step.key not in since]:
            since[step.key] = self.owed_since.get(step.key, now)
            await self.changes.queue.add(step, _again(now - since[step.key]))

    async def retire(self, thread_id: str) -> None:
        """A run that was closed long ago loses its graph's state; its record and trail stay. And
        docket the names of the workers that carried it out."""
        await self.retiring.retire(thread_id)
        await self.changes.queue.forget_workers(self.changes.store.redis)

    async def _after_a_restart(self) -> None:
        """A Redis that restarted or failed over may have lost its last moments: what is open is
        compared with what Slack was shown."""
        store = self.changes.store
        run_id = await store.restarted()
        if run_id is None:
            return
        async for approval in store.open_approvals():
            await self.changes.change(approval.id, lambda a: Change(a.doubted()), queue=True)
        await store.known_as(run_id)


def _again(owed_for: timedelta) -> int:
    """How often a step is queued anew under another key: docket keeps the key of a task for most
    of a minute whose worker is gone. Ever more seldom, so that a long queue does not grow."""
    return (owed_for // TAKEN_AND_GONE).bit_length()
