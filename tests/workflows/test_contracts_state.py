"""What we lean on in LangGraph and its Redis saver about finished, recovery and stored data."""

import datetime as dt
import enum
import uuid
from collections import deque
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.runtime import RunControl
from langgraph.types import interrupt
from pydantic import BaseModel

from tests.workflows.graphs import Counted, Log, Node, asks, does, gate, line, thread
from tests.workflows.rig import THREAD, Rig, approved
from workflows.checkpointer import FencedRedisSaver
from workflows.serializer import UnstorableState


class Died(BaseException):
    """The process ended here."""


class Torn(FencedRedisSaver):
    """Dies between the writes of a superstep and its checkpoint, once there are so many."""

    left = 1_000

    async def aput(self, *args: Any, **named: Any) -> RunnableConfig:
        self.left -= 1
        if self.left < 0:
            raise Died
        return await super().aput(*args, **named)


class Color(enum.Enum):
    RED = "red"


class Address(BaseModel):
    city: str


async def test_fact_14_no_next_does_not_mean_finished(rig: Rig) -> None:
    """Fact 14: all nodes of a superstep wrote and its checkpoint did not: `next` is empty."""
    one, two = Counted(does("one")), Counted(does("two"))
    graph = line(one=one, two=two)
    saver = Torn(rig.redis, namespace=rig.namespace)
    await saver.asetup()
    saver.left = 2  # the input, the start, and not what comes after the node `one`
    async with rig.leases().hold(THREAD):
        with pytest.raises(Died):
            await graph.compile(checkpointer=saver).ainvoke(
                {"log": []}, thread(), durability="sync"
            )

    threads = await rig.threads(graph)
    snapshot = await threads.graph.aget_state(thread())
    assert snapshot.next == ()
    assert snapshot.tasks
    torn = await threads.look()
    assert torn.stalled
    assert not torn.finished

    after = await threads.advance()

    assert after.finished
    assert after.values["log"] == ["one", "two"]
    assert (one.runs, two.runs) == (1, 1)


async def test_fact_15_none_on_a_finished_thread_runs_nothing(rig: Rig) -> None:
    """Fact 15."""
    node = Counted(does("one"))
    graph = line(one=node).compile(checkpointer=await rig.plain_saver())
    await graph.ainvoke({"log": []}, thread())
    await graph.ainvoke(None, thread())

    assert node.runs == 1


async def test_fact_15_the_input_again_starts_again(rig: Rig) -> None:
    """Fact 15, the illness: the state is doubled and the question is another."""
    graph = line(a=does("a"), one=asks("q")).compile(checkpointer=await rig.plain_saver())
    await graph.ainvoke({"log": []}, thread())
    [before] = (await graph.aget_state(thread())).interrupts
    await graph.ainvoke({"log": []}, thread())

    state = await graph.aget_state(thread())
    assert state.values["log"] == ["a", "a"]
    assert [question.id for question in state.interrupts] != [before.id]


async def test_fact_15_our_start_looks_first(rig: Rig) -> None:
    """Fact 15, the cure: a start that is delivered twice is one start."""
    node = Counted(does("a"))
    threads = await rig.threads(line(a=node, one=gate("q")))
    first = await threads.advance(given={"log": ["given"]})
    again = await threads.advance(given={"log": ["given"]})

    assert again == first
    assert again.values["log"] == ["given", "a"]
    assert node.runs == 1


async def test_fact_20_a_drained_run_ends_behind_the_superstep_and_goes_on_with_none(
    rig: Rig,
) -> None:
    """Fact 20: the node in flight is finished, the next has not begun."""
    control = RunControl()
    two = Counted(does("two"))

    def one(_: Any) -> dict[str, list[str]]:
        control.request_drain()
        return {"log": ["one"]}

    threads = await rig.threads(line(one=one, two=two))
    drained = await threads.advance(control=control)

    assert drained.stalled
    assert (drained.values["log"], two.runs) == (["one"], 0)
    assert (await threads.advance()).values["log"] == ["one", "two"]


LOSSES: list[tuple[Any, Any]] = [
    (Decimal("12.34"), Decimal(0)),
    (dt.timedelta(hours=1), dt.timedelta(0)),
    (frozenset({1}), frozenset[int]()),
    (deque([1, 2]), deque[int]()),
    (dt.datetime(2026, 3, 1, tzinfo=dt.UTC), "2026-03-01T00:00:00+00:00"),
    (uuid.UUID(int=7), str(uuid.UUID(int=7))),
    (Color.RED, "red"),
    ((1, 2), [1, 2]),
    (float("nan"), None),
    ({7: "seven"}, {"7": "seven"}),
]


def keeps(value: Any) -> Node:
    def node(state: Log) -> Log:
        return {"value": value}

    return node


async def reloaded(saver: AsyncRedisSaver, value: Any) -> Any:
    """The value after a run that set it, as Redis gives it back."""
    graph = line(one=keeps(value)).compile(checkpointer=saver)
    await graph.ainvoke({"log": []}, thread())
    return (await graph.aget_state(thread())).values["value"]


@pytest.mark.parametrize(("value", "becomes"), LOSSES, ids=lambda each: type(each).__name__)
async def test_fact_22_the_savers_own_serializer_loses_this(
    rig: Rig, value: Any, becomes: Any
) -> None:
    """Fact 22, the illness: no error, another value."""
    found = await reloaded(await rig.plain_saver(), value)

    assert (type(found), found) == (type(becomes), becomes)


async def test_fact_22_the_savers_own_serializer_makes_a_dict_of_a_model(rig: Rig) -> None:
    """Fact 22, the illness."""
    assert isinstance(await reloaded(await rig.plain_saver(), Address(city="Graz")), dict)


@pytest.mark.parametrize(
    "value",
    [*(v for v, _ in LOSSES if v == v and not isinstance(v, dict)), Address(city="Graz")],
    ids=lambda each: type(each).__name__,
)
async def test_fact_22_ours_keeps_it(rig: Rig, value: Any) -> None:
    """Fact 22, the cure."""
    async with rig.leases().hold(THREAD):
        found = await reloaded(await rig.saver(Color, Address), value)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("value", [float("nan"), {7: "seven"}], ids=["nan", "int keys"])
async def test_fact_22_ours_refuses_what_it_cannot_keep(rig: Rig, value: Any) -> None:
    """Fact 22, the cure."""
    async with rig.leases().hold(THREAD):
        with pytest.raises(UnstorableState):
            await reloaded(await rig.saver(), value)


def keeps_the_answer(state: Log) -> Log:
    """A node of someone who does not check what a person answers."""
    return {"value": interrupt("q")}


HOSTILE = {"lc": 2, "type": "constructor", "id": ["decimal", "Decimal"], "args": ["7"]}


async def test_fact_23_the_savers_own_serializer_makes_an_object_of_a_dict(rig: Rig) -> None:
    """Fact 23, the illness: text that someone wrote comes back as an object."""
    assert await reloaded(await rig.plain_saver(), HOSTILE) == Decimal(7)


@pytest.mark.parametrize(
    "marked",
    [
        HOSTILE,
        {"lc": 1, "type": "constructor", "id": ["langchain", "x"], "kwargs": {}},
        {"__send__": True, "node": "pay", "arg": {}},
        {"__interrupt__": True, "value": 1, "id": "x"},
        {"__delta_snapshot__": True, "value": 1},
        {"__bytes__": "eA=="},
    ],
    ids=["lc 2", "lc 1", "send", "interrupt", "delta snapshot", "bytes"],
)
async def test_fact_23_ours_refuses_reserved_markers_in_an_answer(
    rig: Rig, marked: dict[str, Any]
) -> None:
    """Fact 23, the cure: the answer is refused and not stored, and the question stays open."""
    threads = await rig.threads(line(one=keeps_the_answer))
    before = await threads.advance()

    for hostile in (marked, {"values": [marked]}):
        with pytest.raises(UnstorableState, match="reserved"):
            await threads.advance({before.open[0].key: hostile})

    assert (await threads.look()).open == before.open


async def test_fact_25_nothing_of_a_paused_thread_runs_out(rig: Rig) -> None:
    """Fact 25: an open approval waits as long as it takes; no key has a TTL."""
    threads = await rig.threads(line(one=gate("q")))
    await threads.advance()

    keys = [key async for key in rig.redis.scan_iter(f"*{rig.namespace}*")]
    assert len(keys) > 3
    assert {await rig.redis.ttl(key) for key in keys} == {-1}


async def test_fact_25_a_finished_thread_is_deleted_under_its_lease(rig: Rig) -> None:
    """Fact 25: all of it, and nothing of its neighbour, whose name begins alike."""
    threads = await rig.threads(line(one=gate("q")))
    await threads.advance(approved(await threads.advance()))
    other = await threads.advance(thread_id=f"{THREAD}.1")

    async with threads.leases.hold(THREAD):
        await threads.saver.adelete_thread(THREAD)

    assert await threads.runner.look("graph", THREAD) is None
    assert await threads.look(f"{THREAD}.1") == other
    kept = [key async for key in rig.redis.scan_iter(f"*{rig.namespace}*:{THREAD}:*")]
    assert kept == []
