"""A headless Chromium, and visits of the page in it. Skips where there is none, but not in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest
from playwright.async_api import (
    Browser,
    Locator,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

from bot.local import seeds
from bot.local.records import User

expect.set_options(timeout=30_000)  # ms: it costs nothing where all is well
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Where the browser is: `CHROMIUM`, or on the path."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("CI has no Chromium: install it, or name it by CHROMIUM")
    if found is None:
        pytest.skip("no Chromium here: install it, or name it by CHROMIUM")
    return found


@asynccontextmanager
async def open_browser() -> AsyncGenerator[Browser]:
    executable = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(OPTIONS))
        try:
            yield browser
        finally:
            await browser.close()


class Visit(Protocol):
    """Opens the page as someone, in a window of their own."""

    async def __call__(
        self, who: User = ..., channel: str = ..., size: ViewportSize = ...
    ) -> Page: ...


@asynccontextmanager
async def visits(browser: Browser, home: str) -> AsyncGenerator[Visit]:
    """No script may fail in any visit, and nothing may be asked outside `home`."""
    troubles: list[str] = []

    def look_at(request: Request) -> None:
        if not request.url.startswith(home):
            troubles.append(f"asked elsewhere: {request.url}")

    async def visit(
        who: User = seeds.MARA, channel: str = seeds.APPROVALS.id, size: ViewportSize = DESKTOP
    ) -> Page:
        page = await browser.new_page(viewport=size, locale="en-US")
        page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on("request", look_at)
        await page.goto(f"{home}/?as={who.id}&channel={channel}")
        await expect(page.get_by_role("main")).to_be_visible()
        return page

    yield visit
    for context in list(browser.contexts):
        await context.close()
    assert troubles == []


def message(page: Page, ts: str) -> Locator:
    """A message in the channel (not in the thread beside it)."""
    return page.get_by_test_id("channel").locator(f'[data-testid="message"][data-ts="{ts}"]')
