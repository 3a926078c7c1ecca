"""docs/replay-safety.md says what is so: each example is checked, each command run."""

import linecache
import re
import shlex
import sys
import types
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, TypedDict

import pytest

from bot.local.redis import EmbeddedRedis
from tests.journey.test_command_line import run
from tests.workflows.gallery.world import World, chain, world_at
from tests.workflows.needed import needed
from workflows.findings import CURES, RULES
from workflows.replay import check_replay, told

FOLDER = Path(__file__).parents[2] / "docs"
DOCS = (FOLDER / "replay-safety.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(def|async def)(.*?)```\n```\n(.*?)\n```", DOCS, re.DOTALL)
COMMANDS = [
    line.partition("  #")[0].strip()
    for line in re.findall(r"^countersign check.*$", DOCS, re.MULTILINE)
]
HEAD = """
import datetime, threading, time, uuid
import httpx
from langgraph.types import interrupt
from workflows.effects import Receipt
from workflows.protocol import ApprovalRequest, request_approval

ASKED = {"times": 0}

async def write_audit_row():
    return Receipt(id="1", summary="written")

"""


class State(TypedDict, total=False):
    """What the examples keep."""

    invoice: str
    number: str
    amount: int
    approved: bool
    items: list[Any]


INPUT = {"invoice": "i-1", "amount": 120, "items": ["a", "b"]}


@pytest.fixture
async def world(redis_server: EmbeddedRedis, tmp_path: Path) -> AsyncGenerator[World, None]:
    async with world_at(tmp_path, redis_server.url) as world:
        yield world


def written(code: str, world: World) -> dict[str, Any]:
    """The example as a file of a user's, imported."""
    file = world.directory / "example.py"
    text = f"{HEAD}SERVER = {world.http!r}\n\n{code}"
    file.write_text(text, encoding="utf-8")
    linecache.checkcache(str(file))
    module = types.ModuleType("example")
    exec(compile(text, str(file), "exec"), vars(module))  # noqa: S102 - our own docs
    return vars(module)


@pytest.mark.parametrize(("kind", "rest", "verdict"), EXAMPLES)
async def test_each_example_is_so(kind: str, rest: str, verdict: str, world: World) -> None:
    code = kind + rest
    names = written(code, world)
    nodes = [names[name] for name in re.findall(r"^(?:async )?def (\w+)\(state", code, re.M)]
    report = await check_replay(chain(*nodes, state=State), INPUT)
    assert not report.unchecked, told(report)
    found: list[str] = []
    for each in report.findings:
        assert each.place, told(report)
        line = linecache.getline(each.place.file, each.place.line)
        shown, _, _ = verdict.partition(" → ")
        assert shown in line, told(report)
        found.append(f"{shown} → {each.rule}")
    assert "\n".join(found or ["nothing"]) == verdict, told(report)


def test_there_are_examples_of_each_rule_that_a_node_can_break() -> None:
    assert len(EXAMPLES) == DOCS.count("```python") - 1 >= 15
    for rule in set(RULES) - {"call-before-question", "state-type", "key-from-chance"}:
        assert f"`{rule}`" in DOCS


def test_the_table_of_rules_is_the_code() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*?) \| (.*?) \| (.*?) \|$", DOCS, re.MULTILINE)
    fails = {"error": "yes", "warning": "`--strict`"}
    assert rows == [
        (rule.id, ", ".join(rule.by), fails[rule.severity], rule.means) for rule in RULES.values()
    ]
    for cure in CURES:
        assert f"**{re.split('[,:]', cure)[0]}**" in DOCS


@pytest.mark.parametrize("command", [each for each in COMMANDS if "THREAD_ID" not in each])
async def test_each_command_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (FOLDER / "bring-your-graph.md").read_text(encoding="utf-8")
    (tmp_path / "my_pkg").mkdir()
    agents = re.findall(r"```python\n(# my_pkg/agents.py.*?)```", guide, re.DOTALL)
    (tmp_path / "my_pkg" / "agents.py").write_text(agents[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType]
    done = await run(needed(tmp_path), *shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    for name in ("my_pkg", "my_pkg.agents"):
        sys.modules.pop(name, None)


def test_the_test_of_ones_own_is_one() -> None:
    [code] = re.findall(r"```python\n(from workflows\.replay.*?)```", DOCS, re.DOTALL)

    def gate(state: Any) -> Any:
        from langgraph.types import interrupt  # noqa: PLC0415

        return {"approved": interrupt(state["draft"])}

    class Draft(TypedDict, total=False):
        draft: str
        approved: bool

    names: dict[str, Any] = {"graph": chain(gate, state=Draft)}
    exec(code, names)  # noqa: S102 - our own docs
    names["test_my_graph_is_replay_safe"]()
