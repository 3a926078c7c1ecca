"""`/client/*`: what the page gets and sends, who may ask, and the live events."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.local.client_api import host_is_loopback
from bot.local.seeds import APPROVALS, FINANCE, JONAS, MARA, TOM
from bot.local.server import LocalSlack
from tests.local.bots import WHY, over_sockets
from tests.local.shapes import Client, actions, button

HERE = APPROVALS.id


class Page:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def get(self, name: str, **query: str) -> Any:
        async with self.session.get(f"{self.url}/client/{name}", params=query) as response:
            return await response.json()

    async def post(self, name: str, **body: Any) -> Any:
        async with self.session.post(f"{self.url}/client/{name}", json=body) as response:
            return await response.json()


@pytest.fixture
async def page(slack: LocalSlack) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        yield Page(slack.url, session)


async def test_boot(slack: LocalSlack, page: Page) -> None:
    boot = await page.get("boot")

    assert "It is not Slack" in boot["note"]
    assert boot["team"]["name"] == "Acme (local)"
    assert set(boot["app"]) == {"id", "name", "bot_user_id"}
    mara = next(user for user in boot["users"] if user["id"] == MARA.id)
    assert set(mara) == {
        "id",
        "name",
        "real_name",
        "title",
        "is_bot",
        "is_restricted",
        "is_ultra_restricted",
        "deleted",
        "tz",
        "color",
    }
    channel = next(channel for channel in boot["channels"] if channel["id"] == HERE)
    assert set(channel) >= {"id", "name", "is_im", "is_private", "topic", "members"}
    assert [command["command"] for command in boot["commands"]] == ["/approvals"]
    assert boot["connections"] == 0
    async with over_sockets(slack):
        assert (await page.get("boot"))["connections"] == 1


async def test_messages_and_replies(page: Page, client: Client) -> None:
    said = await page.post("message", user=TOM.id, channel=HERE, text="hello")
    await page.post("message", user=TOM.id, channel=HERE, text="reply", thread_ts=said["ts"])
    await client.chat_postEphemeral(channel=HERE, user=MARA.id, text="psst")

    mara = await page.get("messages", channel=HERE, user=MARA.id)
    jonas = await page.get("messages", channel=HERE, user=JONAS.id)
    thread = await page.get("replies", channel=HERE, user=MARA.id, ts=said["ts"])

    assert [m["text"] for m in mara["messages"]] == ["hello", "psst"]
    assert mara["messages"][1]["is_ephemeral"] is True
    assert [m["text"] for m in jonas["messages"]] == ["hello"]
    assert [m["text"] for m in thread["messages"]] == ["hello", "reply"]
    assert thread["messages"][0]["reply_count"] == 1


async def test_the_whole_way(slack: LocalSlack, page: Page, client: Client) -> None:
    posted = await client.chat_postMessage(
        channel=HERE, text="x", blocks=[actions(button(), block_id="b")]
    )
    container = {
        "type": "message",
        "channel_id": HERE,
        "message_ts": posted["ts"],
        "is_ephemeral": False,
    }
    async with over_sockets(slack):
        assert await page.post("command", user=MARA.id, channel=HERE, text="/approvals") == {
            "ok": True
        }
        clicked = await page.post(
            "action", user=MARA.id, container=container, block_id="b", action_id="approve"
        )
        assert clicked == {"ok": True}
        (view,) = slack.core.modals.stack(MARA.id)
        state = {"why": {"why": "bad"}}
        answer = await page.post("view_submit", user=MARA.id, view_id=view["id"], state=state)
        assert answer == {
            "ok": True,
            "response_action": "errors",
            "errors": {"why": "not good enough"},
        }
        assert await page.post("view_close", user=MARA.id, view_id=view["id"]) == {"ok": True}
        assert (await page.post("home", user=MARA.id))["ok"] is True
        assert await page.post("shortcut", user=MARA.id, callback_id="ask") == {"ok": True}
    deleted = await page.post("delete", user=MARA.id, channel=HERE, ts=posted["ts"])
    assert deleted == {"ok": True}


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("command", {"channel": HERE, "text": "/nothing"}, "is not a valid command"),
        ("command", {"channel": HERE, "text": "/approvals"}, "dispatch_failed"),
        ("command", {"channel": HERE}, "missing: text"),
        ("message", {"channel": FINANCE.id, "text": "x"}, "does not see"),
        ("view_close", {"view_id": "V1"}, "not open"),
        ("delete", {"channel": HERE, "ts": "1.000001"}, "no such message"),
    ],
)
async def test_refusals_are_in_words(page: Page, name: str, body: Any, words: str) -> None:
    answer = await page.post(name, user=TOM.id, **body)

    assert answer["ok"] is False
    assert words in answer["error"]


async def test_nobody_else_may_ask(slack: LocalSlack, page: Page) -> None:
    async def status(path: str, **headers: str) -> int:
        async with page.session.get(slack.url + path, headers=headers) as response:
            return response.status

    assert await status("/client/boot", Origin=slack.url) == 200
    assert await status("/client/boot", Origin="https://evil.example") == 403
    assert await status("/client/boot", Origin="null") == 403
    assert await status("/client/boot", Host="evil.example") == 403
    assert await status("/client/ws?user=U0000MARA", Origin="https://evil.example") == 403


async def test_a_form_from_another_page_is_not_read(slack: LocalSlack, page: Page) -> None:
    body = '{"user": "U00000TOM", "channel": "C0APPROVAL", "text": "x"}'
    async with page.session.post(
        f"{slack.url}/client/message", data=body, headers={"Content-Type": "text/plain"}
    ) as response:
        assert (await response.json())["ok"] is False


async def test_nothing_is_cached_and_only_loopback_is_bound(slack: LocalSlack, page: Page) -> None:
    assert slack.url.startswith("http://127.0.0.1:")
    for path in ("/client/boot", "/", "/api/auth.test"):
        async with page.session.get(slack.url + path) as response:
            assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:80", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("127.0.0.1.evil.example", False),
        ("10.0.0.1:80", False),
        ("", False),
    ],
)
def test_loopback_hosts(host: str, ours: bool) -> None:
    assert host_is_loopback(host) is ours


async def test_live_events_go_to_those_who_may_see(
    slack: LocalSlack, page: Page, client: Client
) -> None:
    async with (
        page.session.ws_connect(f"{slack.url}/client/ws?user={TOM.id}") as tom,
        page.session.ws_connect(f"{slack.url}/client/ws?user={MARA.id}") as mara,
    ):
        await client.chat_postMessage(channel=FINANCE.id, text="secret")
        await client.chat_postEphemeral(channel=HERE, user=MARA.id, text="psst")
        posted = await client.chat_postMessage(channel=HERE, text="hello")
        await client.chat_postMessage(channel=HERE, text="below", thread_ts=posted["ts"])
        await client.chat_delete(channel=HERE, ts=posted["ts"])

        _, *seen = [await tom.receive_json() for _ in range(5)]
        _, *also = [await mara.receive_json() for _ in range(4)]

    assert [(event["type"], event["message"]["text"]) for event in seen] == [
        ("message", "hello"),
        ("message", "below"),
        ("message_changed", "hello"),
        ("message_changed", "This message was deleted."),
    ]
    assert [event["message"]["text"] for event in also] == ["secret", "psst", "hello"]


async def test_live_events_of_modals_homes_and_connections(
    slack: LocalSlack, page: Page, client: Client
) -> None:
    async with page.session.ws_connect(f"{slack.url}/client/ws?user={MARA.id}") as mara:
        async with over_sockets(slack):
            await page.post("shortcut", user=MARA.id, callback_id="ask")
            (view,) = slack.core.modals.stack(MARA.id)
            await page.post("view_close", user=MARA.id, view_id=view["id"])
        await client.views_publish(
            user_id=MARA.id, view={"type": "home", "blocks": [actions(button())]}
        )
        first, *events = [await mara.receive_json() for _ in range(6)]
    assert first == {"type": "connections", "count": 0}

    assert events[0] == {"type": "connections", "count": 1}
    assert [len(event["stack"]) for event in events[1:3]] == [1, 0]
    assert events[3] == {"type": "connections", "count": 0}
    assert (events[4]["type"], events[4]["view"]["type"]) == ("home", "home")


async def test_a_page_that_comes_back_finds_its_modal(
    slack: LocalSlack, page: Page, client: Client
) -> None:
    opened = await client.views_open(trigger_id=slack.core.triggers.issue(MARA.id), view=WHY)

    async with page.session.ws_connect(f"{slack.url}/client/ws?user={MARA.id}") as mara:
        count, view = [await mara.receive_json() for _ in range(2)]

    assert count == {"type": "connections", "count": 0}
    assert [one["id"] for one in view["stack"]] == [opened["view"]["id"]]


async def test_a_stranger_hears_nothing(slack: LocalSlack, page: Page) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await page.session.ws_connect(f"{slack.url}/client/ws?user=U0")
