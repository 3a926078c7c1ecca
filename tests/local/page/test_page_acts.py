"""The page of the local workspace, in a real browser: what a person does, and what comes of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import seeds
from bot.local.server import LocalSlack
from tests.eventually import eventually
from tests.local.browser import PHONE, Visit, message
from tests.local.cards import CHANNEL, Json, card, option, plain, post, text


@asynccontextmanager
async def listening(slack: LocalSlack, client: AsyncWebClient) -> AsyncGenerator[AsyncApp]:
    """A bot on Socket Mode; the test says what it does."""
    bot = AsyncApp(client=client)
    handler = AsyncSocketModeHandler(bot, slack.app_token)
    await handler.connect_async()
    try:
        yield bot
    finally:
        await handler.close_async()


# -- messages, as they happen -------------------------------------------------------------------


async def test_what_happens_shows_at_once(client: AsyncWebClient, visit: Visit) -> None:
    page = await visit()
    await expect(page.get_by_role("log")).to_be_empty()

    ts = await post(client, card())
    await expect(message(page, ts).get_by_role("button", name="Approve")).to_be_visible()

    decided = [{"type": "header", "text": plain("Approved")}]
    await client.chat_update(channel=CHANNEL, ts=ts, text="Approved", blocks=decided)
    await expect(message(page, ts).get_by_role("heading")).to_have_text("Approved")
    await expect(message(page, ts).get_by_role("button", name="Approve")).to_have_count(0)

    await client.chat_delete(channel=CHANNEL, ts=ts)
    await expect(message(page, ts)).to_have_count(0)


async def test_a_thread_opens_beside_its_message(client: AsyncWebClient, visit: Visit) -> None:
    ts = await post(client, card())
    page = await visit()
    for words in ("asked", "reminded"):
        await client.chat_postMessage(channel=CHANNEL, thread_ts=ts, text=words)

    summary = message(page, ts).get_by_test_id("thread-summary")
    await expect(summary).to_contain_text("2 replies")
    await expect(summary).to_contain_text("Last reply today at")
    await summary.click()
    thread = page.get_by_test_id("thread")
    await expect(thread.get_by_test_id("message")).to_have_count(3)
    await expect(page.get_by_test_id("channel")).to_be_visible()

    await thread.get_by_role("textbox").fill("a < b & *bold*")
    await thread.get_by_role("textbox").press("Enter")
    mine = thread.get_by_test_id("message").nth(3)
    await expect(mine).to_contain_text("a < b & bold")
    await expect(mine.locator(".message-author")).to_have_text("Mara Okafor")
    await expect(summary).to_contain_text("3 replies")
    await page.reload()
    await expect(thread.get_by_test_id("message")).to_have_count(4)
    await page.keyboard.press("Escape")
    await expect(thread).to_be_hidden()


async def test_on_a_phone_a_thread_fills_the_screen(client: AsyncWebClient, visit: Visit) -> None:
    ts = await post(client, card())
    await client.chat_postMessage(channel=CHANNEL, thread_ts=ts, text="asked")
    page = await visit(size=PHONE)

    await message(page, ts).get_by_test_id("thread-summary").click()
    await expect(page.get_by_test_id("thread")).to_be_visible()
    await expect(page.get_by_test_id("channel")).to_be_hidden()
    await page.get_by_role("button", name="Back to the channel").click()
    await expect(page.get_by_test_id("channel")).to_be_visible()


async def test_an_ephemeral_message_is_for_one_and_can_be_dismissed(
    client: AsyncWebClient, visit: Visit
) -> None:
    mara, jonas = await visit(), await visit(seeds.JONAS)
    await client.chat_postEphemeral(
        channel=CHANNEL, user=seeds.MARA.id, text="You cannot decide this."
    )
    await client.chat_postMessage(channel=CHANNEL, text="for all")

    own = mara.get_by_test_id("message").filter(has_text="You cannot decide this.")
    await expect(own).to_contain_text("Only visible to you")
    await expect(jonas.get_by_test_id("message")).to_have_count(1)
    await own.get_by_role("button", name="Dismiss").click()
    await expect(own).to_have_count(0)
    await mara.get_by_role("button", name="general", exact=True).click()
    await mara.get_by_role("button", name="approvals", exact=True).click()
    await expect(mara.get_by_text("for all")).to_be_visible()
    await expect(own).to_have_count(0)


async def test_another_person_sees_their_own_workspace(
    client: AsyncWebClient, visit: Visit
) -> None:
    await client.chat_postMessage(channel=seeds.FINANCE.id, text="only for the two")
    page = await visit(channel=seeds.FINANCE.id)
    await expect(page.get_by_text("only for the two")).to_be_visible()

    await page.get_by_test_id("who").click()
    await expect(page.get_by_role("menuitemradio", name="Lena")).to_contain_text("Guest")
    await expect(page.get_by_role("menuitemradio", name="Piotr")).to_contain_text("Deactivated")
    await page.get_by_role("menuitemradio", name="Tom").click()

    await expect(page.get_by_test_id("who")).to_contain_text("Tom Ferreira")
    await expect(page).to_have_url(re.compile(f"as={seeds.TOM.id}&channel={CHANNEL}"))
    await expect(page.get_by_text("only for the two")).to_have_count(0)
    await expect(page.get_by_role("button", name="finance", exact=True)).to_have_count(0)


async def test_it_comes_back_by_itself(browser: Browser) -> None:
    async with LocalSlack() as first:
        port = int(first.url.rpartition(":")[2])
        page = await browser.new_page()
        await page.goto(f"{first.url}/?as={seeds.MARA.id}&channel={CHANNEL}")
        await expect(page.get_by_test_id("who")).to_be_visible()
    away = page.get_by_text("Connection to the local workspace lost")
    await expect(away).to_be_visible()

    async with LocalSlack(port) as second:
        second.person("tom").says("while you were away")
        await expect(page.get_by_text("while you were away")).to_be_visible()
        await expect(away).to_be_hidden()
        await page.context.close()


# -- buttons, modals, commands, App Home --------------------------------------------------------


async def test_a_button_asks_before_it_acts(
    slack: LocalSlack, client: AsyncWebClient, visit: Visit
) -> None:
    clicks: list[Json] = []
    released = asyncio.Event()

    async def approve(ack: Any, body: Json) -> None:
        clicks.append(body)
        await released.wait()
        await ack()

    ts = await post(client, card())
    page = await visit()
    button = message(page, ts).get_by_role("button", name="Approve")
    dialog = page.get_by_role("dialog", name="Approve this refund?")
    await expect(page.get_by_test_id("connections")).to_have_text("No bot is listening")
    async with listening(slack, client) as bot:
        bot.action("approve")(approve)
        await expect(page.get_by_test_id("connections")).to_have_text("1 bot instance listening")
        await button.click()
        await expect(dialog).to_contain_text("$50,000.00 will be paid.")
        await dialog.get_by_role("button", name="Not yet").click()
        await expect(dialog).to_have_count(0)
        await button.click()
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        assert clicks == []

        await button.click()
        await dialog.get_by_role("button", name="Approve").click()
        await eventually("the bot got the click", lambda: len(clicks) == 1)
        assert clicks[0]["user"]["id"] == seeds.MARA.id
        await expect(button).to_have_attribute("aria-busy", "true")
        released.set()
        await expect(button).not_to_have_attribute("aria-busy", "true")
        await expect(message(page, ts).locator(".message-warning")).to_be_empty()


async def test_a_click_that_nobody_takes_says_so(client: AsyncWebClient, visit: Visit) -> None:
    ts = await post(client, card())
    page = await visit()

    await message(page, ts).get_by_role("button", name="Reject").click()
    await expect(message(page, ts).locator(".message-warning")).to_contain_text(
        "trouble connecting"
    )


MODAL: Json = {
    "type": "modal",
    "callback_id": "edit",
    "title": plain("Edit the refund"),
    "submit": plain("Send"),
    "blocks": [
        {"type": "alert", "level": "warning", "text": text("What you enter *is what runs*.")},
        {
            "type": "input",
            "block_id": "amount",
            "label": plain("Amount"),
            "hint": plain("In dollars"),
            "element": {"type": "plain_text_input", "action_id": "entered"},
        },
        {
            "type": "input",
            "block_id": "reason",
            "optional": True,
            "label": plain("Reason"),
            "element": {
                "type": "static_select",
                "action_id": "chosen",
                "options": [option("Damaged"), option("Late")],
            },
        },
    ],
}


async def test_a_modal_is_filled_in_and_corrected(
    slack: LocalSlack, client: AsyncWebClient, visit: Visit
) -> None:
    states: list[Json] = []

    async def opened(ack: Any, body: Json) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    async def submitted(ack: Any, view: Json) -> None:
        states.append(view["state"]["values"])
        refused = {"response_action": "errors", "errors": {"amount": "Too much."}}
        await (ack() if len(states) > 1 else ack(refused))

    ts = await post(client, card())
    page = await visit()
    async with listening(slack, client) as bot:
        bot.action("reject")(opened)
        bot.view("edit")(submitted)
        await message(page, ts).get_by_role("button", name="Reject").click()
        modal = page.get_by_role("dialog", name="Edit the refund")
        amount = modal.get_by_label("Amount")
        await expect(amount).to_be_focused()
        await expect(modal).to_contain_text("In dollars")
        await expect(modal.locator(".alert strong")).to_have_text("is what runs")

        await modal.get_by_role("button", name="Send").click()
        await expect(modal.get_by_role("alert")).to_have_count(1)
        await amount.fill("70")
        await modal.get_by_label("Reason").select_option("Late")
        await amount.press("Enter")
        await expect(modal.get_by_role("alert")).to_have_text("Too much.")
        await expect(amount).to_have_value("70")
        await expect(modal.get_by_label("Reason")).to_have_value("late")
        await amount.fill("50")
        await modal.get_by_role("button", name="Send").click()
        await expect(modal).to_have_count(0)
    assert [state["amount"]["entered"]["value"] for state in states] == ["70", "50"]
    assert states[1]["reason"]["chosen"]["selected_option"]["value"] == "late"


async def test_escape_closes_a_modal(
    slack: LocalSlack, client: AsyncWebClient, visit: Visit
) -> None:
    async def opened(ack: Any, body: Json) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    ts = await post(client, card())
    page = await visit(size=PHONE)
    async with listening(slack, client) as bot:
        bot.action("reject")(opened)
        await message(page, ts).get_by_role("button", name="Reject").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


def writing(page: Page) -> Any:
    return page.get_by_test_id("composer").get_by_role("textbox")


async def test_a_slash_command(slack: LocalSlack, client: AsyncWebClient, visit: Visit) -> None:
    typed: list[Json] = []

    async def answer(ack: Any, body: Json) -> None:
        typed.append(body)
        await ack(text="Nothing is waiting.")

    page = await visit()
    async with listening(slack, client) as bot:
        bot.command("/approvals")(answer)
        await writing(page).fill("/ap")
        await expect(page.get_by_role("option")).to_contain_text("Ask for, list and decide")
        await writing(page).press("Tab")
        await expect(writing(page)).to_have_value("/approvals ")
        await writing(page).press_sequentially("list @tom")
        await writing(page).press("Enter")
        answered = page.get_by_test_id("message").filter(has_text="Nothing is waiting.")
        await expect(answered).to_contain_text("Only visible to you")
        await expect(writing(page)).to_have_value("")
    assert typed[0]["text"] == f"list <@{seeds.TOM.id}|tom>"


async def test_a_slash_command_that_fails_says_why(client: AsyncWebClient, visit: Visit) -> None:
    ts = await post(client, card())
    page = await visit()
    await writing(page).fill("/approvals list")
    await writing(page).press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text(
        'failed with the error "dispatch_failed"'
    )
    await expect(writing(page)).to_have_value("/approvals list")

    await message(page, ts).hover()
    await message(page, ts).get_by_role("button", name="Reply in thread").click()
    reply = page.get_by_test_id("thread").get_by_role("textbox")
    await reply.fill("/approvals list")
    await reply.press("Enter")
    said = page.get_by_test_id("thread").get_by_role("alert")
    await expect(said).to_have_text("/approvals is not supported in threads. Sorry!")


async def test_app_home_shows_what_is_published(client: AsyncWebClient, visit: Visit) -> None:
    page = await visit(channel="home")
    await expect(page.get_by_test_id("home")).to_contain_text("Nothing here yet")

    view: Json = {"type": "home", "blocks": [{"type": "header", "text": plain("Waiting for you")}]}
    await client.views_publish(user_id=seeds.MARA.id, view=view)
    await expect(page.get_by_test_id("home").get_by_role("heading")).to_have_text("Waiting for you")
