"""Every message we draw, in each state of its record: taken by Slack, and saying what is so."""

from typing import Any

import pytest

from bot.approvals import Approval, Doubt
from bot.audit import AuditEvent, Tag, chain
from bot.inslack import Earlier
from bot.outcomes import ANSWERS
from bot.outdating import outdated
from bot.policy import Why
from bot.runs import Run
from bot.views.answers import NOT_RECORDED, UNEXPECTED, refusal
from bot.views.card import ActionId, ButtonValue, Card, card, short
from bot.views.help import help_card, problem_card
from bot.views.listing import Whereabouts, thread_report
from bot.views.trail import NOT_TOLD, reply
from tests.bot import drawn
from tests.bot.samples import (
    MARA,
    NAMES,
    NOW,
    TITLE,
    WHERE,
    actor,
    after,
    answer,
    approval,
    approve,
    approved,
    draft,
    edit,
    handed_over,
    reject,
    request,
    run,
)
from workflows.catalog import Workflow
from workflows.payloads import Asked
from workflows.policy import Policy
from workflows.preconditions import Precondition

ALL_KINDS: list[dict[str, Any]] = [
    {"kind": "text", "label": "Customer", "value": "Acme GmbH"},
    {"kind": "money", "label": "Amount", "amount_minor": 12050, "currency": "USD"},
    {"kind": "date", "label": "Day", "value": "2026-03-01"},
    {"kind": "date", "label": "Moment", "value": "2026-03-01T12:00:00+02:00"},
    {"kind": "date", "label": "Long ago", "value": "1955-11-05T06:15:00Z"},
    {"kind": "user", "label": "Owner", "value": MARA},
    {"kind": "url", "label": "Order", "value": "https://shop.example/orders/7"},
    {"kind": "code", "label": "Query", "value": "SELECT *\nFROM orders"},
    {"kind": "diff", "label": "Plan", "before": "Free", "after": "Pro\nyearly"},
    {"kind": "diff", "label": "New", "before": None, "after": "x"},
    {"kind": "diff", "label": "Nothing", "before": None, "after": None},
    {"kind": "text", "label": "Empty", "value": ""},
    {"kind": "code", "label": "Empty too", "value": ""},
]
FULL = {
    "summary": "Parcel arrived damaged.",
    "details": "line 1\n\tline 2",
    "fields": ALL_KINDS,
    "risk": "high",
}

CHANGES = ('Phone: "1" is now "2"', 'City: nothing is now "Bern"')
RESTS = approval(
    request(preconditions=[Precondition(name="version", label="Version", expected="v1")])
)


def states() -> dict[str, Approval]:
    """A card in each state that it can be in."""
    base = approval(request(**FULL), note="The request changed.", expires_at=after(60))
    done = handed_over(base)
    doubt = base.to(doubt=Doubt(key="mail:1", attempt="a1"))
    closed = {
        "approved": base.decide(approve(base), after(1)).record,
        "edited": base.decide(edit(base), after(1)).record,
        "rejected": base.decide(reject(base, reason="Too much"), after(1)).record,
        "answered": base.decide(answer(base), after(1)).record,
        "expired": base.expire(after(1)).record,
        "outdated": outdated(approved(RESTS), CHANGES, after(2)).record,
        "superseded": base.supersede(after(1), "ap_2").record,
        "given up": base.supersede(after(1)).record,
        "cancelled": base.to(status="cancelled", closed_at=after(1)),
    }
    return {
        "pending": base,
        "bare": approval(request(), requester=None),
        **closed,
        "handed over": done,
        "done": done.concluded("done", "Refund done, re_1", after(2)),
        "failed": done.concluded("failed", "Not executed: Card was declined", after(2)),
        "in doubt": done.in_question(True),
        "given up, failed": closed["given up"].given_up("The workflow failed: ouch", after(2)),
        "not executed": done.given_up("Not executed: Card was declined", after(2)),
        "tried again": done.given_up("Not executed", after(2)).retried(),
        "reopened": closed["given up"].reopen(Asked(base.request), base.policy, after(2)).record,
        "doubt": doubt,
        "asked anew": RESTS.to(earlier=Earlier(approval="ap_0", message=WHERE, changes=CHANGES)),
        "answered doubt": doubt.decide(answer(doubt, "not_done"), after(1)).record,
        "expired, done": closed["expired"].concluded("done", "Nothing was executed", after(2)),
    }


@pytest.mark.parametrize("risk", ["low", "medium", "high"])
@pytest.mark.parametrize("name", states())
def test_a_card_is_taken_in_each_state(name: str, risk: str) -> None:
    of = states()[name]
    of = of.to(request=of.request.model_copy(update={"risk": risk}))
    shown = card(of, NAMES)

    assert drawn.problems(shown) == []
    assert shown == card(of, NAMES)
    assert f"digest `{of.terms[:12]}`" in drawn.words(shown)
    assert of.terms[:13] not in drawn.words(shown)
    if of.doubt and of.status == "pending":
        assert [each["text"]["text"] for each in drawn.buttons(shown).values()] == [
            *ANSWERS.values()
        ]
    elif of.status == "pending":
        assert drawn.problems_of_buttons(shown, of) == []
    else:
        again = of.outcome is not None and of.outcome.run_failed
        assert list(drawn.buttons(shown)) == ([ActionId.RETRY] if again else [])


SAYS: dict[str, tuple[str, list[str]]] = {
    "pending": (f"Approval needed: {TITLE}", ["High risk", "Requested by", "Decide by"]),
    "bare": (
        f"Approval needed: {TITLE}",
        ["Medium risk", "Requested by a workflow", "No deadline"],
    ),
    "approved": (f"Approved by Mara Okafor: {TITLE}", [" Approved by ", " Resuming …"]),
    "edited": (
        f"Approved with changes by Mara Okafor: {TITLE}",
        [" Approved with changes by ", " Resuming …"],
    ),
    "rejected": (f"Rejected by Mara Okafor: {TITLE}", [" Rejected by ", "Too much"]),
    "answered": (f"Answered by Mara Okafor: {TITLE}", [" Answered by "]),
    "expired": (f"Expired without a decision: {TITLE}", ["nobody decided in time"]),
    "superseded": (f"No longer asked: {TITLE}", ["went on to another question"]),
    "outdated": (
        f"Approved, and void since something changed: {TITLE}",
        [" Void, since something changed:", " approved by", *CHANGES],
    ),
    "asked anew": (
        f"Approval needed: {TITLE}",
        [" Asked again: this was approved, and changed", *CHANGES, "unchanged until then: Version"],
    ),
    "in doubt": (f"Approved by Mara Okafor: {TITLE}", ["a card of its own asks whether it did"]),
    "tried again": (f"Approved by Mara Okafor: {TITLE}", [" Resuming …"]),
    "given up, failed": (f"No longer asked: {TITLE}", [" The workflow failed: ouch"]),
    "reopened": (f"Approval needed: {TITLE}", [" Asked again ", "No deadline"]),
    "doubt": (f"Answer needed: {TITLE}", list(ANSWERS.values())),
    "answered doubt": (f"Answered by Mara Okafor: {TITLE}", ["It did not happen"]),
    "given up": (f"No longer asked: {TITLE}", ["no longer waits for it"]),
    "done": (f"Approved by Mara Okafor: {TITLE} – Refund done, re_1", [" Refund done, re_1"]),
    "failed": (
        f"Approved by Mara Okafor: {TITLE} – Not executed: Card was declined",
        [" Not executed: Card was declined"],
    ),
}


@pytest.mark.parametrize("name", SAYS)
def test_a_card_says_what_is_so(name: str) -> None:
    text, said = SAYS[name]
    shown = card(states()[name], NAMES)

    assert shown.text == text
    assert [each for each in said if each not in drawn.words(shown)] == []


def test_a_card_shows_each_field_as_its_kind_is_read() -> None:
    shown = card(states()["pending"], NAMES)
    said = drawn.words(shown)

    for each in (
        "The request changed.", "Acme GmbH", "$120.50 USD", "2026-03-01", f"Mara Okafor ({MARA})",
        "https://shop.example/orders/7", "SELECT *\nFROM orders", "- Free\n+ Pro\n+ yearly",
        "line 1\n\tline 2", "Parcel arrived damaged.", "1955-11-05T06:15:00+00:00",
    ):  # fmt: skip
        assert each in said
    [moment] = [e for e in drawn.every(shown.blocks) if e.get("type") == "date"]
    assert moment["timestamp"] == 1772359200
    assert moment["fallback"] == "2026-03-01 10:00 UTC"
    assert drawn.mentioned(shown) == set()


def test_who_decided_is_named_by_id() -> None:
    assert drawn.mentioned(card(states()["rejected"], NAMES)) == {MARA}
    assert drawn.mentioned(card(states()["expired"], NAMES)) == set()


@pytest.mark.parametrize(("risk", "asks"), [("low", False), ("medium", False), ("high", True)])
def test_only_high_risk_asks_once_more(risk: str, asks: bool) -> None:
    drawn_buttons = drawn.buttons(card(approval(request(risk=risk)), NAMES))

    assert [("confirm" in button) for button in drawn_buttons.values()] == [asks, asks]


@pytest.mark.parametrize("offered", ["approve", "reject"])
def test_only_what_is_allowed_is_offered(offered: str) -> None:
    shown = card(approval(request(allowed_decisions=(offered,))), NAMES)

    assert drawn.problems(shown) == []
    assert list(drawn.buttons(shown)) == [f"countersign_{offered}"]


def test_only_calling_again_asks_once_more() -> None:
    """It is the one answer that may do harm."""
    shown = card(states()["doubt"], NAMES)
    warned = [name for name, button in drawn.buttons(shown).items() if "confirm" in button]

    assert warned == [ActionId.CALL_AGAIN]
    assert "it may happen twice" in drawn.words(shown) + str(drawn.buttons(shown))


def test_block_ids_differ_between_revisions() -> None:
    def ids(of: Approval) -> set[str]:
        return {block["block_id"] for block in card(of, NAMES).blocks}

    before = approval(request(**FULL))
    assert not ids(before) & ids(approved(before))
    assert not ids(before) & ids(before.to(id="ap_2"))
    assert ids(before) == ids(before.to(version=9, shown=1, trail=3))


def test_rich_text_stays_where_it_was() -> None:
    """Slack refuses an update that takes it away (block_mismatch)."""
    for of in (approval(request(**FULL)), approval()):
        kinds = {block["type"] for block in card(approved(of), NAMES).blocks}
        assert "rich_text" in kinds


@pytest.mark.parametrize(
    "value", ["", "null", "[]", "{}", "approve", '{"approval":"a"}', "\ud800", "\x00", "1" * 5000,
              '{"approval":"a","digest":"b","more":1}', '{"approval":1,"digest":2}']
)  # fmt: skip
def test_a_value_that_is_none_of_ours_is_nothing(value: str) -> None:
    assert ButtonValue.read(value) is None


def event(tag: Tag, **changes: Any) -> AuditEvent:
    return chain(None, [draft(tag, **{"digest": "3f9a27bc81d0" + "0" * 52, **changes})])[0]


DETAIL: dict[str, Any] = {
    "reason": "Too <!channel> much",
    "text": "Refund done, re_1",
    "error": "ouch",
    "code": "not_in_channel",
    "instance": "one",
}


@pytest.mark.parametrize("by", [actor(), None])
@pytest.mark.parametrize("detail", [DETAIL, {}])
@pytest.mark.parametrize("digest", ["3f9a27bc81d0" + "0" * 52, None])
@pytest.mark.parametrize("tag", list(Tag))
def test_every_event_can_be_told(tag: Tag, by: Any, detail: Any, digest: str | None) -> None:
    told = event(tag, actor=by, detail=detail, digest=digest)
    shown = reply(told, NAMES)

    if tag in NOT_TOLD:
        assert shown is None
        return
    assert shown is not None
    assert drawn.problems(shown) == []
    assert f"Audit #0 · `{short(told.hash)}`" in drawn.words(shown)


def test_a_reply_says_who_what_and_why() -> None:
    told = reply(event(Tag.REJECTED, actor=actor(), detail={"reason": "Too much"}), NAMES)

    assert told is not None
    assert told.text == "Rejected by Mara Okafor on digest 3f9a27bc81d0: Too much"
    assert drawn.mentioned(told) == {MARA}


@pytest.mark.parametrize("count", [0, 1, 15, 40])
def test_the_report_of_a_thread_is_taken_and_hides_nothing(count: int) -> None:
    asked = [states()["done"].to(id=f"ap_{n}") for n in range(count)]
    of: Run = run(error="<!channel> " * 90).fail("ouch <@U1>", NOW)
    links = {"ap_1": "https://acme.slack.com/archives/C1/p1"}
    shown = thread_report(of, asked, Whereabouts(links))

    assert drawn.problems(shown) == []
    assert "is *failed*" in drawn.words(shown)
    assert drawn.words(shown).count("Refund done") == min(count, 15)
    assert ("25 earlier questions" in drawn.words(shown)) == (count == 40)


def workflow(*examples: str) -> Workflow:
    none: Any = None
    return Workflow("refund", "Refund", none, none, examples=examples)


@pytest.mark.parametrize("examples", [0, 1, 100])
@pytest.mark.parametrize("problem", ["", "`/approvals show` is followed by one thread id."])
def test_help_is_taken(examples: int, problem: str) -> None:
    each = "customer='Acme & <Co>' amount=1.00"
    shown = help_card([workflow(*[each] * examples)], problem)

    assert drawn.problems(shown) == []
    assert "`/approvals help`" in drawn.words(shown)


@pytest.mark.parametrize("problem", ["There is no run 'x'.", "<!channel>&\n" * 900, "&" * 9000])
def test_a_problem_is_taken(problem: str) -> None:
    assert drawn.problems(problem_card(problem)) == []


@pytest.mark.parametrize(
    "approvers", [(), (MARA, "S00FINANCE"), tuple(f"U{n:09}" for n in range(400))]
)
@pytest.mark.parametrize("status", states())
@pytest.mark.parametrize("why", list(Why))
def test_every_refusal_is_said(why: Why, status: str, approvers: tuple[str, ...]) -> None:
    of = states()[status].to(policy=Policy(approvers=approvers))
    for about in (of, None):
        said = refusal(why, about, "approve <!channel>")
        assert drawn.problems_of_text(said) == []
        assert drawn.problems(Card(said, [{"type": "divider"}])) == []


def test_answers_name_what_to_do() -> None:
    said = UNEXPECTED.format(number="1f2e3d4c")

    assert drawn.problems_of_text(said) == drawn.problems_of_text(NOT_RECORDED) == []
    assert "1f2e3d4c" in said
    assert "(nobody is set)" in refusal(
        Why.NOT_AN_APPROVER, approval(policy=Policy(approvers=())), "approve"
    )
