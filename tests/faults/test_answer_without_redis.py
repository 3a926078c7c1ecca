"""Redis is away while the requester answers in the thread: not acknowledged, so that Slack sends it
again; and counted then, once."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.audit import Tag
from bot.local.redis import EmbeddedRedis
from bot.local.server import LocalSlack
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_answer_in_thread import answers, deliver, told
from tests.journey.test_ask_back import GROUP, asked, question
from tests.journey.test_together import asks


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[EmbeddedRedis, None]:
    async with EmbeddedRedis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def deployment(server: EmbeddedRedis, tmp_path: Path) -> AsyncGenerator[Deployment, None]:
    async with LocalSlack(ack_seconds=5.0) as slack:
        yield Deployment(server.url, slack, tmp_path)


async def test_an_answer_while_redis_is_away_counts_when_it_comes_again(
    deployment: Deployment, server: EmbeddedRedis
) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which parcel?")
        await deployment.settled("ask-1")
        payload = told(deployment, "tom", card, "The second")
        await asyncio.to_thread(server.kill)
        assert not (await deliver(deployment, payload)).ok
        await asyncio.to_thread(server.start)

        async def taken() -> bool:
            return (await deliver(deployment, payload)).ok

        await eventually("Slack sends it again, and it is taken", taken)
        assert (await deliver(deployment, payload)).ok
        assert await answers(bot) == ["The second"]
        tags = [event.tag for event in await bot.store.trail("ask-1")]
        assert tags.count(Tag.REPLIED) == 1
