"""Whatever is to be edited, Slack takes its form; a form sent back as it was changes nothing."""

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.local.blocks import check_view, view_is_too_large
from bot.local.fill import filled_blocks
from bot.local.state_values import initial_state, input_errors
from bot.views.differences import changes
from bot.views.filled import read_form
from bot.views.forms import form_blocks
from tests.bot.drawn import hidden
from tests.properties.schemas import LONG, anything, filled

MANY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Form = tuple[dict[str, Any], dict[str, Any]]
OPTIONS = [f"{n} {'o' * 60}" for n in range(100)]


def many(count: int, part: dict[str, Any], value: Any) -> Form:
    fields = {f"field{n}": part for n in range(count)}
    values: dict[str, Any] = dict.fromkeys(fields, value)
    return {"properties": fields, "required": list(fields)}, values


def exact(values: Any) -> str:
    """1 is not 1.0, nor true; nor is any order another."""
    return json.dumps(values)


def view(schema: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    blocks = form_blocks(schema, values)
    text = {"type": "plain_text", "text": "Edit"}
    empty = {"type": "section", "text": text}
    return {"type": "modal", "title": text, "submit": text, "blocks": blocks or [empty]}


@example(form=many(200, {"type": "string"}, "x"))
@example(form=many(200, {"type": "string"}, LONG))
@example(form=many(90, {"type": "string", "title": "語" * 200}, "語" * 3000))
@example(form=many(90, {"enum": OPTIONS}, OPTIONS[0]))
@example(form=({"additionalProperties": {}}, {"a": [1, {"b": None}]}))
@example(form=({"properties": {"a": {"$ref": "#/properties/a"}}}, {}))
@given(form=filled())
@MANY
def test_a_form_is_taken_and_changes_nothing_by_itself(form: Form) -> None:
    schema, values = form
    shown = view(schema, values)
    stored = filled_blocks(shown["blocks"])
    state = initial_state(stored)

    assert check_view(shown, "modal") == []
    assert not view_is_too_large(shown)
    labels = [[each.get("label"), each.get("hint"), each.get("text")] for each in stored]
    assert hidden(labels) == []
    assert input_errors([each for each in stored if _has_a_value(each, values)], state) == {}
    if form[1] or "$ref" not in str(schema):
        again = read_form(schema, values, state)
        assert exact(again.values) == exact(values)
        assert again.errors == {}
        assert changes(values, again.values, schema) == []


def _has_a_value(block: dict[str, Any], values: dict[str, Any]) -> bool:
    """A required field that is empty from the start is for the person to fill."""
    return block["block_id"].removeprefix("field.") in values


@given(form=filled(), typed=st.data())
@MANY
def test_whatever_comes_in_a_submission_is_read_or_refused_in_words(
    form: Form, typed: st.DataObject
) -> None:
    """A forged one, too: no exception, and no error where Slack would not show it."""
    schema, values = form
    blocks = [each for each in form_blocks(schema, values) if each["type"] == "input"]
    state: dict[str, Any] = {}
    for block in blocks[:6]:
        key = typed.draw(st.sampled_from(["value", "selected_option", "selected_options"]))
        entered = typed.draw(anything | st.just([{"value": "x"}]) | st.just({"value": "true"}))
        state[block["block_id"]] = {"value": {key: entered}}

    read = read_form(schema, values, state)

    assert set(read.errors) <= ({each["block_id"] for each in blocks} or {""})
    assert all(0 < len(words) <= 300 and "\n" not in words for words in read.errors.values())
    changes(values, read.values, schema)
