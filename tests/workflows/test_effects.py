"""An effect happens once, however often its node runs and wherever its process dies."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.workflows.rig import NOW, THREAD
from tests.workflows.world import KEY, Died, World
from workflows.effects import (
    EffectInDoubt,
    EffectKeyTaken,
    EffectLedger,
    EffectNotYet,
    EffectRefused,
    Receipt,
)
from workflows.lease import LeaseLost


def stopped(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much between two looks."""
    at = [0.0]

    def look() -> float:
        at[0] += seconds
        return at[0]

    return look


async def nothing_found() -> Receipt | None:
    return None


async def test_it_happens_once_and_its_receipt_is_answered_ever_after(world: World) -> None:
    first = await world.once()
    again = [await world.once() for _ in range(3)]

    assert again == [first] * 3
    assert (world.provider.calls, world.provider.asked) == (1, 0)
    entry = await world.entry()
    assert (entry.state, entry.receipt, entry.thread_id) == ("done", first, THREAD)


async def test_another_ledger_on_the_same_redis_knows_it(world: World) -> None:
    """As in the next process, and the next holder of the lease."""
    first = await world.once()
    await world.rig.redis.delete(world.lease.key)
    async with world.rig.leases().hold(THREAD) as lease:
        next_one = EffectLedger(world.rig.redis, world.rig.prefix).of(lease, THREAD)

        assert await next_one.once(KEY, world.provider.call) == first
    assert world.provider.calls == 1


async def test_other_keys_are_other_effects(world: World) -> None:
    receipts = [Receipt(id=name, summary=name) for name in ("a", "b")]
    for receipt in receipts:

        async def call(receipt: Receipt = receipt) -> Receipt:
            return receipt

        assert await world.effects.once(receipt.id, call) == receipt
    entries = await world.rig.ledger.entries(THREAD)
    assert [entry.key for entry in entries] == ["a", "b"]


async def test_entries_are_of_their_thread_and_in_the_order_of_their_time(world: World) -> None:
    for minutes, key in ((2, "c"), (1, "b"), (1, "a")):
        ledger = replace(world.rig.ledger, now=lambda at=minutes: NOW + timedelta(minutes=at))
        await ledger.of(world.lease, THREAD).once(key, world.provider.call)

    assert [entry.key for entry in await world.rig.ledger.entries(THREAD)] == ["a", "b", "c"]
    assert await world.rig.ledger.entries("t-2") == []


@pytest.mark.parametrize("died", [Died(), asyncio.CancelledError(), ConnectionError("gone")])
async def test_a_crash_behind_the_call_is_cleared_up_by_asking_the_provider(
    world: World, died: BaseException
) -> None:
    """Also where the answer was lost on its way: whoever got no answer does not know."""
    await world.crash(died)
    assert (await world.entry()).state == "intended"

    receipt = await world.once()

    assert receipt == await world.provider.payments.find(KEY)
    assert (world.provider.calls, world.provider.asked, await world.provider.rows()) == (1, 1, 1)
    assert (await world.entry()).state == "done"
    await world.once()
    assert world.provider.asked == 1


async def test_a_crash_before_the_call_is_cleared_up_by_calling(world: World) -> None:
    world.provider.fails = Died()
    with pytest.raises(Died):
        await world.once()
    world.provider.fails = None

    await world.once()

    assert (world.provider.calls, world.provider.asked, await world.provider.rows()) == (2, 1, 1)
    assert (await world.entry()).state == "done"


async def test_what_was_refused_is_settled_and_may_be_called_again(world: World) -> None:
    world.provider.fails = EffectRefused("the card is closed")
    with pytest.raises(EffectRefused, match="closed"):
        await world.once()
    entry = await world.entry()
    assert (entry.state, entry.error) == ("refused", "the card is closed")

    world.provider.fails = None
    await world.once()

    assert (world.provider.calls, world.provider.asked) == (2, 0)
    entry = await world.entry()
    assert (entry.state, entry.error) == ("done", "")


async def test_what_was_refused_and_then_died_is_in_doubt_again(world: World) -> None:
    """The refusal was of another attempt, and says nothing about this one."""
    world.provider.fails = EffectRefused("not now")
    with pytest.raises(EffectRefused):
        await world.once()
    world.provider.fails = None
    await world.crash()

    await world.once()

    assert (world.provider.asked, await world.provider.rows()) == (1, 1)
    assert world.provider.calls == 2


async def test_what_could_not_begin_is_called_again_and_nobody_is_asked(world: World) -> None:
    world.provider.fails = EffectNotYet("the provider asks for patience")
    for _ in range(2):
        with pytest.raises(EffectNotYet):
            await world.effects.once(KEY, world.provider.call)
    entry = await world.entry()
    assert (entry.state, entry.error) == ("again", "the provider asks for patience")

    world.provider.fails = None
    await world.crash()
    assert (world.provider.calls, world.provider.asked) == (3, 0)
    with pytest.raises(EffectInDoubt):  # that was another attempt, of which nothing is known
        await world.effects.once(KEY, world.provider.call)


async def test_without_the_lease_the_provider_is_not_called(world: World) -> None:
    await world.rig.redis.delete(world.lease.key)

    with pytest.raises(LeaseLost):
        await world.once()

    assert world.provider.calls == 0
    assert await world.rig.ledger.entries(THREAD) == []


async def test_a_lease_lost_while_the_provider_is_asked_leads_to_no_call(world: World) -> None:
    """The next holder may be calling already."""
    world.provider.fails = Died()
    with pytest.raises(Died):
        await world.once()
    world.provider.fails = None

    async def find() -> Receipt | None:
        await world.rig.redis.delete(world.lease.key)
        return None

    with pytest.raises(LeaseLost):
        await world.once(find=find)

    assert (world.provider.calls, await world.provider.rows()) == (1, 0)


async def test_a_lease_lost_during_the_call_leaves_it_to_the_next_holder(world: World) -> None:
    """It cannot be written as done; the next holder finds it at the provider."""

    async def call() -> Receipt:
        receipt = await world.provider.call()
        await world.rig.redis.delete(world.lease.key)
        return receipt

    with pytest.raises(LeaseLost):
        await world.effects.once(KEY, call)
    assert (await world.entry()).state == "intended"

    async with world.rig.leases().hold(THREAD) as lease:
        receipt = await replace(world, lease=lease).once()

    assert receipt == await world.provider.payments.find(KEY)
    assert (world.provider.calls, await world.provider.rows()) == (1, 1)


async def test_two_at_once_under_one_lease_call_once(world: World) -> None:
    """Two nodes of one superstep with the same key: the second waits, and gets the receipt."""
    begun, answered = asyncio.Event(), asyncio.Event()
    effects = world.effects

    async def call() -> Receipt:
        begun.set()
        await answered.wait()
        return await world.provider.call()

    first = asyncio.create_task(effects.once(KEY, call))
    await begun.wait()
    second = asyncio.create_task(effects.once(KEY, call))
    other = await effects.once("mail:t-1", world.provider.call)  # other keys do not wait
    assert not second.done()
    answered.set()

    assert await first == await second == other
    assert (world.provider.calls, world.provider.asked) == (2, 0)


async def test_the_second_of_two_asks_where_the_first_got_no_answer(world: World) -> None:
    world.provider.dies = ConnectionError("gone")
    effects = world.effects
    first, second = await asyncio.gather(
        effects.once(KEY, world.provider.call, world.provider.find),
        effects.once(KEY, world.provider.call, world.provider.find),
        return_exceptions=True,
    )

    assert isinstance(first, ConnectionError)
    assert second == await world.provider.payments.find(KEY)
    assert (world.provider.calls, await world.provider.rows()) == (1, 1)


async def test_a_key_of_another_thread_is_refused_and_names_it(world: World) -> None:
    """Else two runs would get each other's receipts, and one of them nothing."""
    receipt = await world.once()
    async with world.rig.leases().hold("t-2") as lease:
        other = world.rig.ledger.of(lease, "t-2")
        with pytest.raises(EffectKeyTaken, match=f"{KEY} belongs to the run {THREAD}"):
            await other.once(KEY, world.provider.call, world.provider.find)

    assert (world.provider.calls, world.provider.asked) == (1, 0)
    assert await world.rig.ledger.entries("t-2") == []
    assert (await world.entry()).receipt == receipt


@pytest.mark.parametrize("known", [False, True])
async def test_who_was_stopped_for_a_lease_before_the_call_does_not_call(
    world: World, known: bool
) -> None:
    """The entry is written, and the next holder may be calling already."""
    if known:
        world.provider.fails = EffectRefused("not now")
        with pytest.raises(EffectRefused):
            await world.once()
        world.provider.fails = None
    before = world.provider.calls
    late = replace(world.rig.ledger, seconds=stopped(world.lease.ttl.total_seconds()))

    with pytest.raises(LeaseLost):
        await late.of(world.lease, THREAD).once(KEY, world.provider.call)
    assert (world.provider.calls, (await world.entry()).state) == (before, "intended")

    in_time = replace(world.rig.ledger, seconds=stopped(world.lease.ttl.total_seconds() - 1))
    await in_time.of(world.lease, THREAD).once(KEY, world.provider.call, nothing_found)
    assert world.provider.calls == before + 1


async def test_writing_it_down_prolongs_the_lease(world: World) -> None:
    """So that the clock above starts with a whole lease."""
    redis = world.rig.redis
    await redis.pexpire(world.lease.key, 1000)

    async def call() -> Receipt:
        assert await redis.pttl(world.lease.key) > 1000
        return await world.provider.call()

    await world.effects.once(KEY, call)
    assert world.provider.calls == 1


async def test_many_at_once_pay_once(world: World) -> None:
    """However they are interleaved, the provider's own key is the last line."""
    receipts = await asyncio.gather(*(world.once() for _ in range(8)))

    assert len({receipt.id for receipt in receipts}) == 1
    assert await world.provider.rows() == 1
    assert (await world.entry()).state == "done"
