"""A namespace of its own for each test, on the Redis that all share."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.local.redis import EmbeddedRedis
from tests.workflows.rig import THREAD, Rig, rig_on
from tests.workflows.world import Provider, World
from workflows.connectors.payments import SqlitePayments


@pytest.fixture
async def rig(redis_server: EmbeddedRedis) -> AsyncGenerator[Rig, None]:
    async with rig_on(redis_server.url) as rig:
        yield rig


@pytest.fixture
async def world(rig: Rig, tmp_path: Path) -> AsyncGenerator[World, None]:
    async with rig.leases().hold(THREAD) as lease:
        yield World(rig, lease, Provider(SqlitePayments(tmp_path / "payments.db")))
