"""Elements of rich_text blocks. Slack shows their text as it is, and parses nothing in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.texts import PLACEHOLDER, t
from bot.views.text import Block, clean, cut, in_utc

Element = dict[str, Any]


def text(value: str, limit: int = 3000, *, bold: bool = False, italic: bool = False) -> Element:
    """A value of any origin."""
    style = {name: True for name, on in (("bold", bold), ("italic", italic)) if on}
    shown = cut(clean(value), limit) or "–"
    return {"type": "text", "text": shown, **({"style": style} if style else {})}


def sentence(
    words: str,
    parts: Mapping[str, str | Element | Sequence[Element]] | None = None,
    *,
    bold: bool = False,
    italic: bool = False,
) -> list[Element]:
    """A sentence of ours, with what stands in the place of each `{name}`: people, times, values.
    Their order is the language's."""
    found: list[Element] = []
    for number, piece in enumerate(PLACEHOLDER.split(words)):
        part = piece if number % 2 == 0 else (parts or {}).get(piece, "")
        if isinstance(part, str):
            found += [text(part, bold=bold, italic=italic)] if part else []
        else:
            found += [part] if isinstance(part, dict) else part
    return found


def for_absent(who: list[Element], absent: str | None) -> list[Element]:
    """`@mara for @jonas`: in whose place they did it, if in anyone's."""
    if not absent:
        return who
    return sentence(t("{who} for {absent}"), {"who": who, "absent": mention(absent)})


def listed(some: Sequence[list[Element]]) -> list[Element]:
    """`@mara and @tom`"""
    said = list(some[0]) if some else []
    for each in some[1:]:
        said = sentence(t("{some} and {another}"), {"some": said, "another": each})
    return said


def code(value: str) -> Element:
    return {"type": "text", "text": value or "–", "style": {"code": True}}


def emoji(name: str) -> Element:
    return {"type": "emoji", "name": name}


def mention(user_id: str) -> Element:
    """By id; of people who took part, never from a payload: it notifies."""
    return {"type": "user", "user_id": user_id}


def approver(who: str) -> Element:
    """A user, a user group or a channel, by its id in a policy: it notifies."""
    kinds = {"S": "usergroup", "C": "channel", "G": "channel"}
    kind = kinds.get(who[0], "user")
    return {"type": kind, f"{kind}_id": who}


def moment(at: datetime) -> Element:
    """A time in the reader's own zone."""
    return {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": t("{date_short_pretty} at {time}"),
        "fallback": in_utc(at),
    }


def paragraph(*elements: Element) -> Element:
    return {"type": "rich_text_section", "elements": list(elements)}


def quote(value: str, limit: int = 1000) -> Element:
    return {"type": "rich_text_quote", "elements": [text(value, limit)]}


def preformatted(value: str, limit: int) -> Element:
    return {"type": "rich_text_preformatted", "elements": [text(value, limit)]}


def block(*elements: Element, block_id: str | None = None) -> Block:
    made: Block = {"type": "rich_text", "elements": list(elements)}
    return {**made, "block_id": block_id} if block_id else made
