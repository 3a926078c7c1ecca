"""Tokens, encodings, scopes, arguments: what stands in front of every Web API method."""

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.arguments import ApiError
from bot.local.seeds import APPROVALS, MARA
from bot.local.server import LocalSlack
from tests.local.shapes import Client, error_of, refused


async def raw(
    slack: LocalSlack, http_method: str, method: str, token: str = "", **more: Any
) -> Any:
    """A request as some other client might send it."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= more.pop("headers", {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(http_method, slack.api_url + method, headers=headers, **more) as response,
    ):
        return await response.json()


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")],
)
async def test_the_token_is_checked(slack: LocalSlack, token: str, error: str) -> None:
    token = slack.app_token if token == "app" else token

    assert await raw(slack, "POST", "auth.test", token) == {"ok": False, "error": error}


async def test_connections_open_wants_the_app_token(slack: LocalSlack) -> None:
    answer = await raw(slack, "POST", "apps.connections.open", slack.bot_token)
    assert answer["error"] == "not_allowed_token_type"
    answer = await raw(slack, "GET", "apps.connections.open", slack.app_token)
    assert answer["error"] == "insecure_request"
    answer = await raw(slack, "POST", "apps.connections.open", slack.app_token)
    assert answer["url"].startswith("ws://127.0.0.1:")


async def test_a_revoked_token_is_refused(slack: LocalSlack, client: Client) -> None:
    slack.tokens.revoked = True

    assert await error_of(client.auth_test()) == "token_revoked"


async def test_who_the_bot_is(slack: LocalSlack, client: Client) -> None:
    answer = await client.auth_test()

    assert answer["user_id"] == slack.workspace.app.bot_user_id
    assert answer["bot_id"] == slack.workspace.app.bot_id
    assert answer["team_id"] == slack.workspace.team.id


async def test_an_unknown_method(client: Client) -> None:
    assert await error_of(client.api_call("chat.shout")) == "unknown_method"


ARGUMENTS = {"channel": APPROVALS.id, "text": "hello"}


@pytest.mark.parametrize(
    ("http_method", "sent"),
    [
        ("POST", {"json": ARGUMENTS}),
        ("POST", {"data": ARGUMENTS}),
        ("POST", {"params": ARGUMENTS}),
        ("GET", {"params": ARGUMENTS}),
        ("POST", {"params": {"channel": APPROVALS.id}, "json": {"text": "hello"}}),
    ],
    ids=["json", "form", "query of a POST", "GET", "both"],
)
async def test_every_encoding_is_read(
    slack: LocalSlack, http_method: str, sent: dict[str, Any]
) -> None:
    answer = await raw(slack, http_method, "chat.postMessage", slack.bot_token, **sent)

    assert answer["message"]["text"] == "hello"
    assert slack.calls[-1].arguments == ARGUMENTS


async def test_the_token_may_stand_in_a_form(slack: LocalSlack) -> None:
    answer = await raw(slack, "POST", "auth.test", data={"token": slack.bot_token})

    assert answer["ok"] is True
    assert slack.calls[-1].arguments == {}


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("application/json", "{", "invalid_json"),
        ("application/json", "[]", "json_not_object"),
        ("text/plain", "channel=C", "invalid_post_type"),
    ],
)
async def test_bodies_that_cannot_be_read(
    slack: LocalSlack, content_type: str, body: str, error: str
) -> None:
    answer = await raw(
        slack,
        "POST",
        "chat.postMessage",
        slack.bot_token,
        data=body,
        headers={"Content-Type": content_type},
    )

    assert answer["error"] == error


async def test_missing_arguments_are_named(client: Client) -> None:
    answer = await refused(client.api_call("chat.postMessage", json={"text": "x"}))

    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


async def test_a_wrong_type_is_named(client: Client) -> None:
    call = client.api_call("chat.postMessage", json={"channel": 5, "text": "x"})

    assert "must provide a string [json-pointer:/channel]" in str(await refused(call))


async def test_unknown_arguments_are_ignored(client: Client) -> None:
    answer = await client.chat_postMessage(channel=APPROVALS.id, text="x", team_id="T1", colour="r")

    assert answer["ok"]


async def test_a_missing_scope_is_named(slack: LocalSlack, client: Client) -> None:
    slack.core.scopes = {"users:read"}

    answer = await refused(client.chat_postMessage(channel=APPROVALS.id, text="x"))

    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
    assert answer["provided"] == "users:read"


async def test_email_needs_a_scope_of_its_own(slack: LocalSlack, client: Client) -> None:
    assert await error_of(client.users_lookupByEmail(email=MARA.email)) == "missing_scope"
    assert "email" not in (await client.users_info(user=MARA.id))["user"]["profile"]

    slack.core.scopes.add("users:read.email")

    assert (await client.users_lookupByEmail(email=MARA.email))["user"]["id"] == MARA.id


async def test_calls_are_logged_with_their_answers(slack: LocalSlack, client: Client) -> None:
    await client.auth_test()
    with pytest.raises(SlackApiError):
        await client.users_info(user="U00000000")

    assert [(c.method, c.ok, c.error) for c in slack.calls] == [
        ("auth.test", True, ""),
        ("users.info", False, "user_not_found"),
    ]
    assert "xoxb" not in json.dumps([call.arguments for call in slack.calls])


async def test_an_error_outside_the_table_is_our_mistake(
    slack: LocalSlack, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise ApiError("not_in_the_table")

    monkeypatch.setitem(
        vars(__import__("bot.local.web_api", fromlist=["x"]))["HANDLERS"], "auth.test", mistaken
    )

    with pytest.raises(SlackApiError) as caught:
        await client.auth_test()
    assert caught.value.response.status_code == 500  # type: ignore[union-attr]


async def test_rate_limits_are_answered_with_429(clock: Any) -> None:
    async with LocalSlack(clock=clock, rate_limits=True) as slack:
        client: Client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        for _ in range(5):
            await client.chat_postMessage(channel=APPROVALS.id, text="x")
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=APPROVALS.id, text="x")
        response: Any = caught.value.response
        assert (response.status_code, response["error"]) == (429, "ratelimited")
        assert int(response.headers["Retry-After"]) >= 1
        await client.chat_postMessage(channel="#general", text="another channel is free")

        clock.forward(5)
        await client.chat_postMessage(channel=APPROVALS.id, text="x")

        for _ in range(20):
            await client.usergroups_list()
        assert await error_of(client.usergroups_list()) == "ratelimited"
