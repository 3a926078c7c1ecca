"""A deployment as an operator has it: one Redis, one Slack workspace, instances that come and go.

Everything is real but Slack itself, which is the local workspace behind the real client library.
"""

import contextlib
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot import report
from bot.app import open_services, open_store, working
from bot.approvals import Approval
from bot.local.person import Person, Seen
from bot.local.server import LocalSlack
from bot.runs import Run
from bot.services import Services
from bot.serving import listening
from bot.settings import ListenerSettings
from bot.store import Store
from tests.eventually import eventually
from workflows.catalog import Catalog
from workflows.clock import Clock, utc_now
from workflows.connectors.patients import SqlitePatients
from workflows.connectors.payments import SqlitePayments
from workflows.effects import EffectLedger

CHANNEL = "C0APPROVAL"
APPROVERS = "S00FINANCE"
THEIRS = ("COUNTERSIGN_STRIPE_KEY", "COUNTERSIGN_FHIR_BASE")  # of whoever runs the tests


@dataclass
class Deployment:
    """namespace: its own, so that tests share a Redis and nothing else. audit_key: of the trail's
    signatures; none."""

    redis_url: str
    slack: LocalSlack
    directory: Path
    namespace: str = field(default_factory=lambda: f"t{secrets.token_hex(5)}")
    approvers: str = APPROVERS
    audit_key: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What an operator would set for a process of this deployment."""
        return {
            "REDIS_URL": self.redis_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "COUNTERSIGN_CHANNEL": CHANNEL,
            "COUNTERSIGN_APPROVERS": self.approvers,
            "COUNTERSIGN_NAMESPACE": self.namespace,
            "COUNTERSIGN_PAYMENTS_DB": str(self.directory / "payments.db"),
            "COUNTERSIGN_CRM_DB": str(self.directory / "crm.db"),
            **({"COUNTERSIGN_AUDIT_KEY": self.audit_key} if self.audit_key else {}),
            "COUNTERSIGN_FILES": str(self.directory / "files"),
            "COUNTERSIGN_OUTBOX": str(self.directory / "outbox"),
            "COUNTERSIGN_PATIENTS_DB": str(self.directory / "patients.db"),
        }

    def settings(self, **changed: str | None) -> ListenerSettings:
        ours: dict[str, str | None] = dict.fromkeys(THEIRS) | self.environment
        return ListenerSettings.model_validate({**ours, **changed})

    @property
    def patients(self) -> SqlitePatients:
        return SqlitePatients(self.directory / "patients.db")

    @property
    def payments(self) -> SqlitePayments:
        return SqlitePayments(self.directory / "payments.db")

    @contextlib.asynccontextmanager
    async def instance(
        self,
        name: str = "one",
        known: Catalog | None = None,
        *,
        listens: bool = True,
        works: bool = True,
        now: Clock = utc_now,
        **changed: str | None,
    ) -> AsyncGenerator[Services, None]:
        """A bot instance in this process, as `countersign bot` runs it. now: its clock."""
        settings = self.settings(COUNTERSIGN_INSTANCE=name, **changed)
        async with (
            open_services(settings, known, now) as services,
            contextlib.AsyncExitStack() as stack,
        ):
            if works:
                await stack.enter_async_context(working(services))
            if listens:
                await stack.enter_async_context(listening(settings, services))
            yield services

    async def start(self, **values: Any) -> str:
        """What `countersign start refund` does; answers the thread_id."""
        options = {key: values.pop(key) for key in ("thread_id", "requester") if key in values}
        given = {"customer": "Acme GmbH", "amount": "120.50", "reason": "Damaged parcel", **values}
        async with open_store(self.settings()) as (_, starter):
            return (await starter.start_run("refund", given, **options)).thread_id

    def file(self, name: str, content: bytes) -> Path:
        """A file that workflows may send."""
        path = self.directory / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    @contextlib.asynccontextmanager
    async def store(self) -> AsyncGenerator[Store, None]:
        async with open_store(self.settings()) as (store, _):
            yield store

    async def run_of(self, thread_id: str) -> Run:
        return Run.model_validate((await self.shown(thread_id))["run"])

    async def approvals_of(self, thread_id: str) -> list[Approval]:
        approvals = (await self.shown(thread_id))["approvals"]
        return [Approval.model_validate(approval) for approval in approvals]

    async def started(self) -> list[str]:
        """The thread_ids of all runs that there are."""
        async with self.store() as store:
            return [run.thread_id for run in await store.recent_runs(100)]

    async def shown(self, thread_id: str) -> dict[str, Any]:
        """What `countersign show THREAD_ID --json` prints."""
        async with self.store() as store:
            effects = EffectLedger(store.redis, store.keys.prefix)
            found = await report.of_thread(store, effects, thread_id)
            assert found is not None, f"there is no run {thread_id}"
            return found

    def person(self, name: str) -> Person:
        return self.slack.person(name)

    async def card(self, title: str, who: str = "mara", within: float = 45.0) -> Seen:
        """The card with this title, once it is there."""

        def found() -> list[Seen] | None:
            cards = [m for m in self.person(who).sees() if _title(m) == title]
            return cards or None

        cards = await eventually(f"a card {title!r} in the channel", found, within)
        return cards[-1]

    async def settled(self, thread_id: str, within: float = 45.0) -> Approval:
        """The one approval of the thread, once Slack has all of it."""

        async def told() -> Approval | None:
            found = await self.approvals_of(thread_id)
            if not found:
                return None
            (approval,) = found
            done = (approval.shown, approval.replied) == (approval.revision, approval.trail)
            return approval if done else None

        return await eventually("Slack has all of the approval", told, within)

    async def reads(
        self, message: Seen, words: str, who: str = "mara", within: float = 45.0
    ) -> Seen:
        """The message, once it says these words."""
        person = self.person(who)

        def now() -> Seen | None:
            seen = person.again(message)
            return seen if words in seen.words else None

        return await eventually(f"{words!r} on the card", now, within)

    async def told(self, who: str, words: str) -> Seen:
        """The private answer with these words, once it is there."""

        user = self.person(who).id

        def answers() -> Seen | None:
            whispers = self.slack.workspace.whispers(CHANNEL, user)
            seen = [Seen(CHANNEL, message) for message in whispers]
            return next((each for each in reversed(seen) if words in each.words), None)

        return await eventually(f"a private answer {words!r} to {who}", answers)

    async def thread(
        self, message: Seen, count: int, who: str = "mara", within: float = 45.0
    ) -> list[str]:
        """The replies below a card, once there are so many."""

        def replies() -> list[str] | None:
            seen = [reply.text for reply in self.person(who).replies(message)]
            return seen if len(seen) >= count else None

        return await eventually(f"{count} replies in the thread", replies, within)


def _title(message: Seen) -> str | None:
    headers = [block["text"]["text"] for block in message.blocks if block["type"] == "header"]
    return headers[0] if headers else None
