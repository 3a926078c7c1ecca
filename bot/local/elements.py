"""Rules of Block Kit's elements: buttons, inputs, selects, pickers; and which block holds which."""

from __future__ import annotations

from bot.local.objects import (
    ANY_OPTION,
    CONFIRM,
    CONVERSATION_FILTER,
    DISPATCH_CONFIG,
    OPTION_GROUP,
    PLAIN_OPTION,
    SLACK_FILE,
    TYPE,
    different_values,
    initial_is_an_option,
    option,
    plain_text,
)
from bot.local.records import Json
from bot.local.rich_text import RICH_TEXT
from bot.local.schema import (
    Check,
    Place,
    boolean,
    by_type,
    choice,
    integer,
    listing,
    number_words,
    record,
    string,
    url,
)

_ID: dict[str, Check] = {"action_id": string(255)}
_CONFIRM: dict[str, Check] = {"confirm": CONFIRM}
_FOCUS: dict[str, Check] = {"focus_on_load": boolean}
_HINT: dict[str, Check] = {"placeholder": plain_text(150)}
_PICK = {**_ID, **_CONFIRM, **_FOCUS, **_HINT}
_DISPATCH: dict[str, Check] = {"dispatch_action_config": DISPATCH_CONFIG}
_INPUT = {**_ID, **_FOCUS, **_HINT, **_DISPATCH}
_OPTIONS: dict[str, Check] = {
    "options": listing(PLAIN_OPTION, 100),
    "option_groups": listing(OPTION_GROUP, 100),
}
_MOST: dict[str, Check] = {"max_selected_items": integer(1, 10_000)}
_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME = r"([01]\d|2[0-3]):[0-5]\d"


def _one_list_of_options(element: Json, place: Place) -> None:
    given = [key for key in ("options", "option_groups") if element.get(key) is not None]
    if len(given) != 1:
        place.refuse("exactly one of options, option_groups must be specified")


def _image_source(element: Json, place: Place) -> None:
    if ("image_url" in element) == ("slack_file" in element):
        place.refuse("exactly one of image_url, slack_file must be specified")


def _bounds(low_key: str, high_key: str, initial: str = "") -> Check:
    def check(element: Json, place: Place) -> None:
        low, high = element.get(low_key), element.get(high_key)
        if low is not None and high is not None and float(low) > float(high):
            place.at(low_key).refuse(f"must not be greater than {high_key}")
        value = element.get(initial)
        if value is None:
            return
        if (low is not None and float(value) < float(low)) or (
            high is not None and float(value) > float(high)
        ):
            place.at(initial).refuse(f"must be between {low_key} and {high_key}")

    return check


def _initial_fits(element: Json, place: Place) -> None:
    value = element.get("initial_value")
    if value is not None and len(value) > element.get("max_length", 3000):
        place.at("initial_value").refuse(
            f"must be less than {element.get('max_length', 3000) + 1} characters"
        )


def _whole_numbers(element: Json, place: Place) -> None:
    if element["is_decimal_allowed"]:
        return
    for key in ("initial_value", "min_value", "max_value"):
        if "." in str(element.get(key, "")):
            place.at(key).refuse("must be a whole number when is_decimal_allowed is false")


def _select(*more: Check, **fields: Check) -> Check:
    return record(TYPE, {**_PICK, **fields}, *more)


IMAGE = record(
    {**TYPE, "alt_text": string(2000)}, {"image_url": url, "slack_file": SLACK_FILE}, _image_source
)

BUTTON = record(
    {**TYPE, "text": plain_text(75)},
    {
        **_ID,
        **_CONFIRM,
        "value": string(2000),
        "url": url,
        "style": choice("primary", "danger"),
        "accessibility_label": string(75),
    },
)

_FEEDBACK = record(
    {"text": plain_text(75), "value": string(2000)}, {"accessibility_label": string(75)}
)

ELEMENTS: dict[str, Check] = {
    "button": BUTTON,
    "image": IMAGE,
    "checkboxes": record(
        {**TYPE, "options": listing(ANY_OPTION, 10)},
        {**_ID, **_CONFIRM, **_FOCUS, "initial_options": listing(ANY_OPTION, 10)},
        different_values,
        initial_is_an_option,
    ),
    "radio_buttons": record(
        {**TYPE, "options": listing(ANY_OPTION, 10)},
        {**_ID, **_CONFIRM, **_FOCUS, "initial_option": ANY_OPTION},
        different_values,
        initial_is_an_option,
    ),
    "overflow": record(
        {**TYPE, "options": listing(option(plain_text(75), with_url=True), 5)},
        {**_ID, **_CONFIRM},
        different_values,
    ),
    "datepicker": _select(initial_date=string(pattern=_DATE)),
    "timepicker": _select(initial_time=string(pattern=_TIME), timezone=string()),
    "datetimepicker": record(
        TYPE,
        {**_ID, **_CONFIRM, **_FOCUS, "initial_date_time": integer(1_000_000_000, 9_999_999_999)},
    ),
    "static_select": _select(
        _one_list_of_options,
        different_values,
        initial_is_an_option,
        **_OPTIONS,
        initial_option=PLAIN_OPTION,
    ),
    "multi_static_select": _select(
        _one_list_of_options,
        different_values,
        initial_is_an_option,
        **_OPTIONS,
        **_MOST,
        initial_options=listing(PLAIN_OPTION, 100),
    ),
    "external_select": _select(initial_option=PLAIN_OPTION, min_query_length=integer(0, 100)),
    "multi_external_select": _select(
        **_MOST, initial_options=listing(PLAIN_OPTION, 100), min_query_length=integer(0, 100)
    ),
    "users_select": _select(initial_user=string()),
    "multi_users_select": _select(**_MOST, initial_users=listing(string())),
    "channels_select": _select(initial_channel=string(), response_url_enabled=boolean),
    "multi_channels_select": _select(**_MOST, initial_channels=listing(string())),
    "conversations_select": _select(
        initial_conversation=string(),
        default_to_current_conversation=boolean,
        response_url_enabled=boolean,
        filter=CONVERSATION_FILTER,
    ),
    "multi_conversations_select": _select(
        **_MOST,
        initial_conversations=listing(string()),
        default_to_current_conversation=boolean,
        filter=CONVERSATION_FILTER,
    ),
    "plain_text_input": record(
        TYPE,
        {
            **_INPUT,
            "initial_value": string(3000, least=0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        _bounds("min_length", "max_length"),
        _initial_fits,
    ),
    "number_input": record(
        {**TYPE, "is_decimal_allowed": boolean},
        {
            **_INPUT,
            "initial_value": number_words,
            "min_value": number_words,
            "max_value": number_words,
        },
        _bounds("min_value", "max_value", "initial_value"),
        _whole_numbers,
    ),
    "email_text_input": record(TYPE, {**_INPUT, "initial_value": string(3000)}),
    "url_text_input": record(TYPE, {**_INPUT, "initial_value": url}),
    "rich_text_input": record(
        TYPE,
        {
            **_INPUT,
            "initial_value": RICH_TEXT,
            "min_lines": integer(1, 50),
            "max_lines": integer(1, 50),
        },
    ),
    "file_input": record(
        TYPE, {**_ID, "filetypes": listing(string()), "max_files": integer(1, 10)}
    ),
    "feedback_buttons": record(
        {**TYPE, "positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, _ID
    ),
    "icon_button": record(
        {**TYPE, "icon": choice("trash"), "text": plain_text(75)},
        {
            **_ID,
            **_CONFIRM,
            "value": string(2000),
            "accessibility_label": string(75),
            "visible_to_user_ids": listing(string()),
        },
    ),
}

_SELECTS = ("static", "external", "users", "conversations", "channels")
_COMMON = (
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    *(f"{kind}_select" for kind in _SELECTS),
)
_MULTI = tuple(f"multi_{kind}_select" for kind in _SELECTS)


def holding(*kinds: str) -> Check:
    """One of these elements; any other is refused as unsupported there."""
    return by_type({kind: ELEMENTS[kind] for kind in kinds}, "type")


IN_ACTIONS = holding(*_COMMON, "button", "overflow", "datetimepicker")
IN_SECTION = holding(*_COMMON, *_MULTI, "button", "overflow", "image")
IN_INPUT = holding(
    *_COMMON,
    *_MULTI,
    "datetimepicker",
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "rich_text_input",
    "file_input",
)
IN_CONTEXT_ACTIONS = holding("feedback_buttons", "icon_button")
