"""Ask back: a reviewer asks the requester, who answers; the card waits for neither."""

from datetime import datetime

from pydantic import JsonValue

from bot.approvals import Approval, Closed
from bot.asked import Inquiry
from bot.audit import Tag
from bot.policy import STRANGERS, Member, Why, refuse_person
from bot.records import Change
from workflows.protocol import Actor

KEPT_AT_MOST = 20  # questions of one approval


def refuse_question(approval: Approval) -> Why | None:
    """Why nobody can ask now, whoever it is: one question at a time."""
    if approval.requester is None:
        return Why.NO_REQUESTER
    if approval.inquiry is not None:
        return Why.ASKED_ALREADY
    return Why.ASKED_ENOUGH if len(approval.inquiries) >= KEPT_AT_MOST else None


def refuse_answer(approval: Approval, member: Member) -> Why | None:
    """Only who is asked answers, while a question is open."""
    barred = refuse_person(approval, member)
    if barred is not None and barred in STRANGERS:
        return barred
    if member.user != approval.requester:
        return Why.NOT_ASKED
    return Why.NOTHING_ASKED if approval.inquiry is None else None


def inquire(approval: Approval, by: Actor, question: str, now: datetime) -> Change:
    """The requester is asked. It can be decided meanwhile as before."""
    if approval.status != "pending":
        raise Closed(approval.status)
    asked = Inquiry(by=by, at=now, question=question)
    record = approval.revised(inquiries=(*approval.inquiries, asked))
    detail: dict[str, JsonValue] = {"to": approval.requester, "text": question}
    return Change(record, (record.event(Tag.INQUIRED, now, by, detail),))


def heard_before(approval: Approval, ts: str) -> bool:
    """Is this message of the thread no answer to the question that is open now? It answered one
    already, and Slack delivers it once more; or it was written before that was asked."""
    if any(each.heard == ts for each in approval.inquiries):
        return True
    asked = approval.inquiry
    return asked is not None and float(ts) <= asked.at.timestamp()


def reply(approval: Approval, by: Actor, text: str, now: datetime, heard: str = "") -> Change:
    """The answer to the open question; there must be one. heard: where it is a message."""
    if approval.status != "pending" or approval.inquiry is None:
        raise Closed(approval.status)
    asked = approval.inquiry
    answered = asked.model_copy(update={"answer": text, "answered_at": now, "heard": heard})
    record = approval.revised(inquiries=(*approval.inquiries[:-1], answered))
    detail: dict[str, JsonValue] = {"to": asked.by.user, "text": text}
    detail |= {"message": heard} if heard else {}
    return Change(record, (record.event(Tag.REPLIED, now, by, detail),))
