"""What a reviewer and a requester do on a phone: the card's menu, an answer in the thread, an
absence in App Home."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from bot.local import seeds
from tests.deployment import Deployment
from tests.journey.test_ask_back import asked, question
from tests.journey.test_in_the_browser import keep
from tests.journey.test_together import JONAS, MARA, asks
from tests.local.browser import PHONE, message, open_browser, visits
from workflows.clock import utc_now
from workflows.policy import Policy


@pytest.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser, None]:
    async with open_browser() as opened:
        yield opened


async def test_escalate_in_the_menu_and_an_answer_in_the_thread(
    browser: Browser, deployment: Deployment
) -> None:
    known = asks(Policy(approvers=(MARA,), escalate_to=(JONAS,)))
    async with (
        deployment.instance(known=known) as bot,
        visits(browser, deployment.slack.url) as visit,
    ):
        seen = await asked(deployment, bot, known)
        page = await visit(seeds.MARA, size=PHONE)
        card = message(page, seen.ts)
        await card.get_by_role("button", name="More actions").click()
        await expect(page.get_by_role("menuitem", name="Escalate")).to_be_in_viewport()
        await keep(page, "phone-menu")
        await page.get_by_role("menuitem", name="Escalate").click()
        await expect(page.get_by_test_id("channel")).to_contain_text("Escalated to @Jonas Weber")
        await keep(page, "phone-escalated")

        await question(deployment, deployment.person("mara").again(seen), "mara", "Which parcel?")
        page = await visit(seeds.TOM, size=PHONE)
        card = message(page, seen.ts)
        await expect(card).to_contain_text("Their reply in the thread counts as the answer")
        await keep(page, "phone-asked")
        await card.get_by_test_id("thread-summary").click()
        thread = page.get_by_test_id("thread")
        await expect(thread).to_contain_text("a reply here is the answer")
        box = thread.get_by_role("textbox")
        await box.fill("The second")
        await box.press("Enter")
        await expect(thread).to_contain_text("answers @Mara Okafor: The second")
        await keep(page, "phone-answered")
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_away_by_app_home(browser: Browser, deployment: Deployment) -> None:
    known, day = asks(Policy(approvers=(MARA,))), utc_now() + timedelta(days=9)
    async with (
        deployment.instance(known=known),
        visits(browser, deployment.slack.url) as visit,
    ):
        page = await visit(seeds.MARA, size=PHONE)
        await page.goto(f"{deployment.slack.url}/?as={seeds.MARA.id}&channel=home")
        home = page.get_by_test_id("home")
        await home.get_by_role("button", name="I am away …").click()
        form = page.get_by_role("dialog")
        save = form.get_by_role("button", name="Save")
        await save.click()
        await expect(form.get_by_role("alert").first).to_contain_text("Say until when")
        await form.get_by_label("Until when").fill(f"{day:%Y-%m-%d}T09:00")
        await form.get_by_label("Who decides in your place").select_option(seeds.TOM.id)
        await keep(page, "phone-away")
        await save.click()
        await expect(home).to_contain_text("You are away until")
        await expect(home).to_contain_text("@Tom Ferreira decides in your place")
        await expect(home.get_by_role("button", name="I am back")).to_be_in_viewport()
        await keep(page, "phone-away-home")
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await home.get_by_role("button", name="I am back").click()
        await expect(home.get_by_role("button", name="I am away …")).to_be_visible()
