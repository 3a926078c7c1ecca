"""What Slack fills in when it stores blocks: missing block_ids, action_ids, text defaults."""

from __future__ import annotations

import copy
import itertools
from typing import Any

from bot.local.records import Json

_count = itertools.count(1)

INTERACTIVE = frozenset(
    {
        "button",
        "checkboxes",
        "radio_buttons",
        "overflow",
        "datepicker",
        "timepicker",
        "datetimepicker",
        "plain_text_input",
        "number_input",
        "email_text_input",
        "url_text_input",
        "rich_text_input",
        "file_input",
        "static_select",
        "multi_static_select",
        "external_select",
        "multi_external_select",
        "users_select",
        "multi_users_select",
        "conversations_select",
        "multi_conversations_select",
        "channels_select",
        "multi_channels_select",
        "feedback_buttons",
        "icon_button",
    }
)


def filled_blocks(blocks: list[Json]) -> list[Json]:
    """The blocks as they are stored; what the app set is kept."""
    stored = copy.deepcopy(blocks)
    for block in stored:
        block.setdefault("block_id", f"b{next(_count):05x}")
        for element in elements_of(block):
            element.setdefault("action_id", f"a{next(_count):05x}")
        _fill_texts(block)
    return stored


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of one block, in order."""
    candidates: list[Any] = []
    if block.get("type") in ("actions", "context_actions"):
        candidates = list(block.get("elements") or [])
    elif block.get("type") == "card":
        candidates = list(block.get("actions") or [])
    else:
        candidates = [block.get("accessory"), block.get("element")]
    return [e for e in candidates if isinstance(e, dict) and e.get("type") in INTERACTIVE]


def _fill_texts(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _fill_texts(item)
    if not isinstance(value, dict):
        return
    if value.get("type") == "plain_text":
        value.setdefault("emoji", True)
    elif value.get("type") == "mrkdwn":
        value.setdefault("verbatim", False)
    for item in value.values():
        _fill_texts(item)


def fallback_text(blocks: list[Json]) -> str:
    """The text that Slack builds for notifications when only blocks are sent."""
    lines: list[str] = []
    for block in blocks:
        texts: list[Any] = [block.get("text"), *(block.get("fields") or [])]
        lines += [text["text"] for text in texts if isinstance(text, dict) and "text" in text]
    return " ".join(lines)
