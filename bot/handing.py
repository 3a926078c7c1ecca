"""Reassign: other people are asked than before, or one approver's place goes to someone else. By
this nobody gets to decide who may not, and no fewer have to approve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from bot.approvals import Approval, Closed
from bot.audit import Tag
from bot.policy import Member, People, Why, refuse_person
from bot.records import Change
from bot.texts import t, tn
from bot.views.text import user
from workflows.policy import Policy, PolicyError, Stage
from workflows.protocol import Actor


class NotHanded(Exception):
    """It stays as it is; the words for people say why, and what to do."""


@dataclass(frozen=True)
class Handing:
    """What may be handed to others: all places of a stage, or one's own in it."""

    stage: int
    whole: bool


def may_hand(approval: Approval, member: Member, people: People) -> Handing | Why:
    """Whom the policy's `reassign` names chooses who is asked now; an approver gives their own
    place away, unless they have voted. Who may not decide it chooses nobody who does."""
    barred = refuse_person(approval, member)
    if barred is not None:
        return barred
    now = approval.open_stage or 0
    if member.user in people.among(approval.policy.reassign):
        return Handing(now, whole=True)
    stages = sorted(range(len(approval.stages)), key=lambda number: (number != now, number))
    own = (number for number in stages if member.user in people.of(approval.stages[number]))
    stage = next((number for number in own if approval.missing(number)), None)
    if stage is None:
        return Why.MAY_NOT_REASSIGN
    return Why.VOTED if approval.vote_of(member.user) else Handing(stage, whole=False)


def hand(
    approval: Approval,
    handing: Handing,
    by: Actor,
    to: Sequence[Member],
    people: People,
    note: str,
    now: datetime,
) -> Change:
    """The approval with the policy that holds from now on. NotHanded where any of `to` could not
    decide it, or too few would be left."""
    if approval.status != "pending":
        raise Closed(approval.status)
    stage = approval.stages[handing.stage]
    _check(approval, handing, by, to, people)
    ids = tuple(dict.fromkeys(each.user for each in to))
    taken = stage.approvers if handing.whole else (by.user or "",)
    cast = [vote for vote in approval.votes if vote.stage == handing.stage]
    voted = [vote.on_behalf_of or vote.by.user or "" for vote in cast]  # they keep their places
    other = _other(stage, by, ids) if not handing.whole else _anew(stage, (*voted, *ids))
    policy = _with(approval.policy, handing.stage, other)
    try:
        policy.model_copy(update={"tiers": ()}).check()
    except PolicyError:
        raise NotHanded(t("Too few would be left to approve it: choose other people.")) from None
    record = approval.revised(policy=policy)
    detail: dict[str, JsonValue] = {"from": list(taken), "to": list(ids), "whole": handing.whole}
    detail |= {"stage": stage.name, "text": note}
    return Change(record, (record.event(Tag.REASSIGNED, now, by, detail),))


def _anew(stage: Stage, approvers: tuple[str, ...]) -> Stage:
    return stage.model_copy(update={"approvers": approvers, "without": ()})


def _other(stage: Stage, by: Actor, to: tuple[str, ...]) -> Stage:
    """The same quorum, and one of them another."""
    kept = [each for each in stage.approvers if each != by.user]
    without = [each for each in stage.without if each not in to]  # also where a group has them
    changed = {"approvers": (*kept, *to), "without": (*without, by.user)}
    return stage.model_copy(update=changed)


def _with(policy: Policy, number: int, stage: Stage) -> Policy:
    stages = tuple(stage if n == number else each for n, each in enumerate(policy.in_order))
    return policy.model_copy(update={"approvers": (), "quorum": 1, "stages": stages})


def _check(
    approval: Approval, handing: Handing, by: Actor, to: Sequence[Member], people: People
) -> None:
    for each in to:
        _check_person(approval, by, each)
    missing = approval.missing(handing.stage)
    if handing.whole:
        if len({each.user for each in to}) < missing:
            raise NotHanded(
                tn(
                    "{n} more has to approve: choose {n} person or more.",
                    "{n} more have to approve: choose {n} people or more.",
                    missing,
                )
            )
    elif len(to) != 1:
        raise NotHanded(t("Your place goes to one person: choose one."))
    elif to[0].user in people.of(approval.stages[handing.stage]):
        name = user(to[0].user)
        raise NotHanded(t("{who} is asked already. Choose someone else.", who=name))


def _check_person(approval: Approval, by: Actor, to: Member) -> None:
    name = user(to.user)
    if to.user == by.user:
        raise NotHanded(t("Choose someone else than yourself."))
    if refuse_person(approval, to) is not None:
        words = t(
            "{who} may not decide this: whoever asked for it or is named in it may not, nor "
            "guests, bots, deactivated users and people from outside. Choose someone else.",
            who=name,
        )
        raise NotHanded(words)
    if approval.vote_of(to.user) is not None:
        raise NotHanded(t("{who} has voted already. Choose someone else.", who=name))
