"""A form from a model: how each field is asked for, and what is made of what was entered."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, Field, JsonValue, ValidationError

from bot.local.blocks import check_blocks
from bot.local.fill import filled_blocks
from bot.local.state_values import state_values
from bot.views.filled import Filled, errors_at, read_form
from bot.views.forms import REST, form_blocks
from workflows.catalog import InvalidInput, Workflow
from workflows.fields import SlackUserId
from workflows.graphs.refund import RefundInput
from workflows.hints import MULTILINE, money, money_in
from workflows.protocol import Editable

NOBODY: Any = None


class Speed(Enum):
    SLOW = "slow"
    FAST = "fast"


class Address(BaseModel):
    street: str
    floor: int = Field(default=0, le=90)


class Order(BaseModel):
    customer: Annotated[str, Field(min_length=2, max_length=40, description="As on the invoice")]
    note: Annotated[str, MULTILINE] = ""
    amount: Annotated[int, Field(le=1_000_000), money("EUR")] = 10050
    tax: Annotated[Decimal, Field(ge=0, lt=100)] = Decimal("19.00")
    count: Annotated[int, Field(ge=1, le=9)] = 1
    weight: float = 0.1
    due: date = date(2026, 3, 1)
    at: AwareDatetime | None = None
    speed: Speed = Speed.SLOW
    extras: list[Literal["box", "card"]] = Field(default_factory=list[Literal["box", "card"]])
    tags: list[str] = Field(default_factory=list[str])
    gift: bool = False
    owner: SlackUserId | None = None
    to: Address | None = None


SCHEMA = Order.model_json_schema()
VALUES: dict[str, JsonValue] = Order(customer="Ada", to=Address(street="Main")).model_dump(
    mode="json"
)


def of(part: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": part}, "required": list(required)}


def element(schema: dict[str, Any], values: dict[str, Any], name: str = "x") -> Any:
    """What the field is asked with; the block itself where it is named only."""
    blocks = form_blocks(schema, values)
    assert check_blocks(blocks, "modal") == []
    (block,) = [each for each in blocks if each["block_id"] == f"field.{name}"]
    return block.get("element", block)


def submitted(schema: dict[str, Any], values: dict[str, Any], **entered: Any) -> Filled:
    """As Slack sends it; all but what was entered is as it was shown."""
    blocks = filled_blocks(form_blocks(schema, values))
    given = {
        name if name == REST else f"field.{name}": {"value": value}
        for name, value in entered.items()
    }
    return read_form(schema, values, state_values(blocks, given))


def test_each_field_is_asked_for_by_its_type() -> None:
    kinds = {name: element(SCHEMA, VALUES, name)["type"] for name in SCHEMA["properties"]}

    assert kinds == {
        "customer": "plain_text_input",
        "note": "plain_text_input",
        "amount": "plain_text_input",
        "tax": "number_input",
        "count": "number_input",
        "weight": "number_input",
        "due": "datepicker",
        "at": "datetimepicker",
        "speed": "static_select",
        "extras": "multi_static_select",
        "tags": "plain_text_input",
        "gift": "static_select",
        "owner": "users_select",
        "to": "plain_text_input",
    }


def test_a_field_says_what_it_is() -> None:
    customer, note, amount = form_blocks(SCHEMA, VALUES)[:3]

    assert customer["label"]["text"] == "Customer"
    assert customer["hint"]["text"] == "As on the invoice"
    assert (customer["optional"], note["optional"]) == (False, True)
    assert customer["element"]["max_length"] == 40
    assert note["element"]["multiline"] is True
    assert amount["hint"]["text"] == "In EUR"
    assert amount["element"]["initial_value"] == "100.50"


def test_two_fields_of_one_model_are_told_apart() -> None:
    class Parcel(BaseModel):
        home_address: Address
        work: Address | None = None

    blocks = form_blocks(Parcel.model_json_schema(), {})

    assert [each["label"]["text"] for each in blocks] == ["Home address", "Work"]


def test_numbers_have_the_bounds_that_may_be_reached() -> None:
    assert element(SCHEMA, VALUES, "count") | {"action_id": ""} == {
        "type": "number_input",
        "is_decimal_allowed": False,
        "min_value": "1",
        "max_value": "9",
        "initial_value": "1",
        "action_id": "",
    }
    open_bounds = of({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 5.5})
    asked = element(open_bounds, {})
    assert (asked["min_value"], asked["max_value"]) == ("1", "5")
    assert "min_value" not in element(of({"type": "number", "exclusiveMinimum": 0}), {})


def test_a_value_beyond_its_bounds_is_shown_all_the_same() -> None:
    """Slack would refuse the whole form for it."""
    shown = element(of({"type": "integer", "maximum": 9, "default": 50}), {})

    assert shown["initial_value"] == "50"
    assert "max_value" not in shown


@pytest.mark.parametrize(
    ("name", "entered", "value"),
    [
        ("customer", "Bob\u202e ", "Bob\u202e "),
        ("customer", "1e3", "1e3"),
        ("note", "a\n\nb\n", "a\n\nb\n"),
        ("amount", "99", 9900),
        ("amount", " 0.1 ", 10),
        ("amount", "8192.27", 819227),
        ("tax", "7.50", "7.50"),
        ("tax", "1e1", "10"),
        ("count", "3", 3),
        ("weight", "12.25", 12.25),
        ("weight", "1e3", 1000.0),
        ("weight", "2", 2),
        ("due", "2026-04-30", "2026-04-30"),
        ("at", 1_772_355_600, "2026-03-01T09:00:00Z"),
        ("speed", '"fast"', "fast"),
        ("extras", ['"card"', '"box"'], ["card", "box"]),
        ("tags", "a\n\n b c\n", ["a", " b c"]),
        ("gift", "true", True),
        ("owner", "U0000MARA", "U0000MARA"),
        ("to", '{"street": "High", "floor": 1}', {"street": "High", "floor": 1}),
        ("to", "", None),
        ("note", "", ""),
    ],
)
def test_what_is_entered_is_a_value_of_its_type(name: str, entered: Any, value: Any) -> None:
    read = submitted(SCHEMA, {**VALUES, "note": "before"}, **{name: entered})

    assert read.errors == {}
    assert repr(read.values) == repr({**VALUES, "note": "before", name: value})


@pytest.mark.parametrize(
    ("name", "entered", "words"),
    [
        ("customer", "B", "must have at least 2 characters"),
        ("amount", "10000.01", "must be at most 10000.00"),
        ("amount", "1.005", "has more decimals than EUR; write it like 100.50"),
        ("amount", "1,50", "must be an amount, written like 100.50"),
        ("amount", "1e2", "must be an amount, written like 100.50"),
        ("amount", "", "is required"),
        ("tax", "100", "must be less than 100"),
        ("tax", "-0.01", "must be at least 0"),
        ("tax", "1e999", "must be a number, such as 12.50"),
        ("count", "10", "must be at most 9"),
        ("count", "١", "must be a whole number, such as 12"),
        ("weight", "1e999", "must be a number, such as 12.5"),
        ("due", "2026-02-30", "must be a date, such as 2026-03-01"),
        ("to", '{"street": "High", "floor": 91}', "floor must be at most 90"),
        ("to", "{}", "street is required"),
        ("to", "[]", 'must be an object, such as {"name": "value"}'),
        ("to", '{"street": }', "is not JSON: expecting value (line 1, character 12)"),
        ("to", '{"street": "a", "street": "b"}', 'has "street" more than once in an object'),
        ("to", '{"street": NaN}', "has NaN, which is no JSON"),
        ("to", '{"street": 1e999}', "has a number that is too large"),
        ("to", '{"street": "\\ud800"}', "has a broken character in it; type it again"),
        ("to", "[" * 1500 + "]" * 1500, "is nested too deeply"),
        ("to", "[" * 51 + "]" * 51, "is nested too deeply"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(name: str, entered: Any, words: str) -> None:
    assert submitted(SCHEMA, VALUES, **{name: entered}).errors == {f"field.{name}": words}


def test_all_errors_are_told_at_once() -> None:
    read = submitted(SCHEMA, VALUES, customer="", amount="x", count="0")

    assert sorted(read.errors) == ["field.amount", "field.count", "field.customer"]


@pytest.mark.parametrize(
    "payload",
    [
        '{"lc": 2, "type": "constructor", "id": ["builtins", "eval"]}',
        '{"street": "x", "more": [{"lc": 1, "type": "x"}]}',
        '{"__send__": true}',
        '{"__bytes__": "AA=="}',
        '{"more": {"__interrupt__": 1}}',
    ],
)
def test_what_the_store_would_bring_back_as_an_object_is_refused(payload: str) -> None:
    (words,) = submitted(SCHEMA, VALUES, to=payload).errors.values()
    assert "are reserved" in words

    rest = submitted({"type": "object"}, {}, **{REST: payload})
    assert "are reserved" in rest.errors[REST]


# --- Money in the currency of another field


PRICE = {
    "properties": {
        "amount": {"type": "integer", "maximum": 20000, "countersign": {"money_in": "currency"}},
        "currency": {"type": "string", "default": "USD"},
    }
}


def test_another_currency_is_another_amount() -> None:
    """100.50 was shown: it never becomes 10050 yen because nobody touched the figures."""
    values: dict[str, JsonValue] = {"amount": 10050, "currency": "EUR"}

    assert submitted(PRICE, values, currency="CHF").values == {"amount": 10050, "currency": "CHF"}
    assert submitted(PRICE, values, currency="JPY", amount="100").values["amount"] == 100
    assert submitted(PRICE, values, currency="JPY").errors == {
        "field.amount": "has more decimals than JPY; write it like 10050"
    }
    assert submitted(PRICE, values, currency="BHD", amount="20.001").errors == {
        "field.amount": "must be at most 20.000"
    }
    assert submitted(PRICE, values, currency="").errors == {
        "field.amount": "needs a currency that is known, such as USD, EUR or JPY"
    }


def test_without_a_known_currency_it_is_minor_units() -> None:
    values: dict[str, JsonValue] = {"amount": 10050, "currency": "pounds"}
    amount = form_blocks(PRICE, values)[0]

    assert amount["element"]["type"] == "number_input"
    assert amount["hint"]["text"] == "In minor units, such as cents"
    assert submitted(PRICE, values, amount="7").values["amount"] == 7


def test_money_in_another_field_is_a_hint() -> None:
    class Price(BaseModel):
        currency: str
        cents: Annotated[int, money_in("currency")]

    schema = Price.model_json_schema()

    assert element(schema, {"currency": "JPY", "cents": 5}, "cents")["initial_value"] == "5"


# --- To start with: no values, but defaults


def test_a_default_that_is_shown_is_left_to_the_model() -> None:
    start = submitted(SCHEMA, {}, customer="Ada")

    assert start == Filled({"customer": "Ada"}, {})
    needed = of({"type": "string", "default": "EUR"}, "x")
    assert submitted(needed, {}).values == {"x": "EUR"}


def test_the_errors_of_a_model_stand_at_its_fields() -> None:
    refund = Workflow("refund", "Refund", RefundInput, NOBODY)
    schema = RefundInput.model_json_schema()
    read = submitted(schema, {}, customer="Ada", amount="1.234", reason="a", currency="USD")

    with pytest.raises(InvalidInput) as refused:
        refund.read_input(read.values)

    assert errors_at(refused.value.error, schema, {}) == {
        "field.amount": "USD has 2 decimals, and 1.234 has more"
    }
    with pytest.raises(ValidationError) as missing:
        Order.model_validate({"customer": "Ada", "count": 0, "to": {"floor": 1}, "more": 1})
    assert errors_at(missing.value, SCHEMA, {}) == {
        "field.count": "must be greater than or equal to 1",
        "field.to": "street is required",
    }


def test_values_of_a_model_come_back_as_they_were() -> None:
    editable = Editable.of(Order(customer="Ada", tax=Decimal("7.10")))

    assert submitted(editable.json_schema, editable.values) == Filled(editable.values, {})
