"""JSON Schemas as authors and pydantic write them, each with values that fit it."""

import json
from datetime import timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from tests.properties.requests import text as hostile
from workflows.fields import SLACK_USER

Part = tuple[dict[str, Any], Any]

LONG = "x" * 3001
finite = st.floats(allow_nan=False, allow_infinity=False)
awkward = st.sampled_from([1e3, 0.1, 1e-7, 1e22, -0.0, 10**20, 2**53 + 1, 0, -1, 1e300])
numbers = finite | st.integers() | awkward
texts = hostile | st.sampled_from(["", " ", "\n", "a\r\nb", "a\n", "\n a ", LONG, "\u2028", "a\tb"])
scalars = st.none() | st.booleans() | numbers | texts
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
decimals = st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.sampled_from(
    ["1E+3", "0.10", "-0", "1e-9", "120.50", "1" * 200, "00.1", "+1"]
)
zones = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
moments = st.datetimes(timezones=zones).map(lambda at: at.isoformat())
users = st.from_regex(SLACK_USER, fullmatch=True)
MONEY = {"countersign": {"money": "EUR"}}
DECIMAL = {"anyOf": [{"type": "number", "exclusiveMinimum": -1e30}, {"type": "string"}]}


def _of(schema: dict[str, Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Part]:
    return st.tuples(st.just(schema), values)


@st.composite
def listed(draw: st.DrawFn) -> Part:
    """One of some values, or several of them."""
    options = draw(st.lists(texts | numbers, min_size=1, max_size=130, unique_by=json.dumps))
    if draw(st.booleans()):
        return {"enum": options}, draw(st.sampled_from(options))
    chosen = draw(st.lists(st.sampled_from(options), max_size=4))
    return {"type": "array", "items": {"enum": options}}, chosen


times = st.sampled_from(["09:30:00", "23:59:59"])  # with a zone jsonschema takes none for a time
plain_parts: st.SearchStrategy[Part] = st.one_of(
    _of({"type": "string"}, texts),
    _of({"type": "string", "maxLength": 200_000, "format": "multiline"}, texts),
    _of({"type": "integer"}, st.integers() | st.sampled_from([10**15, 10**16, -(10**18)])),
    _of({"type": "integer", "minimum": -3, "exclusiveMaximum": 8}, st.integers(-3, 7)),
    _of({"type": "number"}, numbers),
    _of({"type": "number", "maximum": 0.5}, st.floats(-1e9, 0.5)),
    _of({"type": "integer", **MONEY}, st.integers()),
    _of({"type": "integer", "countersign": {"money_in": "currency"}}, st.integers()),
    _of(DECIMAL, decimals),
    _of({"type": "boolean"}, st.booleans()),
    _of({"type": "string", "format": "date"}, st.dates().map(str)),
    _of({"type": "string", "format": "date-time"}, moments),
    _of({"type": "string", "format": "time"}, times),
    _of({"type": "string", "pattern": SLACK_USER}, users),
    _of({"type": "array", "items": {"type": "string", "pattern": SLACK_USER}}, st.lists(users)),
    _of({"type": "array", "items": {"type": "string"}}, st.lists(texts, max_size=4)),
    _of({"type": "object"}, st.dictionaries(st.text(max_size=5), anything, max_size=3)),
    _of({}, anything),
    listed(),
)


def _nullable(part: Part, null: bool) -> Part:
    schema, value = part
    return {"anyOf": [schema, {"type": "null"}], "default": None}, None if null else value


def _named(part: Part, title: str, description: str) -> Part:
    return {**part[0], "title": title, "description": description}, part[1]


parts = st.one_of(
    plain_parts,
    st.builds(_nullable, plain_parts, st.booleans()),
    st.builds(_named, plain_parts, texts, texts),
)
names = st.sampled_from(["amount", "currency", "a", "", "x" * 300, "form.rest", "ä\u202e\n"])


@st.composite
def filled(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema and values that fit it; some fields may be missing, some are not in the schema."""
    chosen = draw(st.dictionaries(names | st.text(max_size=8), parts, max_size=8))
    if draw(st.integers(0, 11)) == 0:
        chosen |= {f"more{count}": draw(parts) for count in range(draw(st.integers(80, 95)))}
    missing = draw(st.sets(st.sampled_from(sorted(chosen)))) if chosen else set[str]()
    values = {name: part[1] for name, part in chosen.items() if name not in missing}
    schema = {
        "type": "object",
        "properties": {name: {"$ref": f"#/$defs/{n}"} for n, name in enumerate(chosen)},
        "$defs": {str(n): part[0] for n, part in enumerate(chosen.values())},
        "required": sorted(draw(st.sets(st.sampled_from(sorted(values))))) if values else [],
    }
    beyond = draw(st.dictionaries(st.text(max_size=3), anything, max_size=2))
    return schema, values | {name: each for name, each in beyond.items() if name not in chosen}
