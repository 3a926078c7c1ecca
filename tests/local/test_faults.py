"""Faults that tests plant: each strikes as often as asked, and we know what was carried out."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.acts import RefusedError
from bot.local.seeds import APPROVALS
from bot.local.server import LocalSlack
from tests.eventually import eventually
from tests.local.bots import over_sockets
from tests.local.shapes import Client, error_of

METHOD = "chat.postMessage"


async def post(client: Client) -> Any:
    return await client.chat_postMessage(channel=APPROVALS.id, text="x")


async def test_a_lost_answer_was_carried_out(slack: LocalSlack, client: Client) -> None:
    slack.faults.lose_answer(METHOD)

    with pytest.raises(aiohttp.ClientConnectionError):
        await post(client)
    assert len(slack.person("mara").sees()) == 1

    await post(client)
    assert len(slack.person("mara").sees()) == 2
    assert [call.ok for call in slack.calls_of(METHOD)] == [False, True]


async def test_the_default_client_posts_twice(slack: LocalSlack) -> None:
    """Why we give our client no connection retries: see the facts."""
    slack.faults.lose_answer(METHOD)

    await post(AsyncWebClient(slack.bot_token, base_url=slack.api_url))

    assert len(slack.person("mara").sees()) == 2


async def test_a_refused_connection_was_not_carried_out(slack: LocalSlack, client: Client) -> None:
    slack.faults.refuse_connection(METHOD)

    with pytest.raises(aiohttp.ClientConnectionError):
        await post(client)

    assert slack.person("mara").sees() == []


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_error(slack: LocalSlack, client: Client, status: int) -> None:
    slack.faults.server_error(METHOD, times=2, status=status)

    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await post(client)
        assert caught.value.response.status_code == status  # type: ignore[union-attr]
    assert (await post(client))["ok"]


async def test_ratelimited(slack: LocalSlack, client: Client) -> None:
    slack.faults.rate_limit(METHOD, retry_after=7)

    with pytest.raises(SlackApiError) as caught:
        await post(client)

    response: Any = caught.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert slack.person("mara").sees() == []


async def test_a_named_error(slack: LocalSlack, client: Client) -> None:
    slack.faults.error("*", "fatal_error")

    assert await error_of(post(client)) == "fatal_error"
    assert (await post(client))["ok"]


async def test_a_slow_answer(slack: LocalSlack) -> None:
    slack.faults.slow(METHOD, seconds=60)
    client: Client = AsyncWebClient(
        slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=1
    )
    client.timeout = 0.05  # type: ignore[assignment]

    with pytest.raises(TimeoutError):
        await post(client)

    assert len(slack.person("mara").sees()) == 1


async def test_faults_are_for_the_method_named(slack: LocalSlack, client: Client) -> None:
    slack.faults.error("chat.update", "fatal_error")

    assert (await post(client))["ok"]
    assert slack.faults.pending() == 1
    slack.faults.clear()
    assert slack.faults.pending() == 0


async def test_unreachable_for_a_while(slack: LocalSlack, client: Client) -> None:
    slack.faults.unreachable = True
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(client)
    with pytest.raises(RefusedError, match="operation_timeout"):
        await slack.person("mara").command("/approvals")

    slack.faults.unreachable = False
    assert (await post(client))["ok"]


async def test_a_lost_delivery_never_arrives(slack: LocalSlack) -> None:
    mara = slack.person("mara")
    slack.faults.lose_deliveries()
    async with over_sockets(slack) as (heard,):
        with pytest.raises(RefusedError, match="operation_timeout"):
            await mara.command("/approvals one")
        await mara.command("/approvals two")

    assert [body["text"] for body in heard.of("command")] == ["two"]


async def test_a_doubled_delivery_reaches_two_connections(slack: LocalSlack) -> None:
    slack.faults.double_deliveries()
    async with over_sockets(slack, connections=2) as (first, second):
        await slack.person("mara").command("/approvals x")
        await eventually("both heard it", lambda: first.of("command") and second.of("command"))

    (one,), (other,) = first.of("command"), second.of("command")
    assert one == other
