"""In doubt, nothing is called again before the provider, or a person, has said what is so."""

import asyncio
import json
from typing import Any

import pytest

from tests.workflows.world import KEY, Died, World
from workflows.effects import EffectInDoubt, EffectRefused, Receipt
from workflows.lease import LeaseLost


async def test_in_doubt_without_find_it_is_never_called_again(world: World) -> None:
    await world.crash()
    begun = await world.entry()

    for _ in range(2):
        with pytest.raises(EffectInDoubt, match=f"{KEY} was begun and may have happened"):
            await world.effects.once(KEY, world.provider.call)
        entry = await world.entry()
        assert entry == begun.model_copy(update={"state": "in_doubt"}), "the same doubt"

    assert world.provider.calls == 1
    await world.once()  # the node was mended, and gives a find
    assert world.provider.calls == 1


async def settled(world: World, **outcome: Any) -> None:
    """In doubt, and then a person said something."""
    await world.crash()
    with pytest.raises(EffectInDoubt):
        await world.effects.once(KEY, world.provider.call)
    entry = await world.entry()
    await world.effects.settle(entry.model_copy(update=outcome))


async def test_a_person_says_that_it_happened(world: World) -> None:
    receipt = Receipt(id="receipt unknown", summary="Mara says that it happened")
    await settled(world, state="done", receipt=receipt)

    assert await world.effects.once(KEY, world.provider.call) == receipt
    assert world.provider.calls == 1


async def test_a_person_says_that_it_did_not_happen(world: World) -> None:
    """The node is told so each time, until the run is retried."""
    await settled(world, state="not_done", error="Mara says that it did not happen")

    for _ in range(2):
        with pytest.raises(EffectRefused, match="Mara says"):
            await world.once()
    assert (world.provider.calls, world.provider.asked) == (1, 0)

    await world.effects.release()
    await world.effects.once(KEY, world.provider.call)
    assert world.provider.calls == 2


async def test_a_person_has_it_called_again_and_that_is_another_attempt(world: World) -> None:
    await settled(world, state="again")
    before = (await world.entry()).attempt
    world.provider.dies = Died()
    with pytest.raises(Died):
        await world.effects.once(KEY, world.provider.call)
    world.provider.dies = None

    with pytest.raises(EffectInDoubt):
        await world.effects.once(KEY, world.provider.call)
    assert world.provider.calls == 2
    assert (await world.entry()).attempt != before, "a doubt of its own"


async def test_without_the_lease_nothing_is_settled(world: World) -> None:
    await world.crash()
    entry = await world.entry()
    await world.rig.redis.delete(world.lease.key)

    with pytest.raises(LeaseLost):
        await world.effects.settle(entry.model_copy(update={"state": "again"}))
    assert await world.entry() == entry


async def test_in_doubt_and_the_provider_cannot_be_asked_it_stays_in_doubt(world: World) -> None:
    await world.crash()

    async def find() -> Receipt | None:
        raise ConnectionError("no answer")

    with pytest.raises(ConnectionError):
        await world.once(find=find)
    assert (world.provider.calls, (await world.entry()).state) == (1, "intended")


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

    said = r"^call must return a Receipt, .* returned a dict;"
    for words, state in ((said, "intended"), ("gives no find=", "in_doubt")):
        with pytest.raises(EffectInDoubt, match=words):
            await world.effects.once(KEY, no_receipt)
        assert (world.provider.calls, (await world.entry()).state) == (1, state)


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
    assert (world.provider.calls, (await world.entry()).state) == (1, "intended")
    assert (await world.once()).summary.startswith(
        "Refund done"
    )  # found at the provider, and mended
    assert (await world.entry()).state == "done"
