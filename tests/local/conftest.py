"""A local workspace with a clock that only tests move, and the real client that talks to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.server import LocalSlack


@dataclass
class FakeClock:
    now: float = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def slack(clock: FakeClock) -> AsyncIterator[LocalSlack]:
    async with LocalSlack(clock=clock, ack_seconds=1.0) as workspace:
        yield workspace


@pytest.fixture
def client(slack: LocalSlack) -> AsyncWebClient:
    """No retries: what the server says is what a test sees."""
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
