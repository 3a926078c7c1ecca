"""App Home: what waits for the reader, to be decided there; what else waits; what was decided."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.approvals import Approval
from bot.texts import later, t, tn
from bot.views import rich
from bot.views.away import AWAY, BACK
from bot.views.card import card, said
from bot.views.listing import UNSURE, Page, Whereabouts, for_you, listed, titled
from bot.views.text import Block, context, moment, plain, section, user

MINE, OTHERS, DECIDED = 5, 8, 8  # how many of each, at most
BLOCKS_AT_MOST = 60  # of a view's 100, for the cards
BYTES_AT_MOST = 150_000  # of a view's 250 kB, for the cards
FOOT = later(
    "`/approvals` lists everything that waits · `/approvals start` starts something · "
    "`/approvals away until Friday @name` · `/approvals help`"
)


@dataclass(frozen=True)
class Away:
    """The reader is; deputy: who takes their place, if anyone. until: None: for good."""

    deputy: str | None
    until: datetime | None


@dataclass(frozen=True)
class Home:
    """waiting: the reader's first. decided: the last ones. names: display names by user id."""

    waiting: Page
    decided: Sequence[Approval]
    where: Whereabouts
    away: Away | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])


def guest_view() -> Block:
    """For guests: titles name customers and amounts."""
    words = t("Only full members of this workspace use it: ask one of them what is waiting.")
    header = {"type": "header", "text": plain(t("Approvals"), 150)}
    return {"type": "home", "blocks": [header, section(words)]}


def trouble_view(words: str) -> Block:
    return {"type": "home", "blocks": [section(words)]}


def home_view(home: Home, now: datetime) -> Block:
    """At most 100 blocks; what is left out is counted, and the command named that lists it."""
    blocks = [
        *([context(_absence(home.away)), leave(home.away)] if home.away else []),
        *_mine(home),
        *_others(home, now),
        {"type": "divider"},
        *_decided(home),
        {"type": "divider"},
        *([] if home.away else [leave(None)]),
        context(t(FOOT)),
    ]
    return {"type": "home", "blocks": blocks}


def leave(away: Away | None) -> Block:
    """The buttons of one's own absence."""
    labels = {AWAY: t("I am away …")}
    if away:
        labels = {BACK: t("I am back"), AWAY: t("Change …")}
    buttons = [
        {"type": "button", "action_id": name, "text": plain(label, 75)}
        for name, label in labels.items()
    ]
    return {"type": "actions", "block_id": "absence", "elements": buttons}


def _absence(away: Away) -> str:
    gone = t("You are away.")
    if away.until:
        gone = t("You are away until {when}.", when=moment(away.until))
    deputy = t("Nobody decides in your place.")
    if away.deputy:
        deputy = t("{who} decides in your place.", who=user(away.deputy))
    return f":palm_tree: {gone} {deputy}"


def _mine(home: Home) -> list[Block]:
    page = home.waiting
    count = page.count.mine
    title = for_you(count) or t("Nothing is waiting for you")
    shown: list[Block] = []
    drawn = 0
    for approval in [a for a in page.items if a.id in page.mine][:MINE]:
        blocks = [*card(approval, home.names).blocks, _link(home, approval), {"type": "divider"}]
        if not _fits([*shown, *blocks]):
            break
        shown += blocks
        drawn += 1
    more = tn(
        "… and {n} more: `/approvals mine`", "… and {n} more: `/approvals mine`", count - drawn
    )
    return [
        {"type": "header", "text": plain(title, 150)},
        *shown,
        *([context(more)] if count > drawn else []),
        *([context(t(UNSURE))] if page.unsure else []),
        *([] if shown and not (count > drawn or page.unsure) else [{"type": "divider"}]),
    ]


def _link(home: Home, approval: Approval) -> Block:
    return context(home.where.of(approval))


def _fits(blocks: list[Block]) -> bool:
    return len(blocks) <= BLOCKS_AT_MOST and len(json.dumps(blocks)) <= BYTES_AT_MOST


def _others(home: Home, now: datetime) -> list[Block]:
    page = home.waiting
    count = max(0, page.total - page.count.mine)
    others = [a for a in page.items if a.id not in page.mine][:OTHERS]
    title = t("Nothing is waiting for others")
    if count:
        title = tn("{n} waiting for others", "{n} waiting for others", count)
    blocks = [section(f"*{title}*")]
    for approval in others:
        about = context(f"{listed(approval, now)} · {home.where.of(approval)}")
        blocks += [rich.block(rich.paragraph(*titled(approval))), about]
    left = count - len(others)
    more = tn("… and {n} more: `/approvals all`", "… and {n} more: `/approvals all`", left)
    return [*blocks, context(more)] if left > 0 else blocks


def _decided(home: Home) -> list[Block]:
    if not home.decided:
        return [section(t("*Nothing was decided yet*"))]
    blocks = [section(t("*Recently decided*"))]
    for approval in home.decided[:DECIDED]:
        when = [rich.text(" · "), rich.moment(approval.closed_at)] if approval.closed_at else []
        blocks.append(rich.block(rich.paragraph(rich.text(said(approval)), *when)))
        blocks.append(context(f"`{approval.thread_id}` · {home.where.of(approval)}"))
    return blocks
