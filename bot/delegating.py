"""delegate: who is away has named a deputy, who is told what waits for them now; so are the
threads of it. That they may decide does not hang on this: it is asked at each click."""

import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.absences import Absence, Absences, deputies
from bot.approvals import Approval
from bot.audit import AuditEvent, Tag
from bot.changes import Changes
from bot.policy import People, deputy_of
from bot.records import Change
from bot.slack import SlackGateway, Told
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.steps import Step
from bot.views.away import LINKED_AT_MOST, deputised
from workflows.lease import Leases, LeaseTaken
from workflows.protocol import Actor

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
PAGE = 100


def owed(absence: Absence) -> Step:
    """What is to be done once for each absence with a deputy."""
    return Step("delegate", absence.user, absence.since.isoformat())


def delegated(
    approval: Approval, absence: Absence, told: list[AuditEvent], now: datetime
) -> Change | None:
    """Both names in its trail, once for this absence."""
    until = absence.until.isoformat() if absence.until else None
    since = absence.since.isoformat()
    detail = {"from": absence.user, "to": absence.deputy, "since": since, "until": until}
    known = (e.detail for e in told if (e.tag, e.approval_id) == (Tag.DELEGATED, approval.id))
    if approval.status != "pending" or detail in list(known):
        return None
    actor = Actor(team=approval.team, user=absence.user)
    return Change(approval, (approval.event(Tag.DELEGATED, now, actor, {**detail}),))


@dataclass(frozen=True)
class Delegating:
    changes: Changes
    leases: Leases
    slack: SlackGateway

    @property
    def absences(self) -> Absences:
        return Absences(self.changes.store.redis, self.changes.store.keys)

    async def due(self) -> list[Step]:
        now = self.changes.now()
        return [owed(each) for each in await self.absences.all() if each.untold(now)]

    async def delegate(self, user: str) -> None:
        try:
            async with self.leases.hold(f"away:{user}", wait=WAIT_FOR_LEASE):
                absence = await self.absences.of(user)
                if absence and absence.deputy and absence.untold(self.changes.now()):
                    await self._tell(absence, absence.deputy)
        except LeaseTaken:
            log.info("the absence of %s is being told elsewhere", user)
        except SlackUnavailable as error:
            log.warning("the absence of %s: Slack does not answer: %s", user, error)

    async def _tell(self, absence: Absence, deputy: str) -> None:
        waiting: list[Approval] = []
        async for approval in self._pending():
            if await self._moves(approval, absence):
                await self._told_in_thread(approval.id, absence)
                waiting.append(approval)
        names = await self.slack.names([absence.user])
        links = [await self._link(each) for each in waiting[:LINKED_AT_MOST]]
        drawn = deputised(absence.user, absence.until, waiting, links, names)
        told = Told(f"away:{absence.user}", 1, absence.since.isoformat())
        tried = await self.absences.note(absence, tried=True)
        if tried is None:
            return
        try:
            if not (absence.tried and await self._stands(absence, deputy, told)):
                await self.slack.tell(deputy, told, drawn)
        except SlackRefused as refused:  # the threads tell it, and /approvals
            log.warning("%s cannot be told for whom they decide: %s", deputy, refused)
        await self.absences.note(tried, told=True)

    async def _stands(self, absence: Absence, deputy: str, told: Told) -> bool:
        """Has an earlier try, whose answer was lost, already told them?"""
        try:
            return await self.slack.times_told(deputy, told, absence.since) > 0
        except SlackRefused as refused:
            log.warning("%s: it may come twice, Slack lets us not look: %s", deputy, refused)
            return False

    async def _pending(self) -> AsyncGenerator[Approval, None]:
        """Each once, though some are decided meanwhile."""
        seen = set[str]()
        start = 0
        while True:
            page, total = await self.changes.store.pending(start, PAGE)
            for approval in page:
                if approval.id not in seen:
                    seen.add(approval.id)
                    yield approval
            start += PAGE // 2
            if start >= total:
                return

    async def _moves(self, approval: Approval, absence: Absence) -> bool:
        named = [each for stage in approval.stages for each in stage.approvers]
        away = deputies([absence], self.changes.now())
        people = People(await self.slack.groups(named), away)
        return deputy_of(approval, absence.user, people) is not None

    async def _told_in_thread(self, approval_id: str, absence: Absence) -> None:
        store = self.changes.store
        approval = await store.approval(approval_id)
        trail = await store.trail(approval.thread_id) if approval else []

        def told(now: Approval) -> Change:
            return delegated(now, absence, trail, self.changes.now()) or Change(now)

        await self.changes.change(approval_id, told, queue=True)

    async def _link(self, approval: Approval) -> str:
        """ "": it has none yet, or Slack does not tell."""
        if approval.message is None:
            return ""
        try:
            return await self.slack.permalink(approval.message)
        except (SlackRefused, SlackUnavailable):
            return ""
