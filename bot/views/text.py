"""Text that cannot do anything: untrusted values made safe to show, and cut where too long.

Payloads go into rich_text (views/rich.py) and plain_text, which Slack does not parse; only our
own sentences are mrkdwn, and what they quote is escaped here.
"""

import re
from datetime import UTC, datetime
from typing import Any

from workflows.hidden import code_point, is_hidden, without_joiners

Block = dict[str, Any]

HEADER_AT_MOST = 150
LINE_BREAK = re.compile("\r\n|[\r\u2028\u2029]")


def clean(text: str, *, lines: bool = True) -> str:
    """As it may be shown: what would not be seen is marked, such as `⟨U+202E⟩`. lines: keep line
    breaks and tabs, else they become spaces."""
    kept = without_joiners(LINE_BREAK.sub("\n", text))
    marks = {ord(each): f"⟨{code_point(each)}⟩" for each in set(kept) if is_hidden(each)}
    plain = kept.translate(marks)
    return plain if lines else " ".join(plain.split())


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

    seen = clean(text)  # first: a mark is longer than what it marks

    def escaped(at_most: int) -> str:
        return "\n".join(escape(each, at_most) for each in cut(seen, at_most).splitlines())

    shown = escaped(limit)
    return shown if len(shown) <= limit else escaped(limit // len("&amp;"))


def user(user_id: str | None, otherwise: str = "nobody") -> str:
    """A mention by id; ours only, never from a payload."""
    return f"<@{user_id}>" if user_id else otherwise


def named(approver: str) -> str:
    """Whom an id in a policy stands for; ours only."""
    if approver[0] in "CG":
        return f"whoever is in <#{approver}>"
    return f"<!subteam^{approver}>" if approver.startswith("S") else user(approver)


def moment(at: datetime) -> str:
    """A time in the reader's own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{in_utc(at)}>"


def in_utc(at: datetime) -> str:
    """For those whose Slack does not draw times."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def verb_of(status: str) -> str:
    """How it was decided, in the words that people read everywhere."""
    return "approved with changes" if status == "edited" else status


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
