"""Business duplicates: when approvals have to look at each other, and what they keep of it.

Each is found under its key from the moment it is stored. Before its card is posted it looks who
else is, and has those look as well: of two that are opened at once, the later one's look finds
both. Whoever is like another looks again, and has the others look, when how it stands changes.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from bot.alike import Alike
from bot.approvals import Approval
from bot.audit import Tag
from bot.records import Change

LISTED = 5  # of many that are alike, the newest
NO_LONGER = ("outdated", "superseded", "cancelled")


def key_of(approval: Approval) -> str:
    """ "" where it declares none."""
    asked = approval.request.duplicate_of
    return asked.hashed(approval.workflow) if asked else ""


def counts(approval: Approval) -> bool:
    """Is it to be found by others?"""
    return bool(approval.request.duplicate_of) and approval.status not in NO_LONGER


def uncompared(approval: Approval) -> bool:
    """Has it never looked at others under its present key? Then its card is not posted yet."""
    key = key_of(approval)
    return bool(key) and approval.compared.partition(" ")[0] != key


def owes_comparing(approval: Approval) -> bool:
    if uncompared(approval):
        return True
    news = bool(approval.alike) and approval.compared != standing(approval)
    return bool(approval.request.duplicate_of) and (news or approval.heeded < approval.wanted)


def standing(approval: Approval) -> str:
    """Its key, and all that others tell of it."""
    where = approval.message.ts if approval.message else ""
    outcome = approval.outcome.state if approval.outcome else ""
    return f"{key_of(approval)} {approval.status} {where} {outcome}"


def resembles(approval: Approval, other: Approval) -> bool:
    """Is the other one the same business, asked in another thread?"""
    same = key_of(other) == key_of(approval) and other.thread_id != approval.thread_id
    return same and counts(other)


def as_seen(other: Approval, link: str) -> Alike:
    decided = other.decision
    return Alike(
        id=other.id,
        thread_id=other.thread_id,
        status=other.status,
        by=decided.by.user if decided else None,
        failed=bool(other.outcome and other.outcome.state == "failed"),
        at=other.closed_at or other.requested_at,
        link=link,
    )


def compared(approval: Approval, before: Approval, found: Sequence[Alike], now: datetime) -> Change:
    """It has looked. before: as it was when it began to. A card that is decided is not drawn anew
    for it: what it says is what was seen."""
    kept = {"alike": tuple(found), "compared": standing(before), "heeded": before.wanted}
    if approval.status != "pending" or approval.alike == kept["alike"]:
        return Change(approval.to(**kept))
    record = approval.revised(**kept)
    known = {each.id for each in approval.alike}
    new: list[JsonValue] = [each.thread_id for each in found if each.id not in known]
    told = (record.event(Tag.ALIKE, now, detail={"threads": new}),) if new else ()
    return Change(record, told)
