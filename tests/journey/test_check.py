"""`countersign check`: what would happen twice, found before production, as a person and a CI read
it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import Deployment
from tests.journey.test_command_line import run
from tests.workflows.needed import needed

BAD = """
from pathlib import Path
from typing import TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import interrupt


class State(TypedDict, total=False):
    draft: str
    approved: bool


def gate(state):
    with Path("audit.log").open("a") as log:
        log.write(state["draft"])
    return {"approved": interrupt({"question": "Send it?", "draft": state["draft"]})}


def act(state):
    if not state["approved"]:
        raise ValueError("nothing to do")
    Path("sent.log").open("a").close()
    return {}


def only_act(state):
    return {"approved": interrupt("Send it?")}


def needs(state):
    return {"approved": interrupt(state["draft"])}


def built(*nodes):
    graph, before = StateGraph(State), START
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(before, node.__name__)
        before = node.__name__
    return graph


graph = built(gate)
fine = built(only_act)
late = built(only_act, act)
needy = built(needs)


def broken():
    raise RuntimeError("no model")
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: Any) -> str:
    """A module of a user's, in the directory where they stand."""
    name = f"checked_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(BAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType]
    return name


async def test_all_workflows_of_the_deployment_are_checked_and_are_fine(tmp_path: Path) -> None:
    done = await run(needed(tmp_path), "check")
    assert done.exit_code == 0, done.output
    assert "refund: nothing would happen twice (1 question, " in done.stdout


async def test_it_leaves_nothing_where_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("refund", "crm_update", "outbound_email"):
        done = await run({}, "check", name, "--call-effects")
        assert done.exit_code == 0, done.output
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing waits for it


async def test_what_would_happen_twice_is_told_with_its_line_and_the_cures(mine: str) -> None:
    done = await run({}, "check", f"{mine}:graph", "draft=x")
    assert done.exit_code == 1
    first, second, *_ = done.stdout.splitlines()
    assert first == f"{mine}: not replay-safe"
    assert second.startswith(f"{mine}.py:15: error: call-twice [node gate]: wrote to ")
    for cure in (
        "Move it after the gate",
        "Make it idempotent by key",
        "Split prepare from mutate",
    ):
        assert cure in done.stdout


async def test_for_programs_and_for_github(mine: str) -> None:
    done = await run({}, "check", f"{mine}:graph", "--input", '{"draft": "x"}', "--format", "json")
    told = json.loads(done.stdout)
    [workflow] = told["workflows"]
    [finding] = workflow["findings"]
    assert (done.exit_code, told["exit_code"]) == (1, 1)
    assert finding["place"] == {"file": f"{mine}.py", "line": 15}
    assert (finding["rule"], finding["severity"], finding["node"]) == (
        "call-twice",
        "error",
        "gate",
    )
    assert len(finding["cures"]) == 3

    done = await run({}, "check", f"{mine}:graph", "draft=50%", "--format", "github")
    [line] = done.stdout.splitlines()
    title = f"title=call-twice ({mine} gate)"
    assert line.startswith(f"::error file={mine}.py,line=15,{title}::an outside call is made again")
    assert "%0AMove it after the gate" in line


async def test_what_a_crash_alone_repeats_warns_and_fails_where_it_is_strict(mine: str) -> None:
    done = await run({}, "check", f"{mine}:late")
    assert done.exit_code == 0, done.output
    assert "warning: call-twice-after-crash [node act]" in done.stdout
    done = await run({}, "check", f"{mine}:late", "--strict", "--format", "github")
    assert done.exit_code == 1
    assert done.stdout.startswith(f"::warning file={mine}.py,")


async def test_decisions_are_given_by_word_or_as_json(mine: str, tmp_path: Path) -> None:
    for given in ("reject", '["reject"]', '[{"type": "reject", "reason": "no"}]'):
        done = await run({}, "check", f"{mine}:late", "--decisions", given)
        assert (done.exit_code, "the node act raised ValueError" in done.stdout) == (2, True)
    (tmp_path / "answers.json").write_text('[{"answer": "yes"}]')
    done = await run({}, "check", f"{mine}:late", "--decisions", "@answers.json")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nobody",), "There is no workflow 'nobody'. There is: "),
        (("no_such_module_here:graph",), "There is no module no_such_module_here"),
        (("{mine}:broken",), "{mine}:broken() raised RuntimeError: no model"),
        (("{mine}:needy",), "the node needs raised KeyError: 'draft'"),
        (("{mine}:needy",), "It was given no input: --input"),
        (("{mine}:graph", "draft"), "'draft': write each value as field=value"),
        (("{mine}:graph", "--input", "{"), "--input: "),
        (("{mine}:fine", "--decisions", "maybe"), "--decisions: 'maybe': write approve, "),
        (("{mine}:fine", "--decisions", "@no.json"), "--decisions: "),
        (("{mine}:fine", "--decisions", "[1"), "--decisions: "),
        (("refund", "amount=x"), "- amount: Input should be a valid decimal"),
        (("{mine}:fine", "--thread", "t-1"), "--thread needs REDIS_URL"),
        (("--input", "{}"), "Name the workflow that the input is for."),
    ],
)
async def test_what_cannot_be_checked_is_said_and_is_exit_2(
    words: tuple[str, ...], told: str, mine: str
) -> None:
    done = await run({}, "check", *(word.replace("{mine}", mine) for word in words))
    assert done.exit_code == 2, done.output
    assert told.replace("{mine}", mine) in done.output
    assert "Traceback" not in done.output


async def test_a_run_of_the_deployment_is_checked_as_it_went(deployment: Deployment) -> None:
    async with deployment.instance():
        thread_id = await deployment.start()
        card = await deployment.card("Refund $120.50 to Acme GmbH")
        await deployment.person("mara").click(card, "Reject")
        await deployment.reads(card, "Rejected")
    done = await run(deployment.environment, "check", "--thread", thread_id, "--format", "json")
    assert done.exit_code == 0, done.output
    [workflow] = json.loads(done.stdout)["workflows"]
    assert (workflow["workflow"], workflow["questions"]) == ("refund", 1)
    done = await run(deployment.environment, "check", "--thread", "nobody")
    assert (done.exit_code, "There is no run 'nobody'." in done.output) == (2, True)
