"""A mail and a contract with a mouse and on a phone: read, changed, approved.

`SCREENSHOTS=some/directory` keeps what was seen as PNG files.
"""

from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bot.local import seeds
from tests.deployment import Deployment
from tests.journey.test_in_the_browser import WIDE, keep
from tests.local.browser import PHONE, Visit, message, open_browser, visits
from tests.mail_server import MailServer

MAIL = {
    "to": "Ada Lovelace <ada@customer.example>, billing@customer.example",
    "cc": "sales@acme.example",
    "bcc": "archive@acme.example",
    "subject": "Your offer for 2027",
    "body": "Dear Ada,\n\nas agreed on the phone: the offer is attached. It holds until "
    "31 January.\n\nKind regards\nTom Ferreira, Acme",
    "attachments": "offers/offer-2027.pdf",
}
CONTRACT = {
    "title": "Master service agreement 2027",
    "document": "contracts/msa-2027.pdf",
    "parties": "Ada Lovelace <ada@customer.example> Buyer; Jonas Weber <jonas@acme.example> Seller",
    "message": "Please sign by Friday. Call me with any question.",
    "link": "https://files.acme.example/contracts/msa-2027.pdf",
}


@pytest.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser, None]:
    async with open_browser() as opened:
        yield opened


@pytest.fixture
def server() -> Generator[MailServer, None, None]:
    with MailServer() as server:
        yield server


@pytest.fixture
async def visit(
    browser: Browser, deployment: Deployment, server: MailServer
) -> AsyncGenerator[Visit, None]:
    deployment.file("offers/offer-2027.pdf", b"%PDF-1.7" * 3000)
    deployment.file("contracts/msa-2027.pdf", b"%PDF-1.7" * 30_000)
    settings: dict[str, Any] = {
        "COUNTERSIGN_SMTP_URL": server.url,
        "COUNTERSIGN_MAIL_FROM": "Acme Sales <sales@acme.example>",
        "COUNTERSIGN_LEGAL": seeds.MARA.id,
        "COUNTERSIGN_SIGNATORIES": seeds.JONAS.id,
    }
    async with (
        deployment.instance("one", **settings) as services,
        visits(browser, deployment.slack.url) as visit,
    ):
        for name, given in (("contract_delivery", CONTRACT), ("outbound_email", MAIL)):
            await services.starter.start_run(name, given, requester=seeds.TOM.id)
        yield visit


async def test_a_mail_is_changed_on_a_phone(
    deployment: Deployment, visit: Visit, server: MailServer
) -> None:
    seen = await deployment.card("Email to ada@customer.example and 3 more")
    page = await visit(seeds.JONAS, size=PHONE)
    card = message(page, seen.ts)
    await expect(card.get_by_role("button", name="Approve")).to_be_visible()
    await keep_whole(page, "mail-phone")
    await card.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    body = dialog.get_by_label("Body")
    await expect(body).to_have_value(MAIL["body"])
    await keep(page, "mail-phone-edit")
    await body.fill("Dear Ada,\n\nthe offer is attached.\n\nTom")
    await dialog.get_by_role("button", name="Approve changes").click()
    await expect(card).to_contain_text("Mail handed over for 4 recipients")
    await keep_whole(page, "mail-phone-done")
    assert [each.text for each in server.inbox] == ["Dear Ada,\n\nthe offer is attached.\n\nTom\n"]


async def test_a_contract_is_approved_by_two(deployment: Deployment, visit: Visit) -> None:
    seen = await deployment.card("Contract: Master service agreement 2027")
    page = await visit(seeds.MARA, size=PHONE)
    card = message(page, seen.ts)
    await expect(card).to_contain_text("Buyer: Ada Lovelace <ada@customer.example>")
    await keep_whole(page, "contract-phone")
    await card.get_by_role("button", name="Approve").click()
    await keep(page, "contract-phone-confirm")
    await page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    await expect(card).to_contain_text("legal")
    other = await visit(seeds.JONAS, size=WIDE)
    card = message(other, seen.ts)
    await keep_whole(other, "contract-wide")
    await card.get_by_role("button", name="Approve").click()
    await other.get_by_role("dialog").get_by_role("button", name="Approve").click()
    await expect(card).to_contain_text("Trial, nothing was sent")
    await keep_whole(other, "contract-wide-done")


async def keep_whole(page: Page, name: str) -> None:
    """All of the channel, for people who want to see it: a window as high as it takes."""
    before = page.viewport_size
    assert before is not None
    await page.set_viewport_size({"width": before["width"], "height": 1800})
    await keep(page, name)
    await page.set_viewport_size(before)
