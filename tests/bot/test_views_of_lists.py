"""Lists and App Home: taken by Slack, whatever is in them, and saying what they leave out."""

from dataclasses import replace
from typing import Any

import pytest

from bot.approvals import Approval
from bot.query import Place, Query, Turn
from bot.views.card import ActionId
from bot.views.home import Away, Home, guest_view, home_view
from bot.views.listing import Count, Page, Whereabouts, age, pending_list
from tests.bot import drawn
from tests.bot.samples import MARA, NAMES, NOW, WHERE, after, approval, approved, request
from workflows.fields import TextField


def page(total: int, count: int, **changes: Any) -> Page:
    items = [approval(request(risk="high"), id=f"ap_{n}") for n in range(count)]
    return Page(items, Query(), total, Count(total, 0), **changes)


BEFORE, AFTER = Place(at=1.5, id="ap_1", back=True), Place(at=2.5, id="ap_2", edge=3.0)


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize(
    ("total", "count", "previous", "following"),
    [
        (0, 0, None, None),
        (1, 1, None, None),
        (6, 5, None, AFTER),
        (6, 1, BEFORE, None),
        (200, 5, BEFORE, AFTER),
        (5000, 0, None, AFTER),
    ],
)
def test_a_list_is_paged(
    total: int, count: int, previous: Place | None, following: Place | None, *, linked: bool
) -> None:
    of = page(total, count, before=previous, after=following)
    links = {a.id: f"https://acme.slack.com/archives/C1/p{a.id}" for a in of.items if linked}
    shown = pending_list(of, Whereabouts(links), after(120))

    assert drawn.problems(shown) == []
    wanted = {ActionId.PREVIOUS: previous, ActionId.NEXT: following}
    turns = {
        name: Turn.model_validate_json(each["value"]).place
        for name, each in drawn.buttons(shown).items()
    }
    assert turns == {name: place for name, place in wanted.items() if place}
    assert drawn.words(shown).count("Open the card") == len(links)
    assert drawn.words(shown).count("the card is on its way") == len(of.items) - len(links)
    assert (f"{total:,}" if total else "Nothing") in shown.text


def test_the_longest_search_fits_into_a_button() -> None:
    query = Query(scope="mine", requested=True, overdue=True, workflow="w" * 60, text="ü" * 100)
    of = page(9, 1, before=BEFORE, after=AFTER.model_copy(update={"id": "ap_" + "f" * 64}))
    shown = pending_list(replace(of, query=query), Whereabouts(), NOW)

    assert drawn.problems(shown) == []


def test_a_card_whose_link_is_not_known_is_not_said_to_be_missing() -> None:
    posted = approval(message=WHERE)
    words = drawn.words(pending_list(listed(posted), Whereabouts(), NOW))

    assert f"its card is in <#{WHERE.channel}>" in words
    assert "on its way" not in words


def listed(*items: Approval) -> Page:
    mine = frozenset(each.id for each in items)
    return Page(items, Query(), len(items), Count(len(items), len(items)), mine)


def test_a_guest_is_told_who_uses_app_home() -> None:
    assert drawn.problems_of_view(guest_view(), "home") == []
    assert "Only full members" in str(guest_view())


@pytest.mark.parametrize("fields", [0, 25])
@pytest.mark.parametrize("count", [0, 1, 13])
def test_app_home_fits_and_counts_what_it_leaves_out(count: int, fields: int) -> None:
    long = tuple(TextField(label=f"L{n}", value="ü" * 3000) for n in range(fields))
    asked = request(risk="high", fields=long, details="ü" * 9000)
    mine = listed(*(approval(asked, id=f"ap_{n}") for n in range(count)))
    done = [approved(approval(id=f"ap_d{n}")) for n in range(count)]
    home = home_view(Home(mine, done, Whereabouts(), Away(MARA, NOW), NAMES), NOW)

    assert drawn.problems_of_view(home, "home") == []
    cards = sum(b["type"] == "header" for b in home["blocks"]) - 1
    assert cards >= min(count, 1)
    assert (f"… and {count - cards} more: `/approvals mine`" in str(home)) == (cards < count)
    assert "decides in your place" in str(home)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (-5, "just now"), (0, "just now"), (1, "1 min ago"), (59, "59 min ago"), (60, "1 h ago"),
        (47 * 60, "47 h ago"), (48 * 60, "2 days ago"), (365 * 24 * 60, "365 days ago"),
    ],
)  # fmt: skip
def test_an_age_is_told_in_the_largest_unit_that_says_enough(minutes: int, said: str) -> None:
    assert age(NOW, after(60 * minutes)) == said
