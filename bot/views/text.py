"""Text that cannot do anything: untrusted values made safe to show, and cut where too long.

Payloads go into rich_text (views/rich.py) and plain_text, which Slack does not parse; only our
own sentences are mrkdwn, and what they quote is escaped here.
"""

import re
from datetime import UTC, datetime
from typing import Any

from bot.texts import counted, later, locale, t
from workflows.hidden import code_point, is_hidden, without_joiners
from workflows.money import format_money

Block = dict[str, Any]

HEADER_AT_MOST = 150
# How it was decided, by the status of its record; the same everywhere.
DECIDED_BY = {
    "approved": later("Approved by {who}"),
    "edited": later("Approved with changes by {who}"),
    "rejected": later("Rejected by {who}"),
    "answered": later("Answered by {who}"),
    "cancelled": later("Cancelled by {who}"),
}
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
    mark = t("… [cut: {count} characters in all]", count=counted(len(text)))
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


def user(user_id: str | None, otherwise: str = "") -> str:
    """A mention by id; ours only, never from a payload."""
    return f"<@{user_id}>" if user_id else otherwise or t("nobody")


def named(approver: str) -> str:
    """Whom an id in a policy stands for; ours only."""
    if approver[0] in "CG":
        return t("whoever is in {channel}", channel=f"<#{approver}>")
    return f"<!subteam^{approver}>" if approver.startswith("S") else user(approver)


def moment(at: datetime) -> str:
    """A time in the reader's own zone."""
    shown = t("{date_short_pretty} at {time}")  # Slack's own placeholders
    return f"<!date^{int(at.timestamp())}^{shown}|{in_utc(at)}>"


def in_utc(at: datetime) -> str:
    """For those whose Slack does not draw times."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def requested(requester: str | None, at: datetime) -> str:
    return t("Requested by {who} {when}", who=user(requester, t("a workflow")), when=moment(at))


def to_card(link: str) -> str:
    words = t("Open the card")
    return f"<{link}|{words}>"


def money(minor: int, currency: str) -> str:
    """`$120.50 USD`"""
    return f"{format_money(minor, currency, locale())} {currency}"


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
