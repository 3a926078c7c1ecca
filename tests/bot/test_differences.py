"""The difference that an edit makes, as people read it."""

from typing import Any

from pydantic import JsonValue

from bot.views.differences import changes
from tests.bot.test_forms import PRICE, SCHEMA, VALUES


def test_the_difference_is_told_as_people_read_it() -> None:
    after: dict[str, Any] = {
        **VALUES,
        "amount": 99,
        "gift": True,
        "speed": "fast",
        "to": None,
        "tags": ["a", "b"],
        "extra": 1,
        "customer": "",
    }

    assert changes(VALUES, after, SCHEMA) == [
        ("Customer", "Ada", "(empty)"),
        ("Amount", "€100.50 EUR", "€0.99 EUR"),
        ("Speed", "slow", "fast"),
        ("Tags", "(empty)", "a, b"),
        ("Gift", "No", "Yes"),
        ("To", '{"street": "Main", "floor": 0}', "–"),
        ("extra", "–", "1"),
    ]


def test_another_currency_changes_the_amount_that_is_shown() -> None:
    before: dict[str, JsonValue] = {"amount": 500}

    assert changes(before, {"amount": 500, "currency": "JPY"}, PRICE) == [
        ("Amount", "$5.00 USD", "¥500 JPY"),
        ("Currency", "–", "JPY"),
    ]
    assert [label for label, *_ in changes({"a": 1}, {"a": True}, {})] == ["a"]
