"""A JSON Schema's properties as the fields of a form: which kind each is, and what to call it.

Reads what pydantic writes ($ref into $defs, anyOf with null, allOf of one, Decimal as number or
text) and what people write by hand. What it cannot make out is a field of JSON. It decides how a
value is asked for, never what is valid: that is for the whole schema to say (views/filled.py).

Kind of a field, by its schema:
- enum, const, or oneOf/anyOf of consts with titles: choice; an array of them: choices
- boolean, integer, number; number or text (pydantic's Decimal): decimal
- integer with the hint `money` or `money_in` (workflows/hints.py): money
- text with format date, date-time or time: a picker; with the pattern of SlackUserId, the format
  slack-user or the hint `slack_user`: user; an array of them: users; any other: text
- array of texts: lines; all else, nested objects too: json
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import JsonValue

from bot.texts import t
from bot.views.text import line
from workflows.fields import SLACK_USER
from workflows.hints import HINTS

Schema = Mapping[str, Any]
Values = Mapping[str, JsonValue]

LABEL_AT_MOST = 100
HINT_AT_MOST = 200
REFERENCES_AT_MOST = 20  # a $ref to a $ref …: a schema may refer to itself
OPTIONS_AT_MOST = 100
OPTION_TEXT_AT_MOST = 75
VALUE_AT_MOST = 150
LONG_TEXT = 1000  # whoever allows that many characters means several lines
_FORMATS = {"date": "date", "date-time": "datetime", "time": "time", "slack-user": "user"}
_TYPES = {"boolean": "boolean", "integer": "integer", "number": "number"}


@dataclass(frozen=True)
class Option:
    value: JsonValue
    text: str

    @property
    def key(self) -> str:
        """What stands for the value in Slack: itself, for a list of options may change."""
        key = json.dumps(self.value)
        return key if len(key) <= VALUE_AT_MOST else hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True)
class FormField:
    """schema: of the value where it is not null. required: by the schema that it stands in."""

    name: str
    label: str
    hint: str
    kind: str
    schema: Schema
    required: bool
    nullable: bool
    options: tuple[Option, ...] = ()
    hints: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_multiline(self) -> bool:
        return bool(
            self.hints.get("multiline")
            or self.schema.get("format") == "multiline"
            or _size(self.schema.get("maxLength"), 0) >= LONG_TEXT
        )

    @property
    def default(self) -> JsonValue:
        return self.schema.get("default")

    def value(self, values: Values) -> JsonValue:
        """What the form shows: the present value, else the default."""
        return values.get(self.name, self.default)


def read_fields(schema: Schema) -> list[FormField]:
    """In the order of the schema."""
    top, _ = _resolved(schema, schema)
    required = _items(top.get("required"))
    return [
        _field(name, part, schema, name in required)
        for name, part in _mapping(top.get("properties")).items()
    ]


def defaults(fields: Iterable[FormField]) -> dict[str, JsonValue]:
    """What stands in the form for a value that is not there."""
    return {each.name: each.default for each in fields if each.default is not None}


def _field(name: str, part: Any, root: Schema, required: bool) -> FormField:
    own = _mapping(part)
    schema, nullable = _resolved(own, root)
    options = tuple(_options(schema, root))
    nullable = nullable or None in [each.value for each in options]
    options = tuple(each for each in options if each.value is not None)
    kind = _kind(schema, options)
    if schema.get("type") == "array":
        items, _ = _resolved(_mapping(schema.get("items")), root)
        options = tuple(_options(items, root))
        kind = _kind_of_list(items, options)
    title = own.get("title")  # not that of what it refers to: two addresses would look the same
    words = title if isinstance(title, str) and title.strip() else _spelled(name)
    hint = schema.get("description")
    return FormField(
        name=name,
        label=line(words, LABEL_AT_MOST) or "–",
        hint=line(hint, HINT_AT_MOST) if isinstance(hint, str) else "",
        kind=kind,
        schema=schema,
        required=required,
        nullable=nullable,
        options=options,
        hints=_mapping(schema.get(HINTS)),
    )


def _kind(schema: Schema, options: tuple[Option, ...]) -> str:
    hints = _mapping(schema.get(HINTS))
    kind = schema.get("type")
    if kind == "integer" and ("money" in hints or "money_in" in hints):
        return "money"
    if options and _can_be_chosen(options):
        return "choice"
    if kind == "string":
        return _kind_of_text(schema, hints)
    if _is_decimal(schema):
        return "decimal"
    return _TYPES.get(kind, "json") if isinstance(kind, str) else "json"


def _kind_of_text(schema: Schema, hints: Mapping[str, Any]) -> str:
    if schema.get("pattern") == SLACK_USER or hints.get("slack_user"):
        return "user"
    return _FORMATS.get(str(schema.get("format")), "text")


def _kind_of_list(items: Schema, options: tuple[Option, ...]) -> str:
    if options and _can_be_chosen(options):
        return "choices"
    if items.get("type") != "string":
        return "json"
    return "users" if _kind_of_text(items, _mapping(items.get(HINTS))) == "user" else "lines"


def _can_be_chosen(options: tuple[Option, ...]) -> bool:
    """Are they few enough, and can a person tell them apart?"""
    return len(options) <= OPTIONS_AT_MOST and len({each.text for each in options}) == len(options)


def _is_decimal(schema: Schema) -> bool:
    """As pydantic writes a Decimal: a number, or a text that holds one."""
    kinds = [_mapping(each).get("type") for each in _items(schema.get("anyOf"))]
    return len(kinds) == 2 and set(kinds) == {"number", "string"}


def _options(schema: Schema, root: Schema) -> Iterator[Option]:
    """The values that it admits, if it lists them."""
    listed = [schema["const"]] if "const" in schema else _items(schema.get("enum"))
    for value in listed:
        yield Option(value, _shown(value))
    if listed:
        return
    parts = _items(schema.get("oneOf")) or _items(schema.get("anyOf"))
    consts = [_resolved(_mapping(part), root)[0] for part in parts]
    if all("const" in each for each in consts):
        for each in consts:
            yield Option(each["const"], _shown(each.get("title", each["const"])))


def _shown(value: JsonValue) -> str:
    if isinstance(value, bool):
        return t("Yes") if value else t("No")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return line(text, OPTION_TEXT_AT_MOST) or "–"


def _resolved(part: Schema, root: Schema) -> tuple[Schema, bool]:
    """Without $ref, allOf of one and null; and whether null is admitted."""
    nullable = False
    for _ in range(REFERENCES_AT_MOST):
        step = _without_one(part, root)
        if step is None:
            return part, nullable
        part, admits_null = step
        nullable = nullable or admits_null
    return {}, nullable


def _without_one(part: Schema, root: Schema) -> tuple[Schema, bool] | None:
    if "$ref" in part:
        return {**_referred(part["$ref"], root), **_rest(part, "$ref")}, False
    every = _items(part.get("allOf"))
    if len(every) == 1:
        return {**_mapping(every[0]), **_rest(part, "allOf")}, False
    for key in ("anyOf", "oneOf"):
        some = _items(part.get(key))
        others = [each for each in some if _mapping(each).get("type") != "null"]
        if len(others) < len(some):
            inner = _mapping(others[0]) if len(others) == 1 else {key: others}
            return {**inner, **_rest(part, key)}, True
    kinds = _items(part.get("type"))
    if "null" in kinds:
        left = [each for each in kinds if each != "null"]
        return {**part, "type": left[0] if len(left) == 1 else left}, True
    return None


def _referred(reference: Any, root: Schema) -> Schema:
    found: Any = root
    for step in str(reference).removeprefix("#").split("/")[1:]:
        found = _mapping(found).get(step.replace("~1", "/").replace("~0", "~"))
    return _mapping(found)


def _rest(part: Schema, without: str) -> Schema:
    return {key: value for key, value in part.items() if key != without}


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _items(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _size(value: Any, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) else otherwise


def _spelled(name: str) -> str:
    """`due_date` -> `Due date`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
