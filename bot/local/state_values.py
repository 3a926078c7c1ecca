"""What a person entered, in the shape that Slack sends: `state.values[block_id][action_id]`.

From a page or a test comes a plain value per element (text, an option's value, a list of them);
out goes Slack's object. The checks are those of Slack's client before it submits a modal.
"""

from __future__ import annotations

import re
from typing import Any

from bot.local.fill import elements_of
from bot.local.records import Json

# element type -> (key of the value in the state, key of the initial value in the element)
_SINGLE: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}
_OPTION: dict[str, tuple[str, str]] = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
}
_STATELESS = frozenset({"button", "overflow", "feedback_buttons", "icon_button"})

Entered = dict[str, dict[str, Any]]


class UnknownValueError(Exception):
    """The page named an option, block or element that the view does not have."""


def value_key(element: Json) -> str:
    """Under which key the entered value of this element stands."""
    kind = element["type"]
    return (_SINGLE.get(kind) or _OPTION.get(kind) or ("value", ""))[0]


def options_of(element: Json) -> list[Json]:
    """All options of an element, those in groups included."""
    options: list[Json] = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options += group["options"]
    return options


def entered_value(element: Json, value: Any) -> Json:
    """The element's part of the state, with a value that a person entered."""
    kind = element["type"]
    if kind in _OPTION and not kind.endswith("external_select"):
        return {"type": kind, value_key(element): _chosen(element, value)}
    if kind == "number_input" and value is not None:
        value = str(value)
    _refuse_misshapen(element, value)
    return {"type": kind, value_key(element): None if value == "" else value}


# What Slack's pickers give, and nothing else.
_PERSON, _DAY = r"[UW][A-Z0-9]+", r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_SHAPES = {
    "datepicker": _DAY,
    "timepicker": r"([01]\d|2[0-3]):[0-5]\d",
    "datetimepicker": r"[1-9]\d{9}",
    "users_select": _PERSON,
    "multi_users_select": _PERSON,
}


def _refuse_misshapen(element: Json, value: Any) -> None:
    """A picker cannot be made to say what it does not offer."""
    shape = _SHAPES.get(element["type"])
    several = element["type"].startswith("multi_")
    for one in value or [] if several else [value]:
        whole = int if element["type"] == "datetimepicker" else str
        fits = isinstance(one, whole) and re.fullmatch(shape or "", str(one))
        if shape and one not in (None, "") and not fits:
            raise UnknownValueError(f"{element['type']} cannot give {one!r}")


def _chosen(element: Json, value: Any) -> Any:
    if value in (None, "") and not value_key(element).endswith("s"):
        return None
    by_value = {option["value"]: option for option in options_of(element)}
    wanted: list[Any] = list(value or []) if value_key(element).endswith("s") else [value]
    unknown = [v for v in wanted if v not in by_value]
    if unknown:
        raise UnknownValueError(f"{element.get('action_id')} has no option {unknown[0]!r}")
    chosen = [by_value[v] for v in wanted]
    return chosen if value_key(element).endswith("s") else chosen[0]


def initial_value(element: Json) -> Json:
    """The element's part of the state before anyone touched it."""
    kind = element["type"]
    key, initial = _SINGLE.get(kind) or _OPTION.get(kind) or ("value", "")
    empty: Any = [] if key.endswith("s") and kind != "plain_text_input" else None
    return {"type": kind, key: element.get(initial, empty)}


def initial_state(blocks: list[Json]) -> dict[str, Json]:
    return state_values(blocks, {})


def state_values(blocks: list[Json], entered: Entered) -> dict[str, Json]:
    """`state.values`: initial values, and over them what was entered."""
    _refuse_unknown(blocks, entered)
    values: dict[str, Json] = {}
    for block in blocks:
        given = entered.get(block["block_id"], {})
        for element in elements_of(block):
            if element["type"] in _STATELESS:
                continue
            action_id = element["action_id"]
            part = (
                entered_value(element, given[action_id])
                if action_id in given
                else initial_value(element)
            )
            values.setdefault(block["block_id"], {})[action_id] = part
    return values


def _refuse_unknown(blocks: list[Json], entered: Entered) -> None:
    known = {(b["block_id"], e["action_id"]) for b in blocks for e in elements_of(b)}
    for block_id, actions in entered.items():
        for action_id in actions:
            if (block_id, action_id) not in known:
                raise UnknownValueError(f"no element {action_id!r} in block {block_id!r}")


def input_errors(blocks: list[Json], values: dict[str, Json]) -> dict[str, str]:
    """What Slack's client refuses before it sends a submission: block_id -> words."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        value = values[block["block_id"]][element["action_id"]][value_key(element)]
        words = _required(block, value) or _bounds(element, value)
        if words:
            errors[block["block_id"]] = words
    return errors


def _required(block: Json, value: Any) -> str:
    if block.get("optional") or value not in (None, "", []):
        return ""
    return "Please complete this required field."


def _bounds(element: Json, value: Any) -> str:
    if value in (None, "", []):
        return ""
    if element["type"] == "number_input":
        return _number_bounds(element, str(value))
    if element["type"] == "plain_text_input":
        return _length_bounds(element, str(value))
    most = element.get("max_selected_items")
    if most is not None and len(value) > most:
        return f"Please select at most {most}."
    return ""


def _number_bounds(element: Json, value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "Please enter a number."
    if not element.get("is_decimal_allowed") and not number.is_integer():
        return "Please enter a whole number."
    low, high = element.get("min_value"), element.get("max_value")
    if low is not None and number < float(low):
        return f"Please enter a number that is at least {low}."
    if high is not None and number > float(high):
        return f"Please enter a number that is at most {high}."
    return ""


def _length_bounds(element: Json, value: str) -> str:
    low, high = element.get("min_length"), element.get("max_length", 3000)
    if low is not None and len(value) < low:
        return f"Please enter at least {low} characters."
    if len(value) > high:
        return f"Please enter at most {high} characters."
    return ""
