"""The HTTP endpoint: checked, then read; nothing that comes in is lost or logs a traceback."""

import hashlib
import hmac
import json
import logging
import socket
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.deployment import Deployment

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass
class Endpoint:
    """As Slack reaches it, and as anyone else can."""

    url: str
    secret: str

    async def post(
        self,
        body: bytes,
        kind: str = FORM,
        *,
        signed: bool = True,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        stamp = str(int(time.time()))
        digest = hmac.new(self.secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        own = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest.hexdigest()}"}
        sent = {"Content-Type": kind, **(own if signed else {}), **(headers or {})}
        async with (
            aiohttp.ClientSession() as client,
            client.post(self.url, data=body, headers=sent) as answer,
        ):
            return answer.status, await answer.text()


@pytest.fixture
async def endpoint(deployment: Deployment) -> AsyncGenerator[Endpoint, None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    secret = deployment.slack.signing_secret
    async with deployment.instance(
        SLACK_APP_TOKEN=None, SLACK_SIGNING_SECRET=secret, PORT=str(port)
    ):
        url = f"http://127.0.0.1:{port}/slack/events"
        deployment.slack.deliver_over_http(url)
        yield Endpoint(url, secret)


@pytest.fixture
def no_traceback(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.exc_info]


async def test_a_command_may_speak_of_a_payload(endpoint: Endpoint, deployment: Deployment) -> None:
    typed = '/approvals start refund customer="Payload payload=1" amount=5 reason=payload'
    await deployment.person("tom").command(typed)
    await deployment.card("Refund $5.00 to Payload payload=1")


def _form(value: Any) -> bytes:
    return f"payload={value}".encode()


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "a list": (b"[1,2]", JSON),
    "null": (b"null", JSON),
    "a string": (b'"x"', JSON),
    "cut off": (b'{"a":', JSON),
    "deep": (b"[" * 100_000, JSON),
    "nothing": (b"", JSON),
    "an empty object": (b"{}", JSON),
    "an empty form": (b"", FORM),
    "form: cut off": (_form("%7B"), FORM),
    "form: a list": (_form("[1]"), FORM),
    "form: null": (_form("null"), FORM),
    "form: nothing": (_form(""), FORM),
    "event null": (b'{"type":"event_callback","team_id":"T111","event":null}', JSON),
    "event without a type": (b'{"type":"event_callback","team_id":"T111","event":{}}', JSON),
    "no event": (b'{"type":"event_callback","team_id":"T111"}', JSON),
    "no actions": (_form('{"type":"block_actions","actions":[]}'), FORM),
    "actions missing": (_form('{"type":"block_actions"}'), FORM),
    "actions null": (_form('{"type":"block_actions","actions":[null]}'), FORM),
    "action without an id": (_form('{"type":"block_actions","actions":[{}]}'), FORM),
    "view null": (_form('{"type":"view_submission","view":null}'), FORM),
    "authorizations null": (b'{"type":"event_callback","authorizations":[null]}', JSON),
    "user a number": (_form('{"type":"block_actions","user":5,"actions":[]}'), FORM),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_refused_in_a_line(
    endpoint: Endpoint, no_traceback: pytest.LogCaptureFixture, name: str
) -> None:
    body, kind = UNREADABLE[name]
    assert (await endpoint.post(body, kind))[0] == 400
    assert (await endpoint.post(body, kind, signed=False))[0] == 401
    assert tracebacks(no_traceback) == []


FORGED: dict[str, dict[str, str]] = {
    "words for a time": {"X-Slack-Request-Timestamp": "abc"},
    "a fraction": {"X-Slack-Request-Timestamp": "1e9"},
    "no time": {"X-Slack-Request-Timestamp": ""},
    "beyond ASCII": {"X-Slack-Signature": "v0=ü"},
    "empty": {"X-Slack-Signature": ""},
}


@pytest.mark.parametrize("name", FORGED)
async def test_forged_headers_are_refused_in_a_line(
    endpoint: Endpoint, no_traceback: pytest.LogCaptureFixture, name: str
) -> None:
    status, _ = await endpoint.post(b"command=%2Fapprovals", headers=FORGED[name])
    assert status == 401
    assert tracebacks(no_traceback) == []


async def test_bytes_that_are_no_text_are_refused(
    endpoint: Endpoint, no_traceback: pytest.LogCaptureFixture
) -> None:
    assert (await endpoint.post(b"command=\xff\xfe"))[0] == 401
    assert tracebacks(no_traceback) == []


async def test_slack_checks_the_address(endpoint: Endpoint) -> None:
    """With a challenge, whatever the charset is called; and, unsigned, its certificate."""
    challenge = json.dumps({"type": "url_verification", "token": "t", "challenge": "3eZb"}).encode()
    status, answer = await endpoint.post(challenge, f"{JSON}; charset=nonsense")
    assert (status, json.loads(answer)) == (200, {"challenge": "3eZb"})
    assert (await endpoint.post(challenge, JSON, signed=False))[0] == 401
    assert await endpoint.post(b"token=t&ssl_check=1", signed=False) == (200, "")
