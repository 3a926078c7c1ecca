"""Whom an event of an approval's trail concerns, so that they are told by direct message."""

from bot.approvals import Approval
from bot.audit import Draft, Tag

# and where the event names them
TO_REVIEWERS = {Tag.REMINDED: "users", Tag.ESCALATED: "users", Tag.REASSIGNED: "to"}
TO_THE_REQUESTER = frozenset(
    {
        Tag.SHOWN,
        Tag.INQUIRED,
        Tag.APPROVED,
        Tag.EDITED,
        Tag.REJECTED,
        Tag.ANSWERED,
        Tag.EXPIRED,
        Tag.OUTDATED,
        Tag.SUPERSEDED,
        Tag.REOPENED,
        Tag.EFFECT_DONE,
        Tag.EFFECT_IN_DOUBT,
        Tag.EFFECT_REFUSED,
        Tag.EFFECT_OUTDATED,
        Tag.RUN_BLOCKED,
        Tag.RUN_FAILED,
        Tag.RUN_RETRIED,
    }
)


def concerned(approval: Approval, event: Draft) -> tuple[str, ...]:
    """Slack ids, in order. The requester hears what becomes of it, but not what they did
    themselves, nor one cause twice, and nothing of a doubt, which the ledger asks; reviewers only
    while it waits."""
    if event.tag in TO_REVIEWERS:
        named = event.detail.get(TO_REVIEWERS[event.tag])
        return tuple(map(str, named)) if isinstance(named, list) and approval.is_open else ()
    if event.tag not in TO_THE_REQUESTER or approval.requester is None or approval.doubt:
        return ()
    actor = event.actor.user if event.actor else None
    again = "deleted_before" in event.detail or "refused" in event.detail
    answered = event.tag == Tag.INQUIRED and not (approval.is_open and approval.inquiry)
    news = not (again or answered or actor == approval.requester)
    return (approval.requester,) if news else ()
