"""Business duplicates: what is the same, when it is looked for, and how it is told."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot import steps
from bot.approvals import Approval
from bot.audit import Tag
from bot.likeness import as_seen, compared, owes_comparing, resembles, standing
from bot.local.person import texts_in
from bot.policy import Why, refuse_bulk
from bot.views.card import card
from bot.views.deciding import decision_view
from bot.views.details import review_view
from bot.views.listing import listed
from tests.bot import drawn
from tests.bot.samples import MARA, NAMES, NOW, WHERE, after, approval, approved, request
from workflows.duplicates import DuplicateKey
from workflows.policy import Policy

KEY = {"parts": {"payee": "Acme", "amount": "12000 USD"}}
LINK = "https://acme.slack.com/archives/C0APPROVAL/p1700000000000100"


def asked(thread: str = "refund-1", key: Any = KEY, **changes: Any) -> Approval:
    of = request(duplicate_of=key, **changes)
    return approval(of, id=f"ap_{thread}", thread_id=thread)


def looked(of: Approval, *others: Approval) -> Approval:
    found = [as_seen(each, LINK) for each in others]
    return compared(of, of, found, NOW).record


def kinds(of: Approval) -> set[str]:
    return {step.kind for step in steps.due(of, after(60))}


@pytest.mark.parametrize(
    ("parts", "same"),
    [
        ({"payee": "Acme", "amount": "12000 USD"}, True),
        ({"amount": "12000 usd", "payee": " acme\n"}, True),
        ({"payee": "Acme", "amount": "12001 USD"}, False),
        ({"payee": "Acme"}, False),
        ({"payee": "12000 USD", "amount": "Acme"}, False),
    ],
)
def test_what_is_the_same_business(parts: dict[str, str], same: bool) -> None:
    assert resembles(asked(), asked("refund-2", {"parts": parts})) is same


def test_what_is_none() -> None:
    first = asked()
    assert not resembles(first, asked()), "the same thread asks again"
    assert not resembles(first, asked("refund-2").to(workflow="payout"))
    assert not resembles(first, asked("refund-2").supersede(NOW).record)
    assert not resembles(first, asked("refund-2", None))


def test_the_name_of_a_key_tells_nothing() -> None:
    name = DuplicateKey.model_validate({"parts": {"patient": "Kim"}}).hashed("patient_reply")
    assert len(name) == 64
    assert "kim" not in name.lower()


@pytest.mark.parametrize("wrong", [{"parts": {}}, {**KEY, "within": 0}, {**KEY, "within": -1}])
def test_a_key_has_parts_and_a_window(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DuplicateKey.model_validate(wrong)


def test_it_is_no_part_of_what_is_decided() -> None:
    assert asked().request.digest == asked(key=None).request.digest


def test_it_is_compared_before_it_is_posted() -> None:
    of = asked()
    assert kinds(of) == {"compare"}
    assert kinds(looked(of)) == {"post"}
    assert kinds(asked(key=None)) == {"post"}


def test_alone_it_never_looks_again_until_another_wants_it_to() -> None:
    of = looked(asked())
    assert not owes_comparing(approved(of).to(message=WHERE))
    assert owes_comparing(of.to(wanted=1))
    assert not owes_comparing(looked(of.to(wanted=1)))


def test_news_of_one_that_has_others_are_told() -> None:
    of = looked(asked(), asked("refund-2"))
    posted = of.to(message=WHERE)
    for now in (posted, approved(of), of.concluded("failed", "no", NOW)):
        assert owes_comparing(now)
        assert not owes_comparing(looked(now, asked("refund-2")))


def test_wanted_while_it_looked_it_looks_once_more() -> None:
    of = asked()
    assert owes_comparing(compared(of.to(wanted=1), of, [], NOW).record)


def test_another_key_when_it_is_asked_again_is_compared_anew() -> None:
    of = looked(asked())
    assert of.compared == standing(of)
    other = request(duplicate_of={"parts": {"payee": "Beta"}})
    assert owes_comparing(of.to(request=other))


def test_the_trail_tells_each_other_one_once() -> None:
    of = asked()
    change = compared(of, of, [as_seen(asked("refund-2"), "")], NOW)
    assert [(e.tag, e.detail) for e in change.events] == [(Tag.ALIKE, {"threads": ["refund-2"]})]
    again = change.record
    assert compared(again, again, [as_seen(approved(asked("refund-2")), "")], NOW).events == ()


def test_a_decided_card_is_left_as_it_was_seen() -> None:
    of = approved(looked(asked()))
    after_it = looked(of.to(wanted=1), asked("refund-2"))
    assert after_it.alike
    assert after_it.revision == of.revision


def test_the_card_tells_and_links_the_others_first() -> None:
    others = [
        approved(asked("refund-2")),
        asked("refund-3"),
        approved(asked("refund-4")).concluded("failed", "no", NOW),
    ]
    shown = card(looked(asked(), *others), NAMES)
    body = "".join(texts_in(shown.blocks[1]))

    assert drawn.problems(shown) == []
    assert body.index("Looks like a duplicate: 3 others in the last 7 days") < 5
    assert f"• {'refund-2'}: approved by Mara Okafor, " in body
    assert "refund-3: waiting since " in body
    assert "refund-4: approved by Mara Okafor, and then it failed, " in body
    links = [each["url"] for each in drawn.every(shown.blocks) if each.get("type") == "link"]
    assert links == [LINK] * 3


@pytest.mark.parametrize(
    ("within", "words"),
    [
        (timedelta(hours=1), "1 other in the last hour"),
        (timedelta(hours=36), "1 other in the last 36 hours"),
        (timedelta(days=30), "1 other in the last 30 days"),
    ],
)
def test_the_window_in_words(within: timedelta, words: str) -> None:
    of = looked(asked(key={**KEY, "within": within}), asked("refund-2"))
    assert words in drawn.words(card(of, NAMES))


@pytest.mark.parametrize("risk", ["low", "medium", "high"])
def test_an_approval_of_one_is_asked_twice(risk: str) -> None:
    of = looked(asked(risk=risk), *(asked(f"refund-{n}") for n in range(2, 7)))
    buttons = {b["text"]["text"]: b for b in drawn.every(card(of, NAMES).blocks) if "confirm" in b}
    said = buttons["Approve"]["confirm"]["text"]["text"]

    assert "Looks like a duplicate: 5 or more others in the last 7 days. " in said
    assert ("High risk: what is" if risk == "high" else ". What is shown is carried out") in said
    assert ("Reject" in buttons) == (risk == "high")


def test_its_forms_say_it_and_it_is_decided_by_itself() -> None:
    of = looked(asked(risk="low"), asked("refund-2")).to(
        policy=Policy(approvers=(MARA,), bulk=True)
    )
    for decision in ("approve", "reject"):
        words = "".join(texts_in(decision_view(of, decision, MARA)["blocks"]))
        assert "Looks like a duplicate: 1 other" in words
    assert refuse_bulk(of) == Why.NOT_TOGETHER
    assert refuse_bulk(of.to(alike=())) is None
    assert "looks like a duplicate" in listed(of, NOW)


def test_a_restricted_one_is_told_without_which() -> None:
    of = looked(asked(sensitivity="restricted"), asked("refund-2", sensitivity="restricted"))
    shown = card(of, NAMES)

    assert "Looks like a duplicate: 1 other in the last 7 days" in drawn.words(shown)
    assert "refund-2" not in drawn.words(shown)
    assert "refund-2: waiting since" in "".join(texts_in(review_view(of, NAMES)["blocks"]))
