"""What is said about who is away: to themselves, and to who decides in their place."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.approvals import Approval
from bot.texts import later, t, tn
from bot.views.card import Card
from bot.views.modals import Carried, modal
from bot.views.text import Block, context, escape, moment, plain, section, user

LINKED_AT_MOST = 10
AWAY, BACK, FORM = "countersign_away", "countersign_back", "countersign_away_form"
UNTIL, DEPUTY = "until", "deputy"  # blocks of the form, and the actions in them
GUESTS = later(
    ":warning: Only full members of this workspace are asked, and so only they are away."
)
OWN_PLACE = later("You cannot take your own place: choose someone else.")
CANNOT_DECIDE = later(
    "They cannot decide anything: only full members do, no guests, bots or people from outside."
)
NEITHER = later("Say until when you are away, or choose who decides in your place.")
OVER = later("That is over already: choose a time to come.")
TOO_LONG = later("That is more than a year away: leave it empty, and come back when you like.")
FORMS = later(
    """`/approvals away until Friday @name` – @name decides in your place until Friday begins
`/approvals away until 2026-12-01 14:00 @name`, or `away for 3 days @name`
`/approvals away @name` – until you take it back
`/approvals away until Friday` – nobody decides in your place
`/approvals away off` – you are back; `/approvals away` – what holds now"""
)
ENDS = later("`/approvals away off` – you are back · `/approvals help`")


def away_view(opener: str, deputy: str | None, until: datetime | None) -> Block:
    """The form, filled with what holds now."""
    when: Block = {"type": "datetimepicker", "action_id": UNTIL}
    when |= {"initial_date_time": int(until.timestamp())} if until else {}
    who: Block = {"type": "users_select", "action_id": DEPUTY}
    who |= {"initial_user": deputy} if deputy else {}
    blocks = [
        _input(UNTIL, t("Until when"), t("Empty: until you say that you are back."), when),
        _input(DEPUTY, t("Who decides in your place"), t("Empty: nobody does."), who),
    ]
    return modal(FORM, t("Away"), blocks, Carried(opener=opener), t("Save"))


def _input(name: str, label: str, hint: str, element: Block) -> Block:
    return {
        "type": "input",
        "block_id": name,
        "optional": True,
        "label": plain(label, 75),
        "hint": plain(hint, 150),
        "element": element,
    }


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
