"""Rules of rich_text blocks: sections, lists, quotes, preformatted text, and their content."""

from __future__ import annotations

from bot.local.objects import TYPE
from bot.local.schema import Check, boolean, by_type, choice, integer, listing, record, string, url

_STYLES = ("bold", "italic", "strike", "underline", "code", "highlight", "client_highlight")
_STYLE = record({}, dict.fromkeys(_STYLES, boolean))
_STYLED: dict[str, Check] = {"style": _STYLE}

_TEXT = record({**TYPE, "text": string()}, _STYLED)
_LINK = record({**TYPE, "url": url}, {**_STYLED, "text": string(), "unsafe": boolean})

_INLINE: dict[str, Check] = {
    "text": _TEXT,
    "link": _LINK,
    "emoji": record(
        {**TYPE, "name": string()},
        {**_STYLED, "unicode": string(), "skin_tone": integer(1, 6), "url": url},
    ),
    "user": record({**TYPE, "user_id": string(pattern=r"[UW][A-Z0-9]{2,}")}, _STYLED),
    "usergroup": record({**TYPE, "usergroup_id": string(pattern=r"S[A-Z0-9]{2,}")}, _STYLED),
    "channel": record({**TYPE, "channel_id": string(pattern=r"[CDG][A-Z0-9]{2,}")}, _STYLED),
    "team": record({**TYPE, "team_id": string()}, _STYLED),
    "broadcast": record({**TYPE, "range": choice("here", "channel", "everyone")}, _STYLED),
    "color": record({**TYPE, "value": string()}, _STYLED),
    "date": record(
        {**TYPE, "timestamp": integer(0, 2**53), "format": string()},
        {**_STYLED, "url": url, "fallback": string()},
    ),
}

_BORDER: dict[str, Check] = {"border": integer(0, 1)}
_INLINES = listing(by_type(_INLINE), least=0)
_SECTION = record({**TYPE, "elements": _INLINES}, {})
_PREFORMATTED = record(
    {**TYPE, "elements": listing(by_type({"text": _TEXT, "link": _LINK}), least=0)},
    {**_BORDER, "language": string()},
)
_QUOTE = record({**TYPE, "elements": _INLINES}, _BORDER)
_LIST = record(
    {
        **TYPE,
        "style": choice("bullet", "ordered"),
        "elements": listing(by_type({"rich_text_section": _SECTION}), least=0),
    },
    {**_BORDER, "indent": integer(0, 8), "offset": integer(0, 10_000)},
)

RICH_TEXT_PARTS: dict[str, Check] = {
    "rich_text_section": _SECTION,
    "rich_text_preformatted": _PREFORMATTED,
    "rich_text_quote": _QUOTE,
    "rich_text_list": _LIST,
}

RICH_TEXT = by_type(
    {
        "rich_text": record(
            {**TYPE, "elements": listing(by_type(RICH_TEXT_PARTS), least=0)},
            {"block_id": string(255)},
        )
    }
)
