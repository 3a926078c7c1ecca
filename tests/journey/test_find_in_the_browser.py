"""App Home and the list on a phone: most important first, nothing wider than the window."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, expect

from bot.local import seeds
from tests.deployment import Deployment
from tests.journey.test_bulk import asks, waiting
from tests.journey.test_in_the_browser import keep
from tests.local.browser import PHONE, open_browser, visits


@pytest.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser, None]:
    async with open_browser() as opened:
        yield opened


async def test_a_workflow_is_started_with_a_form(browser: Browser, deployment: Deployment) -> None:
    async with (
        deployment.instance(),
        visits(browser, deployment.slack.url) as visit,
    ):
        page = await visit(seeds.TOM, size=PHONE)
        box = page.get_by_role("textbox", name="Message #approvals")
        await box.fill("/approvals start")
        await box.press("Enter")
        form = page.get_by_role("dialog")
        await form.get_by_role("combobox").select_option(label="Refund")
        for label, value in (("Customer", "Globex"), ("Amount", "-3"), ("Reason", "Late")):
            await form.get_by_label(label).fill(value)
        start = form.get_by_role("button", name="Start")
        await start.click()
        await expect(form.get_by_role("alert").first).to_be_visible()
        await keep(page, "phone-start")
        await form.get_by_label("Amount").fill("12.50")
        await start.click()
        await expect(page.get_by_test_id("channel")).to_contain_text("Refund $12.50 to Globex")


async def test_home_and_list_on_a_phone(browser: Browser, deployment: Deployment) -> None:
    known = asks()
    async with (
        deployment.instance(known=known) as bot,
        visits(browser, deployment.slack.url) as visit,
    ):
        await waiting(deployment, bot, known, 3)
        page = await visit(seeds.MARA, size=PHONE)
        box = page.get_by_role("textbox", name="Message #approvals")
        await box.fill("/approvals")
        await box.press("Enter")
        listed = page.get_by_test_id("channel")
        await expect(listed).to_contain_text("3 waiting for a decision, 3 of them for you")
        await page.get_by_role("button", name="Decide several …").scroll_into_view_if_needed()
        await keep(page, "phone-list")
        await page.get_by_role("button", name="Decide several …").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("R-2026-117")
        await keep(page, "phone-several")
        await page.keyboard.press("Escape")

        await page.goto(f"{deployment.slack.url}/?as={seeds.MARA.id}&channel=home")
        home = page.get_by_test_id("home")
        await expect(home).to_contain_text("3 waiting for you")
        approve = home.get_by_role("button", name="Approve").first
        await expect(approve).to_be_in_viewport()
        await keep(page, "phone-home")
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await approve.click()
        await expect(home).to_contain_text("2 waiting for you")
        await expect(home).to_contain_text("Approved by Mara Okafor")
