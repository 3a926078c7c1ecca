"""A workspace on the real clock, and someone who visits its page."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.server import LocalSlack
from tests.local.browser import Visit, open_browser, visits


@pytest_asyncio.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture
async def slack() -> AsyncGenerator[LocalSlack]:
    async with LocalSlack() as local:
        yield local


@pytest.fixture
def client(slack: LocalSlack) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url)


@pytest_asyncio.fixture
async def visit(browser: Browser, slack: LocalSlack) -> AsyncGenerator[Visit]:
    async with visits(browser, slack.url) as visit:
        yield visit
