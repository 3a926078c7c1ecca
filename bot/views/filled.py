"""What a person entered in a form of views/forms.py, as values that fit the schema, or as errors
at the fields.

What was not touched is the very same value as before, whatever Slack makes of it on its way. What
the form does not show is left as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import JsonValue, ValidationError

from bot.texts import t
from bot.views.form_fields import FormField, Schema, Values
from bot.views.form_inputs import Entered, Kind, Wrong
from bot.views.form_json import from_json
from bot.views.form_words import at, misfit_words, model_words, where_in
from bot.views.forms import BLANK, VALUE, Layout, Place, can_be_blank, laid_out
from bot.views.text import line
from workflows.protocol import misfits

ERROR_AT_MOST = 300
STATE_KEYS = {
    "plain_text_input": "value",
    "number_input": "value",
    "static_select": "selected_option",
    "multi_static_select": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}


@dataclass(frozen=True)
class Filled:
    """errors: by block_id, for `response_action: errors`. values: to be used only without any."""

    values: dict[str, JsonValue]
    errors: dict[str, str]


class _Dropped(Exception):
    """The field was emptied, which means that there is no such value."""


def read_form(schema: Schema, values: Values, state: Mapping[str, Any]) -> Filled:
    """schema, values: those that the form was made of. state: `view.state.values`."""
    layout = laid_out(schema, values)
    found, wrong = _with_rest(layout, values, state)
    for place in _in_order(layout):
        name = place.field.name
        try:
            found[name] = _value(place, found, layout, values, state)
        except _Dropped:
            found.pop(name, None)
        except Wrong as error:
            wrong[place.block_id] = line(str(error), ERROR_AT_MOST)
    return Filled(found, _all_errors(layout, schema, found, wrong))


def errors_at(error: ValidationError, schema: Schema, values: Values) -> dict[str, str]:
    """A pydantic model's errors, by block_id, of a form that was made of its schema."""
    layout = laid_out(schema, values)
    found: dict[str, str] = {}
    for item in error.errors(include_url=False, include_input=False):
        _tell(found, layout, item["loc"], model_words(item["msg"]))
    return found


# --- One field


def _in_order(layout: Layout) -> list[Place]:
    """Money last: it is read in the currency that was entered."""
    shown = [each for each in layout.places if each.kind is not None]
    return sorted(shown, key=lambda each: each.field.kind == "money")


def _value(
    place: Place, found: Values, layout: Layout, values: Values, state: Mapping[str, Any]
) -> JsonValue:
    field, kind = place.field, cast("Kind", place.kind)
    entered = _entered(place, state)
    context = {**layout.defaults, **found}
    if _untouched(place, kind, entered) and not _revalued(place, layout.context, context):
        return _kept(field, values)
    if entered in (None, "", []):
        return _emptied(field)
    return kind.read(field, entered, context)


def _untouched(place: Place, kind: Kind, entered: Entered) -> bool:
    before = _initial(place.block["element"])
    return kind.meant(entered) == kind.meant(before)


def _revalued(place: Place, before: Values, after: Values) -> bool:
    """Was the currency changed? Then the same figures are another value."""
    field = place.field
    named = field.hints.get("money_in")
    is_shown = field.kind == "money" and field.value(before) is not None
    return is_shown and isinstance(named, str) and before.get(named) != after.get(named)


def _kept(field: FormField, values: Values) -> JsonValue:
    """The value as it was. A default that was shown is left to the model to set, but where the
    schema wants a value."""
    if field.name in values:
        return values[field.name]
    if field.required and field.default is not None:
        return field.default
    raise _Dropped


def _emptied(field: FormField) -> JsonValue:
    if field.nullable:
        return None
    if can_be_blank(field):
        return BLANK[field.kind]
    if field.required or field.default is not None:
        raise Wrong(t("is required"))
    raise _Dropped


def _entered(place: Place, state: Mapping[str, Any]) -> Entered:
    """In the form's own words: what is missing was not touched."""
    element = place.block["element"]
    part = _part(_part(state, place.block_id), VALUE)
    if not part:
        return _initial(element)
    value = part.get(STATE_KEYS[element["type"]])
    if isinstance(value, Mapping):
        value = cast("Mapping[str, Any]", value).get("value")
    if isinstance(value, list):
        items = cast("list[Any]", value)
        value = [each.get("value") if isinstance(each, Mapping) else each for each in items]
        if not all(isinstance(each, str) for each in value):
            raise Wrong(t("could not be read; choose again"))
    if value is None or isinstance(value, str | list) or type(value) is int:
        return cast("Entered", value) or None
    raise Wrong(t("could not be read; enter it again"))


def _part(whole: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = whole.get(key)
    return cast("Mapping[str, Any]", part) if isinstance(part, Mapping) else {}


def _initial(element: Mapping[str, Any]) -> Entered:
    for key, value in element.items():
        if key == "initial_option":
            return value["value"]
        if key == "initial_options":
            return [each["value"] for each in value]
        if key.startswith("initial_"):
            return value
    return None


# --- What shares one field


def _with_rest(
    layout: Layout, values: Values, state: Mapping[str, Any]
) -> tuple[dict[str, JsonValue], dict[str, str]]:
    found, rest = dict(values), layout.rest
    if rest is None or rest.kind is None:
        return found, {}
    try:
        entered = _entered(rest, state)
        if _untouched(rest, rest.kind, entered):
            return found, {}
        others = _object(layout, entered)
    except Wrong as error:
        return found, {rest.block_id: line(str(error), ERROR_AT_MOST)}
    own = {name: value for name, value in found.items() if name not in layout.rest_names}
    ordered = {name: others.pop(name) for name in values if name in others}
    return {**own, **ordered, **others}, {}


def _object(layout: Layout, entered: Entered) -> dict[str, JsonValue]:
    value = from_json(entered) if isinstance(entered, str) else {}
    if not isinstance(value, dict):
        raise Wrong(t("must be a JSON object, such as {example}", example='{"name": "value"}'))
    unknown = value.keys() - layout.rest_names if layout.places else set[str]()
    if unknown:
        raise Wrong(t("does not take {names}", names=", ".join(sorted(unknown)[:5])))
    return value


# --- The whole


def _all_errors(
    layout: Layout, schema: Schema, found: Values, wrong: dict[str, str]
) -> dict[str, str]:
    """What could not be read, and at each other field what the schema says."""
    told = dict(wrong)
    try:
        every = misfits(schema, found)
    except ValueError as error:
        _tell(told, layout, (), str(error))
        return told
    fields = {each.field.name: each.field for each in layout.places}
    for error in every:
        where = where_in(error)
        field = fields.get(str(where[0])) if where else None
        _tell(told, layout, where, misfit_words(error, field, {**layout.defaults, **found}))
    return told


def _tell(told: dict[str, str], layout: Layout, where: tuple[str | int, ...], words: str) -> None:
    """At the field's own block; at the first one, with its name, where it has none that Slack
    would show an error at. The first error of a block is the one that is told."""
    name = str(where[0]) if where else None
    for place in layout.places:
        if place.field.name == name and place.kind is not None:
            told.setdefault(place.block_id, line(at(where[1:], words), ERROR_AT_MOST))
            return
    rest = layout.rest
    if name in layout.rest_names and rest is not None and rest.kind is not None:
        told.setdefault(rest.block_id, line(at(where, words), ERROR_AT_MOST))
    else:
        told.setdefault(layout.first or "", line(at(where, words), ERROR_AT_MOST))
