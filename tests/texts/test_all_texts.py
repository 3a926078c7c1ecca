"""With another language installed, no word of ours is left in English: on no card, in no reply,
modal, list, message or answer."""

from typing import Any

import pytest
from langgraph.graph import StateGraph
from pydantic import BaseModel, Field, JsonValue

from bot.views.differences import changes
from bot.views.filled import STATE_KEYS, read_form
from bot.views.forms import VALUE, form_blocks
from tests.texts.pseudo import outside
from tests.texts.surfaces import read_on, surfaces
from workflows.catalog import Workflow


class Model(BaseModel):
    """Its own words are the workflow's."""

    A1: int = Field(title="A1", ge=5)
    X2: str = Field(title="X2", max_length=9)


WORKFLOW = Workflow("W1", "TITLE W", Model, StateGraph(dict), examples=("A1=1 X2=2",))


@pytest.mark.usefixtures("pseudo")
def test_every_surface_comes_from_the_catalog() -> None:
    untold = {
        (name.partition(" of ")[0], word, text)
        for name, shown in surfaces(WORKFLOW)
        for text in read_on(shown)
        for word in outside(text)
    }
    assert sorted(untold) == []


NUMBER_OR_TEXT = {"anyOf": [{"type": "number", "minimum": 5}, {"type": "string"}]}
MONEY = {"type": "integer", "countersign": {"money": "USD"}, "maximum": 900}
TEXT, LINES = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
MANY = [f"E{n}" for n in range(120)]  # more than a menu takes, so one of them is typed
WRONG: list[tuple[dict[str, Any], Any]] = [
    *(({"type": "integer", **each}, "7") for each in (
        {"minimum": 8}, {"maximum": 6}, {"exclusiveMinimum": 7}, {"exclusiveMaximum": 7},
        {"multipleOf": 2}, {"const": 5, "enum": MANY}, {"not": {}},
    )),
    ({"type": "integer"}, "X"), ({"type": "integer"}, 7), ({"type": "integer"}, None),
    ({"type": "number"}, "X"), (NUMBER_OR_TEXT, "X"), (NUMBER_OR_TEXT, "1"),
    (MONEY, "X"), (MONEY, "1.234"), (MONEY, "99"), (MONEY, "\ud800"),
    ({"type": "integer", "countersign": {"money_in": "C"}}, "1"),
    *(({**TEXT, **each}, "AB") for each in (
        {"minLength": 3}, {"minLength": 9}, {"maxLength": 1}, {"pattern": "X"},
        {"enum": MANY}, {"enum": MANY[:9] * 12 + ["Z"]}, {"const": "X", "enum": MANY},
        *({"format": each} for each in ("email", "uuid", "date-time", "ipv4")),
    )),
    ({**TEXT, "format": "date"}, "AB"), ({**TEXT, "format": "time"}, "AB"),
    ({**TEXT, "format": "date-time"}, 7), ({**TEXT, "countersign": {"slack_user": True}}, "?"),
    ({**TEXT, "enum": ["A", "B"]}, "C"), ({"type": "boolean"}, "X"),
    ({**LINES, "minItems": 3}, "A\nB"), ({**LINES, "maxItems": 1}, "A\nB"),
    ({**LINES, "uniqueItems": True}, "A\nA"), ({**LINES, "minItems": 1}, None),
    *(({"type": "object", "additionalProperties": False}, each) for each in (
        "X", "[]", '{"A": 1}', '{"A": 1, "A": 2}', '{"A": NaN}', '{"__bytes__": 1}', "1",
        "[" * 60 + "]" * 60, "9" * 5000, "1e999",
    )),
    ({"type": ["array", "null", "object"]}, '"X"'), ({"type": "null"}, "1"),
    ({"type": "object", "required": ["A"]}, "{}"),
]  # fmt: skip


@pytest.mark.usefixtures("pseudo")
@pytest.mark.parametrize(("part", "entered"), WRONG)
def test_what_is_wrong_in_a_form_is_told_from_the_catalog(
    part: dict[str, Any], entered: Any
) -> None:
    schema = {"type": "object", "properties": {"X": part}, "required": ["X"]}
    (block,) = form_blocks(schema, {})
    key = STATE_KEYS[block["element"]["type"]]
    value = {"value": entered} if key == "selected_option" else entered
    errors = read_form(schema, {}, {block["block_id"]: {VALUE: {key: value}}}).errors
    assert errors
    assert [word for told in errors.values() for word in outside(told)] == []


@pytest.mark.usefixtures("pseudo")
def test_a_form_comes_from_the_catalog() -> None:
    kinds: list[dict[str, Any]] = [TEXT, LINES, MONEY, {"type": "boolean"}, {"type": "object"}]
    kinds += [{**TEXT, "default": "A\u200b"}, {"type": "integer", "countersign": {"money": "USD"}}]
    names = [f"F{n}" for n in range(100)]
    properties = {name: kinds[n % len(kinds)] for n, name in enumerate(names)}
    schema = {"type": "object", "properties": properties}
    for values in ({}, {"F0": "X" * 4000, "F6": "X", "F99": "X"}):
        words = [word for text in read_on(form_blocks(schema, values)) for word in outside(text)]
        assert words == []


@pytest.mark.usefixtures("pseudo")
def test_a_difference_comes_from_the_catalog() -> None:
    schema = {"type": "object", "properties": {"B": {"type": "boolean"}, "T": TEXT, "L": LINES}}
    before: dict[str, JsonValue] = {"B": True, "T": "", "L": []}
    after: dict[str, JsonValue] = {"B": False, "T": "X", "L": ["X"]}
    found = [text for each in changes(before, after, schema) for text in each]
    assert [word for text in found for word in outside(text)] == []
    assert len(found) == 9
