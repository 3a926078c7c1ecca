"""What is said about who is away: to themselves, and to who decides in their place."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.approvals import Approval
from bot.views.card import Card
from bot.views.text import context, escape, moment, section, user

LINKED_AT_MOST = 10
FORMS = """`/approvals away until Friday @name` – @name decides in your place until Friday begins
`/approvals away until 2026-12-01 14:00 @name`, or `away for 3 days @name`
`/approvals away @name` – until you take it back
`/approvals away until Friday` – nobody decides in your place
`/approvals away off` – you are back; `/approvals away` – what holds now"""
ENDS = "`/approvals away off` – you are back · `/approvals help`"


def away_card(deputy: str | None, until: datetime | None, further: str = "") -> Card:
    """further: what else there is to know, in words of ours."""
    when = f"until {moment(until)}" if until else "until you type `/approvals away off`"
    who = f"{user(deputy)} decides in your place" if deputy else "nobody decides in your place"
    words = f":palm_tree: You are away {when}: {who}."
    more = f"\n{further}" if further else ""
    return Card(text=words, blocks=[section(f"{words}{more}"), context(ENDS)])


def back_card(*, was_away: bool) -> Card:
    words = ":house: You are back: nobody decides in your place." if was_away else ""
    words = words or ":house: You are not away, and nobody decides in your place."
    return Card(text=words, blocks=[section(words), context(FORMS)])


def refused_card(problem: str) -> Card:
    """problem: mrkdwn of ours."""
    words = f":warning: {problem} *Nothing was changed.*"
    return Card(text=words, blocks=[section(words), context(FORMS)])


def deputised(
    absent: str,
    until: datetime | None,
    waiting: Sequence[Approval],
    links: Sequence[str],
    names: Mapping[str, str],
) -> Card:
    """The message to the deputy. links: to the cards of the first of `waiting`; "" has none."""
    when = f"until {moment(until)}" if until else "until they are back"
    text = f"{escape(names.get(absent, 'Someone'), 80)} is away: you decide in their place"
    blocks = [section(f":palm_tree: {user(absent)} is away {when}: *you decide in their place*.")]
    lines = [_line(each, link) for each, link in zip(waiting, links, strict=False)]
    if len(waiting) > len(lines):
        lines.append(f"… and {len(waiting) - len(lines)} more: `/approvals`")
    if lines:
        count = "1 approval waits" if len(waiting) == 1 else f"{len(waiting)} approvals wait"
        blocks.append(section(f"{count} for you now:\n" + "\n".join(lines)))
    else:
        blocks.append(section("Nothing waits for you now."))
    return Card(text=text, blocks=blocks)


def _line(approval: Approval, link: str) -> str:
    title = escape(approval.request.title, 80)
    return f"• <{link}|{title}>" if link else f"• {title}"
