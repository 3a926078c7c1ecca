"""Whom a message notifies: mentions in text and blocks, wanted ones and those that slipped through.

mrkdwn objects turn a bare `@everyone` into a mention on their own unless they are `verbatim`.
"""

from __future__ import annotations

import re
from typing import Any

from bot.local.records import Json

_MARKUP = re.compile(r"<(?:@(?P<user>[UW]\w+)|!subteam\^(?P<group>S\w+)|!(?P<range>\w+))[^>]*>")
_BARE = re.compile(r"(?<![\w@<!|])@(everyone|channel|here)\b")
_RANGES = frozenset({"everyone", "channel", "here"})


def notified(message: Json) -> set[str]:
    """Ids of people and groups, and `everyone`, `channel`, `here`."""
    found = _in_markup(str(message.get("text", "")))
    return found | _in_blocks(message.get("blocks", []))


def _in_markup(text: str) -> set[str]:
    found: set[str] = set()
    for match in _MARKUP.finditer(text):
        name = match["user"] or match["group"] or match["range"]
        if not match["range"] or name in _RANGES:
            found.add(name)
    return found


def _in_blocks(value: Any) -> set[str]:
    if isinstance(value, list):
        items: list[Any] = value
        return {name for item in items for name in _in_blocks(item)}
    if not isinstance(value, dict):
        return set()
    fields: Json = value
    if fields.get("type") == "mrkdwn":
        text = str(fields.get("text", ""))
        bare = set() if fields.get("verbatim") else set(_BARE.findall(text))
        return _in_markup(text) | bare
    own = {
        str(fields[key])
        for kind, key in (
            ("user", "user_id"),
            ("usergroup", "usergroup_id"),
            ("broadcast", "range"),
        )
        if fields.get("type") == kind and key in fields
    }
    return own.union(*(_in_blocks(item) for item in fields.values()))
