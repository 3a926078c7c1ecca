"""Lists: what is pending, page by page, and everything about one thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.approvals import Approval
from bot.runs import Run
from bot.views import rich
from bot.views.card import ActionId, Card, said
from bot.views.text import Block, context, escape, line, moment, plain, section, user

PAGE_SIZE = 5
HOME_SIZE = 20
QUESTIONS_AT_MOST = 15


@dataclass(frozen=True)
class Page:
    """start: the position of the first item among all `total`; size: how many a page has."""

    items: Sequence[Approval]
    start: int
    total: int
    size: int = PAGE_SIZE

    @property
    def before(self) -> int | None:
        return max(0, self.start - self.size) if self.start > 0 else None

    @property
    def after(self) -> int | None:
        following = self.start + self.size
        return following if following < self.total else None


@dataclass(frozen=True)
class Whereabouts:
    """By approval id. links: the card's permalink, where it has been posted; notes: what keeps
    it, or news of it, out of Slack."""

    links: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: Mapping[str, str] = field(default_factory=dict[str, str])

    def of(self, approval: Approval) -> str:
        link, note = self.links.get(approval.id), self.notes.get(approval.id)
        if link:
            card = f"<{link}|Open the card>"
        elif note:
            return f":warning: {escape(note)}"
        else:
            there = approval.message
            card = f"its card is in <#{there.channel}>" if there else "_the card is on its way_"
        return f"{card} · :warning: {escape(note)}" if note else card


def pending_list(page: Page, where: Whereabouts, now: datetime) -> Card:
    if not page.total:
        return Card(
            text="Nothing is waiting for a decision.",
            blocks=[
                section(":palm_tree: *Nothing is waiting for a decision.*"),
                context("Start something: `/approvals start refund …` · `/approvals help`"),
            ],
        )
    last = page.start + len(page.items)
    title = f"{page.total} waiting for a decision"
    shown = f" ({page.start + 1}–{last})" if page.total > page.size else ""
    blocks: list[Block] = [section(f"*{title}*{shown}")]
    for approval in page.items:
        blocks += _item(approval, where, now)
    blocks += _paging(page)
    return Card(text=title, blocks=blocks)


def _item(approval: Approval, where: Whereabouts, now: datetime) -> list[Block]:
    title = rich.text(line(approval.request.title, 150), bold=True)
    risk = ":warning: high risk · " if approval.request.risk == "high" else ""
    about = (
        f"{risk}{escape(approval.workflow, 60)} · requested by "
        f"{user(approval.requester, 'a workflow')} · {age(approval.requested_at, now)} · "
        f"`{approval.thread_id}` · {where.of(approval)}"
    )
    sign = [rich.emoji("warning"), rich.text(" ")] if risk else []
    return [{"type": "divider"}, rich.block(rich.paragraph(*sign, title)), context(about)]


def _paging(page: Page) -> list[Block]:
    buttons: list[Block] = []
    for label, target, action in (
        ("Previous", page.before, ActionId.PREVIOUS),
        ("Next", page.after, ActionId.NEXT),
    ):
        if target is not None:
            buttons.append(
                {
                    "type": "button",
                    "action_id": action,
                    "text": plain(label, 75),
                    "value": str(target),
                }
            )
    return [{"type": "actions", "block_id": "paging", "elements": buttons}] if buttons else []


def thread_report(run: Run, approvals: Sequence[Approval], where: Whereabouts) -> Card:
    """A run, and each question that it asked."""
    hides = any(approval.restricted for approval in approvals)
    error = f"countersign show {run.thread_id} tells it" if run.error and hides else run.error
    title = f"{run.workflow} `{run.thread_id}`: {run.status}"
    blocks: list[Block] = [
        section(f"*{escape(run.workflow, 60)}* `{run.thread_id}` is *{run.status}*"),
        context(
            f"Requested by {user(run.requester, 'a workflow')} {moment(run.created_at)}"
            + (f" · last error: {escape(error, 300)}" if error else "")
        ),
    ]
    left = len(approvals) - QUESTIONS_AT_MOST
    if left > 0:
        blocks.append(context(f"… {left} earlier questions are not listed here"))
    for approval in approvals[-QUESTIONS_AT_MOST:]:
        blocks.append(rich.block(rich.paragraph(rich.text(said(approval)))))
        blocks.append(context(where.of(approval)))
    return Card(text=title, blocks=blocks)


def age(since: datetime, now: datetime) -> str:
    """`just now`, `5 min`, `3 h`, `2 days`: how long ago, in the largest unit that says enough."""
    minutes = int((now - since).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h ago"
    return f"{hours // 24} days ago"
