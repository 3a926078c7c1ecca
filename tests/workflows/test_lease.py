"""One writer per thread: who holds the lease writes, and nobody else does, however late."""

import asyncio
from datetime import timedelta

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.runtime import RunControl

from tests.eventually import eventually
from tests.workflows.graphs import Counted, Log, asks, does, gate, line, thread
from tests.workflows.rig import THREAD, Rig, another_holder, approved
from workflows.fence import FencedPipeline
from workflows.lease import CURRENT, Lease, LeaseLost, LeaseTaken

SHORT = timedelta(milliseconds=60)  # the heart beats three times in it


async def take_away(lease: Lease) -> None:
    """As Redis does when a lease has run out."""
    await lease.redis.delete(lease.key)


async def test_one_holder_at_a_time(rig: Rig) -> None:
    leases = rig.leases()
    async with leases.hold("a"):
        with pytest.raises(LeaseTaken, match="a"):
            async with leases.hold("a"):
                pass
        async with leases.hold("b"):
            pass  # another name is another lease


async def test_it_is_free_behind_the_block(rig: Rig) -> None:
    leases = rig.leases()
    async with leases.hold("a") as first:
        assert CURRENT.get() is first
    assert CURRENT.get() is None
    assert not await rig.redis.exists(first.key)

    async with leases.hold("a") as second:
        assert second.token != first.token


async def test_it_is_free_behind_an_exception_and_a_cancellation(rig: Rig) -> None:
    leases = rig.leases()
    with pytest.raises(RuntimeError, match="inside"):
        async with leases.hold("a"):
            raise RuntimeError("inside")
    with pytest.raises(asyncio.CancelledError):
        async with leases.hold("a"):
            raise asyncio.CancelledError

    async with leases.hold("a"):
        assert await rig.redis.exists(f"{rig.prefix}lease:a")


async def test_who_waits_gets_it_when_it_is_free(rig: Rig) -> None:
    leases = rig.leases()

    async def second() -> str:
        async with leases.hold("a", wait=timedelta(seconds=10)) as lease:
            return lease.token

    async with leases.hold("a") as first:
        waiting = asyncio.create_task(second())
        with pytest.raises(LeaseTaken):
            async with leases.hold("a"):
                pass
        assert not waiting.done()

    assert await waiting != first.token


async def test_of_many_at_once_one_is_inside(rig: Rig) -> None:
    leases, inside, most = rig.leases(), 0, 0

    async def enter() -> None:
        nonlocal inside, most
        async with leases.hold("a", wait=timedelta(seconds=30)):
            inside += 1
            most = max(most, inside)
            await rig.redis.ping()
            inside -= 1

    await asyncio.gather(*(enter() for _ in range(8)))
    assert most == 1


async def test_a_lease_that_ran_out_is_lost(rig: Rig) -> None:
    async with rig.leases().hold("a") as lease:
        await lease.check()
        await take_away(lease)

        with pytest.raises(LeaseLost):
            await lease.check()


async def test_a_lease_that_someone_else_took_is_lost_and_stays_theirs(rig: Rig) -> None:
    leases = rig.leases()
    async with leases.hold("a") as first, another_holder(first, "a", leases) as second:
        with pytest.raises(LeaseLost):
            await first.check()
        await second.check()


async def test_the_heartbeat_says_when_it_is_lost(rig: Rig) -> None:
    lost = asyncio.Event()
    async with rig.leases(SHORT).hold("a", on_lost=lost.set) as lease:
        await take_away(lease)
        await asyncio.wait_for(lost.wait(), 5)


async def test_the_heartbeat_prolongs_it(rig: Rig) -> None:
    async with rig.leases(timedelta(milliseconds=1_500)).hold("a") as lease:
        await rig.redis.pexpire(lease.key, 1_200)

        async def prolonged() -> bool:
            return await rig.redis.pttl(lease.key) > 1_200

        await eventually("the heartbeat prolongs the lease", prolonged)


async def test_a_check_prolongs_it(rig: Rig) -> None:
    async with rig.leases().hold("a") as lease:
        await rig.redis.pexpire(lease.key, 5_000)
        await lease.check()

        assert await rig.redis.pttl(lease.key) > 10_000


async def test_a_dead_holder_does_not_block_for_ever(rig: Rig) -> None:
    async with rig.leases().hold("a") as lease:
        assert 0 < await rig.redis.pttl(lease.key) <= 15_000


async def test_a_late_release_does_not_free_the_next_holders_lease(rig: Rig) -> None:
    leases = rig.leases()
    late, second = leases.hold("a"), leases.hold("a")
    first_lease = await late.__aenter__()
    await take_away(first_lease)
    second_lease = await second.__aenter__()
    await late.__aexit__(None, None, None)

    assert await rig.redis.get(second_lease.key) == second_lease.token.encode()
    await second_lease.check()
    await second.__aexit__(None, None, None)


async def test_no_two_holdings_have_the_same_token(rig: Rig) -> None:
    leases, tokens = rig.leases(), list[str]()
    for _ in range(3):
        async with leases.hold("a") as lease:
            tokens.append(lease.token)

    assert len(set(tokens)) == 3


# --- the fence in the saver


async def test_without_a_lease_the_saver_writes_nothing(rig: Rig) -> None:
    saver = await rig.saver()
    before = await rig.count()

    with pytest.raises(LeaseLost, match="no lease"):
        await saver.aput(thread(checkpoint_ns=""), empty_checkpoint(), {}, {})
    with pytest.raises(LeaseLost, match="no lease"):
        await saver.aput_writes(thread(checkpoint_ns="", checkpoint_id="1"), [("a", 1)], "task")
    with pytest.raises(LeaseLost, match="no lease"):
        await saver.adelete_thread(THREAD)

    assert await rig.count() == before


async def test_with_a_lost_lease_the_saver_writes_and_deletes_nothing(rig: Rig) -> None:
    threads = await rig.threads(line(one=gate("q")))
    paused = await threads.advance()
    async with threads.leases.hold(THREAD) as lease:
        await take_away(lease)
        before = await rig.count()
        at = thread(checkpoint_ns="", checkpoint_id=paused.checkpoint_id)

        with pytest.raises(LeaseLost):
            await threads.saver.aput(thread(checkpoint_ns=""), empty_checkpoint(), {}, {})
        with pytest.raises(LeaseLost):
            await threads.saver.aput_writes(at, [("a", 1)], "task")
        with pytest.raises(LeaseLost):
            await threads.saver.adelete_thread(THREAD)

        assert await rig.count() == before
    assert await threads.look() == paused


@pytest.mark.parametrize("what", ["checkpoint", "writes", "delete"])
async def test_who_is_stopped_between_the_look_and_the_write_writes_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The saver's own look says that the lease is held, and by then it is another's."""

    async def looked_long_ago(self: Lease) -> None: ...

    monkeypatch.setattr(Lease, "check", looked_long_ago)
    threads = await rig.threads(line(one=gate("q")))
    paused = await threads.advance()
    at = thread(checkpoint_ns="", checkpoint_id=paused.checkpoint_id)
    writes = {
        "checkpoint": lambda: threads.saver.aput(
            thread(checkpoint_ns=""), empty_checkpoint(), {}, {}
        ),
        "writes": lambda: threads.saver.aput_writes(at, [("a", 1)], "task"),
        "delete": lambda: threads.saver.adelete_thread(THREAD),
    }
    hold = threads.leases.hold(THREAD)
    async with hold as lease, another_holder(lease, THREAD, threads.leases):
        CURRENT.set(lease)  # as in the process that was stopped
        before = await rig.count()
        with pytest.raises(LeaseLost, match="lease:t-1"):
            await writes[what]()
        assert await rig.count() == before
    assert await threads.look() == paused


async def test_a_heartbeat_between_the_look_and_the_write_is_no_loss(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis takes a prolonged lease for a changed one: the write is made again."""
    watched = FencedPipeline.watch
    threads = await rig.threads(line(one=gate("q")))
    looks: list[Lease] = []

    async def prolonged(self: FencedPipeline, *names: str) -> None:
        await watched(self, *names)
        looks.append(lease)
        if len(looks) == 1:
            await lease.check()

    async with threads.leases.hold(THREAD) as lease:
        monkeypatch.setattr(FencedPipeline, "watch", prolonged)
        await threads.saver.aput(thread(checkpoint_ns=""), empty_checkpoint(), {}, {})
    assert await rig.count(":checkpoint:*") == 1
    assert len(looks) == 3, "the checkpoint twice, then the pointer to it"


async def test_a_lost_connection_loses_no_write(rig: Rig) -> None:
    """Also where the answer is what was lost: it is written again, and is the same."""
    threads = await rig.threads(line(one=gate("q")))
    async with threads.leases.hold(THREAD):
        for _ in range(7):
            await rig.redis.client_kill_filter(_type="normal", skipme=True)
            await threads.saver.aput(thread(checkpoint_ns=""), empty_checkpoint(), {}, {})
    assert await rig.count(":checkpoint:*") == 7


async def test_a_run_whose_lease_was_lost_leaves_the_thread_as_it_was(rig: Rig) -> None:
    """The node ran, and what it did is not written behind the back of the next holder."""
    held: list[Lease] = []

    async def stopped(state: Log) -> Log:
        lease = CURRENT.get()
        assert lease is not None
        held.append(lease)
        if len(held) == 1:
            await take_away(lease)
        return {"log": ["done"]}

    threads = await rig.threads(line(one=gate("q"), two=stopped))
    paused = await threads.advance()
    with pytest.raises(LeaseLost):
        await threads.advance(approved(paused))

    assert (await threads.look()).values["log"] == ["q:approve"]
    assert (await threads.advance()).values["log"] == ["q:approve", "done"]


async def test_a_run_that_was_drained_because_its_lease_was_lost_says_so(rig: Rig) -> None:
    """Not as if it had stopped by itself: what the thread has open is the next holder's to tell."""
    control = RunControl()
    two = Counted(does("two"))

    async def stopped(state: Log) -> Log:
        control.request_drain()
        return {"log": ["one"]}

    threads = await rig.threads(line(one=stopped, two=two))
    async with threads.leases.hold(THREAD) as lease, threads.leases.hold("other"):
        await take_away(lease)
        with pytest.raises(LeaseLost):
            await threads.runner.advance("graph", THREAD, {}, {}, lease=lease, control=control)

    assert two.runs == 0


async def test_reading_needs_no_lease(rig: Rig) -> None:
    threads = await rig.threads(line(one=asks("q")))
    paused = await threads.advance()

    assert CURRENT.get() is None
    assert await threads.look() == paused
