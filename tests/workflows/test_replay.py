"""check_replay and assert_replay_safe: the workflows of the deployment pass; what cannot be checked
is said in words; and nothing leaves this machine."""

import asyncio
import contextlib
import http.client
import shlex
import socket
import sqlite3
import sys
import threading
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from bot.app import catalog
from bot.given import field_values
from bot.local.redis import EmbeddedRedis
from bot.settings import StoreSettings
from tests.workflows.gallery.world import State, World, chain, world_at
from tests.workflows.needed import needed
from tests.workflows.test_any_graph import agent
from workflows.catalog import Context
from workflows.clock import utc_now
from workflows.effects import EffectRefused, Receipt
from workflows.fields import TextField
from workflows.findings import CURES
from workflows.protocol import ApprovalRequest, Editable, request_approval
from workflows.rehearsal import MOMENTS_AT_MOST, Given
from workflows.replay import Ended, assert_replay_safe, check_replay, told
from workflows.waits import wait_until
from workflows.watching import CallRefused, Watch, watching


def ask(state: State) -> State:
    return {"answer": interrupt("Do it?")}


@pytest.fixture
async def world(redis_server: EmbeddedRedis, tmp_path: Path) -> AsyncGenerator[World, None]:
    async with world_at(tmp_path, redis_server.url) as world:
        yield world


# --- the workflows of the deployment


def deployed(directory: Path) -> Any:
    given = {"REDIS_URL": "redis://unused", **needed(directory)}
    return catalog(StoreSettings.model_validate(given))


NAMES = sorted(catalog(StoreSettings.model_validate({"REDIS_URL": "redis://unused"})))


@pytest.mark.parametrize("decisions", [(), ("reject",)], ids=["approved", "rejected"])
@pytest.mark.parametrize("name", NAMES)
async def test_our_workflows_are_replay_safe(
    name: str, decisions: tuple[Given, ...], tmp_path: Path
) -> None:
    workflow = deployed(tmp_path)[name]
    assert workflow.examples, f"{name} has no example to be checked with"
    for example in workflow.examples:
        given = workflow.read_input(field_values(shlex.split(example)))
        report = await check_replay(workflow, given, decisions)
        assert not report.unchecked, told(report)
        assert report.questions, f"{name} asks nobody"
        assert not report.failing(strict=True), told(report)


async def test_a_refund_that_is_edited_is_paid_once(tmp_path: Path) -> None:
    workflow = deployed(tmp_path)["refund"]
    given = workflow.read_input({"customer": "A", "amount": "12", "reason": "Late"})
    less = {"type": "edit", "values": {"amount": 500, "reason": "Late"}}
    report = await check_replay(workflow, given, [less], call_effects=True)
    assert not report.failing(strict=True), told(report)
    with contextlib.closing(sqlite3.connect(tmp_path / "payments.db")) as db:
        assert db.execute("SELECT amount_minor FROM refunds").fetchall() == [(500,)]


async def test_what_comes_after_a_wait_is_checked_too(tmp_path: Path) -> None:
    """Of a patient with whom it is two at night, when nothing is sent before the morning."""
    ahead = (2 - utc_now().hour + 12) % 24 - 12
    zone = f"Etc/GMT{-ahead:+d}"  # whose sign is the other way round
    workflow = deployed(tmp_path)["patient_reply"]
    given = {"patient": "p-1", "zone": zone, "template": "results", "body": "All is well."}
    await check_replay(workflow, workflow.read_input(given), call_effects=True)
    with contextlib.closing(sqlite3.connect(tmp_path / "patients.db")) as db:
        assert db.execute("SELECT count(*) FROM messages").fetchall() == [(1,)]


async def test_a_graph_that_waits_without_end_is_stopped() -> None:
    def wait(state: State) -> State:
        wait_until(utc_now() + timedelta(days=1))
        return state

    graph: Any = StateGraph(State)
    graph.add_node("wait", wait)
    graph.add_edge(START, "wait")
    graph.add_edge("wait", "wait")
    report = await check_replay(graph, {})
    assert "it has waited 50 times and does not end" in report.unchecked


# --- for tests of one's own


def test_a_graph_that_is_safe_passes_and_another_tells_why(tmp_path: Path) -> None:
    def audit(state: State) -> State:
        (tmp_path / "audit").open("a").close()
        return {"answer": interrupt("Do it?")}

    assert_replay_safe(chain(ask), {"amount": 1}, ["reject"])
    with pytest.raises(AssertionError) as failed:
        assert_replay_safe(chain(audit))
    words = str(failed.value)
    line = audit.__code__.co_firstlineno + 1
    assert f"{__file__}:{line}: error: call-twice [node audit]: wrote to {tmp_path}" in words
    for cure in CURES:
        assert cure in words


async def test_it_may_be_called_from_an_async_test(tmp_path: Path) -> None:
    assert_replay_safe(chain(ask))
    with pytest.raises(AssertionError, match="ValueError"):
        assert_replay_safe(chain(fails))


def test_what_a_crash_alone_repeats_fails_where_it_is_strict(tmp_path: Path) -> None:
    def act(state: State) -> State:
        (tmp_path / "done").open("a").close()
        return {}

    assert_replay_safe(chain(ask, act))
    with pytest.raises(AssertionError, match=r"warning: call-twice-after-crash \[node act\]"):
        assert_replay_safe(chain(ask, act), strict=True)


# --- what cannot be checked


def fails(state: State) -> State:
    raise ValueError("no such\ncustomer")


async def unchecked(graph: Any, given: Any = None, *decisions: Given) -> str:
    report = await check_replay(graph, given, decisions)
    assert report.failing() == [], told(report)
    return report.unchecked


async def test_a_graph_that_raises_is_told_in_words() -> None:
    line = fails.__code__.co_firstlineno + 1
    assert await unchecked(chain(fails)) == (
        f"the node fails raised ValueError: no such customer ({__file__}:{line})"
    )


def exits(state: State) -> State:
    sys.exit(3)


def test_a_node_that_ends_the_process_is_told_in_words() -> None:
    with pytest.raises(Ended, match=r"a node ended the process: sys.exit\(3\)"):
        assert_replay_safe(chain(exits))


async def test_a_graph_that_asks_without_end_is_stopped() -> None:
    def again(state: State) -> State:
        while True:
            interrupt("Do it?")

    assert "does not end" in await unchecked(chain(again))


async def test_a_long_run_is_crashed_at_a_sample_of_its_writes() -> None:
    def more(state: State) -> State:
        return {"amount": state.get("amount", 0) + 1}

    def goes_on(state: State) -> str:
        return "more" if state.get("amount", 0) < 150 else "gate"

    graph: Any = StateGraph(State)
    graph.add_node("more", more)
    graph.add_node("gate", ask)
    graph.add_edge(START, "more")
    graph.add_conditional_edges("more", goes_on, ["more", "gate"])
    report = await check_replay(graph)
    assert not report.findings, told(report)
    assert 100 <= report.crashes <= MOMENTS_AT_MOST


async def test_a_decision_that_is_not_allowed_is_refused() -> None:
    assert "takes approve, reject, respond, and not 'edit'" in await unchecked(
        chain(ask), {}, "edit"
    )

    def gate(state: State) -> State:
        form = Editable(json_schema={"properties": {"n": {"type": "integer"}}}, values={"n": 1})
        request = ApprovalRequest(
            title="Pay?", allowed_decisions=("approve", "edit"), editable=form
        )
        return {"answer": request_approval(request).type}

    wrong = {"type": "edit", "values": {"n": "x"}}
    assert "cannot be decided by 'edit': n: 'x'" in await unchecked(chain(gate), {}, wrong)
    assert await unchecked(chain(gate), {}, "edit") == ""


async def test_answers_that_would_go_astray_are_told() -> None:
    report = await check_replay(agent(1, 2), {"messages": []})
    assert [each.rule for each in report.failing()] == ["question-unreadable"]
    assert "give the answer to whichever asks first" in told(report)


async def test_one_check_at_a_time() -> None:
    with watching(Watch()), pytest.raises(RuntimeError, match="one replay check at a time"):
        await check_replay(chain(ask))


# --- nothing leaves this machine


@pytest.mark.parametrize("how", ["by name", "by address", "in a thread", "udp", "process"])
async def test_what_would_leave_this_machine_is_refused(how: str) -> None:
    def reach(state: State) -> State:
        match how:
            case "by name":
                httpx.post("http://payments.example/")
            case "by address":
                http.client.HTTPConnection("192.0.2.1", 80).request("POST", "/")
            case "in a thread":
                thread = threading.Thread(target=_connects)
                thread.start()
                thread.join()
            case "udp":
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
                    wire.sendto(b"x", ("192.0.2.1", 9))
            case _:
                asyncio.run(_started())
        return {}

    words = await unchecked(chain(reach))
    place = {"by name": "payments.example:80", "process": "the process 'curl payments.example'"}
    port = "80" if how == "by address" else "9"
    assert (
        f"it needs {place.get(how, f'192.0.2.1:{port}')}, and nothing leaves this machine" in words
    )


def _connects() -> None:
    with contextlib.suppress(OSError):
        socket.create_connection(("192.0.2.1", 9))


async def _started() -> None:
    await asyncio.create_subprocess_exec("curl", "payments.example")


@pytest.mark.parametrize("allowed", ["pay.example", "pay.example:443", "*"])
def test_what_is_allowed_is_let_through(allowed: str) -> None:
    names = ["pay.example", "pay.example:443"]
    Watch(frozenset([allowed])).refuse("pay.example:443", names)
    with pytest.raises(CallRefused):
        Watch(frozenset(["other.example"])).refuse("pay.example:443", names)


async def test_effects_of_the_ledger_are_called_only_where_it_is_asked_for(world: World) -> None:
    called: list[str] = []

    async def call() -> Receipt:
        called.append("called")
        async with httpx.AsyncClient() as client:
            await client.post(f"{world.http}/charges")
        return Receipt(id="1", summary="paid")

    async def pay(state: State, runtime: Runtime[Context]) -> State:
        receipt = await runtime.context.effects.once("pay:1", call)
        return {"answer": receipt.summary}

    for call_effects in (False, True):
        report = await check_replay(chain(ask, pay), call_effects=call_effects)
        assert not report.failing(strict=True), told(report)
        assert not report.unchecked
        assert bool(called) == call_effects


async def test_the_receipt_that_stands_in_says_that_nothing_was_called() -> None:
    async def call() -> Receipt:
        raise EffectRefused("never called")

    async def pay(state: State, runtime: Runtime[Context]) -> State:
        receipt = await runtime.context.effects.once("pay:1", call)
        return {"answer": interrupt(receipt.summary)}

    report = await check_replay(chain(pay))
    assert not report.unchecked, told(report)


async def test_a_restricted_request_is_told_by_its_title_alone() -> None:
    times = iter(range(100))

    def gate(state: State) -> State:
        secret = TextField(label="Patient", value=f"Ada {next(times)}")
        request = ApprovalRequest(title="A reply", sensitivity="restricted", fields=(secret,))
        return {"answer": request_approval(request).type}

    report = await check_replay(chain(gate))
    assert "question-changes" in {each.rule for each in report.failing()}
    assert "A reply" in told(report)
    assert "Ada" not in told(report)
    assert report.questions == 1, "it is not asked again without end"


async def test_a_tool_that_asks_is_run() -> None:
    assert await unchecked(agent(1), {"messages": []}) == ""
