"""`POST /slack/events`: what Slack signed goes to Bolt, and nothing else does.

Not Bolt's own adapter: it parses before it checks who sent it, and takes any form that has the
word `payload` in it for a click.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_internals import build_async_context
from slack_sdk.signature import SignatureVerifier

from bot.telemetry import reference

log = logging.getLogger(__name__)

PATH = "/slack/events"
SSL_CHECK = b"ssl_check=1"  # Slack asks it unsigned, now and then, and wants 200


def slack_events(app: AsyncApp, secret: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of PATH. secret: the app's signing secret."""
    verifier = SignatureVerifier(secret)

    async def receive(request: web.Request) -> web.Response:
        raw = await request.read()
        if not is_signed(verifier, raw, request.headers):
            if SSL_CHECK in raw.split(b"&"):
                return web.Response()
            return web.json_response({"error": "invalid request"}, status=401)
        try:
            asked = read(request.content_type, raw.decode())
            bolt = _bolt_request(asked, request)
        except Exception as error:  # noqa: BLE001 - Bolt looks into it without asking what is there
            log.warning("Slack sent something that cannot be read: %s", type(error).__name__)
            return web.json_response({"error": "not a payload of Slack"}, status=400)
        try:
            return await to_aiohttp_response(await app.async_dispatch(bolt))
        except Exception as error:  # noqa: BLE001 - no traceback goes out
            number = reference(error, endpoint=PATH)
            return web.json_response({"error": f"reference {number}"}, status=500)

    return receive


def is_signed(verifier: SignatureVerifier, raw: bytes, headers: Mapping[str, str]) -> bool:
    """By Slack, within five minutes."""
    try:
        return verifier.is_valid_request(raw, dict(headers))
    except Exception:  # noqa: BLE001 - a timestamp that is no number, a signature that is not ASCII
        return False


def read(content_type: str, text: str) -> dict[str, Any]:
    """A command's form, or the JSON of an event or of a form's `payload`. ValueError where it is
    neither, or where it is no object."""
    if content_type == "application/json":
        found = json.loads(text)
    else:
        form = dict(parse_qsl(text, keep_blank_values=True))
        found = json.loads(form["payload"]) if "payload" in form else form
    if not isinstance(found, dict) or not found:
        raise ValueError("not an object")
    asked: dict[str, Any] = found
    return asked


def _bolt_request(asked: dict[str, Any], request: web.Request) -> AsyncBoltRequest:
    headers: dict[str, str | Sequence[str]] = {**request.headers}
    bolt = AsyncBoltRequest(body="", query=request.query_string, headers=headers)
    bolt.body = asked
    bolt.context = build_async_context(AsyncBoltContext(), asked)
    return bolt
