"""What a card says of hostile values, of high risk, and before a decision is taken."""

import pytest

from bot.views.card import ActionId, Card, card
from tests.bot import drawn
from tests.bot.samples import NAMES, NOW, TITLE, TOM, after, approval, approved, request
from workflows.policy import Policy


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Acme\u202egnp.exe", "Acme⟨U+202E⟩gnp.exe"),
        ("\x00\x1b[2K\x85", "⟨U+0000⟩⟨U+001B⟩[2K⟨U+0085⟩"),
        ("Ac\u200d\ufe0fme\U000e0041", "Ac⟨U+200D⟩⟨U+FE0F⟩me⟨U+E0041⟩"),
        ("❤\ufe0f \U0001f468\u200d\U0001f469 1\ufe0f\u20e3", "❤ \U0001f468\U0001f469 1\u20e3"),
        ("\u200b" * 3000, "[cut: 24,000 characters in all]"),
    ],
)
@pytest.mark.parametrize("kind", ["text", "code"])
def test_what_would_not_be_seen_is_marked(kind: str, value: str, said: str) -> None:
    field = {"kind": kind, "label": "Customer", "value": value}
    shown = card(approval(request(fields=[field], title=f"To {value[:100]}"[:150])), NAMES)

    assert drawn.problems(shown) == []
    assert said in drawn.words(shown)
    assert "Acme" not in value or said in shown.text


@pytest.mark.parametrize("where", ["summary", "details"])
def test_a_text_of_nothing_but_what_is_not_seen_is_shown_too(where: str) -> None:
    assert "⟨U+0085⟩" in drawn.words(card(approval(request(**{where: "\x85"})), NAMES))


FORGED = [{"kind": "text", "label": "Reason", "value": "a\nAmount: $5\n\nCustomer: B"}]


def test_a_value_of_several_lines_stays_one_value() -> None:
    """It stands in a quote, so that none of its lines looks like a field of its own."""
    of = approval(request(fields=FORGED, summary="b\nAmount: $6"), note="c\nAmount: $7")
    of = approved(of).concluded("failed", "d\nAmount: $8", NOW)
    [body, _, verdict] = [b for b in card(of, NAMES).blocks if b["type"] != "header"]
    parts = [
        (p["type"], drawn.words(Card("", [p]))) for p in (*body["elements"], *verdict["elements"])
    ]
    loose = [text for kind, text in parts if "$" in text and kind != "rich_text_quote"]

    assert all("\nAmount" not in text for text in loose)
    assert [text for kind, text in parts if kind == "rich_text_quote"] == [
        "a\nAmount: $5\n\nCustomer: B",
        "b\nAmount: $6",
    ]


@pytest.mark.parametrize("thread_id", ["refund-1", "t" * 128])
@pytest.mark.parametrize("title", [TITLE, "\u202e" * 150])
def test_a_confirmation_says_what_who_and_what_then(title: str, thread_id: str) -> None:
    of = approval(request(risk="high", title=title), thread_id=thread_id)
    shown = card(of, {**NAMES, TOM: "Tom Ferreira"})
    texts = {name: each["confirm"]["text"]["text"] for name, each in drawn.buttons(shown).items()}

    for text in texts.values():
        assert len(text) <= 300
        assert " – requested by Tom Ferreira. " in text
        assert text.endswith(f"Thread {thread_id}, digest {of.digest[:12]}.")
        assert title != TITLE or text.startswith(f"{TITLE} – ")
    assert "carried out at once" in texts[ActionId.APPROVE]
    assert "Nothing will be executed." in texts[ActionId.REJECT]
    assert "at once" not in texts[ActionId.REJECT]


@pytest.mark.parametrize(
    ("quorum", "when"), [(2, "once one more approves"), (50, "once 49 more approve")]
)
def test_a_confirmation_does_not_promise_what_others_must_still_approve(
    quorum: int, when: str
) -> None:
    policy = Policy(approvers=("S00FINANCE",), quorum=quorum)
    asked = request(risk="high", title="\u202e" * 150)
    of = approval(asked, thread_id="t" * 128, policy=policy)
    text = drawn.buttons(card(of, NAMES))[ActionId.APPROVE]["confirm"]["text"]["text"]
    assert f" is carried out {when}. " in text
    assert text.endswith(f"digest {of.digest[:12]}.")


@pytest.mark.parametrize("risk", ["low", "medium", "high"])
def test_a_card_says_its_risk_once_and_has_one_menu(risk: str) -> None:
    shown = card(approval(request(risk=risk)), NAMES)
    seen = [block for block in shown.blocks if block["type"] != "actions"]
    assert drawn.words(Card("", seen)).count(" risk") == 1
    [menu] = [e for e in drawn.every(shown.blocks) if e.get("type") == "overflow"]
    assert [option["text"]["text"] for option in menu["options"]] == [
        "Reject with a reason",
        "Reassign …",
        "Ask back …",
    ]


def test_high_risk_is_said_in_the_body_and_a_tick_means_carried_out() -> None:
    [_, body, *_] = card(approval(request(risk="high")), NAMES).blocks
    assert " High risk\n" in drawn.words(Card("", [body]))
    base = approval(request(risk="high"), expires_at=after(60))
    for of, sign in (
        (approved(base), "ballot_box_with_check"),
        (base.expire(NOW).record, "no_entry_sign"),
    ):
        emojis = [
            e["name"]
            for e in drawn.every(card(of.concluded("done", "Refund done", NOW), NAMES).blocks)
            if e.get("type") == "emoji"
        ]
        assert emojis[-1] == sign
