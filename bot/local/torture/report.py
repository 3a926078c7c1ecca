"""What came of it, as a person reads it: a table, and each crash after which something differs."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.local.torture.crashes import Deviation, Tortured
from bot.local.torture.ending import THERE
from bot.local.torture.life import STUCK

# What the kinds come to, in the columns of a terminal.
COLUMNS = {
    "Wrong end": ("run", "decisions", "state", STUCK),
    "Effects": ("calls", "provider", "effects", "outside"),
    "Cards": ("cards",),
    "Replies": ("replies",),
    "Trail": ("trail",),
    "Keys": ("keys",),
}
LATE = ("late",)
TOLD_AT_MOST = 20  # crashes that are told one by one
LINES_AT_MOST = 8  # of each


def table(all_of_them: Sequence[Tortured]) -> Table:
    """A line for each journey: after how many crashes its end was another, and in what. Of frozen
    ones also what they wrote when they woke up (late), and how often only the provider's key kept
    an effect from happening twice (by key)."""
    drawn = Table(box=None, pad_edge=False)
    frozen = any(each.how == "frozen" for each in all_of_them)
    figures = ["Calls", "Freezes", "Asked", "By key"] if frozen else ["Calls", "Crashes", "Asked"]
    kinds = {**COLUMNS, "Late": LATE} if frozen else COLUMNS
    drawn.add_column("Journey")
    for column in (*figures, *kinds):
        drawn.add_column(column, justify="right")
    for each in all_of_them:
        counted = (len(each.made), each.crashes, each.asked, each.twice)[: len(figures)]
        counts = (each.count(*columns) for columns in kinds.values())
        marked = (f"[red]{n}[/]" if n else "0" for n in counts)
        drawn.add_row(each.journey, *map(str, counted), *marked)
    return drawn


def report(tortured: Tortured) -> RenderableType:
    """The verdict on one workflow, and what to look at."""
    parts: list[RenderableType] = [table([tortured]), Text()]
    parts += [Text(line) for line in _remarks(tortured)]
    by_crash: dict[str, list[Deviation]] = {}
    for each in tortured.deviations:
        by_crash.setdefault(str(each.crash), []).append(each)
    for where, deviations in list(by_crash.items())[:TOLD_AT_MOST]:
        parts.append(Text(f"{where}:", style="bold"))
        parts += [Text(f"  {each.kind}: {each.words}") for each in deviations[:LINES_AT_MOST]]
    left = len(by_crash) - TOLD_AT_MOST
    parts += [Text(f"… and {left} more.")] if left > 0 else []
    return Group(*parts, _verdict(tortured, len(by_crash)))


def _remarks(tortured: Tortured) -> list[str]:
    told = {kind: _there(tortured, kind) for kind in ("calls", "outside")}
    remarks = [f"An effect: {words}" for words in told["calls"]]
    outside = [f"Without the ledger: {words}" for words in told["outside"]]
    remarks += outside
    if outside:
        remarks.append("  A node runs again after a crash: put this into effects.once.")
    if tortured.loose:
        loose = ", ".join(tortured.loose)
        remarks.append(f"Other in each run, so that only their number is compared: {loose}.")
    if tortured.asked:
        asked = f"After {tortured.asked} crashes a person was asked whether an effect happened"
        remarks.append(f"{asked}, since its node gives no find=.")
    if tortured.twice:
        woken = f"{tortured.twice} times a process was frozen right before an effect's call, and"
        key = (
            "made it when it woke up: nothing but the provider's idempotency key can prevent that."
        )
        remarks.append(f"{woken} {key}")
    if tortured.unreached:
        remarks.append(f"{tortured.unreached} calls did not come again, and were not crashed at.")
    return remarks


def _there(tortured: Tortured, kind: str) -> list[str]:
    """What there was after a crash, and is not without one."""
    words = {each.words for each in tortured.deviations if each.kind == kind}
    return sorted(each.removeprefix(THERE) for each in words if each.startswith(THERE))


def _verdict(tortured: Tortured, bad: int) -> Text:
    if bad:
        return Text(f"After {bad} of {tortured.crashes} crashes the end was another.", style="red")
    words = f"{tortured.crashes} crashes, and each time the same end as without."
    return Text(words, style="green")
