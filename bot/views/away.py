"""What is said about who is away: to themselves, and to who decides in their place."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.approvals import Approval
from bot.texts import later, t, tn
from bot.views.card import Card
from bot.views.text import context, escape, moment, section, user

LINKED_AT_MOST = 10
FORMS = later(
    """`/approvals away until Friday @name` – @name decides in your place until Friday begins
`/approvals away until 2026-12-01 14:00 @name`, or `away for 3 days @name`
`/approvals away @name` – until you take it back
`/approvals away until Friday` – nobody decides in your place
`/approvals away off` – you are back; `/approvals away` – what holds now"""
)
ENDS = later("`/approvals away off` – you are back · `/approvals help`")


def away_card(deputy: str | None, until: datetime | None, further: str = "") -> Card:
    """further: what else there is to know, in words of ours."""
    who = t("nobody decides in your place")
    if deputy:
        who = t("{who} decides in your place", who=user(deputy))
    words = t(":palm_tree: You are away until you type `/approvals away off`: {who}.", who=who)
    if until:
        words = t(":palm_tree: You are away until {when}: {who}.", when=moment(until), who=who)
    more = f"\n{further}" if further else ""
    return Card(text=words, blocks=[section(f"{words}{more}"), context(t(ENDS))])


def back_card(*, was_away: bool) -> Card:
    words = t(":house: You are not away, and nobody decides in your place.")
    if was_away:
        words = t(":house: You are back: nobody decides in your place.")
    return Card(text=words, blocks=[section(words), context(t(FORMS))])


def refused_card(problem: str) -> Card:
    """problem: mrkdwn of ours."""
    words = t(":warning: {problem} *Nothing was changed.*", problem=problem)
    return Card(text=words, blocks=[section(words), context(t(FORMS))])


def deputised(
    absent: str,
    until: datetime | None,
    waiting: Sequence[Approval],
    links: Sequence[str],
    names: Mapping[str, str],
) -> Card:
    """The message to the deputy. links: to the cards of the first of `waiting`; "" has none."""
    name = escape(names.get(absent) or t("Someone"), 80)
    text = t("{who} is away: you decide in their place", who=name)
    told = t(
        ":palm_tree: {who} is away until they are back: *you decide in their place*.",
        who=user(absent),
    )
    if until:
        told = t(
            ":palm_tree: {who} is away until {when}: *you decide in their place*.",
            who=user(absent),
            when=moment(until),
        )
    blocks = [section(told)]
    lines = [_line(each, link) for each, link in zip(waiting, links, strict=False)]
    left = len(waiting) - len(lines)
    if left:
        lines.append(tn("… and {n} more: `/approvals`", "… and {n} more: `/approvals`", left))
    waits = t("Nothing waits for you now.")
    if lines:
        waits = tn(
            "{n} approval waits for you now:", "{n} approvals wait for you now:", len(waiting)
        )
    blocks.append(section("\n".join([waits, *lines])))
    return Card(text=text, blocks=blocks)


def _line(approval: Approval, link: str) -> str:
    title = escape(approval.request.title, 80)
    return f"• <{link}|{title}>" if link else f"• {title}"
