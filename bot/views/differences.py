"""What was changed, field by field, as people read it: for a card that shows an edit."""

from collections.abc import Callable

from pydantic import JsonValue

from bot.texts import later, t
from bot.views.form_fields import FormField, Option, Schema, Values, defaults, read_fields
from bot.views.form_json import as_json
from bot.views.form_numbers import currency_of
from bot.views.text import money

NONE = "–"
EMPTY = later("(empty)")


def changes(before: Values, after: Values, schema: Schema) -> list[tuple[str, str, str]]:
    """(label, before, after), in the order of the schema. The texts are whole, and as untrusted
    as the values are."""
    fields = {each.name: each for each in read_fields(schema)}
    unsaid = defaults(fields.values())  # in whose currency an amount may be
    names = dict.fromkeys([*fields, *before, *after])
    found: list[tuple[str, str, str]] = []
    for name in names:
        field = fields.get(name)
        shown = [
            _shown(field, values.get(name), {**unsaid, **values}) for values in (before, after)
        ]
        if shown[0] != shown[1] or _differ(before.get(name), after.get(name)):
            found.append((field.label if field else name, shown[0], shown[1]))
    return found


def _differ(one: JsonValue, other: JsonValue) -> bool:
    """1 and true are not the same."""
    return as_json(one) != as_json(other)


def _shown(field: FormField | None, value: JsonValue, values: Values) -> str:
    if value is None:
        return NONE
    show = _SHOWN.get(field.kind) if field else None
    shown = show(field, value, values) if field and show else None
    if shown is not None:
        return shown
    return (value or t(EMPTY)) if isinstance(value, str) else as_json(value)


def _boolean(_: FormField, value: JsonValue, __: Values) -> str | None:
    return {"true": t("Yes"), "false": t("No")}.get(as_json(value))


def _money(field: FormField, value: JsonValue, values: Values) -> str | None:
    currency = currency_of(field, values)
    if currency is None or not isinstance(value, int) or isinstance(value, bool):
        return None
    return money(value, currency)


def _choice(field: FormField, value: JsonValue, _: Values) -> str | None:
    texts = {each.key: each.text for each in field.options}
    return texts.get(Option(value, "").key)


def _list(field: FormField, value: JsonValue, values: Values) -> str | None:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        return None
    shown = [_choice(field, each, values) or str(each) for each in value]
    return ", ".join(shown) or t(EMPTY)


_SHOWN: dict[str, Callable[[FormField, JsonValue, Values], str | None]] = {
    "boolean": _boolean,
    "money": _money,
    "choice": _choice,
    "choices": _list,
    "lines": _list,
    "users": _list,
}
