"""Redis dies while several are decided together: each is told as it stands, whatever that is."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.local.person import texts_in
from bot.local.redis import EmbeddedRedis
from bot.local.server import LocalSlack
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_bulk import asks, marked, opened, status, told, waiting

COUNT = 8


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[EmbeddedRedis, None]:
    async with EmbeddedRedis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def deployment(server: EmbeddedRedis, tmp_path: Path) -> AsyncGenerator[Deployment, None]:
    async with LocalSlack() as slack:
        yield Deployment(server.url, slack, tmp_path)


@pytest.mark.parametrize("when", ["before", "in the middle"])
async def test_what_is_told_of_each_is_so(
    deployment: Deployment, server: EmbeddedRedis, when: str
) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        await waiting(deployment, bot, known, COUNT)
        view = await opened(deployment)
        entered = {"decision": "approve", **marked(view, *range(COUNT))}
        if when == "before":
            await asyncio.to_thread(server.kill)
            await deployment.person("mara").submit(entered)
        else:
            submitting = asyncio.create_task(deployment.person("mara").submit(entered))
            await _one_is_recorded(deployment)
            await asyncio.to_thread(server.kill)
            await submitting
        words = [w for w in told(deployment) if "Pay the supplier" in w]
        await asyncio.to_thread(server.start)
        assert len(words) == COUNT
        for number, said in enumerate(words):
            now = await status(deployment, number)
            if ":white_check_mark:" in said:
                assert now == "approved"
            elif "not confirmed" not in said:
                assert "*nothing was recorded*" in said
                assert now == "pending"
        assert when == "in the middle" or "*0 of 8 approved*" in texts_in(
            (deployment.person("mara").modal or {})["blocks"]
        )


async def _one_is_recorded(deployment: Deployment) -> None:
    async with deployment.store() as store:

        async def recorded() -> bool:
            return bool(await store.redis.zcard(store.keys.decided))

        await eventually("one is recorded", recorded, 30.0)
