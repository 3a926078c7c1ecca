"""How one kind of field is asked for in Slack: its element, and what was entered in it as a value.

An element carries the present value, or there is none (None): then the field is asked for in
another way (views/forms.py). So a value is whole in the form, or it is not in the form at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, cast

from pydantic import JsonValue

from bot.texts import t
from bot.views.form_fields import OPTIONS_AT_MOST, FormField, Option, Values
from bot.views.text import LINE_BREAK, Block, plain

TEXT_AT_MOST = 3000
MINUTE = 60
FIRST_MOMENT, LAST_MOMENT = 1_000_000_000, 9_999_999_999  # Slack takes ten digits

# What a person entered, as Slack sends it: a text, a time in seconds, what was chosen, or nothing.
Entered = str | int | list[str] | None


class Wrong(ValueError):
    """What was entered is no value of this field; the message is for the one who typed."""


def as_it_is(entered: Entered) -> Any:
    return entered


@dataclass(frozen=True)
class Kind:
    """element: None where it cannot hold the value; a value of None is an empty field. read: of
    what was entered and is not empty, raises Wrong. meant: the same for what looks the same."""

    element: Callable[[FormField, JsonValue, Values], Block | None]
    read: Callable[[FormField, Entered, Values], JsonValue]
    meant: Callable[[Entered], Any] = as_it_is


# --- Text


def text_input(value: str | None, *, multiline: bool = False, most: int = TEXT_AT_MOST) -> Block:
    """A blank value is an empty field: Slack would send it as none."""
    shown = value if value is not None and value.strip() else None
    size = units(shown or "")
    limit = {"max_length": most} if size <= most < TEXT_AT_MOST else {}
    initial = {} if shown is None else {"initial_value": shown}
    return {"type": "plain_text_input", "multiline": multiline, **limit, **initial}


def units(text: str) -> int:
    """Its length as browsers count it: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def can_be_typed(text: str) -> bool:
    """Does a text field hold all of it? Control characters and broken ones would not come back."""
    whole = LINE_BREAK.sub("\n", text)
    unsafe = any(each < " " or "\x7f" <= each <= "\x9f" or "\ud800" <= each <= "\udfff"
                 for each in whole if each not in "\n\t")  # fmt: skip
    return units(text) <= TEXT_AT_MOST and not unsafe


def _text(field: FormField, value: JsonValue, _: Values) -> Block | None:
    if not (value is None or (isinstance(value, str) and can_be_typed(value))):
        return None
    broken = value is not None and LINE_BREAK.search(value) is not None
    most = field.schema.get("maxLength")
    at_most = most if isinstance(most, int) and 0 < most < TEXT_AT_MOST else TEXT_AT_MOST
    return text_input(value, multiline=field.is_multiline or broken, most=at_most)


def _read_text(field: FormField, entered: Entered, _: Values) -> JsonValue:
    text = typed(entered)
    if field.schema.get("format") == "date-time":  # which the schema's own check lets pass
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise Wrong(
                t("must be a date and time, such as {example}", example="2026-03-01T09:30:00Z")
            ) from None
    return text


def typed(entered: Entered) -> str:
    if not isinstance(entered, str):
        raise Wrong(t("could not be read; enter it again"))
    if any("\ud800" <= each <= "\udfff" for each in entered):
        raise Wrong(t("has a broken character in it; type it again"))
    return entered


def same_lines(entered: Entered) -> Any:
    """Browsers have one line break; what they make of the others is no change."""
    return LINE_BREAK.sub("\n", entered) if isinstance(entered, str) else entered


def _lines(_: FormField, value: JsonValue, __: Values) -> Block | None:
    lines = [] if value is None else value
    if not isinstance(lines, list) or not all(_is_line(each) for each in lines):
        return None
    text = "\n".join(cast("list[str]", lines))
    return text_input(text or None, multiline=True) if can_be_typed(text) else None


def _is_line(value: JsonValue) -> bool:
    return isinstance(value, str) and value.strip() != "" and not LINE_BREAK.search(value)


def _read_lines(_: FormField, entered: Entered, __: Values) -> JsonValue:
    lines = LINE_BREAK.sub("\n", typed(entered)).split("\n")
    return [each for each in lines if each.strip()]


# --- Choices


def option(key: str, text: str) -> Block:
    return {"text": plain(text, 75), "value": key}


def _choice(field: FormField, value: JsonValue, _: Values) -> Block | None:
    found = _chosen(field.options, [] if value is None else [value])
    if found is None:
        return None
    return _select("static_select", field.options, _initial_option(found))


def _choices(field: FormField, value: JsonValue, _: Values) -> Block | None:
    values = [] if value is None else value
    found = _chosen(field.options, values) if isinstance(values, list) else None
    if found is None:
        return None
    return _select(
        "multi_static_select", field.options, {"initial_options": found} if found else {}
    )


def _initial_option(found: list[Block]) -> Block:
    return {"initial_option": found[0]} if found else {}


def _select(kind: str, options: tuple[Option, ...], initial: Block) -> Block:
    return {"type": kind, "options": [option(each.key, each.text) for each in options], **initial}


def _chosen(options: tuple[Option, ...], values: list[JsonValue]) -> list[Block] | None:
    """None unless each value is an option, and once."""
    by_key = {each.key: option(each.key, each.text) for each in options}
    keys = [Option(value, "").key for value in values]
    if len(set(keys)) < len(keys) or not set(keys) <= by_key.keys():
        return None
    return [by_key[key] for key in keys]


def _read_choice(field: FormField, entered: Entered, _: Values) -> JsonValue:
    return _of_key(field, entered)


def _read_choices(field: FormField, entered: Entered, _: Values) -> JsonValue:
    return [_of_key(field, each) for each in several(entered)]


def _of_key(field: FormField, key: Entered) -> JsonValue:
    for each in field.options:
        if each.key == key:
            return each.value
    raise Wrong(t("choose one of the options"))


def several(entered: Entered) -> list[str]:
    if not isinstance(entered, list):
        raise Wrong(t("could not be read; choose again"))
    return entered


def _in_any_order(entered: Entered) -> Any:
    return frozenset(entered) if isinstance(entered, list) else entered


def _yes_or_no() -> tuple[Option, ...]:
    return Option(True, t("Yes")), Option(False, t("No"))


def _boolean(_: FormField, value: JsonValue, __: Values) -> Block | None:
    """A menu: checkboxes cannot tell "no" from no answer."""
    options = _yes_or_no()
    found = _chosen(options, [] if value is None else [value])
    if found is None:
        return None
    return _select("static_select", options, _initial_option(found))


def _read_boolean(_: FormField, entered: Entered, __: Values) -> JsonValue:
    if entered not in ("true", "false"):
        raise Wrong(t("choose Yes or No"))
    return entered == "true"


# --- People


def _user(_: FormField, value: JsonValue, __: Values) -> Block | None:
    if value is None:
        return {"type": "users_select"}
    return {"type": "users_select", "initial_user": value} if _is_user(value) else None


def _users(_: FormField, value: JsonValue, __: Values) -> Block | None:
    values = [] if value is None else value
    if not isinstance(values, list) or not all(_is_user(each) for each in values):
        return None
    if len(set(cast("list[str]", values))) < len(values) or len(values) > OPTIONS_AT_MOST:
        return None
    return {"type": "multi_users_select", **({"initial_users": values} if values else {})}


def _is_user(value: JsonValue) -> bool:
    return (
        isinstance(value, str) and value[:1] in ("U", "W") and value.isascii() and value.isalnum()
    )


def _read_user(_: FormField, entered: Entered, __: Values) -> JsonValue:
    if not isinstance(entered, str) or not _is_user(entered):
        raise Wrong(t("choose a person"))
    return entered


def _read_users(field: FormField, entered: Entered, values: Values) -> JsonValue:
    return [_read_user(field, each, values) for each in several(entered)]


# --- Times


def _date(_: FormField, value: JsonValue, __: Values) -> Block | None:
    if value is None:
        return {"type": "datepicker"}
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return None
    return {"type": "datepicker", "initial_date": value} if day.isoformat() == value else None


def _read_date(_: FormField, entered: Entered, __: Values) -> JsonValue:
    return typed(entered)


def _time(_: FormField, value: JsonValue, __: Values) -> Block | None:
    """Hours and minutes; with seconds, or in a zone, it is text."""
    if value is None:
        return {"type": "timepicker"}
    try:
        at = time.fromisoformat(str(value))
    except ValueError:
        return None
    if at.replace(second=0, microsecond=0, tzinfo=None) != at:
        return None
    return {"type": "timepicker", "initial_time": f"{at:%H:%M}"}


def _read_time(_: FormField, entered: Entered, __: Values) -> JsonValue:
    return f"{typed(entered)}:00"


def _moment(_: FormField, value: JsonValue, __: Values) -> Block | None:
    if value is None:
        return {"type": "datetimepicker"}
    at = _aware(value)
    if at is None or not FIRST_MOMENT <= at.timestamp() <= LAST_MOMENT:
        return None
    return {"type": "datetimepicker", "initial_date_time": int(at.timestamp())}


def _aware(value: JsonValue) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _read_moment(field: FormField, entered: Entered, values: Values) -> JsonValue:
    """In the zone of the value before it, else in UTC."""
    if not isinstance(entered, int) or not FIRST_MOMENT <= entered <= LAST_MOMENT:
        raise Wrong(t("choose a date and a time"))
    before = _aware(field.value(values))
    offset = (before.utcoffset() if before else None) or timedelta(0)
    at = datetime.fromtimestamp(entered, timezone(offset) if offset else UTC)
    return at.isoformat().replace("+00:00", "Z")


def _same_minute(entered: Entered) -> Any:
    """Slack's picker knows no seconds."""
    return entered // MINUTE if isinstance(entered, int) else entered


TEXT = Kind(_text, _read_text, same_lines)
INPUTS: dict[str, Kind] = {
    "text": TEXT,
    "lines": Kind(_lines, _read_lines, same_lines),
    "choice": Kind(_choice, _read_choice),
    "choices": Kind(_choices, _read_choices, _in_any_order),
    "boolean": Kind(_boolean, _read_boolean),
    "user": Kind(_user, _read_user),
    "users": Kind(_users, _read_users, _in_any_order),
    "date": Kind(_date, _read_date),
    "time": Kind(_time, _read_time),
    "datetime": Kind(_moment, _read_moment, _same_minute),
}
