"""The journey with a mouse: the local page in a real browser, real bot instances behind it.

`SCREENSHOTS=docs` keeps what was seen as PNG files; the one in the README is made so.
"""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from bot.local import seeds
from tests.deployment import Deployment
from tests.local.browser import PHONE, Visit, message, open_browser, visits

TITLE = "Refund $50,000.00 to Acme GmbH"
REASON = "Contract cancelled within the notice period"
WIDE: ViewportSize = {"width": 1180, "height": 660}


@pytest.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser, None]:
    async with open_browser() as opened:
        yield opened


@pytest.fixture
async def visit(browser: Browser, deployment: Deployment) -> AsyncGenerator[Visit, None]:
    async with (
        deployment.instance("bot-1"),
        deployment.instance("bot-2"),
        visits(browser, deployment.slack.url) as visit,
    ):
        yield visit


async def asked(deployment: Deployment, page: Page) -> Locator:
    """A large refund that Tom wants: its card on the page."""
    await deployment.start(amount="50000", reason=REASON, requester=seeds.TOM.id)
    card = await deployment.card(TITLE)
    return message(page, card.ts)


async def keep(page: Page, name: str) -> None:
    """A picture for people, where they want one."""
    directory = os.environ.get("SCREENSHOTS")
    if directory:
        await page.mouse.move(0, 0)
        await page.screenshot(path=Path(directory) / f"{name}.png")


async def test_approve_with_a_confirmation_and_read_the_thread(
    deployment: Deployment, visit: Visit
) -> None:
    page = await visit(size=WIDE)
    await expect(page.get_by_text("2 bot instances listening").first).to_be_visible()
    card = await asked(deployment, page)
    await expect(card).to_contain_text("$50,000.00 USD")
    await expect(card).to_contain_text(REASON)
    await keep(page, "card")
    await card.get_by_role("button", name="Approve").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Approve this?")
    await expect(dialog).to_contain_text(TITLE)
    await keep(page, "confirm")
    assert await deployment.payments.refunds() == []
    await dialog.get_by_role("button", name="Approve").click()

    await expect(card).to_contain_text("Approved by @Mara Okafor")
    await expect(card).to_contain_text("Refund done: $50,000.00, re_")
    await expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    await card.get_by_test_id("thread-summary").click()
    thread = page.get_by_test_id("thread")
    for words in (
        "Requested by @Tom Ferreira",
        "Approved by",
        "Workflow resumed by",
        "Workflow finished",
    ):
        await expect(thread).to_contain_text(words)
    await keep(page, "thread")
    assert len(await deployment.payments.refunds()) == 1


async def test_reject_on_a_phone(deployment: Deployment, visit: Visit) -> None:
    page = await visit(seeds.JONAS, size=PHONE)
    card = await asked(deployment, page)
    await expect(card).to_be_in_viewport()
    await expect(card.get_by_role("button", name="Reject")).to_be_in_viewport()
    await keep(page, "phone")
    await card.get_by_role("button", name="Reject").click()
    await page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    await expect(card).to_contain_text("Rejected by @Jonas Weber")
    await expect(card).to_contain_text("Nothing was executed")
    assert await deployment.payments.refunds() == []


async def test_list_by_slash_command(deployment: Deployment, visit: Visit) -> None:
    page = await visit(size=WIDE)
    await asked(deployment, page)
    box = page.get_by_role("textbox", name="Message #approvals")
    await box.fill("/approvals")
    await box.press("Enter")
    await expect(page.get_by_test_id("channel")).to_contain_text("1 waiting for a decision")
    await expect(page.get_by_text("Only visible to you")).to_be_visible()
    await keep(page, "list")
    await page.get_by_role("link", name="Open the card").click()
    await expect(page.get_by_test_id("thread")).to_contain_text(TITLE)
    await expect(page.get_by_test_id("thread")).to_contain_text("Requested by @Tom Ferreira")
    assert f"as={seeds.MARA.id}" in page.url


async def test_who_may_not_decide_is_told_so(deployment: Deployment, visit: Visit) -> None:
    page = await visit(seeds.TOM, size=WIDE)
    card = await asked(deployment, page)
    await card.get_by_role("button", name="Approve").click()
    await page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    await expect(page.get_by_test_id("channel")).to_contain_text(
        "You asked for this, so someone else has to decide it."
    )
    await expect(card.get_by_role("button", name="Approve")).to_be_visible()


async def test_app_home_lists_what_waits(deployment: Deployment, visit: Visit) -> None:
    page = await visit(size=WIDE)
    await asked(deployment, page)
    await page.get_by_role("button", name="Countersign").first.click()
    await expect(page.get_by_role("main")).to_contain_text(TITLE)
    await keep(page, "home")


async def test_edit_on_a_phone(deployment: Deployment, visit: Visit) -> None:
    page = await visit(seeds.JONAS, size=PHONE)
    card = await asked(deployment, page)
    await card.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    amount = dialog.get_by_label("Amount")
    await expect(amount).to_be_in_viewport()
    await expect(amount).to_have_value("50000.00")
    await keep(page, "edit")
    await amount.fill("60000")
    await dialog.get_by_role("button", name="Approve changes").click()
    await expect(dialog).to_contain_text("50,000.00")
    await keep(page, "edit-error")
    await amount.clear()
    await amount.fill("40000")
    await expect(amount).to_have_value("40000")
    await dialog.get_by_role("button", name="Approve changes").click()
    await expect(dialog).to_contain_text("Check the changes")
    await expect(dialog).to_contain_text("$50,000.00 USD → $40,000.00 USD")
    await keep(page, "edit-check")
    assert await deployment.payments.refunds() == []
    await dialog.get_by_role("button", name="Approve changes").click()
    await expect(card).to_contain_text("Approved with changes by @Jonas Weber")
    await expect(card).to_contain_text("Refund done: $40,000.00, re_")
    await keep(page, "edited")
