"""The page of the local workspace: what comes into view, and what an address opens."""

from __future__ import annotations

from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import seeds
from tests.local.browser import PHONE, Visit
from tests.local.cards import CHANNEL, card, post

TO_THE_TOP = """async () => {
    document.querySelector('.feed-scroll').scrollTop = 0;
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""  # the page hears of it with the next frame


async def linked(client: AsyncWebClient) -> tuple[str, str]:
    """A message, a reply below it, and the addresses of both."""
    ts = await post(client, card())
    reply = await client.chat_postMessage(channel=CHANNEL, thread_ts=ts, text="a reply")
    first = await client.chat_getPermalink(channel=CHANNEL, message_ts=ts)
    second = await client.chat_getPermalink(channel=CHANNEL, message_ts=str(reply["ts"]))
    return str(first["permalink"]), str(second["permalink"])


async def test_a_permalink_opens_the_message_and_its_thread(
    client: AsyncWebClient, visit: Visit
) -> None:
    page = await visit()
    for address in await linked(client):
        await page.goto(address)
        thread = page.get_by_test_id("thread")
        await expect(thread.get_by_role("heading", name="Refund $50,000.00")).to_be_visible()
        await expect(thread).to_contain_text("a reply")


async def test_a_permalink_in_a_message_is_opened_by_who_one_is(
    client: AsyncWebClient, visit: Visit
) -> None:
    address, _ = await linked(client)
    await client.chat_postMessage(channel=CHANNEL, text=f"<{address}|Open the card>")
    page = await visit(seeds.JONAS, size=PHONE)
    await page.get_by_role("link", name="Open the card").click()
    await expect(page.get_by_test_id("thread")).to_contain_text("a reply")
    assert f"as={seeds.JONAS.id}" in page.url
    assert len(page.context.pages) == 1


async def test_a_private_answer_comes_into_view_wherever_one_has_scrolled_to(
    client: AsyncWebClient, visit: Visit
) -> None:
    for _ in range(6):
        await post(client, card())
    page = await visit(size=PHONE)
    feed = page.get_by_test_id("channel")
    for words in ("first answer", "second answer"):
        await page.evaluate(TO_THE_TOP)
        await expect(feed.get_by_test_id("message").first).to_be_in_viewport()
        await client.chat_postEphemeral(channel=CHANNEL, user=seeds.MARA.id, text=words)
        await expect(page.get_by_text(words)).to_be_in_viewport()
    await page.evaluate(TO_THE_TOP)
    await feed.get_by_role("textbox").fill("what I wrote")
    await feed.get_by_role("textbox").press("Enter")
    await expect(page.get_by_text("what I wrote")).to_be_in_viewport()
    await page.evaluate(TO_THE_TOP)
    await client.chat_postMessage(channel=CHANNEL, text="what the bot says to all")
    await expect(page.get_by_role("button", name="New messages")).to_be_visible()
    await expect(page.get_by_text("what the bot says to all")).not_to_be_in_viewport()


async def test_an_answer_longer_than_the_screen_begins_in_view(
    client: AsyncWebClient, visit: Visit
) -> None:
    page = await visit(size=PHONE)
    text = "\n".join(["where it begins", *map(str, range(80)), "where it ends"])
    await client.chat_postEphemeral(channel=CHANNEL, user=seeds.MARA.id, text=text)
    await expect(page.get_by_text("Only visible to you")).to_be_in_viewport()


async def test_a_private_answer_is_not_hidden_by_a_thread_that_fills_the_screen(
    client: AsyncWebClient, visit: Visit
) -> None:
    address, _ = await linked(client)
    page = await visit(size=PHONE)
    await page.goto(f"{address}?as={seeds.MARA.id}")
    await expect(page.get_by_test_id("thread")).to_contain_text("a reply")
    await client.chat_postEphemeral(channel=CHANNEL, user=seeds.MARA.id, text="not yours")
    await expect(page.get_by_text("not yours")).to_be_in_viewport()


async def test_the_page_says_whose_clock_it_goes_by(client: AsyncWebClient, visit: Visit) -> None:
    await post(client, card())
    page = await visit()
    zone = seeds.MARA.tz.split("/")[-1].replace("_", " ")
    await expect(page.get_by_text(f"{zone} time")).to_be_visible()
