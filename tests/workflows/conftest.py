"""A namespace of its own for each test, on the Redis that all share."""

from collections.abc import AsyncGenerator

import pytest

from bot.local.redis import EmbeddedRedis
from tests.workflows.rig import Rig, rig_on


@pytest.fixture
async def rig(redis_server: EmbeddedRedis) -> AsyncGenerator[Rig, None]:
    async with rig_on(redis_server.url) as rig:
        yield rig
