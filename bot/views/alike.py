"""Other requests that ask the same business: told before anything else of what is asked."""

from collections.abc import Mapping
from datetime import timedelta

from bot.alike import Alike
from bot.approvals import Approval
from bot.likeness import LISTED
from bot.texts import later, t, tn
from bot.views import rich
from bot.views.rich import Element
from bot.views.text import line

STATES = {  # by the status of the other one
    "pending": later("{which}: waiting since {when}"),
    "approved": later("{which}: approved by {who}, {when}"),
    "edited": later("{which}: approved with changes by {who}, {when}"),
    "rejected": later("{which}: rejected by {who}, {when}"),
    "answered": later("{which}: answered by {who}, {when}"),
    "expired": later("{which}: expired, {when}"),
}
FAILED = {
    "approved": later("{which}: approved by {who}, and then it failed, {when}"),
    "edited": later("{which}: approved with changes by {who}, and then it failed, {when}"),
}
ELSEWHERE = later("{which}, {when}")  # a status that newer code gave


def in_short(approval: Approval) -> str:
    """`Looks like a duplicate: 2 others in the last 7 days`"""
    count, asked = len(approval.alike), approval.request.duplicate_of
    within = _span(asked.within) if asked else ""
    if count >= LISTED:
        return t("Looks like a duplicate: {n} or more others {within}", n=count, within=within)
    return tn(
        "Looks like a duplicate: {n} other {within}",
        "Looks like a duplicate: {n} others {within}",
        count,
        within=within,
    )


def warning(approval: Approval, names: Mapping[str, str], *, whole: bool) -> list[Element]:
    """whole: with the others, each with its state and a link. Nothing where there is none."""
    if not approval.alike:
        return []
    head = rich.text(f" {in_short(approval)}\n", bold=True)
    lines = [part for each in approval.alike for part in _other(each, names)]
    where = t("Review shows which.") if approval.restricted else t("Show everything shows which.")
    elsewhere = [rich.text(f"{where}\n")]
    return [rich.paragraph(rich.emoji("warning"), head, *(lines if whole else elsewhere))]


def _other(other: Alike, names: Mapping[str, str]) -> list[Element]:
    """`• refund-1: approved by Mara Okafor, today at 10:30`"""
    which = rich.text(other.thread_id, 130)
    if other.link:
        which = {"type": "link", "url": other.link, "text": which["text"]}
    states = FAILED if other.failed and other.status in FAILED else STATES
    who = line(names.get(other.by or "", t("a reviewer")), 80)
    parts = {"which": which, "who": rich.text(who), "when": rich.moment(other.at)}
    said = rich.sentence(t(states.get(other.status, ELSEWHERE)), parts)
    return [rich.text("• "), *said, rich.text("\n")]


def _span(time: timedelta) -> str:
    if time >= timedelta(days=2):
        return tn("in the last day", "in the last {n} days", time.days)
    hours = max(1, round(time.total_seconds() / 3600))
    return tn("in the last hour", "in the last {n} hours", hours)
