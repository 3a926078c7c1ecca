"""A form in the browser: each kind of field holds its value, and is changed as a person would."""

from typing import Any

from playwright.async_api import Locator, expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.seeds import TOM
from bot.local.server import LocalSlack
from bot.views.filled import Filled, read_form
from bot.views.forms import form_blocks
from tests.bot.test_forms import SCHEMA, VALUES
from tests.local.browser import PHONE, Visit, message
from tests.local.cards import Json, card, post
from tests.local.page.test_page_acts import listening
from tests.local.shapes import modal


async def fill(form: Locator) -> None:
    await form.get_by_label("Amount").fill("99.50")
    await form.get_by_label("Note").fill("one\ntwo")
    await form.get_by_label("Due").fill("2026-04-01")
    await form.get_by_label("Speed").select_option("fast")
    await form.get_by_label("Extras").select_option("card")
    await form.get_by_label("Gift").select_option("Yes")
    await form.get_by_label("Owner").select_option(TOM.id)


async def test_a_form_is_filled_in_the_browser(
    slack: LocalSlack, client: AsyncWebClient, visit: Visit
) -> None:
    filled: list[Filled] = []

    async def opened(ack: Any, body: Json) -> None:
        await ack()
        view = modal(*form_blocks(SCHEMA, VALUES), callback_id="edit")
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def submitted(ack: Any, view: Json) -> None:
        read = read_form(SCHEMA, VALUES, view["state"]["values"])
        filled.append(read)
        refused = {"response_action": "errors", "errors": read.errors}
        await (ack(refused) if read.errors else ack())

    ts = await post(client, card())
    page = await visit(size=PHONE)
    async with listening(slack, client) as bot:
        bot.action("reject")(opened)
        bot.view("edit")(submitted)
        await message(page, ts).get_by_role("button", name="Reject").click()
        form = page.get_by_role("dialog")
        await expect(form.get_by_label("Amount")).to_have_value("100.50")
        await form.get_by_label("Amount").fill("10000.01")
        await form.locator("button[type=submit]").click()
        await expect(form.get_by_role("alert")).to_have_text("must be at most 10000.00")

        await fill(form)
        await form.locator("button[type=submit]").click()
        await expect(form).to_have_count(0)

    changed: dict[str, Any] = {
        "amount": 9950,
        "note": "one\ntwo",
        "due": "2026-04-01",
        "speed": "fast",
    }
    more: dict[str, Any] = {"extras": ["card"], "gift": True, "owner": TOM.id}
    assert filled[-1] == Filled({**VALUES, **changed, **more}, {})
