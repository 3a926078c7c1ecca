"""Rules of Block Kit's composition objects: texts, options, confirmations, filters."""

from __future__ import annotations

from bot.local.records import Json
from bot.local.schema import Check, Place, boolean, by_type, choice, listing, record, string, url

TYPE = {"type": string()}


def plain_text(most: int) -> Check:
    return by_type({"plain_text": _plain(most)})


def any_text(most: int) -> Check:
    """plain_text (with `emoji`) or mrkdwn (with `verbatim`)."""
    mrkdwn = record({**TYPE, "text": string(most)}, {"verbatim": boolean})
    return by_type({"plain_text": _plain(most), "mrkdwn": mrkdwn})


def _plain(most: int) -> Check:
    return record({**TYPE, "text": string(most)}, {"emoji": boolean})


CONFIRM = record(
    {"title": plain_text(100), "text": any_text(300)},
    {"confirm": plain_text(30), "deny": plain_text(30), "style": choice("primary", "danger")},
)

SLACK_FILE = record({}, {"id": string(), "url": url})

DISPATCH_CONFIG = record(
    {"trigger_actions_on": listing(choice("on_enter_pressed", "on_character_entered"))}, {}
)

CONVERSATION_FILTER = record(
    {},
    {
        "include": listing(choice("im", "mpim", "private", "public")),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)


def option(text: Check, *, with_url: bool = False) -> Check:
    """One option; only those of an overflow menu may carry a `url`."""
    optional = {"description": text, **({"url": url} if with_url else {})}
    return record({"text": text, "value": string(150)}, optional)


PLAIN_OPTION = option(plain_text(75))
ANY_OPTION = option(any_text(75))
OPTION_GROUP = record({"label": plain_text(75), "options": listing(PLAIN_OPTION, 100)}, {})


def different_values(element: Json, place: Place) -> None:
    """No two options of an element have the same value."""
    options: list[Json] = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options += group["options"]
    values = [one["value"] for one in options]
    for index, value in enumerate(values):
        if value in values[:index]:
            place.at("options").at(index).refuse(f"option value {value!r} already exists")


def initial_is_an_option(element: Json, place: Place) -> None:
    """What is chosen from the start has to be among the options, word for word."""
    options: list[Json] = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options += group["options"]
    chosen = list(element.get("initial_options") or [])
    if element.get("initial_option"):
        chosen.append(element["initial_option"])
    for one in chosen:
        if one not in options:
            key = "initial_option" if "initial_option" in element else "initial_options"
            place.at(key).refuse("must match one of the options exactly")
