"""An approval whose precondition does not hold any more: void, and asked again as things are now.

Found when it is about to be handed to its graph, or right before the effect. Pure, as all rules.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.approvals import SUPPORTS, Approval
from bot.audit import Tag
from bot.inslack import Earlier
from bot.outcomes import CHANGED_SINCE, CHANGED_SO
from bot.records import Change
from workflows.effects import EffectEntry
from workflows.protocol import Actor, Outdated


def rests_on_preconditions(approval: Approval) -> bool:
    """Is it approved, in any form, and does that hold only while something is as it was?"""
    approved = approval.status in ("approved", "edited")
    return approved and bool(approval.request.preconditions)


def to_be_checked(approval: Approval) -> bool:
    """Is what it rests on looked at before the graph is told?"""
    handed = approval.handed_over_at is not None and not approval.held
    return rests_on_preconditions(approval) and not handed and not approval.outcome


def outdated(approval: Approval, changes: tuple[str, ...], now: datetime) -> Change:
    """What was approved has changed before the graph was told: it is told that instead. Nothing
    where it is not approved any more."""
    if not rests_on_preconditions(approval):
        return Change(approval)
    nobody = Actor(team=approval.team, user=None)
    told = Outdated(by=nobody, at=now, digest=approval.digest, changes=changes)
    record = approval.revised(
        status="outdated", votes=(*approval.votes, told), handed_over_at=None, held=""
    )
    event = record.event(Tag.OUTDATED, now, detail={"why": "; ".join(changes)})
    return Change(record, (event,))


def changes_of(approval: Approval, effects: Iterable[EffectEntry]) -> tuple[str, ...]:
    """Why it was not carried out, in words, a line each; nothing where that is not why."""
    decision = approval.decision
    if decision is not None and decision.type == "outdated":
        return decision.changes
    if not rests_on_preconditions(approval):
        return ()
    found = [e for e in effects if e.state == "refused" and approval.id in e.decisions]
    return next((entry.changes for entry in found if entry.changes), ())


def not_executed(changes: tuple[str, ...], *, hides: bool) -> str:
    """What the card says then. hides: without what has changed."""
    return CHANGED_SINCE if hides else CHANGED_SO.format(changes="; ".join(changes))


def asked_before(
    approvals: Mapping[str, Approval], effects: Iterable[EffectEntry], node: str
) -> Earlier | None:
    """What the node asked before, where it asks again because that has changed: the last of it
    that nothing took the place of yet."""
    effects = tuple(effects)
    for each in reversed(list(approvals.values())):
        if each.node == node and each.superseded_by is None:
            changes = changes_of(each, effects)
            if changes:
                return Earlier(approval=each.id, message=each.message, changes=changes)
    return None


def approvers(approval: Approval) -> list[str]:
    """Who was for it, before it was void."""
    return [vote.by.user for vote in approval.votes if vote.type in SUPPORTS and vote.by.user]
