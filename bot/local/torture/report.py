"""What came of it, as a person reads it: a table, and each crash after which something differs."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.local.torture.crashes import Deviation, Tortured
from bot.local.torture.ending import THERE
from bot.local.torture.life import STUCK

# What the kinds come to, in the columns of a terminal.
COLUMNS = {
    "Wrong end": ("run", "decisions", "state", STUCK),
    "Effects": ("calls", "effects", "outside"),
    "Cards": ("cards",),
    "Replies": ("replies",),
    "Trail": ("trail",),
    "Keys": ("keys",),
}
TOLD_AT_MOST = 20  # crashes that are told one by one
LINES_AT_MOST = 8  # of each


def table(all_of_them: Iterable[Tortured]) -> Table:
    """A line for each journey: after how many crashes its end was another, and in what."""
    drawn = Table(box=None, pad_edge=False)
    for column in ("Journey", "Calls", "Crashes", "Asked", *COLUMNS):
        drawn.add_column(column, justify="left" if column == "Journey" else "right")
    for each in all_of_them:
        counts = (each.count(*kinds) for kinds in COLUMNS.values())
        marked = (f"[red]{n}[/]" if n else "0" for n in counts)
        figures = (len(each.made), each.crashes, each.asked)
        drawn.add_row(each.journey, *map(str, figures), *marked)
    return drawn


def report(tortured: Tortured) -> RenderableType:
    """The verdict on one workflow, and what to look at."""
    parts: list[RenderableType] = [table([tortured]), Text()]
    parts += [Text(line) for line in _remarks(tortured)]
    by_crash: dict[str, list[Deviation]] = {}
    for each in tortured.deviations:
        by_crash.setdefault(f"{each.crash.side} {each.crash.call}", []).append(each)
    for where, deviations in list(by_crash.items())[:TOLD_AT_MOST]:
        parts.append(Text(f"Killed right {where}:", style="bold"))
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
