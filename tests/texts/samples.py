"""Records whose own words are digits and CAPITALS, so that any other word is one of ours."""

from collections.abc import Iterator
from typing import Any

from bot.approvals import CHANGED_NOTE, Approval, Doubt, Inquiry, Outcome
from bot.audit import GENESIS, AuditEvent, Tag
from bot.channels import CHANNEL, THREAD, WORKSPACE
from bot.doubts import MOVED_ON, SAYS
from bot.inslack import RESTORED_NOTE, Earlier, MessageRef
from bot.outcomes import ANSWERS, PLAIN
from tests.bot.samples import JONAS, MARA, NOW, TEAM, TOM, after, draft
from workflows.fields import CodeField, DateField, MoneyField, TextField, UserField
from workflows.policy import Policy, Stage
from workflows.preconditions import Precondition
from workflows.protocol import Actor, ApprovalRequest, Approve, Editable, Outdated, Reject, Respond
from workflows.protocol import Edit as Edited

NAMES = {MARA: "MARA O", JONAS: "JONAS W", TOM: "TOM F"}
THREAD_ID = "1000-1"
DIGEST = "0123456789" * 6 + "0123"
LONG = "LONG TEXT " * 400
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "A1": {"type": "integer", "title": "AMOUNT", "countersign": {"money": "USD"}},
        "B1": {"type": "boolean", "title": "BOOLEAN"},
        "L1": {"type": "array", "items": {"type": "string"}, "title": "LINES"},
    },
}
VALUES: dict[str, Any] = {"A1": 100, "B1": True, "L1": ["X1", "X2"]}
POLICY = Policy(approvers=("S00FINANCE", MARA), escalate_to=("S0000HEADS", "C0APPROVAL", TOM))
STAGES = Policy(
    stages=(
        Stage(name="", approvers=(MARA, JONAS), quorum=2),
        *(Stage(name=f"S{n}", approvers=(TOM,), quorum=1) for n in range(14)),
    )
)
# What a run leaves in its records: of ours as a whole, or of ours with an error or a receipt in it.
OUTCOMES = (
    *sorted(PLAIN),
    *SAYS.values(),
    MOVED_ON,
    "The workflow failed: E42",
    "Not executed: E42",
    "R1, 17, but then the workflow failed: E42",
    "It may have happened: ask the provider for K1, K2: E42",
    "Not executed: changed since it was approved: X1; X2",
    "Carried out",
    "Carried out, but then the workflow failed: countersign show tells why",
    "R1, 17; R2, 18",
)
HELD = (
    "E42. Nothing was executed yet",
    "E42. R1, 17",
    "E42. It may have happened: ask the provider for K1",
)


def actor(user: str | None = MARA) -> Actor:
    return Actor(team=TEAM, user=user, name=NAMES.get(user or "", ""))


def request(**changes: Any) -> ApprovalRequest:
    return ApprovalRequest.model_validate(
        {
            "title": "TITLE 1",
            "summary": "SUMMARY",
            "details": "DETAILS",
            "fields": (
                MoneyField(label="AMOUNT", amount_minor=12050, currency="USD"),
                TextField(label="TEXT", value="V1"),
                UserField(label="WHO", value=TOM),
                DateField(label="WHEN", value=NOW),
            ),
            "allowed_decisions": ("approve", "reject", "edit", "respond"),
            "editable": Editable(json_schema=SCHEMA, values=VALUES),
            **changes,
        }
    )


def approval(asked: ApprovalRequest | None = None, **changes: Any) -> Approval:
    values: dict[str, Any] = {
        "id": "ap_1", "team": TEAM, "thread_id": THREAD_ID, "workflow": "W1", "interrupt_id": "I1",
        "node": "N1", "request": asked or request(), "digest": DIGEST, "policy": POLICY,
        "requester": TOM, "channel": "C0APPROVAL", "requested_at": NOW,
    }  # fmt: skip
    return Approval.model_validate({**values, **changes})


def pending() -> Iterator[Approval]:
    of = approval()
    yield of
    yield approval(request(title="T" * 150, risk="high", summary="A\nB"), requester=None)
    yield approval(request(risk="medium", summary=LONG, details=LONG), expires_at=after(9))
    yield approval(
        request(risk="low", fields=_many()), policy=POLICY.model_copy(update={"bulk": True})
    )
    notes = (CHANGED_NOTE, RESTORED_NOTE, "NOTE")
    yield from (of.to(note=note, reopened_at=NOW, escalated_at=NOW, deleted=1) for note in notes)
    yield from (of.to(astray=code) for code in (*CHANNEL, *THREAD, *WORKSPACE, "ratelimited"))
    yield from (of.to(astray=code) for code in ("error 17", "http_500", "X1"))
    vote = Approve(by=actor(JONAS), at=NOW, digest=DIGEST)
    edit = Edited(by=actor(), at=NOW, digest=DIGEST, values={**VALUES, "A1": 90}, reason="REASON")
    same = edit.model_copy(update={"values": VALUES, "on_behalf_of": TOM})
    for votes in ((), (vote,), (edit,), (same, vote)):
        yield of.to(policy=STAGES, votes=votes)
        yield approval(request(risk="high"), policy=STAGES).to(votes=votes)
    for answer in ("", "ANSWER"):
        asks = Inquiry(by=actor(), at=NOW, question="QUESTION", answer=answer)
        yield of.to(inquiries=(asks,))
        yield approval(request(sensitivity="restricted"), note="NOTE").to(inquiries=(asks,))
    earlier = Earlier(approval="ap_0", message=WHERE, changes=("X1", "X2"))
    yield of.to(earlier=earlier, request=request(preconditions=(CONDITION,)))
    yield of.to(earlier=earlier, request=request(sensitivity="restricted"))
    every = ("approve", "edit", "reject")
    yield of.to(policy=POLICY.model_copy(update={"reason_required": every}))
    for risk in ("low", "high"):
        yield approval(request(risk=risk)).to(doubt=Doubt(key="K1", attempt="1"))


def _many() -> tuple[CodeField, ...]:
    return tuple(CodeField(label="CODE", value="C1") for _ in range(30))


def ended() -> Iterator[Approval]:
    of = approval()
    vote = Approve(by=actor(), at=NOW, digest=DIGEST, on_behalf_of=TOM)
    also = Approve(by=actor(JONAS), at=NOW, digest=DIGEST)
    approved = of.to(status="approved", votes=(vote, also), closed_at=NOW)
    yield approved
    yield approved.to(in_doubt=True)
    for sensitivity in ("normal", "restricted"):
        hides = {"request": request(sensitivity=sensitivity)}
        yield from (approved.to(held=held, **hides) for held in HELD)
        for text in OUTCOMES:
            for state in ("done", "failed"):
                outcome = Outcome(state=state, text=text, at=NOW, run_failed=state == "failed")
                yield approved.to(outcome=outcome, **hides)
    edit = Edited(by=actor(), at=NOW, digest=DIGEST, values={**VALUES, "A1": 90})
    yield of.to(status="edited", votes=(edit,), closed_at=NOW)
    no = Reject(by=actor(None), at=NOW, digest=DIGEST, reason="REASON")
    yield of.to(status="rejected", votes=(no,), closed_at=NOW)
    says = Respond(by=actor(), at=NOW, digest=DIGEST, text="TEXT")
    yield of.to(status="answered", votes=(says,), closed_at=NOW)
    for answer in ANSWERS:
        said = says.model_copy(update={"text": answer})
        doubt = Doubt(key="K1", attempt="1")
        yield of.to(status="answered", votes=(said,), closed_at=NOW, doubt=doubt)
    yield of.to(status="expired", closed_at=NOW)
    nobody = Actor(team=TEAM, user=None)
    void = Outdated(by=nobody, at=NOW, digest=DIGEST, changes=("X1", "X2"))
    for sensitivity in ("normal", "restricted"):
        hides = {"request": request(sensitivity=sensitivity)}
        yield of.to(status="outdated", votes=(vote, also, void), closed_at=NOW, **hides)
    yield of.to(status="superseded", closed_at=NOW)
    yield of.to(status="superseded", closed_at=NOW, superseded_by="ap_2")


def event(tag: Tag, **detail: Any) -> AuditEvent:
    by = detail.pop("by", MARA)
    made: Any = draft(tag, actor=actor(by) if by else None, digest=DIGEST)
    made = made.model_copy(update={"detail": detail, "thread_id": THREAD_ID})
    return AuditEvent.model_construct(**dict(made), seq=1, previous=GENESIS, hash=DIGEST)


TOLD: dict[str, Any] = {"reason": "REASON", "text": "TEXT", "error": "E42", "why": "E42"}
MORE: tuple[dict[str, Any], ...] = (
    {},
    {"by": None},
    {**TOLD, "instance": "I1", "stage": "S1", "users": [MARA, JONAS], "others": 2, "from": MARA},
    {**TOLD, "type": "edit", "voided": [TOM], "to": TOM, "on_behalf_of": TOM, "whole": True},
    {"until": NOW.isoformat(), "from": MARA, "to": TOM, "others": 1, "users": [MARA]},
    {"to": [TOM, JONAS], "text": "TEXT", "stage": "S1"},
    {"to": [TOM], "whole": True, "why": CHANGED_NOTE},
    {"why": "the breakpoint was not approved"},
)
CONDITION = Precondition(name="c1", label="C1")
OF_ANSWERS: tuple[dict[str, Any], ...] = tuple({"text": each} for each in ANSWERS.values())
# What only the ledger tells: words of ours under `text`, which else are a person's.
OF_EFFECTS: tuple[dict[str, Any], ...] = (
    {"text": "It may have happened (K1): a card of its own asks whether it did"},
    {"text": "It may have happened: ask the provider for K1"},
    *({"text": each} for each in (*SAYS.values(), MOVED_ON)),
)
WHERE = MessageRef(channel="C0APPROVAL", ts="1700000000.000100")
