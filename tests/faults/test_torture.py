"""`countersign torture`: what it finds in a user's graph, and its words where it cannot run it."""

import asyncio
import secrets
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from typer.testing import CliRunner

from bot.cli import cli
from bot.local.torture.calls import Crash
from bot.local.torture.crashes import Journey, Stand, run_once, torture
from bot.local.torture.target import load
from tests.faults.journeys import REFUND, Graph
from workflows.catalog import Catalog, Workflow
from workflows.connectors.payments import SqlitePayments
from workflows.graphs.refund import refund
from workflows.loading import BadTarget
from workflows.protocol import ApprovalRequest, request_approval

TWO = slice(20, 220, 150)  # of all calls


class State(TypedDict, total=False):
    name: str
    lives: int


def ask(state: State) -> State:
    request_approval(ApprovalRequest(title=f"Delete {state.get('name')}"))
    return {}


def line(*nodes: Any) -> Graph:
    graph: Graph = StateGraph(State)
    before = START
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(before, node.__name__)
        before = node.__name__
    return graph


def deletes() -> Graph:
    """A node that writes to a file, without the ledger."""

    def act(state: State) -> State:
        with Path("deleted.txt").open("a", encoding="utf-8") as deleted:
            deleted.write(f"{state.get('name')}\n")
        return {}

    return line(ask, act)


seen: dict[str, list[asyncio.AbstractEventLoop]] = {}


async def counts(state: State, config: RunnableConfig) -> State:
    """Tells in how many processes the thread has run: another number after a crash."""
    loops = seen.setdefault(config.get("configurable", {})["thread_id"], [])
    if asyncio.get_running_loop() not in loops:
        loops.append(asyncio.get_running_loop())
    return {"lives": len(loops)}


async def counts_again(state: State, config: RunnableConfig) -> State:
    return await counts(state, config)


forgetful = line(counts, ask, counts_again)
harmless = line(ask)
compiled = harmless.compile(interrupt_after="*")
broken = 12


def needy(settings: str) -> Graph:
    return harmless


def raising() -> Graph:
    raise KeyError("API_KEY")


@pytest.fixture
def stand(tmp_path: Path) -> Generator[Stand, None, None]:
    with Stand.open(tmp_path) as stand:
        yield stand


def test_a_node_that_writes_without_the_ledger_is_found(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stand.directory)
    make = load(f"{__name__}:deletes", Catalog([]))
    journey = Journey("deletes", make, {"name": "all"})
    clean = run_once(stand, journey, None)
    assert Path("deleted.txt").read_text(encoding="utf-8") == "all\n"
    saved = [call for call in clean.made if "MULTI JSON.SET NS:checkpoint_write" in call][-1]

    crashed = run_once(stand, journey, Crash(saved, "before"))

    assert crashed.struck
    assert Path("deleted.txt").read_text(encoding="utf-8") == "all\n" * 3
    assert [words for kind, words in crashed.end.differs(clean.end) if kind == "outside"] == [
        "there is: the node act wrote to deleted.txt, 2 times",
        "missing: the node act wrote to deleted.txt, 1 times",
    ]


def test_what_the_ledger_calls_is_no_finding(stand: Stand) -> None:
    payments = SqlitePayments(stand.directory / "payments.db")
    journey = Journey("refund", lambda: refund(payments), REFUND)
    clean = run_once(stand, journey, None)
    (called,) = [call for call in clean.made if call.endswith(": its call #1")]
    for side in ("before", "after"):
        crashed = run_once(stand, journey, Crash(called, side))
        assert crashed.struck
        assert crashed.end.differs(clean.end) == []
    assert clean.end.lines["outside"] == ()
    assert clean.end.called == ("refund:THREAD was called 1 times",)


def test_what_a_dead_process_still_tries_reaches_nobody(stand: Stand) -> None:
    """Not in a `finally` either, where it would give back its lease."""
    journey = Journey("harmless", load(f"{__name__}:harmless", Catalog([])))
    clean = run_once(stand, journey, None)
    crashed = run_once(stand, journey, Crash("slack chat.postMessage #1", "before"))
    assert crashed.struck
    assert crashed.made[-1] == "slack chat.postMessage #1"
    assert crashed.end.differs(clean.end) == []


def numbered() -> Graph:
    def number(state: State) -> State:
        return {"name": secrets.token_hex(4)}

    return line(number, ask)


def test_what_is_another_in_each_run_is_said_and_not_compared(stand: Stand) -> None:
    tortured = torture(stand, Journey("numbered", load(f"{__name__}:numbered", Catalog([]))), TWO)
    assert tortured.deviations == []
    assert set(tortured.loose) == {"decisions", "cards", "replies", "notices", "state"}


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["torture", *arguments])
    return result.exit_code, " ".join(result.output.split())


def test_the_command_reports_a_deviation() -> None:
    code, said = run(f"{__name__}:forgetful", "--input", '{"name": "x"}', "--every", "60")
    assert code == 1
    assert "Killed right before" in said
    assert "state: there is: lives = 2" in said
    assert "the end was another" in said


def test_the_command_freezes_too() -> None:
    code, said = run(
        f"{__name__}:forgetful", "--input", '{"name": "x"}', "--every", "50", "--freeze"
    )
    assert "Frozen right" in said
    assert "Freezes" in said
    assert code == 1


def test_the_command_says_that_all_is_well() -> None:
    given = '{"customer": "Acme", "amount": "9.90", "reason": "Late"}'
    code, said = run("refund", "--input", given, "--every", "90", "--decide", "reject")
    assert "each time the same end as without" in said, said
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "There is no workflow 'nothing' (there is: contract_delivery"),
        (["no.such:graph"], "There is no module no.such here"),
        ([f"{__name__}:missing"], "has no missing"),
        ([f"{__name__}:broken"], "is a int. Name a Workflow, a graph"),
        ([f"{__name__}:compiled"], "is compiled with interrupt_after"),
        ([f"{__name__}:needy"], "needs arguments (settings)"),
        ([f"{__name__}:raising"], "raised KeyError"),
        (["refund", "--input", '{"amount": 1}'], "customer: Field required"),
        (["refund", "--input", "[]"], "give a JSON object"),
    ],
)
def test_what_cannot_be_run_is_said_in_words(arguments: list[str], words: str) -> None:
    code, said = run(*arguments)
    assert code in (1, 2)
    assert words in said
    assert "Traceback" not in said


def test_a_module_that_imports_something_missing_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking.py").write_text("import no_such_package\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadTarget, match="lacking cannot be imported: No module named"):
        load("lacking:graph", Catalog([]))


def test_a_workflow_is_taken_as_it_is() -> None:
    workflow = refund(SqlitePayments(Path("payments.db")))
    made: Workflow = load("refund", Catalog([workflow]))()
    assert made is workflow
