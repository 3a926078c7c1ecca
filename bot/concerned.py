"""Whom an event of an approval's trail concerns, so that they are told by direct message."""

from bot.approvals import Approval
from bot.audit import Draft, Tag

TO_REVIEWERS = frozenset({Tag.REMINDED, Tag.ESCALATED})
TO_THE_REQUESTER = frozenset(
    {
        Tag.SHOWN,
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
    themselves, and nothing of a doubt, which the ledger asks; reviewers only while it waits."""
    if event.tag in TO_REVIEWERS:
        named = event.detail.get("users")
        return tuple(map(str, named)) if isinstance(named, list) and approval.is_open else ()
    if event.tag not in TO_THE_REQUESTER or approval.requester is None or approval.doubt:
        return ()
    actor = event.actor.user if event.actor else None
    again = event.tag == Tag.SHOWN and "deleted_before" in event.detail
    return () if again or actor == approval.requester else (approval.requester,)
