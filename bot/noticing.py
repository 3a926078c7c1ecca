"""notify: tell people by direct message what happened, each event once and in order.

As replies are: what was begun is looked for before it is sent again. Whom Slack does not let us
write to is passed over, and one line of the log says so: nothing waits for them.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from redis.exceptions import RedisError

from bot import steps
from bot.approvals import Approval
from bot.audit import AuditEvent, Tag
from bot.changes import Changes
from bot.channels import concerns
from bot.concerned import concerned
from bot.inslack import MessageRef
from bot.notices import Notices
from bot.pacing import Later, Pacing
from bot.records import Change
from bot.slack import SlackGateway, Told
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.store import Store
from bot.telemetry import reference
from bot.views.notices import notice
from workflows.clock import Clock
from workflows.lease import LeaseLost, Leases, LeaseTaken, still_held
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
LOOKING = "conversations.history"
NO_SCOPE = ("missing_scope", "no_permission")


@dataclass(frozen=True)
class Noticing:
    """passed_over: whom Slack does not let us write to, and why; told once."""

    changes: Changes
    leases: Leases
    slack: SlackGateway
    pacing: Pacing
    passed_over: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    @property
    def store(self) -> Store:
        return self.changes.store

    @property
    def now(self) -> Clock:
        return self.changes.now

    async def notify(self, approval_id: str) -> None:
        try:
            async with self.leases.hold(f"notices:{approval_id}", wait=WAIT_FOR_LEASE):
                await self._tell_all(approval_id)
        except (LeaseTaken, LeaseLost):
            log.info("the direct messages of %s are sent elsewhere", approval_id)

    async def _tell_all(self, approval_id: str) -> None:
        try:
            while await self._tell_next(approval_id):
                pass
        except SlackRefused as refused:  # nothing of the workspace, until someone mends it
            await self._in_vain(approval_id, refused.code)
        except SlackUnavailable as error:
            await self._in_vain(approval_id, str(error), error.retry_after)
        except Unreadable as error:
            self.store.pass_over(error)
        except (LeaseLost, RedisError):
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be drawn must not come back at once
            await self._in_vain(approval_id, f"error {reference(error, approval_id=approval_id)}")

    async def _tell_next(self, approval_id: str) -> bool:
        """False where everybody knows, or has to wait."""
        approval = await self.store.approval(approval_id)
        if approval is None:
            return False
        if "notify" not in [step.kind for step in steps.due(approval, self.now())]:
            return False
        number = approval.notices.due[0]
        trail = await self.store.trail(approval.thread_id)
        event = [each for each in trail if each.approval_id == approval.id][number - 1]
        people = concerned(approval, event)[approval.notices.told :]
        if not people:
            await self._note(approval, lambda n: n.all_told())
            return True
        at = await self._not_before(approval, event, people[0])
        if at is not None:
            await self._note(approval, lambda n: n.later(at, tried=n.tried))
            return False
        return await self._tell(approval, event, people[0], Told(approval.id, number, event.hash))

    async def _not_before(
        self, approval: Approval, event: AuditEvent, user: str
    ) -> datetime | None:
        """None: now. The cards of the channel go first, unless none gets in there; and it may
        have become night where someone is who was to be reminded."""
        now = self.now()
        cards = await self.store.unposted(approval.channel, now)
        if cards and await self.store.hold(approval.channel) is None:
            return now + timedelta(seconds=await self.pacing.last_in(user, cards))
        if event.tag != Tag.REMINDED:
            return None
        zone = (await self.slack.member(user, self.slack.team)).zone
        at = approval.policy.remind_within.next_open(now, zone)
        return at if at > now else None

    async def _tell(self, approval: Approval, event: AuditEvent, user: str, told: Told) -> bool:
        """False where Slack wants to be left alone before."""
        before, said = approval.notices, None
        drawn = notice(
            approval, event, await self._names(approval, event), await self._link(approval)
        )
        try:
            async with self.pacing.turn(user):
                if not await self._stands(approval, user, told):
                    said = await self.slack.tell(user, told, drawn)
        except Later as later:
            wait = max(later.seconds, await self.pacing.last_in(user, 0))
            at = self.now() + timedelta(seconds=wait)
            await self._note(approval, lambda n: n.later(at, tried=before.tried))
            return False
        except SlackRefused as refused:
            if concerns(refused.code) == "workspace":
                raise
            self._pass_over(user, refused.code)
        await self._told(approval, event, user, told, said)
        return True

    async def _stands(self, approval: Approval, user: str, told: Told) -> bool:
        """Has an earlier try, whose answer was lost, already told them?"""
        if not approval.notices.to_be_looked_for:
            await self._note(approval, lambda n: n.trying())
            return False
        try:
            async with self.pacing.turn(LOOKING):
                return await self.slack.times_told(user, told, approval.requested_at) > 0
        except SlackRefused as refused:
            if refused.code not in NO_SCOPE:
                raise
            log.warning("%s: %s needs im:history and im:write: it may come twice", user, LOOKING)
            return False

    async def _told(
        self,
        approval: Approval,
        event: AuditEvent,
        user: str,
        told: Told,
        said: MessageRef | None,
    ) -> None:
        try:
            await still_held()
            await self._note(approval, lambda n: n.one_told())
        except LeaseLost:  # this process was stopped meanwhile, and another may have said the same
            if said is not None and await self.slack.times_told(user, told, event.at) > 1:
                await self.slack.withdraw(said)
            raise

    async def _names(self, approval: Approval, event: AuditEvent) -> dict[str, str]:
        actor = event.actor.user if event.actor else None
        return await self.slack.names([actor, approval.requester])

    async def _link(self, approval: Approval) -> str:
        """To the card; "" where there is none now."""
        try:
            return await self.slack.permalink(approval.message) if approval.message else ""
        except SlackRefused as refused:
            log.info("%s: there is no link to the card: %s", approval.id, refused)
            return ""

    def _pass_over(self, user: str, code: str) -> None:
        if (user, code) not in self.passed_over:
            self.passed_over.add((user, code))
            log.warning("%s cannot be told by direct message: %s; passed over", user, code)

    async def _in_vain(self, approval_id: str, why: str, retry_after: float = 0.0) -> None:
        approval = await self.store.approval(approval_id)
        if approval is None:
            return
        if approval.notices.tries == 0:
            log.warning("%s: a direct message waits: %s", approval_id, why)
        now = self.now()
        await self._note(approval, lambda n: n.in_vain(now, retry_after))

    async def _note(self, approval: Approval, transition: Callable[[Notices], Notices]) -> None:
        await self.changes.change(
            approval.id, lambda a: Change(a.to(notices=transition(a.notices)))
        )
