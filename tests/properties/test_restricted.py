"""Whatever a restricted request asks, and whatever is answered: no value of it is in a channel."""

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from bot.approvals import Approval, Doubt
from bot.asked import Inquiry
from bot.audit import GENESIS, AuditEvent, Tag
from bot.doubts import asked
from bot.query import Query
from bot.views.card import card
from bot.views.deciding import decision_view
from bot.views.details import review_view
from bot.views.home import Home, home_view
from bot.views.listing import Count, Page, Whereabouts, pending_list, thread_report
from bot.views.trail import reply
from tests.bot import drawn
from tests.bot.samples import NAMES, NOW, actor, after, approval, draft, effect, run
from workflows.fields import CodeField, DiffField, RequestField, TextField, UrlField
from workflows.policy import Policy
from workflows.protocol import (
    ApprovalRequest,
    Approve,
    Decision,
    Edit,
    Editable,
    Expired,
    Reject,
    Respond,
)

MARK = "zqvalue"
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
marked = st.text(max_size=6).map(lambda more: f"{more.strip()}{MARK}{more}")
labels = st.integers(0, 99).map(lambda number: f"{MARK}{number}")
fields: st.SearchStrategy[RequestField] = st.one_of(
    st.builds(TextField, label=labels, value=marked),
    st.builds(CodeField, label=labels, value=marked),
    st.builds(DiffField, label=labels, before=marked, after=marked),
    st.builds(UrlField, label=labels, value=st.just(f"https://{MARK}.example/")),
)
EDITABLE = Editable(
    json_schema={
        "type": "object",
        "properties": {MARK: {"type": "string", "title": MARK}},
        "additionalProperties": False,
    },
    values={MARK: f"{MARK} before"},
)
NOT_ASKED = ("title", "policy", "expires_in", "remind_after")


@st.composite
def restricted(draw: st.DrawFn) -> Approval:
    """In any state, with a value wherever one can stand."""
    request = ApprovalRequest(
        title="Answer to a patient",
        summary=draw(marked),
        fields=tuple(draw(st.lists(fields, max_size=4))),
        details=draw(marked) * draw(st.sampled_from([1, 400])),
        risk=draw(st.sampled_from(["low", "medium", "high"])),
        sensitivity="restricted",
        allowed_decisions=("approve", "edit", "reject", "respond"),
        editable=EDITABLE,
    )
    policy = Policy(approvers=("S00FINANCE",), quorum=draw(st.sampled_from([1, 2])))
    note = draw(st.just("") | marked)
    of = approval(request, note=note, policy=policy, expires_at=after(9))
    if draw(st.booleans()):
        of = approval(asked(effect(key=MARK), of).request, doubt=Doubt(key=MARK, attempt="a1"))
        return _ended(draw, of)
    who, words = actor(), draw(marked)
    decisions: list[Decision] = [
        Approve(by=who, at=NOW, digest=of.digest, reason=words),
        Edit(by=who, at=NOW, digest=of.digest, values={MARK: words}, reason=words),
        Reject(by=who, at=NOW, digest=of.digest, reason=words),
        Respond(by=who, at=NOW, digest=of.digest, text=words),
        Expired(by=actor(None), at=NOW, digest=of.digest),
    ]
    asks = Inquiry(by=who, at=NOW, question=words, answer=draw(st.just("") | marked))
    of = of.to(inquiries=draw(st.sampled_from([(), (asks,)])))
    decision = draw(st.none() | st.sampled_from(decisions))
    return _ended(draw, of.decide(decision, NOW).record if decision else of)


def _ended(draw: st.DrawFn, of: Approval) -> Approval:
    if of.status == "pending":
        return draw(st.sampled_from([of, of.supersede(NOW).record, of.revised(reopened_at=NOW)]))
    words = draw(marked)
    ends = [of, of.hold(words), of.given_up(words, NOW), of.in_question(on=True)]
    ends += [of.concluded("done", words, NOW), of.concluded("failed", words, NOW)]
    return draw(st.sampled_from(ends))


def changed(quorum: int) -> Approval:
    """By an edit: decided, or still to be approved by others."""
    request = ApprovalRequest(
        title="Answer to a patient",
        summary=MARK,
        sensitivity="restricted",
        allowed_decisions=("approve", "edit"),
        editable=EDITABLE,
    )
    of = approval(request, policy=Policy(approvers=("S00FINANCE",), quorum=quorum))
    edit = Edit(by=actor(), at=NOW, digest=of.digest, values={MARK: f"{MARK} after"})
    return of.decide(edit, NOW).record


def told(of: Approval, tag: Tag, words: str) -> AuditEvent:
    detail: dict[str, JsonValue] = dict.fromkeys(
        ("reason", "text", "error", "key", "before", "values", "request"), words
    )
    event: Any = draft(tag, actor=actor(), digest=of.terms).model_copy(update={"detail": detail})
    return AuditEvent.model_construct(**dict(event), seq=0, previous=GENESIS, hash="h" * 64)


def in_the_channel(of: Approval) -> list[Any]:
    shown = card(of, NAMES)
    page = Page([of], Query(), 1, Count(1, 0))
    one = pending_list(page, Whereabouts(), NOW)
    home = home_view(Home(page, [of], Whereabouts()), NOW)
    report = thread_report(run(error=f"{MARK} failed"), [of], Whereabouts())
    return [shown.text, shown.blocks, one.text, one.blocks, home, report.blocks]


@example(of=changed(1))
@example(of=changed(2))
@given(of=restricted())
@MANY
def test_no_value_is_on_the_card_or_in_a_list(of: Approval) -> None:
    shown = card(of, NAMES)
    assert MARK not in json.dumps(in_the_channel(of), ensure_ascii=False)
    assert drawn.problems(shown) == []
    assert "Answer to a patient" in drawn.words(shown)
    assert "countersign_details" in drawn.buttons(shown)
    assert not {"countersign_approve", "countersign_happened"} & set(drawn.buttons(shown))


@given(of=restricted(), tag=st.sampled_from(sorted(Tag)), words=marked)
@MANY
def test_no_value_is_in_the_thread(of: Approval, tag: Tag, words: str) -> None:
    said = reply(told(of, tag, words), NAMES, restricted=of.restricted)
    if said is not None:
        assert MARK not in json.dumps([said.text, said.blocks], ensure_ascii=False)


@given(of=restricted())
@MANY
def test_the_modal_shows_it_and_can_decide_it(of: Approval) -> None:
    view = review_view(of, NAMES)
    assert drawn.problems_of_view(view, "modal") == []
    assert MARK in json.dumps(view, ensure_ascii=False)
    assert MARK not in str(view.get("private_metadata"))
    buttons = [each for each in drawn.every(view) if each.get("type") == "button"]
    assert bool(buttons) == of.is_open
    for button in buttons:
        dialog = {key: button[key] for key in ("confirm", "value") if key in button}
        assert MARK not in json.dumps(dialog, ensure_ascii=False)
    for decision in ("approve", "reject", "respond"):
        form = decision_view(of, decision, "U0000MARA")
        assert MARK not in form["private_metadata"]
        assert drawn.problems_of_view(form, "modal") == []
