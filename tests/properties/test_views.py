"""Whatever a request says, its card can be decided, hides nothing, and does nothing by itself."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.approvals import Approval
from bot.audit import GENESIS, AuditEvent, Tag
from bot.query import Query
from bot.views.card import Card, card, room_of
from bot.views.help import problem_card
from bot.views.listing import Count, Page, Whereabouts, pending_list, thread_report
from bot.views.text import clean, cut, escape, escape_lines
from bot.views.trail import NOT_TOLD, reply
from tests.bot import drawn
from tests.bot.samples import MARA, NOW, actor, after, approval, draft, run
from tests.properties.requests import asked, decided, text
from workflows.fields import CodeField, MoneyField, RequestField, TextField, UrlField
from workflows.protocol import ApprovalRequest

MANY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
HOSTILE_NAMES = {MARA: "<!channel>\u202e" + "&" * 5000}


def with_fields(count: int, size: int) -> Approval:
    """As much as there can be of everything at once."""
    long = "x" * size
    shown = ApprovalRequest(
        title="W" * 150, summary=long, details=long, risk="high",
        fields=tuple(CodeField(label="L" * 75, value=long) for _ in range(count)),
    )  # fmt: skip
    return approval(shown, note=long, workflow="w" * 60, thread_id="t" * 128, expires_at=after(9))


def with_field(field: RequestField) -> Approval:
    return approval(ApprovalRequest(title="One field", fields=(field,)))


@example(of=with_fields(200, 3000))
@example(of=with_fields(25, 100_000))
@example(of=with_fields(7, 3000))
@example(of=with_fields(1, 100_000))
@example(of=with_field(UrlField(label="Link", value="https://[")))
@example(of=with_field(UrlField(label="Link", value="https://?x")))
@example(of=with_field(MoneyField(label="Amount", amount_minor=10**60, currency="USD")))
@given(of=asked)
@MANY
def test_a_hostile_question_can_still_be_decided(of: Approval) -> None:
    shown = card(of, HOSTILE_NAMES)

    assert drawn.problems(shown) == []
    assert drawn.problems_of_buttons(shown, of) == []
    assert drawn.mentioned(shown) == set()
    assert shown.text.startswith("Approval needed: ")
    assert len(shown.text) > len("Approval needed: ")
    assert f"digest `{of.digest[:12]}`" in drawn.words(shown)
    assert shown == card(of, HOSTILE_NAMES)


@given(of=decided())
@MANY
def test_a_hostile_decision_is_shown_without_doing_anything(of: Approval) -> None:
    shown = card(of, HOSTILE_NAMES)

    assert drawn.problems(shown) == []
    assert drawn.buttons(shown) == {}
    assert drawn.mentioned(shown) <= {MARA}


@example(of=with_fields(25, 3000))
@given(of=asked)
@MANY
def test_what_does_not_fit_is_said(of: Approval) -> None:
    """Of each value there is all, or a mark that it was cut; of the fields all, or how many."""
    said = drawn.words(card(of, HOSTILE_NAMES))
    left = len(of.request.fields) - room_of(of).fields

    assert (f"and {left} more fields" in said) == (left > 0)
    values = [f.value for f in of.request.fields[: room_of(of).fields] if isinstance(f, TextField)]
    for value in (*values, of.request.summary, of.request.details):
        kept = clean(value)
        assert not kept.strip() or kept in said or f"[cut: {len(kept):,} characters" in said


lists: list[Callable[[Approval], Card]] = [
    lambda of: pending_list(
        Page([of], Query(text=clean(of.request.details)[:100]), 1, Count(1, 1), frozenset({of.id})),
        Whereabouts({}, {of.id: of.request.details}),
        NOW,
    ),
    lambda of: thread_report(run(error=of.request.details), [of] * 20, Whereabouts()),
    lambda of: problem_card(of.request.details),
]


@given(of=asked | decided(), listed=st.sampled_from(lists))
@MANY
def test_a_hostile_request_can_be_listed(of: Approval, listed: Callable[[Approval], Card]) -> None:
    assert drawn.problems(listed(of)) == []


@given(tag=st.sampled_from(sorted(set(Tag) - NOT_TOLD)), said=text)
@MANY
def test_a_hostile_event_can_be_told(tag: Tag, said: str) -> None:
    detail: dict[str, Any] = dict.fromkeys(("reason", "text", "error", "code", "instance"), said)
    event: Any = draft(tag, actor=actor(), digest="d" * 64).model_copy(update={"detail": detail})
    told = AuditEvent.model_construct(**dict(event), seq=0, previous=GENESIS, hash="h" * 64)
    shown = reply(told, HOSTILE_NAMES)

    assert shown is not None
    assert drawn.problems(shown) == []
    assert drawn.mentioned(shown) <= {MARA}


@given(value=text, limit=st.integers(60, 3000))
@example(value="\r\U0010ffff" * 300, limit=1360)  # a mark is longer than what it marks
@MANY
def test_text_is_clean_cut_and_escaped(value: str, limit: int) -> None:
    assert drawn.hidden({"": clean(value)}) == []
    assert clean(clean(value)) == clean(value)
    assert len(cut(value, limit)) <= limit
    assert cut(value, limit) == value or "[cut: " in cut(value, limit)
    assert "\n" not in escape(value, limit)
    assert len(escape_lines(value, limit)) <= max(limit, 300)
    for escaped in (escape(value, limit), escape_lines(value, limit)):
        assert drawn.foreign_markup(escaped) == []


@given(value=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=200))
def test_what_is_harmless_is_shown_as_it_is(value: str) -> None:
    plain = "".join(c for c in value if c.isprintable() or c == " ")

    assert clean(plain) == plain
