"""What does not fit, said to the one who typed it: `must be at most 100.00`."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from jsonschema.exceptions import best_match

from bot.texts import later, t, tn
from bot.views.form_fields import FormField, Values
from bot.views.form_numbers import BOUNDS, as_money, currency_of, tidy
from workflows.protocol import SchemaMisfit

Say = Callable[[Any, FormField | None, Values], str]
OPTIONS_NAMED = 8
UNKNOWN_NAME = later("has a name that is not known here")
_TYPES = {
    "string": later("text"),
    "integer": later("a whole number"),
    "number": later("a number"),
    "boolean": later("Yes or No (true or false)"),
    "array": later("a list, such as {example}"),
    "object": later("an object, such as {example}"),
    "null": later("empty"),
}
_FORMATS = {
    "date": later("must be a date, such as {example}"),
    "date-time": later("must be a date and time, such as {example}"),
    "time": later("must be a time, such as {example}"),
    "email": later("must be an email address"),
    "uuid": later("must be a UUID"),
}
_EXAMPLES = {
    "array": "[1, 2]",
    "object": '{"name": "value"}',
    "date": "2026-03-01",
    "date-time": "2026-03-01T09:30:00Z",
    "time": "09:30:00",
}


def at(path: tuple[str | int, ...], words: str) -> str:
    """`("lines", 0, "amount")` -> `lines[0].amount must be …`"""
    where = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    named = where.removeprefix(".")
    return t("{field} {problem}", field=named, problem=words) if where else words


def where_in(error: SchemaMisfit) -> tuple[str | int, ...]:
    """Field and path inside it."""
    path = tuple(error.absolute_path)
    if error.validator == "required":  # it stands at the whole; the one that is missing is told
        names = cast("list[str]", error.validator_value)
        missing = [name for name in names if error.message.startswith(repr(name))]
        return (*path, *missing[:1])
    return path


def model_words(message: str) -> str:
    """pydantic's message, as the end of a sentence that begins with the field. What a model says
    is the workflow's own, in its language."""
    words = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    known = {
        "Field required": later("is required"),
        "Extra inputs are not permitted": later("is not a field of this form"),
    }
    return t(known[words]) if words in known else words.replace("Input should", "must")


def misfit_words(error: SchemaMisfit, field: FormField | None, context: Values) -> str:
    """What the schema says. field: in which it is, if it is in one."""
    inner = _inner(error)
    if inner is not error:
        path = where_in(inner)[len(error.absolute_path) :]
        return at(path, misfit_words(inner, field if not path else None, context))
    say = _SAID.get(str(error.validator))
    if say is not None:
        return say(error.validator_value, field if len(error.absolute_path) == 1 else None, context)
    return t("does not fit what is asked for here")


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
            return t(words, bound=as_money(int(bound), currency))
        return t(words, bound=tidy(bound))

    return said


def _listed(values: list[Any], *_: object) -> str:
    named = [each if isinstance(each, str) else json.dumps(each) for each in values]
    shown, left = ", ".join(named[:OPTIONS_NAMED]), len(named) - OPTIONS_NAMED
    if left > 0:
        shown = tn("{options} and {n} other", "{options} and {n} others", left, options=shown)
    return t("must be one of {options}", options=shown)


def _typed(kinds: str | list[str], *_: object) -> str:
    every = [kinds] if isinstance(kinds, str) else kinds
    known = [each for each in every if each != "null"] or ["null"]
    named = [t(_TYPES.get(e, "{example}"), example=_EXAMPLES.get(e, e)) for e in known]
    kinds_ = named[0]
    for each in named[1:]:
        kinds_ = t("{some} or {another}", some=kinds_, another=each)
    return t("must be {kind}", kind=kinds_)


def _pattern(_: str, field: FormField | None, __: Values) -> str:
    is_decimal = field is not None and field.kind == "decimal"
    return t("has too many digits") if is_decimal else t("is not written as it has to be")


def _characters_at_least(number: Any, *_: object) -> str:
    return tn("must have at least {n} character", "must have at least {n} characters", int(number))


def _characters_at_most(number: Any, *_: object) -> str:
    return tn("must have at most {n} character", "must have at most {n} characters", int(number))


def _entries_at_least(number: Any, *_: object) -> str:
    return tn("must have at least {n} entry", "must have at least {n} entries", int(number))


def _entries_at_most(number: Any, *_: object) -> str:
    return tn("must have at most {n} entry", "must have at most {n} entries", int(number))


def _always(words: str) -> Say:
    """words: of the catalog."""

    def said(*_: object) -> str:
        return t(words)

    return said


def _const(value: Any, *_: object) -> str:
    return t("must be {value}", value=value if isinstance(value, str) else json.dumps(value))


def _format(name: str, *_: object) -> str:
    words = _FORMATS.get(name, later("must be in the format {format}"))
    return t(words, format=name, example=_EXAMPLES.get(name, ""))


def _multiple(number: Any, *_: object) -> str:
    return t("must be a multiple of {number}", number=tidy(number))


_SAID: Mapping[str, Say] = {
    **{key: _bound(words) for key, (_, words) in BOUNDS.items()},
    "required": _always(later("is required")),
    "type": _typed,
    "enum": _listed,
    "const": _const,
    "format": _format,
    "pattern": _pattern,
    "minLength": _characters_at_least,
    "maxLength": _characters_at_most,
    "minItems": _entries_at_least,
    "maxItems": _entries_at_most,
    "uniqueItems": _always(later("has an entry twice")),
    "multipleOf": _multiple,
    "additionalProperties": _always(UNKNOWN_NAME),
    "unevaluatedProperties": _always(UNKNOWN_NAME),
}
