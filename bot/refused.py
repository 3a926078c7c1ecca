"""A decision that was refused, in the trail: who, and why. The thread does not tell it."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import JsonValue

from bot.approvals import Approval
from bot.audit import AuditEvent, Tag
from bot.policy import Why
from bot.records import Change
from workflows.protocol import Actor

KEPT_AT_MOST = 100  # of one approval: whoever clicks on and on cannot grow its trail without end


def refused(
    approval: Approval,
    trail: Iterable[AuditEvent],
    by: Actor,
    why: Why,
    decision: str,
    now: datetime,
) -> Change | None:
    """None where the trail tells of it already: once for each person, reason and version of what
    is asked; or where it tells of as many as it may."""
    detail: dict[str, JsonValue] = {"why": why.value, "decision": decision}
    known = [e for e in trail if (e.tag, e.approval_id) == (Tag.REFUSED, approval.id)]
    marks = {
        (e.actor and (e.actor.team, e.actor.user), e.detail.get("why"), e.digest) for e in known
    }
    mark = ((by.team, by.user), why.value, approval.terms)
    if mark in marks or len(known) >= KEPT_AT_MOST:
        return None
    return Change(approval, (approval.event(Tag.REFUSED, now, by, detail),))
