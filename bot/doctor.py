"""doctor: with which runs can the code that is installed here not go on? Asked before a deploy.

It reads what the code before it wrote, as a worker would, and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.redis_check import Finding
from bot.runs import Run
from bot.store import Store
from workflows.effects import EffectLedger
from workflows.runner import (
    CannotGoOn,
    NodeRemoved,
    Runner,
    SettingMissing,
    StateUnreadable,
    WorkflowUnknown,
)
from workflows.schema import NewerRecord, Unreadable

NAMES_AT_MOST = 5
CURES: dict[type[Exception], str] = {
    NodeRemoved: "Give the node its old name back, or keep the old code running until it is done.",
    WorkflowUnknown: "Keep it in the catalog, or keep the old code running until it is done.",
    SettingMissing: "Set it for every worker, and where you run this.",
    StateUnreadable: "Keep the class as it was, in Workflow.state_types; or keep the old code "
    "running until it is done.",
    NewerRecord: "This code is the older one: install the version that wrote it, or a newer one.",
    Unreadable: "The record is damaged: bring it back from a backup.",
}


@dataclass(frozen=True)
class Obstacle:
    """A run that the present code cannot go on with. node: where it is; since: when it came there,
    or when a worker first found that it cannot go on."""

    thread_id: str
    workflow: str
    node: str
    status: str
    since: str
    what: str
    cure: str


@dataclass(frozen=True)
class Examination:
    """open: how many runs are not closed; obstacles: those that stay where they are."""

    open: int
    obstacles: Sequence[Obstacle]
    redis: Sequence[Finding]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Doctor:
    """redis: what was found about the server already."""

    store: Store
    runner: Runner
    effects: EffectLedger
    redis: Sequence[Finding] = ()

    async def examine(self) -> Examination:
        threads = await self.store.open_threads()
        looked = [await self._look(thread_id) for thread_id in threads]
        return Examination(len(threads), [each for each in looked if each], self.redis)

    async def _look(self, thread_id: str) -> Obstacle | None:
        """All that a worker reads before it goes on."""
        run, node = None, ""
        try:
            run = await self.store.run(thread_id)
            if run is None or run.closed:  # since it was listed
                return None
            asked = await self.store.approvals_of(thread_id)
            node = next((a.node for a in reversed(asked) if not a.outcome), "")
            await self.store.trail(thread_id)
            await self.effects.entries(thread_id)
            await self.runner.ready(run.workflow, thread_id)
        except CannotGoOn as error:
            return _obstacle(thread_id, run, error.node or node, error)
        except Unreadable as error:
            return _obstacle(thread_id, run, node, error)
        return None


def _obstacle(thread_id: str, run: Run | None, node: str, error: Exception) -> Obstacle:
    since = run and (run.blocked_at or run.updated_at)
    return Obstacle(
        thread_id=thread_id,
        workflow=run.workflow if run else "",
        node=node,
        status=run.status if run else "",
        since=since.isoformat() if since else "",
        what=str(error),
        cure=CURES[type(error)],
    )


def examined_text(found: Examination) -> RenderableType:
    """For a terminal."""
    parts: list[RenderableType] = [
        Text(f"Redis: {finding}", style="yellow") for finding in found.redis
    ]
    stuck = len(found.obstacles)
    if not stuck:
        all_of_it = f"this code can go on with {'it' if found.open == 1 else 'all of them'}"
        words = f"{_runs(found.open)} open; {all_of_it}." if found.open else "No run is open."
        return Group(*parts, Text(words, style="green"))
    head = f"{_runs(found.open)} open; this code cannot go on with {stuck} of them:"
    return Group(*parts, Text(head, style="bold red"), _table(found.obstacles), *_cures(found))


def _runs(count: int) -> str:
    return "1 run is" if count == 1 else f"{count} runs are"


def _table(obstacles: Sequence[Obstacle]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Thread", "Workflow", "Node", "Status", "Since (UTC)", "Why"):
        table.add_column(column, overflow="fold")
    for each in obstacles:
        since = each.since[:16].replace("T", " ")
        cells = (each.thread_id, each.workflow, each.node, each.status, since, each.what)
        table.add_row(*(Text(cell or "–") for cell in cells))
    return table


def _cures(found: Examination) -> list[Text]:
    """Each once, however many runs it would help."""
    by_cure: dict[str, list[str]] = {}
    for each in found.obstacles:
        by_cure.setdefault(each.cure, []).append(each.thread_id)
    head = Text("\nWhat to do (nothing is lost meanwhile: such a run waits, however long)", "bold")
    return [head, *(Text(f"  {_some(who)}: {cure}") for cure, who in by_cure.items())]


def _some(names: list[str]) -> str:
    left = len(names) - NAMES_AT_MOST
    more = f" and {left} more" if left > 0 else ""
    return ", ".join(names[:NAMES_AT_MOST]) + more
