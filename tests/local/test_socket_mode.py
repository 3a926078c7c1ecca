"""Socket Mode with a real Bolt app: each envelope to exactly one connection, and how they end."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.acts import RefusedError
from bot.local.seeds import FINANCE_APPROVERS, JONAS, MARA
from bot.local.server import LocalSlack
from tests.eventually import eventually
from tests.local.bots import over_sockets
from tests.local.shapes import Client, actions, button

CARD: dict[str, Any] = {"text": "Card", "blocks": [actions(button(value="a1"))]}


async def connect(slack: LocalSlack, session: aiohttp.ClientSession) -> Any:
    """A connection without Bolt, after its hello."""
    client: Client = AsyncWebClient(base_url=slack.api_url)
    answer = await client.apps_connections_open(app_token=slack.app_token)
    return await session.ws_connect(answer["url"])


async def test_hello_tells_how_many_are_connected(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        first = await connect(slack, session)
        second = await connect(slack, session)

        assert (await first.receive_json())["num_connections"] == 1
        hello = await second.receive_json()

    assert (hello["type"], hello["num_connections"]) == ("hello", 2)
    assert hello["connection_info"]["app_id"] == slack.workspace.app.id
    assert hello["debug_info"]["host"]


async def test_an_address_is_good_for_one_connection(slack: LocalSlack) -> None:
    client: Client = AsyncWebClient(base_url=slack.api_url)
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        await session.ws_connect(url)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_an_eleventh_connection_is_sent_away(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        ten = [await connect(slack, session) for _ in range(10)]
        eleventh = await connect(slack, session)

        assert await eleventh.receive_json() == {
            "type": "disconnect",
            "reason": "too_many_websockets",
        }
        assert len(slack.sockets.connections) == len(ten)


async def test_each_envelope_goes_to_exactly_one(slack: LocalSlack) -> None:
    mara = slack.person("mara")
    async with over_sockets(slack, connections=2) as heard:
        for number in range(6):
            await mara.command(f"/approvals {number}")

    texts = [[body["text"] for body in one.of("command")] for one in heard]
    assert [len(one) for one in texts] == [3, 3]
    assert sorted(texts[0] + texts[1]) == [str(number) for number in range(6)]


async def test_envelopes_have_the_documented_shape(slack: LocalSlack) -> None:
    mara = slack.person("mara")
    async with over_sockets(slack):
        await mara.command("/approvals x")
        await slack.change_group(FINANCE_APPROVERS.id, [MARA.id])
        command, event = slack.sockets.connections[0].envelopes

    assert set(command) == {"envelope_id", "type", "accepts_response_payload", "payload"}
    assert (command["type"], command["accepts_response_payload"]) == ("slash_commands", True)
    assert (event["type"], event["accepts_response_payload"]) == ("events_api", False)
    assert (event["retry_attempt"], event["retry_reason"]) == (0, "")
    assert event["payload"]["event"]["removed_users"] == [JONAS.id]


async def test_without_a_connection_a_command_fails_at_once(slack: LocalSlack) -> None:
    with pytest.raises(RefusedError, match='failed with the error "dispatch_failed"'):
        await slack.person("mara").command("/approvals")


async def test_a_command_that_nobody_acknowledges() -> None:
    async with LocalSlack(ack_seconds=0.01) as slack, aiohttp.ClientSession() as session:
        silent = await connect(slack, session)
        await silent.receive_json()

        with pytest.raises(RefusedError, match='failed with the error "operation_timeout"'):
            await slack.person("mara").command("/approvals")


async def test_a_click_is_not_sent_again_when_its_connection_breaks(
    slack: LocalSlack, client: Client
) -> None:
    await client.chat_postMessage(channel="#approvals", **CARD)
    mara = slack.person("mara")
    async with aiohttp.ClientSession() as session:
        silent = await connect(slack, session)
        await silent.receive_json()
        other = await connect(slack, session)
        await other.receive_json()
        carrier = slack.sockets.connections[1]  # round robin begins with the second

        async def break_it() -> None:
            await eventually("the envelope is on its way", lambda: carrier.envelopes)
            await other.close()

        breaking = asyncio.create_task(break_it())
        with pytest.raises(RefusedError, match="operation_timeout"):
            await mara.click(mara.sees()[0], "Approve")
        await breaking

    assert len(carrier.envelopes) == 1
    assert all(not one.envelopes for one in slack.sockets.connections)


async def test_frames_that_acknowledge_nothing_are_noted(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await connect(slack, session)
        for frame in ("not json", "[]", json.dumps({"envelope_id": "unknown"})):
            await socket.send_str(frame)
        await eventually("the frames arrived", lambda: len(slack.sockets.stray_frames) == 3)


async def test_refresh_brings_a_new_connection(slack: LocalSlack) -> None:
    mara = slack.person("mara")
    async with over_sockets(slack) as heard:
        old = slack.sockets.connections[0]
        await slack.refresh_sockets()
        await eventually(
            "the bot came back",
            lambda: any(one is not old for one in slack.sockets.connections),
        )
        await mara.command("/approvals again")

        assert [body["text"] for body in heard[0].of("command")] == ["again"]
        assert old.envelopes == []


async def test_a_connection_that_was_told_to_go_gets_nothing_more(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await connect(slack, session)
        await socket.receive_json()
        await slack.refresh_sockets()

        frame = await socket.receive_json()
        assert (frame["type"], frame["reason"]) == ("disconnect", "refresh_requested")
        with pytest.raises(RefusedError, match="dispatch_failed"):
            await slack.person("mara").command("/approvals")


async def test_cut_sockets_are_gone_at_once(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await connect(slack, session)
        await socket.receive_json()

        await slack.close_sockets()

        assert slack.sockets.connections == []
        assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE


async def test_the_count_of_connections_is_announced(slack: LocalSlack) -> None:
    counts: list[int] = []
    slack.workspace.subscribe(
        lambda event, _: counts.append(event["count"]) if event["type"] == "connections" else None
    )
    async with over_sockets(slack, connections=2):
        pass
    await eventually("both are gone", lambda: counts == [1, 2, 1, 0])


async def test_a_ping_is_answered(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        client: Client = AsyncWebClient(base_url=slack.api_url)
        url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
        socket = await session.ws_connect(url, autoping=False)
        await socket.receive_json()

        await socket.ping(b"sdk-ping-pong:1")

        assert (await socket.receive()).type == aiohttp.WSMsgType.PONG
