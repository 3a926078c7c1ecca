"""A form from a JSON Schema: an input block of a Slack modal for each field, with its value.

Whatever the schema and the values, Slack takes it, and a value stands in it whole or not at all:
- what has no input of its own is JSON in a text field;
- what no text field holds (more than 3,000 characters) is named, and stays as it is;
- beyond 90 fields, the others are one JSON field together, as are the values where the schema
  names no fields;
- beyond 200 kB, the later fields are named only, or typed instead of chosen.

Read back by views/filled.py, which makes the same layout of the same schema and values.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from bot.texts import t, tn
from bot.views.form_fields import HINT_AT_MOST, FormField, Schema, Values, defaults, read_fields
from bot.views.form_inputs import INPUTS, TEXT, Kind
from bot.views.form_json import JSON
from bot.views.form_numbers import NUMBERS, currency_of
from bot.views.text import Block, plain
from workflows.hidden import is_hidden

FIELDS_AT_MOST = 90  # of the 100 blocks of a modal
BYTES_AT_MOST = 200_000  # of the 250 kB of a view
BLOCK_ID_AT_MOST = 255
VALUE = "value"  # action_id of every input: the block says which field it is
REST = "form.rest"
KINDS: Mapping[str, Kind] = {**INPUTS, **NUMBERS, "json": JSON}
# How else a value is asked for that the field's own kind does not hold.
INSTEAD = {"money": ("integer", "json"), "choice": ("text", "json"), "text": ("json",)}
OTHERWISE = {"string": ("text", "json")}


@dataclass(frozen=True)
class Place:
    """A field where it stands in the form. kind: None where it is named only."""

    field: FormField
    kind: Kind | None
    block: Block

    @property
    def block_id(self) -> str:
        return self.block["block_id"]


@dataclass(frozen=True)
class Layout:
    """rest: one JSON field for several, rest_names. defaults: what stands in the form for a value
    that is not there. context: the values, with these."""

    places: tuple[Place, ...]
    rest: Place | None
    rest_names: frozenset[str]
    defaults: Values
    context: Values

    @property
    def blocks(self) -> list[Block]:
        return [each.block for each in (*self.places, *([self.rest] if self.rest else []))]

    @property
    def first(self) -> str | None:
        """The first block that an error can stand at."""
        inputs = (each["block_id"] for each in self.blocks if each["type"] == "input")
        return next(inputs, None)


def form_blocks(schema: Schema, values: Values) -> list[Block]:
    """The blocks for a modal; a field's block_id is `field.NAME` (see block_id)."""
    return laid_out(schema, values).blocks


def block_id(name: str) -> str:
    """Of the field of that name."""
    own = f"field.{name}"
    if len(own) <= BLOCK_ID_AT_MOST and own.isprintable():
        return own
    return f"field#{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()}"


def laid_out(schema: Schema, values: Values) -> Layout:
    """The same for the same schema and values, always."""
    every = read_fields(schema)
    own, others = every[:FIELDS_AT_MOST], every[FIELDS_AT_MOST:]
    names = frozenset(each.name for each in others) if every else frozenset(values)
    unsaid = defaults(every)
    context = {**unsaid, **values}
    room = BYTES_AT_MOST - sum(_size(_small(each, values, context).block) for each in own)
    rest = _rest(others, names, values) if others or not every else None
    places = tuple(_within(room, own, values, context))
    return Layout(places, rest, names, unsaid, context)


def _within(room: int, fields: list[FormField], values: Values, context: Values) -> Iterator[Place]:
    """Each as it is best, while there is room; what is small in any case is counted already."""
    for field in fields:
        best, small = _best(field, values, context), _small(field, values, context)
        more = _size(best.block) - _size(small.block)
        if more > room:
            yield small
        else:
            room -= more
            yield best


def _size(block: Block) -> int:
    """As the SDK sends it: a letter beyond ASCII becomes six bytes, or twelve."""
    return len(json.dumps(block))


def _best(field: FormField, values: Values, context: Values) -> Place:
    otherwise = OTHERWISE.get(str(field.schema.get("type")), ("json",))
    for name in (field.kind, *INSTEAD.get(field.kind, otherwise)):
        element = KINDS[name].element(field, field.value(values), context)
        if element is not None:
            return Place(
                field, KINDS[name], _input(field, element, values, _hint(field, name, context))
            )
    return Place(field, None, _named_only(field))


def _small(field: FormField, values: Values, context: Values) -> Place:
    """As it takes the least room."""
    if field.value(values) is not None:
        return Place(field, None, _named_only(field))
    kind = TEXT if field.schema.get("type") == "string" else KINDS[field.kind]
    kind = JSON if field.kind in ("choice", "choices") and kind is not TEXT else kind
    element = kind.element(field, None, context) or {}
    return Place(field, kind, _input(field, element, values, field.hint))


def _input(field: FormField, element: Block, values: Values, hint: str) -> Block:
    block: Block = {
        "type": "input",
        "block_id": block_id(field.name),
        "label": plain(field.label, len(field.label)),
        "element": {**element, "action_id": VALUE},
        "optional": _may_be_empty(field, element, values),
    }
    return {**block, "hint": plain(hint, HINT_AT_MOST)} if hint else block


def _may_be_empty(field: FormField, element: Block, values: Values) -> bool:
    """An empty field means something: null, an empty text or list, or no such value. What is
    empty now can stay so."""
    is_empty = not any(key.startswith("initial_") for key in element)
    if field.nullable or (field.name in values and is_empty):
        return True
    if field.schema.get("type") == "array" and can_be_blank(field):
        return True
    return not field.required and (field.default is None or can_be_blank(field))


def can_be_blank(field: FormField) -> bool:
    """Is an empty text or list a value like any other to the schema?"""
    kind, schema = field.schema.get("type"), field.schema
    least = schema.get("minLength" if kind == "string" else "minItems", 0)
    return kind in ("string", "array") and not least and field.kind in BLANK


BLANK: Mapping[str, JsonValue] = {"text": "", "lines": [], "choices": [], "users": []}


def _hint(field: FormField, kind: str, context: Values) -> str:
    return " · ".join(filter(None, [field.hint, *_about(field, kind, context)]))


def _about(field: FormField, kind: str, context: Values) -> Iterator[str]:
    """What one has to know to fill it."""
    if field.kind == "money":
        code = currency_of(field, context)
        if kind != "money":
            yield t("In minor units, such as cents")
        elif code:
            yield t("In {currency}", currency=code)
    elif kind == "lines":
        yield t("One in each line")
    elif kind == "json":
        yield t("As JSON")
    if kind in ("text", "lines") and _hides(field.value(context)):
        yield t("It has characters that are not seen")


def _hides(value: JsonValue) -> bool:
    if isinstance(value, list):
        return any(_hides(each) for each in value)
    return isinstance(value, str) and any(is_hidden(each) for each in value)


def _named_only(field: FormField) -> Block:
    words = t("{label}: it does not fit into a form, and stays as it is.", label=field.label)
    return {"type": "section", "block_id": block_id(field.name), "text": plain(words, 300)}


def _rest(fields: list[FormField], names: frozenset[str], values: Values) -> Place:
    """One JSON field for all of these."""
    label, takes = t("Values"), t("As JSON")
    if fields:
        label = tn("{n} more field", "{n} more fields", len(fields))
        takes = t("As JSON. It takes {names}", names=", ".join(each.name for each in fields))
    held: JsonValue = {name: value for name, value in values.items() if name in names}
    field = FormField(REST, label, "", "json", {"default": held}, True, False)
    element = JSON.element(field, held, values)
    if element is None:
        return Place(field, None, {**_named_only(field), "block_id": REST})
    return Place(field, JSON, {**_input(field, element, values, takes), "block_id": REST})
