"""Text that cannot do anything: untrusted values made safe to show, and cut where too long.

Payloads go into rich_text (views/rich.py) and plain_text, which Slack does not parse; only our
own sentences are mrkdwn, and what they quote is escaped here.
"""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

Block = dict[str, Any]

HEADER_AT_MOST = 150
BIDI_AND_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
LINE_BREAK = re.compile("\r\n|[\r\u2028\u2029]")


def clean(text: str, *, lines: bool = True) -> str:
    """Without what is not seen: control, bidirectional and zero-width characters. lines: keep
    line breaks and tabs, else they become spaces."""
    seen = BIDI_AND_HIDDEN.sub("", LINE_BREAK.sub("\n", text))
    plain = seen.translate({ord(c): " " for c in set(seen) - {"\n", "\t"} if _is_control(c)})
    return plain if lines else " ".join(plain.split())


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn")


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; what is missing is said."""
    if len(text) <= limit:
        return text
    mark = f"… [cut: {len(text):,} characters in all]"
    return text[: max(0, limit - len(mark))] + mark


def line(text: str, limit: int) -> str:
    """One clean line of at most `limit` characters."""
    return cut(clean(text, lines=False), limit)


def escape(text: str, limit: int = 500) -> str:
    """A value inside mrkdwn: one clean line, cut, and without links or mentions."""
    value = line(text, limit)
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_lines(text: str, limit: int) -> str:
    """Several lines inside mrkdwn. `limit` holds after escaping, too."""

    def escaped(at_most: int) -> str:
        return "\n".join(escape(each, at_most) for each in cut(text, at_most).splitlines())

    shown = escaped(limit)
    return shown if len(shown) <= limit else escaped(limit // len("&amp;"))


def user(user_id: str | None, otherwise: str = "nobody") -> str:
    """A mention by id; ours only, never from a payload."""
    return f"<@{user_id}>" if user_id else otherwise


def moment(at: datetime) -> str:
    """A time in the reader's own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{in_utc(at)}>"


def in_utc(at: datetime) -> str:
    """For those whose Slack does not draw times."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": line(text, limit) or "–", "emoji": False}


def mrkdwn(text: str) -> Block:
    """Our own words, with values already escaped."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str, block_id: str | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return {**block, "block_id": block_id} if block_id else block


def context(*texts: str, block_id: str | None = None) -> Block:
    block: Block = {"type": "context", "elements": [mrkdwn(text) for text in texts]}
    return {**block, "block_id": block_id} if block_id else block
