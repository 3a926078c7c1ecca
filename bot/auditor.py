"""The audit trails of a deployment, read thread by thread: verified, and as rows for an export."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from bot.approvals import Approval
from bot.audit import AuditEvent
from bot.slack import SlackGateway
from bot.slack_calls import SlackRefused
from bot.store import Store
from bot.verifying import Finding, Rules, Thread, verify, verify_replies
from workflows.schema import Unreadable

LOOKS = 5  # at a thread that changes while it is read


class Row(TypedDict):
    """An event as it is exported (docs/audit.md). at: UTC, ISO 8601. detail: JSON."""

    thread_id: str
    seq: int
    at: str
    tag: str
    approval_id: str
    actor_team: str
    actor_user: str
    actor_name: str
    digest: str
    detail: str
    previous: str
    key: str
    hash: str


def row(event: AuditEvent) -> Row:
    told: dict[str, Any] = event.model_dump(mode="json")
    actor = told["actor"] or {}
    return Row(
        thread_id=event.thread_id,
        seq=event.seq,
        at=told["at"],
        tag=str(event.tag),
        approval_id=event.approval_id or "",
        actor_team=actor.get("team") or "",
        actor_user=actor.get("user") or "",
        actor_name=actor.get("name") or "",
        digest=event.digest or "",
        detail=json.dumps(told["detail"], sort_keys=True, ensure_ascii=False),
        previous=event.previous,
        key=event.key,
        hash=event.hash,
    )


@dataclass(frozen=True)
class Auditor:
    """slack: with it the replies that stand there are compared, too."""

    store: Store
    rules: Rules
    slack: SlackGateway | None = None

    async def threads(self) -> AsyncGenerator[str, None]:
        """Every thread that has a run or a trail, also where the index does not list it."""
        async for thread_id in self.store.threads():
            yield thread_id
        async for thread_id in self.store.unlisted_trails():
            yield thread_id

    async def rows(
        self, since: datetime | None, until: datetime | None
    ) -> AsyncGenerator[list[Row], None]:
        """The events of each thread, oldest thread first. since, until: of the event's time; the
        first is in, the second is not."""
        async for thread_id in self.store.threads(until):
            events = await self.store.trail(thread_id)
            yield [
                row(event)
                for event in events
                if (since is None or event.at >= since) and (until is None or event.at < until)
            ]

    async def verify(self, thread_id: str) -> list[Finding]:
        """Empty where all is as it was written; where there is nothing, that is a finding."""
        try:
            thread = await self._read(thread_id)
        except Unreadable as error:
            return [Finding(thread_id, None, f"cannot be read: {error}")]
        if not thread.trail:
            gone = "its trail is missing" if thread.run else "there is no such thread"
            return [Finding(thread_id, None, gone)]
        return verify(thread, self.rules) or await self._verify_replies(thread)

    async def _read(self, thread_id: str) -> Thread:
        """All of it at one time: again where something was told meanwhile."""
        store, looks = self.store, LOOKS
        while True:
            trail = await store.stored_trail(thread_id)
            run, approvals = await store.run(thread_id), await store.approvals_of(thread_id)
            looks -= 1
            if not looks or await store.stored_trail(thread_id) == trail:
                return Thread(thread_id, trail, run, approvals)

    async def _verify_replies(self, thread: Thread) -> list[Finding]:
        events = [AuditEvent.model_validate_json(text) for text in thread.trail]
        found: list[Finding] = []
        for approval in thread.approvals if self.slack else ():
            found += await self._verify_card(approval, events)
        return found

    async def _verify_card(self, approval: Approval, events: list[AuditEvent]) -> list[Finding]:
        if self.slack is None or approval.message is None:
            return []
        try:
            stand = [told async for told in self.slack.replies(approval.message, approval.id)]
        except SlackRefused as refused:
            what = f"the card of {approval.id} cannot be read in Slack: {refused.code}"
            return [Finding(approval.thread_id, None, what)]
        return verify_replies(approval, events, stand)
