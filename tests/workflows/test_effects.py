"""An effect happens once, however often its node runs and wherever its process dies."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.rig import NOW, THREAD, Rig
from workflows.connectors.payments import SqlitePayments
from workflows.effects import (
    EffectEntry,
    EffectInDoubt,
    EffectLedger,
    EffectRefused,
    Receipt,
    ThreadEffects,
)
from workflows.lease import Lease, LeaseLost

KEY = "refund:t-1"


class Died(BaseException):
    """The process ended here."""


@dataclass
class Provider:
    """Payments whose calls are counted; `fails` happens before it pays, `dies` behind it."""

    payments: SqlitePayments
    calls: int = 0
    asked: int = 0
    fails: BaseException | None = None
    dies: BaseException | None = None

    async def call(self) -> Receipt:
        self.calls += 1
        if self.fails:
            raise self.fails
        receipt = await self.payments.refund(KEY, customer="A", amount_minor=5, currency="EUR")
        if self.dies:
            raise self.dies
        return receipt

    async def find(self) -> Receipt | None:
        self.asked += 1
        return await self.payments.find(KEY)

    async def rows(self) -> int:
        return len(await self.payments.refunds())


@dataclass(frozen=True)
class World:
    rig: Rig
    lease: Lease
    provider: Provider

    @property
    def effects(self) -> ThreadEffects:
        return self.rig.ledger.of(self.lease, THREAD)

    async def once(self, *, find: Callable[[], Awaitable[Receipt | None]] | None = None) -> Receipt:
        return await self.effects.once(KEY, self.provider.call, find or self.provider.find)

    async def entry(self) -> EffectEntry:
        [entry] = await self.rig.ledger.entries(THREAD)
        return entry

    async def crash(self, died: BaseException | None = None) -> None:
        """The provider did it, and the process died before it could write so."""
        self.provider.dies = died or Died()
        with pytest.raises(type(self.provider.dies)):
            await self.once()
        self.provider.dies = None


@pytest.fixture
async def world(rig: Rig, tmp_path: Path) -> AsyncGenerator[World, None]:
    async with rig.leases().hold(THREAD) as lease:
        yield World(rig, lease, Provider(SqlitePayments(tmp_path / "payments.db")))


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


async def test_in_doubt_without_find_it_is_never_called_again(world: World) -> None:
    await world.crash()

    for _ in range(2):
        with pytest.raises(EffectInDoubt, match=f"{KEY} was begun and may have happened"):
            await world.effects.once(KEY, world.provider.call)

    assert world.provider.calls == 1
    assert (await world.entry()).state == "intended"
    await world.once()  # the node was mended, and gives a find
    assert world.provider.calls == 1


async def test_in_doubt_and_the_provider_cannot_be_asked_it_stays_in_doubt(world: World) -> None:
    await world.crash()

    async def find() -> Receipt | None:
        raise ConnectionError("no answer")

    with pytest.raises(ConnectionError):
        await world.once(find=find)
    assert (world.provider.calls, (await world.entry()).state) == (1, "intended")


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


async def test_two_at_once_under_one_lease_pay_once(world: World) -> None:
    """Two nodes of one superstep with the same key: the second finds it begun and asks."""
    paid, asked = asyncio.Event(), asyncio.Event()

    async def call() -> Receipt:
        receipt = await world.provider.call()
        paid.set()
        await asked.wait()
        return receipt

    async def find() -> Receipt | None:
        await paid.wait()
        asked.set()
        return await world.provider.find()

    first, second = await asyncio.gather(
        world.effects.once(KEY, call, find), world.effects.once(KEY, call, find)
    )

    assert first == second
    assert (world.provider.calls, await world.provider.rows()) == (1, 1)


async def test_many_at_once_pay_once(world: World) -> None:
    """However they are interleaved, the provider's own key is the last line."""
    receipts = await asyncio.gather(*(world.once() for _ in range(8)))

    assert len({receipt.id for receipt in receipts}) == 1
    assert await world.provider.rows() == 1
    assert (await world.entry()).state == "done"


async def test_a_cancelled_call_stays_in_doubt(world: World) -> None:
    """A worker that is stopped cancels its nodes: nobody knows what the provider made of it."""
    begun = asyncio.Event()

    async def call() -> Receipt:
        await world.provider.call()
        begun.set()
        return await asyncio.Future[Receipt]()

    running = asyncio.create_task(world.effects.once(KEY, call))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (await world.entry()).state == "intended"
    await world.once()
    assert (world.provider.calls, await world.provider.rows()) == (1, 1)


async def test_what_is_no_receipt_is_refused_before_it_is_written(world: World) -> None:
    """It has happened by then: in doubt, and never called again unasked."""

    async def no_receipt() -> Receipt:
        await world.provider.call()
        answered: Any = {"id": "re_1"}
        return answered

    for words in (r"^call must return a Receipt, .* returned a dict;", "gives no find="):
        with pytest.raises(EffectInDoubt, match=words):
            await world.effects.once(KEY, no_receipt)
        assert (world.provider.calls, (await world.entry()).state) == (1, "intended")


async def test_what_find_answers_is_checked_too(world: World) -> None:
    await world.crash()

    async def finds() -> Receipt | None:
        answered: Any = True
        return answered

    with pytest.raises(EffectInDoubt, match=r"^find must return a Receipt, .* returned a bool;"):
        await world.once(find=finds)
    assert (world.provider.calls, (await world.entry()).state) == (1, "intended")


async def test_an_entry_that_cannot_be_read_is_in_doubt_and_can_be_shown(world: World) -> None:
    await world.once()
    stored = {"key": KEY, "state": "done", "receipt": {"ok": True}}
    await world.rig.redis.set(world.rig.ledger.key(KEY), json.dumps(stored))

    entry = await world.entry()
    assert (entry.state, entry.error) == ("intended", "what the ledger holds of it cannot be read")
    with pytest.raises(EffectInDoubt):
        await world.effects.once(KEY, world.provider.call)
    assert world.provider.calls == 1
    assert (await world.once()).summary == "Refund done"  # found at the provider, and mended
    assert (await world.entry()).state == "done"
