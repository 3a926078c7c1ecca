"""What a form cannot hold: it is asked for in another way, or named and left as it is."""

from pydantic import JsonValue

from bot.local.state_values import options_of
from bot.views.filled import Filled, read_form
from bot.views.forms import REST, form_blocks
from tests.bot.test_forms import element, of, submitted


def test_a_text_that_is_too_long_stays_as_it_is() -> None:
    values: dict[str, JsonValue] = {"x": "y" * 3001}
    schema = of({"type": "string", "title": "Story"})
    shown = element(schema, values)

    assert shown["text"]["text"] == "Story: it does not fit into a form, and stays as it is."
    forged = {"field.x": {"value": {"type": "plain_text_input", "value": "other"}}}
    assert read_form(schema, values, forged) == Filled(values, {})


def test_what_a_text_field_would_change_is_json() -> None:
    schema, values = of({"type": "string"}), {"x": "a\x00\u202eb"}

    assert element(schema, values)["initial_value"] == '"a\\u0000\\u202eb"'
    assert submitted(schema, values, x='"b"').values == {"x": "b"}


def test_more_than_100_options_are_typed() -> None:
    schema = of({"enum": [f"o{n}" for n in range(101)], "type": "string"})

    assert element(schema, {"x": "o1"})["type"] == "plain_text_input"
    assert submitted(schema, {"x": "o1"}, x="o100").values == {"x": "o100"}
    assert submitted(schema, {"x": "o1"}, x="o101").errors == {
        "field.x": "must be one of o0, o1, o2, o3, o4, o5, o6, o7 and 93 others"
    }


def test_an_option_is_known_by_its_value_not_by_its_place() -> None:
    """The options of a workflow's input may change while its form is open."""
    first = [each["value"] for each in options_of(element(of({"enum": ["a", "b"]}), {}))]

    assert first == ['"a"', '"b"']


def test_more_fields_than_blocks_share_one() -> None:
    schema = {
        "properties": {f"f{n}": {"type": "integer", "maximum": 9} for n in range(100)},
        "required": ["f99"],
    }
    values: dict[str, JsonValue] = {"f0": 0, "f95": 5, "f99": 9}

    assert len(form_blocks(schema, values)) == 91
    read = submitted(schema, values, **{REST: '{"f99": 8, "f98": 1}', "f0": "2"})
    assert read == Filled({"f0": 2, "f99": 8, "f98": 1}, {})
    told = submitted(schema, values, **{REST: '{"f99": 80}'})
    assert told.errors == {REST: "f99 must be at most 9"}
    assert submitted(schema, values, **{REST: "{}"}).errors == {REST: "f99 is required"}
    assert submitted(schema, values, **{REST: '{"f0": 1}'}).errors == {REST: "does not take f0"}


def test_an_error_without_a_field_is_told_at_the_first() -> None:
    pair = {"a": {"type": "integer"}, "b": {"type": "string"}}
    schema = {"properties": pair, "additionalProperties": False, "dependentRequired": {"a": ["c"]}}

    read = submitted(schema, {"b": "x" * 3001}, a="1")

    assert read.errors == {"field.a": "does not fit what is asked for here"}


def test_an_error_at_what_is_not_in_the_form_is_told_at_the_first_with_its_name() -> None:
    """Slack shows errors at inputs only."""
    short = {"properties": {"story": {"maxLength": 9}}}
    schema = {
        "properties": {"story": {"type": "string"}, "is_short": {"type": "boolean"}},
        "if": {"properties": {"is_short": {"const": True}}, "required": ["is_short"]},
        "then": short,
    }

    read = submitted(schema, {"story": "x" * 3001, "is_short": False}, is_short="true")

    assert read.errors == {"field.is_short": "story must have at most 9 characters"}
