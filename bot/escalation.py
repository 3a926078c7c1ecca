"""Escalation: after a time, or by hand, the people whom the policy names for it may decide too."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from bot.approvals import Approval, Closed
from bot.audit import Tag
from bot.policy import Member, People, Why, authorize, refuse_person
from bot.records import Change
from bot.reminders import TOLD_AT_MOST, Known, in_charge
from bot.texts import t
from workflows.policy import Policy
from workflows.protocol import Actor


class NotEscalated(Exception):
    """It cannot be; the message says why, for people."""


def escalate(approval: Approval, known: Known, now: datetime, actor: Actor | None = None) -> Change:
    """Once only. As many have to approve as before, and whoever could still can. actor: None
    where its time has passed. Closed where it waits no more."""
    if not approval.is_open or approval.past_deadline(now):
        raise Closed(approval.status)
    if approval.escalated_at:
        raise NotEscalated(t("It was escalated already."))
    to = escalated_to(approval)
    if not to and (actor or not approval.policy.escalate_to):
        raise NotEscalated(t("Its policy names nobody to whom it could be escalated."))
    record = approval.revised(
        policy=_opened_to(approval, approval.policy.escalate_to), escalated_at=now
    )
    without = approval.stages[approval.open_stage or 0].without
    who = [each for each in in_charge(approval, to, known, without) if known.member(each)]
    detail: dict[str, JsonValue] = {"to": list(to), "users": list(who[:TOLD_AT_MOST])}
    return Change(record, (record.event(Tag.ESCALATED, now, actor, detail),) if to else ())


def escalated_to(approval: Approval) -> tuple[str, ...]:
    """Without those who gave away their place in the open stage: a place is not had twice. Once it
    is escalated, without those in whose stead others were chosen since."""
    stage = approval.stages[approval.open_stage or 0]
    to = (each for each in approval.policy.escalate_to if each not in stage.without)
    return tuple(each for each in to if not approval.escalated_at or each in stage.approvers)


def _opened_to(approval: Approval, more: Sequence[str]) -> Policy:
    """The stage that is open, and those after it."""
    policy, first = approval.policy, approval.open_stage or 0

    def joined(approvers: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*approvers, *more]))

    if not policy.stages:
        return policy.model_copy(update={"approvers": joined(policy.approvers)})
    stages = tuple(
        stage.model_copy(update={"approvers": joined(stage.approvers)}) if at >= first else stage
        for at, stage in enumerate(policy.stages)
    )
    return policy.model_copy(update={"stages": stages})


def refuse_to_escalate(approval: Approval, member: Member, people: People) -> Why | None:
    """None for one of its approvers, of any stage, and for those who may reassign it."""
    barred = refuse_person(approval, member)
    if barred is not None or member.user in people.among(approval.policy.reassign):
        return barred
    right = authorize(approval, member, people, any_stage=True)
    return right if isinstance(right, Why) else None
