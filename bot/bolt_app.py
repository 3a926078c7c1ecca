"""Bolt, for Socket Mode and HTTP alike: who we are is known, and what cannot be read is refused."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse

from bot.slack import SlackGateway
from bot.telemetry import reference

log = logging.getLogger(__name__)

CLICKS = ("block_actions", "interactive_message")
VIEWS = ("view_submission", "view_closed")


def bolt_app(slack: SlackGateway) -> AsyncApp:
    """Without listeners. It asks Slack nothing of its own: a second auth.test, at the first click,
    could fail and lose that click. Signatures are checked where the bytes come in."""
    bolt = logging.getLogger("slack_bolt.AsyncApp")
    bolt.addFilter(_silence)  # about a token beside `authorize`, and whatever else is in .env
    try:
        app = AsyncApp(
            client=slack.client,
            signing_secret="",
            request_verification_enabled=False,
            before_authorize=_Readable(),
            authorize=_known(slack),
        )
    finally:
        bolt.removeFilter(_silence)
    app.error(_unexpected)
    return app


def _silence(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING


def _known(slack: SlackGateway) -> Callable[[], Awaitable[AuthorizeResult]]:
    known = AuthorizeResult(
        enterprise_id=slack.enterprise_id or None,
        team_id=slack.team_id or None,
        bot_user_id=slack.bot_user,
        bot_id=slack.bot_id or None,
        bot_token=slack.client.token,
    )

    async def authorize() -> AuthorizeResult:
        return known

    return authorize


class _Readable(AsyncMiddleware):
    """Bolt looks into payloads without asking what is there; also to call a function, which is
    why this is none."""

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - named so by Bolt, as `next` is
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        missing = missing_in(req.body)
        if not missing:
            return await next()
        log.warning("Slack sent something without %s: refused", missing)
        return BoltResponse(status=400, body=f"no {missing}")


def missing_in(body: dict[str, Any]) -> str | None:
    """What a payload of its kind always has, and this one lacks."""
    kind = body.get("type")
    if kind == "event_callback":
        return None if _has(body.get("event"), "type") else "event.type"
    if kind in VIEWS:
        return None if _has(body.get("view"), "callback_id") else "view.callback_id"
    if kind in CLICKS:
        return _missing_in_click(body, kind)
    return None


def _missing_in_click(body: dict[str, Any], kind: str) -> str | None:
    actions: Any = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    name = "action_id" if kind == "block_actions" else "name"
    return None if _has(first, name) else f"actions[0].{name}"


def _has(value: Any, key: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get(key), str)


async def _unexpected(error: Exception, request: AsyncBoltRequest) -> BoltResponse:
    """No acknowledgement: whoever clicked has to see that it did not arrive."""
    reference(error, payload=str(request.body.get("type")))
    return BoltResponse(status=500, body="")


def socket_log() -> logging.Logger:
    """For the SDK's Socket Mode client: a line where a frame is junk, or a connection breaks (it
    connects again by itself), in place of a traceback."""
    quiet = logging.getLogger("slack_bolt.socket_mode")
    quiet.addFilter(_one_line)  # the same filter is not added twice
    return quiet


def _one_line(record: logging.LogRecord) -> bool:
    record.exc_info = record.exc_text = None
    return True
