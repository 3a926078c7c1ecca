"""The page of the local workspace, in a real browser: what it draws, and how."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.server import PAGE
from bot.views import card as card_module
from tests.local.browser import PHONE, Visit, message
from tests.local.cards import CHANNEL, Json, card, pickers, plain, post, rich_text, text

LONG = "W" * 300
VIEWS = Path(card_module.__file__).parent
EMOJI = r':([a-z]\w+): |emoji\("(\w+)"|Tag\.\w+: \(?"([a-z]\w*)"'
MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\("
STICKING_OUT = """[...document.querySelectorAll('.message *')]
    .filter(node => node.getBoundingClientRect().right > innerWidth)
    .map(node => node.className)"""


# -- what is drawn ------------------------------------------------------------------------------


async def test_it_says_that_it_is_a_stand_in(visit: Visit) -> None:
    page = await visit()

    await expect(page.get_by_text("Local stand-in for Slack").first).to_be_visible()
    await expect(page.get_by_text("nothing leaves this machine").first).to_be_visible()


async def test_a_card_is_drawn(client: AsyncWebClient, visit: Visit) -> None:
    ts = await post(client, card())
    drawn = message(await visit(), ts)

    await expect(drawn.get_by_role("heading")).to_have_text("Refund $50,000.00")
    await expect(drawn.locator(".field").nth(1)).to_have_text("Customer\nAcme GmbH")
    await expect(drawn.locator(".field strong").nth(1)).to_have_text("Customer")
    await expect(drawn.locator("code")).to_have_text("Acme GmbH")
    await expect(drawn.get_by_role("button", name="Approve")).to_have_class(re.compile("primary"))
    await expect(drawn.get_by_role("button", name="Reject")).to_have_class(re.compile("danger"))


async def test_elements_are_drawn(client: AsyncWebClient, visit: Visit) -> None:
    ts = await post(client, [{"type": "actions", "elements": pickers()}])
    page = await visit()
    drawn = message(page, ts)

    await expect(drawn.get_by_role("combobox", name="Pick one")).to_be_visible()
    await expect(drawn.get_by_role("combobox")).to_have_count(4)
    await expect(drawn.get_by_role("radio")).to_have_count(2)
    await expect(drawn.get_by_role("checkbox")).to_have_count(2)
    await expect(drawn.locator("input[type=date], input[type=time]")).to_have_count(2)
    link = drawn.get_by_role("link", name="Invoice")
    await expect(link).to_have_attribute("href", "https://example.com/invoice")
    await drawn.get_by_role("button", name="More actions").click()
    await expect(page.get_by_role("menuitem")).to_have_text(["One", "Two"])
    await expect(drawn.locator(".unsupported")).to_have_count(0)


async def test_rich_text_table_and_image_are_drawn(client: AsyncWebClient, visit: Visit) -> None:
    rows = [[text("Item", "raw_text"), text("Qty", "raw_text")]] * 2
    away = {"type": "image", "image_url": "https://example.com/scan.png", "alt_text": "Scan"}
    blocks = [rich_text(), {"type": "divider"}, {"type": "table", "rows": rows}, away]
    drawn = message(await visit(), await post(client, blocks))

    await expect(drawn.locator(".rich-text > .run strong")).to_have_text("bold")
    await expect(drawn.get_by_test_id("mention").first).to_have_text("@Tom Ferreira")
    await expect(drawn.locator(".rich-text > .run")).to_contain_text("👀")
    await expect(drawn.get_by_role("link").first).to_have_attribute("rel", re.compile("noopener"))
    await expect(drawn.locator("blockquote")).to_have_text("quoted")
    await expect(drawn.locator("pre")).to_have_text("*raw*")
    await expect(drawn.locator("li strong")).to_have_text("bold")
    await expect(drawn.locator("hr")).to_be_visible()
    await expect(drawn.get_by_role("cell")).to_have_count(2)
    await expect(drawn.get_by_role("img", name="Scan")).to_contain_text("Not loaded: example.com")


async def test_mrkdwn_is_read_as_slack_reads_it(client: AsyncWebClient, visit: Visit) -> None:
    words = (
        "*bold* _it_ ~gone~ `a*b*` snake_case_name 2*3*4 :tada: :no_such: &lt;b&gt; &amp;amp;\n"
        "> quoted\n```x  *y*```<https://example.com/|site> <#C0APPROVAL> <!subteam^S00FINANCE> "
        "<!date^1392734382^{date_num}|then>"
    )
    sent = await client.chat_postMessage(channel=CHANNEL, text=words)
    drawn = message(await visit(), str(sent["ts"]))

    await expect(drawn.locator(".text strong")).to_have_text(["bold"])
    await expect(drawn.locator("em")).to_have_text(["it"])
    await expect(drawn.locator("s")).to_have_text(["gone"])
    await expect(drawn.locator("code")).to_have_text(["a*b*"])
    await expect(drawn.locator("blockquote")).to_have_text(["quoted"])
    await expect(drawn.locator("pre")).to_have_text(["x  *y*"])
    await expect(drawn.locator(".run").first).to_contain_text(
        "snake_case_name 2*3*4 🎉 :no_such: <b> &amp;"
    )
    await expect(drawn.get_by_role("link")).to_have_attribute("href", "https://example.com/")
    mentions = ["#approvals", "@finance-approvers"]
    await expect(drawn.get_by_test_id("mention")).to_have_text(mentions)
    await expect(drawn.locator(".run time")).to_have_text("2014-02-18")


HOSTILE = (
    "<img src=x onerror=alert(1)> <script>alert(2)</script> <javascript:alert(3)|click> "
    "&lt;!channel&gt; &lt;@U0000MARA&gt; &lt;https://evil.example|safe&gt; \u202eevil"
)


async def test_hostile_text_stays_text(client: AsyncWebClient, visit: Visit) -> None:
    words = {**text(HOSTILE), "verbatim": True}
    raw = {"type": "rich_text_preformatted", "elements": [text(HOSTILE, "text")]}
    blocks: list[Json] = [
        {"type": "header", "text": plain(HOSTILE[:150])},
        {"type": "section", "text": words, "fields": [words, plain(HOSTILE)]},
        {"type": "context", "elements": [words]},
        {"type": "rich_text", "elements": [raw]},
    ]
    first = await post(client, blocks)
    second = await client.chat_postMessage(channel=CHANNEL, text=HOSTILE)
    page = await visit()

    for ts in (first, str(second["ts"])):
        drawn = message(page, ts).locator(".message-content")
        await expect(drawn).to_contain_text("<img src=x onerror=alert(1)>")
        await expect(drawn).to_contain_text("<!channel> <@U0000MARA> <https://evil.example|safe>")
        await expect(drawn.locator("img, script, [data-testid=mention]")).to_have_count(0)
    await expect(message(page, first).get_by_role("link")).to_have_count(0)
    # Slack makes a bare address in a message's text a link, but to where it says.
    bare = message(page, str(second["ts"])).get_by_role("link")
    await expect(bare).to_have_text(["https://evil.example"])
    await expect(bare).to_have_attribute("href", "https://evil.example")


async def test_a_block_that_it_does_not_know_is_named(client: AsyncWebClient, visit: Visit) -> None:
    ts = await post(client, [{"type": "markdown", "text": "**bold**"}])

    drawn = message(await visit(), ts)
    await expect(drawn.locator(".block")).to_have_text("Unsupported block type: markdown")


async def test_a_bare_everyone_is_a_mention_unless_verbatim(
    client: AsyncWebClient, visit: Visit
) -> None:
    loose, exact = text("@everyone https://a.example"), {**text("@everyone"), "verbatim": True}
    ts = await post(client, [{"type": "section", "fields": [loose, exact]}])
    drawn = message(await visit(), ts)

    await expect(drawn.locator(".field").nth(0).get_by_test_id("mention")).to_have_count(1)
    await expect(drawn.locator(".field").nth(0).get_by_role("link")).to_have_count(1)
    await expect(drawn.locator(".field").nth(1)).to_have_text("@everyone")
    await expect(drawn.locator(".field").nth(1).get_by_test_id("mention")).to_have_count(0)


async def test_a_long_card_fits_on_a_phone(client: AsyncWebClient, visit: Visit) -> None:
    ts = await post(client, card(value=LONG))
    fits = await post(client, card(block_id="other"))
    page = await visit(size=PHONE)

    approve = message(page, ts).get_by_role("button", name="Approve")
    await approve.scroll_into_view_if_needed()
    width = "document.documentElement.scrollWidth <= innerWidth"
    assert await page.evaluate(width)
    assert await page.evaluate(STICKING_OUT) == []
    box = await message(page, fits).bounding_box()
    assert box is not None
    assert box["height"] < PHONE["height"] - 150


def test_it_draws_every_emoji_of_ours() -> None:
    table = (PAGE / "emoji.js").read_text(encoding="utf-8")
    views = "".join(each.read_text(encoding="utf-8") for each in VIEWS.glob("*.py"))
    used = {sign for signs in re.findall(EMOJI, views) for sign in signs if sign}
    chosen = re.findall(r"(?:sign|done) = .*", views)  # by what is so
    used |= {sign for line in chosen for sign in re.findall(r'"(\w+_\w+)"', line)}
    known = set(re.findall(r"([\w+-]+) [^|\s]+", table))
    assert {"white_small_square", "bell", "x"} <= used
    assert used - known == set()


def test_no_script_writes_markup() -> None:
    for script in PAGE.glob("*.js"):
        words = script.read_text()
        assert not re.search(MARKUP, words)
