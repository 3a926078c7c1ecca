"""Which blocks Slack takes, on which surface: the whole check of a message's blocks and of a view.

The result is a list such as `must be less than 3001 characters [json-pointer:/blocks/2/text/text]`;
empty means fine. What passes here is put to slack_sdk's own models as well.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from bot.local.elements import (
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
)
from bot.local.fill import elements_of
from bot.local.objects import SLACK_FILE, TYPE, any_text, plain_text
from bot.local.records import Json
from bot.local.rich_text import RICH_TEXT, RICH_TEXT_PARTS
from bot.local.schema import (
    Check,
    Place,
    anything,
    boolean,
    by_type,
    choice,
    integer,
    listing,
    record,
    string,
    url,
)

Surface = Literal["message", "modal", "home"]

MOST_BLOCKS: dict[str, int] = {"message": 50, "modal": 100, "home": 100}
VIEW_BYTES = 250_000
MESSAGE_CHARACTERS = 12_000  # of all texts in a message's blocks, with a buffer for each block
BLOCK_BUFFER = 25

_ID: dict[str, Check] = {"block_id": string(255)}


def _text_or_fields(block: Json, place: Place) -> None:
    if block.get("text") is None and block.get("fields") is None:
        place.refuse("missing required field: text or fields")


def _image_source(block: Json, place: Place) -> None:
    if ("image_url" in block) == ("slack_file" in block):
        place.refuse("exactly one of image_url, slack_file must be specified")


def _different_action_ids(block: Json, place: Place) -> None:
    seen: set[str] = set()
    for index, element in enumerate(block["elements"]):
        action_id = element.get("action_id")
        if action_id in seen:
            place.at("elements").at(index).at("action_id").refuse(
                f"`action_id` {action_id} already exists in this block"
            )
        if action_id is not None:
            seen.add(action_id)


def _same_columns(block: Json, place: Place) -> None:
    if len({len(row) for row in block["rows"]}) > 1:
        place.at("rows").refuse("every row must have the same number of cells")


def _dispatching_file(block: Json, place: Place) -> None:
    if block["element"]["type"] == "file_input" and place.surface != "modal":
        place.at("element").refuse("unsupported type: file_input")


_CELL = by_type(
    {
        "raw_text": record({**TYPE, "text": string()}, {}),
        "raw_number": record({**TYPE, "text": string(), "value": anything}, {}),
        "rich_text": RICH_TEXT,
    }
)
_COLUMN = record({}, {"align": choice("left", "center", "right"), "is_wrapped": boolean})

_EVERYWHERE: dict[str, Check] = {
    "section": record(
        TYPE,
        {
            **_ID,
            "text": any_text(3000),
            "fields": listing(any_text(2000), 10),
            "accessory": IN_SECTION,
            "expand": boolean,
        },
        _text_or_fields,
    ),
    "divider": record(TYPE, _ID),
    "header": record({**TYPE, "text": plain_text(150)}, {**_ID, "level": integer(1, 4)}),
    "image": record(
        {**TYPE, "alt_text": string(2000)},
        {**_ID, "title": plain_text(2000), "image_url": url, "slack_file": SLACK_FILE},
        _image_source,
    ),
    "actions": record({**TYPE, "elements": listing(IN_ACTIONS, 25)}, _ID, _different_action_ids),
    "context": record(
        {
            **TYPE,
            "elements": listing(
                by_type({"plain_text": any_text(3000), "mrkdwn": any_text(3000), "image": IMAGE}),
                10,
            ),
        },
        _ID,
    ),
    "rich_text": record({**TYPE, "elements": listing(by_type(RICH_TEXT_PARTS), least=0)}, _ID),
    "video": record(
        {
            **TYPE,
            "alt_text": string(),
            "title": plain_text(199),
            "video_url": url,
            "thumbnail_url": url,
        },
        {
            **_ID,
            "author_name": string(49),
            "description": plain_text(200),
            "provider_icon_url": url,
            "provider_name": string(),
            "title_url": url,
        },
    ),
}

_INPUT = record(
    {**TYPE, "label": plain_text(2000), "element": IN_INPUT},
    {**_ID, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
    _dispatching_file,
)

_IN_MESSAGES: dict[str, Check] = {
    "markdown": record({**TYPE, "text": string(12_000)}, _ID),
    "table": record(
        {**TYPE, "rows": listing(listing(_CELL, 20), 100)},
        {**_ID, "column_settings": listing(_COLUMN, 20)},
        _same_columns,
    ),
    "context_actions": record(
        {**TYPE, "elements": listing(IN_CONTEXT_ACTIONS, 5)}, _ID, _different_action_ids
    ),
}

_ALERT = record(
    {**TYPE, "text": any_text(3000)},
    {**_ID, "level": choice("default", "info", "warning", "error", "success")},
)

_BLOCKS: dict[str, dict[str, Check]] = {
    "message": {**_EVERYWHERE, **_IN_MESSAGES},
    "modal": {**_EVERYWHERE, "input": _INPUT, "alert": _ALERT},
    "home": {**_EVERYWHERE, "input": _INPUT},
}


def check_blocks(blocks: Any, surface: Surface = "message", root: str = "/blocks") -> list[str]:
    """All that Slack refuses in these blocks on this surface."""
    place = Place(root, [], surface)
    listing(by_type(_BLOCKS[surface]), MOST_BLOCKS[surface])(blocks, place)
    if not place.problems:
        _check_together(blocks, place)
    if not place.problems:
        _ask_the_sdk(blocks, place)
    return place.problems


def _check_together(blocks: list[Json], place: Place) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            place.at(index).at("block_id").refuse(f"`block_id` {block_id} already exists")
        if block_id is not None:
            seen.add(block_id)
    if sum(block["type"] == "table" for block in blocks) > 1:
        place.refuse("only_one_table_allowed")
    focused = [e for b in blocks for e in elements_of(b) if e.get("focus_on_load")]
    if len(focused) > 1:
        place.refuse("only one element can have focus_on_load set to true")


def _ask_the_sdk(blocks: list[Json], place: Place) -> None:
    for index, block in enumerate(blocks):
        try:
            parsed = Block.parse(block)
            if parsed is not None:
                parsed.to_dict()
        except (SlackObjectFormationError, TypeError, KeyError, AttributeError) as error:
            place.at(index).refuse(str(error))


def text_is_too_long(blocks: list[Json]) -> bool:
    """Whether Slack answers `msg_blocks_too_long`: all texts of a message's blocks together."""
    return _characters(blocks) + BLOCK_BUFFER * len(blocks) > MESSAGE_CHARACTERS


def _characters(value: Any) -> int:
    if isinstance(value, list):
        items: list[Any] = value
        return sum(_characters(item) for item in items)
    if not isinstance(value, dict):
        return 0
    fields: Json = value
    text = fields.get("text")
    own = len(text) if isinstance(text, str) else 0
    return own + sum(_characters(item) for item in fields.values())


_VIEW_COMMON: dict[str, Check] = {
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}
_MODAL = record(
    {**TYPE, "title": plain_text(24), "blocks": anything},
    {
        **_VIEW_COMMON,
        "submit": plain_text(24),
        "close": plain_text(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
    },
)
_HOME = record({**TYPE, "blocks": anything}, _VIEW_COMMON)


def check_view(view: Any, *kinds: str) -> list[str]:
    """All that Slack refuses in this view; `kinds` are the types that the method takes."""
    place = Place("/view", [], "modal")
    checks = {"modal": _MODAL, "home": _HOME}
    by_type({kind: checks[kind] for kind in kinds})(view, place)
    if place.problems:
        return place.problems
    surface: Surface = "home" if view["type"] == "home" else "modal"
    problems = check_blocks(view["blocks"], surface, "/view/blocks")
    has_input = not problems and any(block["type"] == "input" for block in view["blocks"])
    if has_input and surface == "modal" and view.get("submit") is None:
        problems.append(
            "submit is required when a view has input blocks [json-pointer:/view/submit]"
        )
    return problems


def view_is_too_large(view: Json) -> bool:
    return len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES
