"""Redis goes away, comes back, or comes back older than it was: instances wait and go on."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from bot.inslack import RESTORED_NOTE
from bot.local.detectors import violations
from bot.local.redis import EmbeddedRedis
from bot.local.server import LocalSlack
from bot.records import Change
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.test_processes import listening, process

TITLE = "Refund $120.50 to Acme GmbH"
PATIENCE = 90.0  # seconds for whatever waits for Redis to look again


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncGenerator[EmbeddedRedis, None]:
    """One of our own, to be killed."""
    async with EmbeddedRedis(tmp_path / "own", options={"appendfsync": "always"}) as server:
        yield server


@pytest.fixture
async def own(redis: EmbeddedRedis, tmp_path: Path) -> AsyncGenerator[Deployment, None]:
    async with LocalSlack() as slack:
        deployment = Deployment(redis.url, slack, tmp_path)
        yield deployment
        async with deployment.store() as store:
            assert await violations(store) == []


def kill_and_start(redis: EmbeddedRedis) -> None:
    redis.kill()
    redis.start()


def stop_and_start(redis: EmbeddedRedis) -> None:
    redis.restart()


def freeze(redis: EmbeddedRedis) -> None:
    os.kill(redis.pid, signal.SIGSTOP)
    os.kill(redis.pid, signal.SIGCONT)


@pytest.mark.parametrize("away", [kill_and_start, stop_and_start, freeze])
async def test_a_running_instance_goes_on_when_redis_is_back(
    own: Deployment, redis: EmbeddedRedis, tmp_path: Path, away: Callable[[EmbeddedRedis], None]
) -> None:
    async with process(own, tmp_path, "one", "bot") as instance:
        await listening(own, instance)
        thread_id = await own.start()
        card = await own.card(TITLE, within=PATIENCE)
        await own.settled(thread_id, within=PATIENCE)
        await asyncio.to_thread(away, redis)
        await own.person("mara").click(card, "Approve")
        await own.reads(card, "Refund done", within=PATIENCE)
        assert len(await own.thread(card, 5, within=PATIENCE)) == 5
        await own.start(customer="The next")
        await own.card("Refund $120.50 to The next", within=PATIENCE)
        assert instance.running
    assert len(await own.payments.refunds()) == 1


async def test_a_redis_that_went_back_before_the_decision_asks_again_and_says_why(
    own: Deployment, redis: EmbeddedRedis, tmp_path: Path
) -> None:
    """Slack shows a decision, and the money is paid, and Redis knows of neither."""
    async with process(own, tmp_path, "one", "bot") as instance:
        await listening(own, instance)
        thread_id = await own.start()
        card = await own.card(TITLE, within=PATIENCE)
        await own.settled(thread_id, within=PATIENCE)
        written = size_of_aof(redis)
        await own.person("mara").click(card, "Approve")
        await own.reads(card, "Refund done", within=PATIENCE)
        await own.thread(card, 5, within=PATIENCE)
        await asyncio.to_thread(redis.kill)
        cut_aof(redis, written)
        await asyncio.to_thread(redis.start)

        again = await own.reads(card, RESTORED_NOTE, within=PATIENCE)
        assert again.buttons == ["Approve", "Reject", "Edit"]
        told = await own.thread(card, 6, within=PATIENCE)
        assert "Redis lost its last moments" in told[5]
        await own.person("mara").click(again, "Approve")
        await own.reads(card, "Refund done", within=PATIENCE)
        story = await own.thread(card, 10, within=PATIENCE)
    assert [line.split(" ")[0] for line in story[6:]] == [
        "Approved",
        "Workflow",
        "Refund",
        "Workflow",
    ]
    assert len(own.slack.calls_of("chat.postMessage")) == 1 + len(story)
    assert len(await own.payments.refunds()) == 1, "the provider knows the key"


async def test_a_redis_that_forgot_the_card_finds_it_and_tells_nothing_twice(
    own: Deployment,
) -> None:
    """The card and its first reply were posted, and the record of that was lost."""
    async with own.instance(listens=False) as services:
        thread_id = await own.start()
        approval = await own.settled(thread_id, within=PATIENCE)
        forgot = approval.to(message=None, shown=0, replied=0, reply_tried=0)
        await services.store.known_as("another run of this server")
        await services.changes.commit(Change(forgot.doubted()))
        found = await own.settled(thread_id, within=PATIENCE)
    assert found.message == approval.message
    assert [call.method for call in own.slack.calls].count("chat.postMessage") == 2


def size_of_aof(redis: EmbeddedRedis) -> int:
    return sum(path.stat().st_size for path in _increments(redis))


def cut_aof(redis: EmbeddedRedis, size: int) -> None:
    """As if the tail had never reached the disk, or the replica that took over."""
    (path,) = _increments(redis)
    with path.open("r+b") as file:
        file.truncate(size)


def _increments(redis: EmbeddedRedis) -> list[Path]:
    return sorted(redis.directory.glob("appendonlydir/*.incr.aof"))


async def test_the_instances_are_told_once_that_redis_restarted(
    own: Deployment, redis: EmbeddedRedis
) -> None:
    async with own.instance(listens=False) as services:
        thread_id = await own.start()
        await own.settled(thread_id, within=PATIENCE)

        async def known() -> bool:
            return await services.store.restarted() is None

        await eventually("this Redis is known", known, within=PATIENCE)
        calls = len(own.slack.calls_of("conversations.replies"))
        await services.tasks.reconcile()
        assert len(own.slack.calls_of("conversations.replies")) == calls
