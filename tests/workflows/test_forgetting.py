"""Forgetting a thread deletes all that the saver holds of it, and nothing of any other."""

import json
from typing import Any

import pytest

from tests.workflows.graphs import does, gate, line, spread, thread
from tests.workflows.rig import AnyGraph, Rig, approved
from workflows.lease import LeaseLost

# What the saver's index could take for one another: it splits, trims and folds.
NEIGHBOURS = ("a", "a-b", "a.b", "a:b", "a_b", "aa", "a:b:c", "b-a")


async def of_saver(rig: Rig, thread_id: str) -> set[str]:
    """The keys of a thread, told by the checkpoint ids that only it has."""
    found: set[str] = set()
    for kind in ("checkpoint", "checkpoint_latest", "checkpoint_write"):
        pattern = f"{rig.namespace}:{kind}:{thread_id}:*"
        found |= {key.decode() async for key in rig.redis.scan_iter(pattern, count=1000)}
    pattern = f"write_keys_zset:{thread_id}:*"
    return found | {key.decode() async for key in rig.redis.scan_iter(pattern, count=1000)}


def inside() -> AnyGraph:
    return line(sub=line(first=does("first"), gate=gate("q")).compile(), last=does("last"))


@pytest.mark.parametrize("paused", [True, False], ids=["while it waits", "at its end"])
@pytest.mark.parametrize(
    "graph", [line(gate=gate("q"), last=does("last")), inside(), spread(gate("q"), {"value": 1})]
)
async def test_nothing_of_it_is_left(rig: Rig, graph: AnyGraph, paused: bool) -> None:
    threads = await rig.threads(graph)
    name = f"{rig.namespace}-t"
    state = await threads.advance(thread_id=name)
    if not paused:
        assert (await threads.advance(approved(state), thread_id=name)).finished
    assert await of_saver(rig, name)

    async with threads.leases.hold(name):
        await threads.runner.forget(name)

    assert await of_saver(rig, name) == set()
    assert await threads.runner.look("graph", name) is None


async def test_writes_whose_checkpoint_was_never_written(rig: Rig) -> None:
    """A crash between the two: the saver has marked a checkpoint that is not there."""
    threads = await rig.threads(line(gate=gate("q")))
    name = f"{rig.namespace}-t"
    await threads.advance(thread_id=name)
    torn = thread(name, checkpoint_ns="", checkpoint_id="1f1e8813-0000-6000-8000-000000000000")
    async with threads.leases.hold(name):
        await threads.saver.aput_writes(torn, [("log", ["x"])], "task")
        await threads.runner.forget(name)

    assert await of_saver(rig, name) == set()


async def test_however_much_there_is(rig: Rig) -> None:
    """The saver deletes 10,000 writes at a time; a loop of many rounds has more."""
    threads = await rig.threads(line(gate=gate("q")))
    name = f"{rig.namespace}-t"
    await threads.advance(thread_id=name)
    key = next(key for key in await of_saver(rig, name) if ":checkpoint_write:" in key)
    pipeline = rig.redis.pipeline(transaction=False)
    stored: Any = await rig.redis.execute_command("JSON.GET", key)  # pyright: ignore[reportGeneralTypeIssues]
    written = json.loads(stored)
    for number in range(100, 10_200):
        copy = json.dumps({**written, "idx": number})
        pipeline.execute_command("JSON.SET", f"{key.rpartition(':')[0]}:{number}", "$", copy)
    await pipeline.execute()

    async with threads.leases.hold(name):
        await threads.runner.forget(name)

    assert await of_saver(rig, name) == set()


async def test_no_other_thread_is_touched(rig: Rig) -> None:
    threads = await rig.threads(line(gate=gate("q")))
    names = [f"{rig.namespace}-{name}" for name in NEIGHBOURS]
    states = {name: await threads.advance(thread_id=name) for name in names}
    async with threads.leases.hold(names[0]):
        await threads.runner.forget(names[0])

    assert await threads.runner.look("graph", names[0]) is None
    for name in names[1:]:
        assert await threads.look(name) == states[name]
        assert (await threads.advance(approved(states[name]), thread_id=name)).finished


async def test_it_takes_the_lease(rig: Rig) -> None:
    threads = await rig.threads(line(gate=gate("q")))
    before = await threads.advance()
    with pytest.raises(LeaseLost):
        await threads.runner.forget("t-1")
    assert await threads.look() == before
