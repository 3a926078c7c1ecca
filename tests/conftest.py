"""What all tests share: one real Redis, and a deployment of its own for each test."""

import socket
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import yaml

from bot.local.detectors import violations
from bot.local.redis import EmbeddedRedis
from bot.local.server import LocalSlack
from tests.deployment import Deployment

MANIFEST = Path(__file__).parent.parent / "manifest.yml"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[EmbeddedRedis, None, None]:
    """A server of our own; tests that kill or stop one start another."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def port() -> int:
    """One that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
async def deployment(
    redis_server: EmbeddedRedis, tmp_path: Path
) -> AsyncGenerator[Deployment, None]:
    """Its own namespace in the shared Redis, its own workspace, its own ledger. The bot has the
    scopes and the events of the manifest, and no others: what it does without one fails here."""
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    async with LocalSlack(scopes=scopes, events=events) as slack:
        deployment = Deployment(redis_server.url, slack, tmp_path)
        yield deployment
        async with deployment.store() as store:
            assert await violations(store) == []
