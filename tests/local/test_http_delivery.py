"""Signed HTTP delivery to a real Bolt app: forms, JSON, retries of events, refused signatures."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.signature import SignatureVerifier

from bot.local.acts import RefusedError
from bot.local.http_delivery import HttpDelivery, signature
from bot.local.seeds import FINANCE_APPROVERS, MARA
from bot.local.server import LocalSlack
from tests.eventually import eventually
from tests.local.bots import over_http
from tests.local.shapes import Client, actions, button


async def test_a_command_over_http(slack: LocalSlack) -> None:
    async with over_http(slack) as heard:
        await slack.person("mara").command("/approvals list")

    assert [body["text"] for body in heard.of("command")] == ["list"]
    assert [m.text for m in slack.person("mara").sees()] == ["you said: list"]


async def test_click_modal_and_submission_over_http(slack: LocalSlack, client: Client) -> None:
    await client.chat_postMessage(channel="#approvals", text="x", blocks=[actions(button())])
    mara = slack.person("mara")
    async with over_http(slack) as heard:
        await mara.click(mara.sees()[0], "Approve")
        assert await mara.submit({"Why?": "bad"}) == {"why": "not good enough"}
        assert await mara.submit({"Why?": "good"}) == {}

    assert mara.modal is None
    assert len(heard.of("submission")) == 2


async def test_an_event_over_http(slack: LocalSlack) -> None:
    async with over_http(slack) as heard:
        assert (await slack.change_group(FINANCE_APPROVERS.id, [MARA.id])).ok
        await eventually("the event is heard", lambda: heard.of("event"))


async def test_a_wrong_signature_is_refused_by_bolt(slack: LocalSlack) -> None:
    async with over_http(slack) as heard:
        http = slack.delivery.http
        assert http is not None
        http.secret = "wrong"
        with pytest.raises(RefusedError, match="dispatch_failed"):
            await slack.person("mara").command("/approvals")
        assert http.statuses == [401]
        assert heard.bodies == []


@pytest.mark.parametrize(("skew", "status"), [(-290, 200), (-310, 401), (310, 401)])
async def test_an_old_timestamp_is_refused_by_bolt(
    slack: LocalSlack, skew: int, status: int
) -> None:
    async with over_http(slack):
        http = slack.delivery.http
        assert http is not None
        http.skew = skew
        await slack.send_event({"type": "app_home_opened", "user": MARA.id})
        assert http.statuses[0] == status


async def test_a_request_url_is_verified(slack: LocalSlack) -> None:
    async with over_http(slack):
        assert slack.delivery.http is not None
        assert await slack.delivery.http.verify()


def test_the_signature_is_the_one_that_the_sdk_checks() -> None:
    verifier = SignatureVerifier("secret")

    assert verifier.generate_signature(timestamp="17", body="a=b") == signature(
        "secret", "17", "a=b"
    )


class Recorder:
    """An endpoint that notes what arrives and answers with the statuses given, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self._statuses = list(statuses)

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.text()))
        return web.Response(status=self._statuses.pop(0) if self._statuses else 200)

    async def start(self) -> TestServer:
        application = web.Application()
        application.router.add_post("/", self.handle)
        server = TestServer(application)
        await server.start_server()
        return server


async def send(recorder: Recorder, kind: Any, payload: Any) -> bool:
    server = await recorder.start()
    delivery = HttpDelivery(str(server.make_url("/")), "secret", 1.0)
    ack = await delivery.send(kind, payload, answerable=True)
    await delivery.close()
    await server.close()
    return ack.ok


async def test_the_encodings(slack: LocalSlack) -> None:
    recorder = Recorder()
    assert await send(recorder, "interactive", {"type": "x"})
    assert await send(recorder, "slash_commands", {"text": "ä & b"})
    assert await send(recorder, "events_api", {"type": "event_callback"})

    (_, click), (headers, command), (event_headers, event) = recorder.requests
    assert json.loads(parse_qs(click)["payload"][0]) == {"type": "x"}
    assert parse_qs(command)["text"] == ["ä & b"]
    assert json.loads(event) == {"type": "event_callback"}
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert event_headers["Content-Type"] == "application/json"
    assert SignatureVerifier("secret").is_valid_request(command, headers)


async def test_an_event_is_sent_once_more_and_says_so() -> None:
    recorder = Recorder(500)

    assert await send(recorder, "events_api", {"type": "event_callback"})

    (first, _), (second, _) = recorder.requests
    assert "X-Slack-Retry-Num" not in first
    assert second["X-Slack-Retry-Num"] == "1"
    assert second["X-Slack-Retry-Reason"] == "http_error"


@pytest.mark.parametrize("kind", ["interactive", "slash_commands"])
async def test_clicks_and_commands_are_never_sent_again(kind: str) -> None:
    recorder = Recorder(500)

    assert not await send(recorder, kind, {"type": "x"})
    assert len(recorder.requests) == 1


async def test_nobody_there(slack: LocalSlack) -> None:
    slack.deliver_over_http("http://127.0.0.1:9/")

    with pytest.raises(RefusedError, match="dispatch_failed"):
        await slack.person("mara").command("/approvals")
