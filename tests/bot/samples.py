"""Records as tests want them: valid, small, and changed in what the test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.approvals import Approval
from bot.audit import Draft, Tag
from bot.inslack import MessageRef
from bot.policy import Member
from bot.runs import Run
from workflows.effects import EffectEntry, Receipt
from workflows.payloads import Asked
from workflows.policy import Policy
from workflows.protocol import (
    MARKER,
    Actor,
    ApprovalRequest,
    Approve,
    Decision,
    Edit,
    Reject,
    Respond,
)
from workflows.runner import Question, ThreadState

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TEAM = "T0000ACME"
CHANNEL = "C0APPROVAL"
THREAD = "refund-1"
MARA, JONAS, TOM = "U0000MARA", "U000JONAS", "U00000TOM"
NAMES = {MARA: "Mara Okafor", JONAS: "Jonas Weber", TOM: "Tom Ferreira"}
WHERE = MessageRef(channel=CHANNEL, ts="1700000000.000100")
TITLE = "Refund $120.50 to Acme GmbH"
POLICY = Policy(approvers=("S00FINANCE", MARA))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def request(**changes: Any) -> ApprovalRequest:
    return ApprovalRequest.model_validate({"title": TITLE, **changes})


def run(**changes: Any) -> Run:
    """Started by Tom, and not begun yet."""
    values: dict[str, Any] = {
        "thread_id": THREAD,
        "workflow": "refund",
        "workflow_version": "1",
        "input": {"customer": "Acme GmbH"},
        "requester": TOM,
        "team": TEAM,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Run.model_validate({**values, **changes})


def approval(asked: ApprovalRequest | None = None, **changes: Any) -> Approval:
    """Asked by Tom's run, pending, and not shown yet."""
    shown = asked or request()
    values: dict[str, Any] = {
        "id": "ap_1",
        "team": TEAM,
        "thread_id": THREAD,
        "workflow": "refund",
        "interrupt_id": "i1",
        "node": "gate",
        "request": shown,
        "digest": "3f9a27bc81d0" + "0" * 52,
        "policy": POLICY,
        "requester": TOM,
        "channel": CHANNEL,
        "requested_at": NOW,
    }
    return Approval.model_validate({**values, **changes})


def question(asked: ApprovalRequest, key: str = "ap_1", *, answered: bool = False) -> Question:
    value = {MARKER: 1, "request": asked.model_dump(mode="json"), "note": ""}
    return Question(key, f"i_{key}", value, "gate", "", "cp1", answered)


def opened(key: str = "ap_1", **changes: Any) -> Approval:
    """As a graph's question opens it."""
    asked = request(**changes)
    change = Approval.open(
        run(), question(asked, key), Asked(asked), policy=POLICY, channel=CHANNEL, now=NOW
    )
    return change.record


def state(*questions: Question, finished: bool = False, stalled: bool = False) -> ThreadState:
    return ThreadState(finished, stalled, "cp1", questions)


def actor(user: str | None = MARA) -> Actor:
    return Actor(team=TEAM, user=user, name=NAMES.get(user or "", ""))


def approve(of: Approval, by: str = MARA, at: datetime = NOW) -> Decision:
    return Approve(by=actor(by), at=at, digest=of.digest)


def reject(of: Approval, by: str = MARA, at: datetime = NOW, reason: str = "") -> Decision:
    return Reject(by=actor(by), at=at, digest=of.digest, reason=reason)


def answer(of: Approval, text: str = "Send it on Monday") -> Decision:
    return Respond(by=actor(), at=NOW, digest=of.digest, text=text)


def edit(of: Approval) -> Decision:
    return Edit(by=actor(), at=NOW, digest=of.digest, values={"amount": 1})


def approved(of: Approval | None = None, at: datetime = NOW) -> Approval:
    waiting = of or approval()
    return waiting.decide(approve(waiting, at=at), at).record


def handed_over(of: Approval | None = None, at: datetime = NOW) -> Approval:
    return approved(of, at).hand_over(at, "one", "cp1").record


def member(user: str = MARA, **changes: Any) -> Member:
    values: dict[str, Any] = {"team": TEAM, "user": user, "name": NAMES.get(user, user)}
    values |= {"full": True, **changes}
    return Member(**values)


def effect(key: str = "refund:1", at: datetime = NOW, **changes: Any) -> EffectEntry:
    """Done, with the receipt of a refund."""
    values: dict[str, Any] = {
        "key": key,
        "thread_id": THREAD,
        "state": "done",
        "attempt": "a1",
        "at": at,
        "decisions": ("ap_1",),
        "receipt": Receipt(id="re_1", summary="Refund done"),
    }
    return EffectEntry(**{**values, **changes})


def draft(tag: Tag = Tag.APPROVED, **changes: Any) -> Draft:
    values: dict[str, Any] = {"thread_id": THREAD, "tag": tag, "at": NOW, "approval_id": "ap_1"}
    return Draft(**{**values, **changes})
