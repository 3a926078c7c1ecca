"""What does not fit, said to the one who typed it: `must be at most 100.00`."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from jsonschema.exceptions import best_match

from bot.views.form_fields import FormField, Values
from bot.views.form_numbers import BOUNDS, as_money, currency_of, tidy
from workflows.protocol import SchemaMisfit

Say = Callable[[Any, FormField | None, Values], str]
OPTIONS_NAMED = 8
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "Yes or No (true or false)",
    "array": "a list, such as [1, 2]",
    "object": 'an object, such as {"name": "value"}',
    "null": "empty",
}
_FORMATS = {
    "date": "a date, such as 2026-03-01",
    "date-time": "a date and time, such as 2026-03-01T09:30:00Z",
    "time": "a time, such as 09:30:00",
    "email": "an email address",
    "uuid": "a UUID",
}


def at(path: tuple[str | int, ...], words: str) -> str:
    """`("lines", 0, "amount")` -> `lines[0].amount must be …`"""
    where = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    return f"{where.removeprefix('.')} {words}" if where else words


def where_in(error: SchemaMisfit) -> tuple[str | int, ...]:
    """Field and path inside it."""
    path = tuple(error.absolute_path)
    if error.validator == "required":  # it stands at the whole; the one that is missing is told
        names = cast("list[str]", error.validator_value)
        missing = [name for name in names if error.message.startswith(repr(name))]
        return (*path, *missing[:1])
    return path


def model_words(message: str) -> str:
    """pydantic's message, as the end of a sentence that begins with the field."""
    words = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    words = words.replace("Field required", "is required").replace("Input should", "must")
    return words.replace("Extra inputs are not permitted", "is not a field of this form")


def misfit_words(error: SchemaMisfit, field: FormField | None, context: Values) -> str:
    """What the schema says. field: in which it is, if it is in one."""
    inner = _inner(error)
    if inner is not error:
        path = where_in(inner)[len(error.absolute_path) :]
        return at(path, misfit_words(inner, field if not path else None, context))
    say = _SAID.get(str(error.validator))
    if say is not None:
        return say(error.validator_value, field if len(error.absolute_path) == 1 else None, context)
    return "does not fit what is asked for here"


def _inner(error: SchemaMisfit) -> SchemaMisfit:
    """Of alternatives, what is wrong in the one that was meant: not that it might be null."""
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        return error
    others = [each for each in error.context if not _says_type(each, error)]
    return best_match(others or error.context) or error


def _says_type(error: SchemaMisfit, parent: SchemaMisfit) -> bool:
    return error.validator == "type" and error.absolute_path == parent.absolute_path


def _bound(words: str) -> Say:
    def said(bound: Any, field: FormField | None, context: Values) -> str:
        currency = currency_of(field, context) if field and field.kind == "money" else None
        if currency and isinstance(bound, int | float) and bound == int(bound):
            return f"must be {words} {as_money(int(bound), currency)}"
        return f"must be {words} {tidy(bound)}"

    return said


def _listed(values: list[Any], *_: object) -> str:
    named = [each if isinstance(each, str) else json.dumps(each) for each in values]
    more = f" and {len(named) - OPTIONS_NAMED} others" if len(named) > OPTIONS_NAMED else ""
    return f"must be one of {', '.join(named[:OPTIONS_NAMED])}{more}"


def _typed(kinds: str | list[str], *_: object) -> str:
    every = [kinds] if isinstance(kinds, str) else kinds
    named = [_TYPES.get(each, each) for each in every if each != "null"]
    return f"must be {' or '.join(named or ['empty'])}"


def _pattern(_: str, field: FormField | None, __: Values) -> str:
    is_decimal = field is not None and field.kind == "decimal"
    return "has too many digits" if is_decimal else "is not written as it has to be"


def _count(words: str, one: str, many: str) -> Say:
    def said(number: Any, *_: object) -> str:
        return f"{words} {int(number):,} {one if number == 1 else many}"

    return said


def _always(words: str) -> Say:
    def said(*_: object) -> str:
        return words

    return said


def _const(value: Any, *_: object) -> str:
    return f"must be {value if isinstance(value, str) else json.dumps(value)}"


def _format(name: str, *_: object) -> str:
    return f"must be {_FORMATS.get(name, f'in the format {name}')}"


def _multiple(number: Any, *_: object) -> str:
    return f"must be a multiple of {tidy(number)}"


_SAID: Mapping[str, Say] = {
    **{key: _bound(words) for key, (_, words) in BOUNDS.items()},
    "required": _always("is required"),
    "type": _typed,
    "enum": _listed,
    "const": _const,
    "format": _format,
    "pattern": _pattern,
    "minLength": _count("must have at least", "character", "characters"),
    "maxLength": _count("must have at most", "character", "characters"),
    "minItems": _count("must have at least", "entry", "entries"),
    "maxItems": _count("must have at most", "entry", "entries"),
    "uniqueItems": _always("has an entry twice"),
    "multipleOf": _multiple,
    "additionalProperties": _always("has a name that is not known here"),
    "unevaluatedProperties": _always("has a name that is not known here"),
}
