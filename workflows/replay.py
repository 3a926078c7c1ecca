"""Would it happen twice? `countersign check`, and assert_replay_safe() for tests.

A node runs again from its top when its question is answered, and after a crash. The check runs a
workflow that way, and reads its code; docs/replay-safety.md tells what it finds.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from workflows.catalog import Workflow
from workflows.findings import RULES, Finding, sifted
from workflows.loading import maker
from workflows.reading import read
from workflows.rehearsal import Given
from workflows.rerunning import rerun
from workflows.sources import learn, read_text

T = TypeVar("T")


@dataclass(frozen=True)
class Report:
    """What came of one check. unchecked: why a part of it could not be done; "" where all was.
    questions: how many were asked; crashes: how many were tried."""

    workflow: str
    findings: tuple[Finding, ...]
    unchecked: str = ""
    questions: int = 0
    crashes: int = 0

    def failing(self, *, strict: bool = False) -> list[Finding]:
        """The errors; strict: the warnings, too."""
        return [each for each in self.findings if strict or each.severity == "error"]


async def check_replay(
    graph: Any,
    given: Mapping[str, Any] | None = None,
    decisions: Sequence[Given] = (),
    *,
    allow: Iterable[str] = (),
    call_effects: bool = False,
) -> Report:
    """Run the graph as resumes and crashes would have it, and read its code.

    graph: a Workflow, or a graph as it is, compiled or not. given: its input. decisions: in the
    order in which it asks: `approve`, a dict such as {"type": "edit", "values": ...}, or {"answer":
    ...} as the graph itself wants it; what they leave open is approved. allow: hosts that may be
    called besides this machine, and `subprocess`. call_effects: what effects.once would call is
    called, once; else it is answered by a receipt that says so.
    """
    workflow = graph if isinstance(graph, Workflow) else maker("graph", graph, "graph")()
    learn(workflow.graph)
    values = dict(given or {})
    ran = await rerun(workflow, values, decisions, allow, calls=call_effects)
    found = [*ran.findings, *read(workflow.graph, workflow.state_types)]
    return Report(
        workflow.name, tuple(sifted(found, read_text)), ran.unchecked, ran.questions, ran.crashes
    )


def read_only(workflow: Workflow, why: str) -> Report:
    """Where it cannot be run: what its code alone tells."""
    learn(workflow.graph)
    found = read(workflow.graph, workflow.state_types)
    return Report(workflow.name, tuple(sifted(found, read_text)), why)


def assert_replay_safe(
    graph: Any,
    given: Mapping[str, Any] | None = None,
    decisions: Sequence[Given] = (),
    *,
    allow: Iterable[str] = (),
    call_effects: bool = False,
    strict: bool = False,
) -> None:
    """For tests, async or not: AssertionError that tells what would happen twice, or why it could
    not be checked. strict: what a crash alone would repeat, too. The rest as in check_replay."""
    checking = check_replay(graph, given, decisions, allow=allow, call_effects=call_effects)
    report = _done(checking)
    if report.unchecked or report.failing(strict=strict):
        raise AssertionError(told(report))


def told(report: Report) -> str:
    """The report as a person reads it: each finding, and what to do about it."""
    lines: list[str] = []
    for each in report.findings:
        at = f"{each.place.file}:{each.place.line}: " if each.place else ""
        node = f" [node {each.node}]" if each.node else ""
        lines.append(f"{at}{each.severity}: {each.rule}{node}: {each.words}")
    for rule in dict.fromkeys(each.rule for each in report.findings):
        lines += ["", f"{rule}: {RULES[rule].means}."]
        lines += [f"  - {cure}" for cure in RULES[rule].cures]
    if report.unchecked:
        lines.append(f"{report.workflow} could not be checked: {report.unchecked}")
    return "\n".join(lines)


class Ended(Exception):
    """A node ended the process, which LangGraph cannot hold: neither can the check."""


def run(checking: Coroutine[Any, Any, T]) -> T:
    """In a loop of its own. Ended."""
    try:
        return asyncio.run(checking)
    except SystemExit as error:
        raise Ended(f"a node ended the process: sys.exit({error.code!r})") from None


def _done(checking: Any) -> Report:
    """In a thread where a loop runs already: an async test may call it, too."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run(checking)
    outcome: list[Report | BaseException] = []

    def work() -> None:
        try:
            outcome.append(run(checking))
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
