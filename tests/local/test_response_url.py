"""response_url: five uses, half an hour, what it may replace, and that its blocks are checked."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.local.records import Json
from bot.local.response_urls import Target
from bot.local.seeds import APPROVALS, MARA, SALES
from bot.local.server import LocalSlack
from tests.local.shapes import Client, section


async def answer(url: str, **body: Any) -> tuple[int, str]:
    """Through the SDK's own client."""
    response = await AsyncWebhookClient(url, retry_handlers=[]).send_dict(body)
    return response.status_code, response.body


def url_for(slack: LocalSlack, ts: str | None = None, **more: Any) -> str:
    return slack.response_urls.issue(Target(MARA.id, APPROVALS.id, ts, **more))


async def test_five_uses(slack: LocalSlack) -> None:
    url = url_for(slack)
    for _ in range(5):
        assert await answer(url, text="x") == (200, "ok")

    status, body = await answer(url, text="x")

    assert (status, "used_url" in body) == (404, True)
    assert len(slack.person("mara").sees()) == 5


async def test_half_an_hour(slack: LocalSlack, clock: Any) -> None:
    url = url_for(slack)
    clock.forward(30 * 60)
    assert (await answer(url, text="x"))[0] == 200
    clock.forward(1)

    status, body = await answer(url, text="x")

    assert (status, "expired_url" in body) == (404, True)


async def test_an_answer_is_for_one_person_unless_told(slack: LocalSlack) -> None:
    url = url_for(slack)
    await answer(url, text="for Mara")
    await answer(url, text="for all", response_type="in_channel")

    assert [m.text for m in slack.person("mara").sees()] == ["for Mara", "for all"]
    assert [m.text for m in slack.person("jonas").sees()] == ["for all"]


async def test_it_works_where_the_bot_is_no_member(slack: LocalSlack) -> None:
    url = slack.response_urls.issue(Target(MARA.id, SALES.id))

    assert (await answer(url, text="x"))[0] == 200
    assert [m.text for m in slack.person("mara").sees("#sales")] == ["x"]


async def test_the_original_is_replaced_and_deleted(slack: LocalSlack, client: Client) -> None:
    posted = await client.chat_postMessage(channel=APPROVALS.id, text="x", blocks=[section()])
    url = url_for(slack, posted["ts"])

    await answer(url, text="decided", replace_original=True)
    (seen,) = slack.person("jonas").sees()
    assert (seen.text, seen.blocks) == ("decided", [])

    await answer(url, delete_original=True)
    assert slack.person("jonas").sees() == []


async def test_an_ephemeral_original(slack: LocalSlack, client: Client) -> None:
    posted = await client.chat_postEphemeral(channel=APPROVALS.id, user=MARA.id, text="x")
    url = url_for(slack, posted["message_ts"], is_ephemeral=True)

    await answer(url, text="y", replace_original=True)
    assert [m.text for m in slack.person("mara").sees()] == ["y"]
    await answer(url, delete_original=True)
    assert slack.person("mara").sees() == []


async def test_an_answer_in_a_thread(slack: LocalSlack, client: Client) -> None:
    parent = (await client.chat_postMessage(channel=APPROVALS.id, text="parent"))["ts"]
    await answer(url_for(slack), text="below", response_type="in_channel", thread_ts=parent)

    mara = slack.person("mara")
    (seen,) = mara.sees()
    assert [reply.text for reply in mara.replies(seen)] == ["below"]


WRONG: list[tuple[str, Json]] = [
    ("invalid_blocks", {"text": "x", "blocks": [section("x" * 3001)]}),
    ("no_text", {"response_type": "ephemeral"}),
    ("invalid_arguments", {"text": "x", "replace_original": "true"}),
]


@pytest.mark.parametrize(("error", "body"), WRONG, ids=[error for error, _ in WRONG])
async def test_wrong_answers_are_refused_and_use_nothing_up(
    slack: LocalSlack, error: str, body: Json
) -> None:
    url = url_for(slack)
    for _ in range(6):
        status, words = await answer(url, **body)
        assert (status, error in words) == (400, True)

    assert (await answer(url, text="x"))[0] == 200


@pytest.mark.parametrize("body", ["{", "[]"])
async def test_bodies_that_are_no_object(slack: LocalSlack, body: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url_for(slack), data=body) as response,
    ):
        assert response.status == 400


async def test_an_address_never_given(slack: LocalSlack) -> None:
    assert (await answer(f"{slack.url}/response/actions/T/nothing", text="x"))[0] == 404


async def test_a_fault_strikes_it(slack: LocalSlack) -> None:
    slack.faults.server_error("response_url")

    assert (await answer(url_for(slack), text="x"))[0] == 503
    assert slack.faults.pending() == 0
