"""Lists: what is pending, page by page, and everything about one thread."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.approvals import Approval
from bot.policy import refuse_bulk
from bot.query import Place, Query, Turn, overdue
from bot.runs import Run, RunStatus
from bot.texts import counted, later, t, tn
from bot.views import rich, stored
from bot.views.answers import approvers
from bot.views.card import ActionId, Card, said
from bot.views.room import CHARACTERS_AT_MOST, characters
from bot.views.text import Block, context, escape, line, plain, requested, section, to_card, user
from bot.views.votes import votes

PAGE_SIZE = 5
QUESTIONS_AT_MOST = 15
BULKS_AT_MOST = 3
NOTE_AT_MOST = 250
REPORT_HEAD_AT_MOST = 2500  # characters
NOTHING = later("Nothing is waiting for a decision.")
UNSURE = later(
    ":warning: Slack did not tell who is in a group, so some of these may be yours, too."
)
STATUS: Mapping[RunStatus, str] = {
    "queued": later("queued"),
    "running": later("running"),
    "waiting": later("waiting"),
    "blocked": later("blocked"),
    "finished": later("finished"),
    "failed": later("failed"),
    "cancelled": later("cancelled"),
}


@dataclass(frozen=True)
class Count:
    """fits: how many fit what was looked for; mine: how many of them wait for the reader. among:
    the oldest so many, where there are too many to count all."""

    fits: int
    mine: int
    among: int | None = None


@dataclass(frozen=True)
class Page:
    """total: how many wait in all. mine: ids of those that wait for the reader's vote. before,
    after: where the pages beside it begin. unsure: Slack did not tell who is in a group."""

    items: Sequence[Approval]
    query: Query
    total: int
    count: Count
    mine: frozenset[str] = frozenset()
    before: Place | None = None
    after: Place | None = None
    unsure: bool = False

    @property
    def bulk(self) -> list[str]:
        """The workflows of which the reader may decide several of these together."""
        fit = [a.workflow for a in self.items if a.id in self.mine and refuse_bulk(a) is None]
        return [name for name, count in Counter(fit).items() if count > 1]


@dataclass(frozen=True)
class Whereabouts:
    """By approval id. links: the card's permalink, where it has been posted; notes: what keeps
    it, or news of it, out of Slack."""

    links: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: Mapping[str, str] = field(default_factory=dict[str, str])

    def of(self, approval: Approval) -> str:
        link, note = self.links.get(approval.id), self.notes.get(approval.id)
        if link:
            card = to_card(link)
        elif note:
            return f":warning: {escape(note, NOTE_AT_MOST)}"
        else:
            there = approval.message
            card = t("_the card is on its way_")
            card = t("its card is in {channel}", channel=f"<#{there.channel}>") if there else card
        return f"{card} · :warning: {escape(note, NOTE_AT_MOST)}" if note else card


def pending_list(page: Page, where: Whereabouts, now: datetime) -> Card:
    title = _title(page)
    if not page.items and page.after is None:
        return Card(title, [section(f":palm_tree: *{title}*"), context(_instead(page))])
    blocks: list[Block] = [section(f"*{title}*")]
    blocks += [context(f":mag: {escape(page.query.words, 300)}")] if page.query.words else []
    for approval in page.items:
        blocks += _item(approval, where, now, mine=approval.id in page.mine)
    if page.unsure:
        blocks.append(context(t(UNSURE)))
    if page.after and not page.items:
        blocks.append(context(t("Nothing among those looked at so far: _Next_ looks further.")))
    return Card(text=title, blocks=[*blocks, *_paging(page)])


def _title(page: Page) -> str:
    """`7 waiting for a decision, 2 of them for you`"""
    count, query = page.count, page.query
    waiting = t(NOTHING)
    if page.total:
        waiting = tn("{n} waiting for a decision", "{n} waiting for a decision", page.total)
    if query.words == "all":
        return waiting
    if not query.words:
        mine = tn(
            "{waiting}, {n} of them for you", "{waiting}, {n} of them for you", count.mine,
            waiting=waiting,
        )  # fmt: skip
        return _among(mine, count) if count.mine else waiting
    if query.words == "mine":
        found = for_you(count.mine)
        if found:
            return _among(found, count)
        nothing = _among(t("Nothing is waiting for you"), count)
        return f"{nothing}."
    return _among(_found(count.fits, page.total), count)


def _found(fits: int, total: int) -> str:
    if not fits:
        return tn("Nothing found of {n} that waits", "Nothing found of {n} that wait", total)
    return tn(
        "{found} found of {n} that waits", "{found} found of {n} that wait", total,
        found=counted(fits),
    )  # fmt: skip


def _among(said: str, count: Count) -> str:
    if not count.among:
        return said
    return t("{said} (counted among the oldest {n})", said=said, n=counted(count.among))


def for_you(count: int) -> str:
    """ "" where nothing is."""
    return tn("{n} waiting for you", "{n} waiting for you", count) if count else ""


def _instead(page: Page) -> str:
    if not page.total:
        return t("Start something: `/approvals start` · `/approvals help`")
    words = escape(page.query.words, 300)
    lists = tn("`/approvals all` lists all {n}", "`/approvals all` lists all {n}", page.total)
    return f":mag: {words} · {lists} · `/approvals help`"


def _item(approval: Approval, where: Whereabouts, now: datetime, *, mine: bool) -> list[Block]:
    about = f"{listed(approval, now)} · {where.of(approval)}"
    about = " · ".join([t(":point_right: *waits for you*"), about]) if mine else about
    return [{"type": "divider"}, rich.block(rich.paragraph(*titled(approval))), context(about)]


def titled(approval: Approval) -> list[rich.Element]:
    high = approval.request.risk == "high"
    sign = [rich.emoji("warning"), rich.text(" ")] if high else []
    return [*sign, rich.text(line(approval.request.title, 150), bold=True)]


def listed(approval: Approval, now: datetime) -> str:
    """What is said of one besides its title: nothing of what it shows, which may be restricted."""
    asked = t("requested by {who}", who=user(approval.requester, t("a workflow")))
    return " · ".join(
        [
            *([t(":alarm_clock: overdue")] if overdue(approval, now) else []),
            *([t(":warning: looks like a duplicate")] if approval.alike else []),
            *([t("high risk")] if approval.request.risk == "high" else []),
            escape(approval.workflow, 60),
            asked,
            age(approval.requested_at, now),
            f"`{approval.thread_id}`",
        ]
    )


def _paging(page: Page) -> list[Block]:
    buttons: list[Block] = []
    for label, place, action in (
        (t("Previous"), page.before, ActionId.PREVIOUS),
        (t("Next"), page.after, ActionId.NEXT),
    ):
        if place is not None:
            turn = Turn(query=page.query, place=place)
            value = turn.model_dump_json(exclude_defaults=True)
            buttons.append(_button(action, label, value))
    for place, name in enumerate(page.bulk[:BULKS_AT_MOST]):
        label = t("Decide several: {workflow} …", workflow=name)
        label = t("Decide several …") if len(page.bulk) == 1 else label
        buttons.append(_button(f"{ActionId.SEVERAL}.{place}", label, name))
    return [{"type": "actions", "block_id": "paging", "elements": buttons}] if buttons else []


def _button(action: str, label: str, value: str) -> Block:
    return {"type": "button", "action_id": action, "text": plain(label, 75), "value": value}


def thread_report(run: Run, approvals: Sequence[Approval], where: Whereabouts) -> Card:
    """A run, and each question that it asked."""
    hides = any(approval.restricted for approval in approvals)
    error = t("last error: {why}", why=escape(stored.said(run.error), 300)) if run.error else ""
    if run.error and hides:
        where_it_is = t("{command} tells it", command=f"countersign show {run.thread_id}")
        error = t("last error: {why}", why=escape(where_it_is, 300))
    status = t(STATUS[run.status])
    title = f"{run.workflow} `{run.thread_id}`: {status}"
    which = f"*{escape(run.workflow, 60)}* `{run.thread_id}`"
    asked = requested(run.requester, run.created_at)
    blocks: list[Block] = [
        section(t("{run} is {status}", run=which, status=f"*{status}*")),
        context(" · ".join([asked, *([error] if error else [])])),
    ]
    shown = _last_that_fit([_reported(approval, where) for approval in approvals])
    left = len(approvals) - len(shown)
    if left > 0:
        more = tn(
            "… {n} earlier question is not listed here",
            "… {n} earlier questions are not listed here",
            left,
        )
        blocks.append(context(more))
    return Card(text=title, blocks=[*blocks, *(block for each in shown for block in each)])


def _reported(approval: Approval, where: Whereabouts) -> list[Block]:
    missing = f"{_missing(approval)} · " if approval.is_open else ""
    about = context(f"{missing}{where.of(approval)}")
    return [rich.block(rich.paragraph(rich.text(said(approval)))), *votes(approval), about]


def _last_that_fit(questions: Sequence[list[Block]]) -> Sequence[list[Block]]:
    room = CHARACTERS_AT_MOST - REPORT_HEAD_AT_MOST
    shown = questions[-QUESTIONS_AT_MOST:]
    while len(shown) > 1 and characters(block for each in shown for block in each) > room:
        shown = shown[1:]
    return shown


def _missing(approval: Approval) -> str:
    """Who can give the votes that the open stage still wants."""
    stage = approval.open_stage
    if stage is None:
        return t("No vote is missing")
    count, open_stage = approval.missing(stage), approval.stages[stage]
    votes_ = tn("{n} more vote", "{n} more votes", count)
    if open_stage.name:
        name = f"*{escape(open_stage.name, 60)}*"
        votes_ = tn("{n} more vote of {stage}", "{n} more votes of {stage}", count, stage=name)
    return f":hourglass_flowing_sand: {votes_}: {approvers(open_stage.approvers)}"


def age(since: datetime, now: datetime) -> str:
    """`just now`, `5 min`, `3 h`, `2 days`: how long ago, in the largest unit that says enough."""
    minutes = int((now - since).total_seconds() // 60)
    if minutes < 1:
        return t("just now")
    if minutes < 60:
        return tn("{n} min ago", "{n} min ago", minutes)
    hours = minutes // 60
    if hours < 48:
        return tn("{n} h ago", "{n} h ago", hours)
    return tn("{n} day ago", "{n} days ago", hours // 24)
