"""remind, escalate: look up whose decision is missing and where they are, and note who is told.

Slack is asked who is in a group, and whose day it is. Where it does not say, a reminder waits for
a minute; an escalation does not wait: the thread names whom it is escalated to.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.absences import Absences, deputies
from bot.approvals import Approval, Closed
from bot.changes import Changes
from bot.escalation import NotEscalated, escalate
from bot.policy import Member, People
from bot.records import Change
from bot.reminders import TOLD_AT_MOST, Known, in_charge, missing, remind
from bot.slack import SlackGateway
from bot.slack_calls import SlackRefused, SlackUnavailable
from workflows.protocol import Actor
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

LOOKED_UP_AT_MOST = 2 * TOLD_AT_MOST  # some may be guests, or have left
SLACK_AWAY = timedelta(minutes=1)


@dataclass(frozen=True)
class Reminding:
    changes: Changes
    slack: SlackGateway

    async def remind(self, approval_id: str) -> None:
        approval = await self._waiting(approval_id)
        if approval is None:
            return
        try:
            stage = approval.stages[approval.open_stage or 0]
            seats = await self._seats(stage.approvers)
            known = await self._known(seats, missing(approval, seats))
        except (SlackRefused, SlackUnavailable) as error:
            log.warning("%s: a reminder waits: Slack does not say whom: %s", approval_id, error)
            again = self.changes.now() + SLACK_AWAY
            await self.changes.change(approval_id, lambda a: Change(a.to(remind_at=again)))
            return
        now = self.changes.now()
        await self.changes.change(approval_id, lambda a: remind(a, known, now), queue=True)

    async def escalate(self, approval_id: str) -> None:
        """Its time has passed."""
        now = self.changes.now()

        def is_due(approval: Approval) -> bool:
            at = approval.escalate_next
            return at is not None and at <= now

        approval = await self._waiting(approval_id)
        if approval is None or not is_due(approval):
            return
        known = await self.known_to(approval)
        try:
            await self.changes.change(
                approval_id,
                lambda a: escalate(a, known, now) if is_due(a) else Change(a),
                queue=True,
            )
        except (Closed, NotEscalated) as error:
            log.info("%s is not escalated: %s", approval_id, error)

    async def escalate_by_hand(self, approval: Approval, actor: Actor) -> None:
        """Closed, NotEscalated where it cannot be."""
        known, now = await self.known_to(approval), self.changes.now()
        await self.changes.change(approval.id, lambda a: escalate(a, known, now, actor), queue=True)

    async def known_to(self, approval: Approval) -> Known:
        """Of those to whom it is escalated; nobody where Slack does not tell: the thread does."""
        try:
            seats = await self._seats(approval.policy.escalate_to)
            to = in_charge(approval, approval.policy.escalate_to, seats)
            return await self._known(seats, to)
        except (SlackRefused, SlackUnavailable) as error:
            log.warning("%s: escalated without direct messages: %s", approval.id, error)
            return Known(People())

    async def _waiting(self, approval_id: str) -> Approval | None:
        try:
            approval = await self.changes.store.approval(approval_id)
        except Unreadable as error:
            self.changes.store.pass_over(error)
            return None
        return approval if approval and approval.is_open else None

    async def _seats(self, approvers: Iterable[str]) -> Known:
        """The members of the groups among them, and who is away."""
        store, now = self.changes.store, self.changes.now()
        absences = await Absences(store.redis, store.keys).all()
        away = frozenset(absence.user for absence in absences if absence.holds(now))
        return Known(People(await self.slack.groups(approvers), deputies(absences, now)), away)

    async def _known(self, seats: Known, users: Iterable[str]) -> Known:
        """With who they are, of as many as may be told at a time."""
        members: dict[str, Member] = {}
        for user in users:
            if sum(member.full for member in members.values()) >= TOLD_AT_MOST:
                break
            if len(members) >= LOOKED_UP_AT_MOST:
                break
            members[user] = await self.slack.member(user, self.slack.team)
        return Known(seats.people, seats.away, members)
