"""Slack's Web API on loopback: token, arguments, scope, rate limit, method, in that order.

Every call is kept in a log for tests, with what it answered.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.local import (
    methods_chat,
    methods_conversations,
    methods_people,
    methods_views,
)
from bot.local.arguments import ApiError, checked_arguments, read_arguments
from bot.local.core import Core
from bot.local.faults import Fault, Faults
from bot.local.method_tables import COMMON_ERRORS, METHODS, Method
from bot.local.rates import RateLimits
from bot.local.records import Json

Handler = Callable[[Core, Json], Json]

HANDLERS: dict[str, Handler] = {
    "auth.test": methods_people.auth_test,
    "chat.postMessage": methods_chat.post_message,
    "chat.update": methods_chat.update,
    "chat.delete": methods_chat.delete,
    "chat.postEphemeral": methods_chat.post_ephemeral,
    "chat.getPermalink": methods_chat.get_permalink,
    "conversations.history": methods_conversations.history,
    "conversations.replies": methods_conversations.replies,
    "conversations.info": methods_conversations.info,
    "conversations.members": methods_conversations.members,
    "conversations.open": methods_conversations.open_,
    "users.info": methods_people.users_info,
    "users.lookupByEmail": methods_people.users_lookup_by_email,
    "usergroups.list": methods_people.usergroups_list,
    "usergroups.users.list": methods_people.usergroups_users_list,
    "views.open": methods_views.open_,
    "views.push": methods_views.push,
    "views.update": methods_views.update,
    "views.publish": methods_views.publish,
}


@dataclass
class Call:
    """One call of the Web API as tests see it. `answer` stays empty when the caller got none."""

    method: str
    arguments: Json
    answer: Json = field(default_factory=dict[str, object])
    status: int = 200

    @property
    def ok(self) -> bool:
        return self.answer.get("ok") is True

    @property
    def error(self) -> str:
        return str(self.answer.get("error", ""))


@dataclass
class Tokens:
    """The two tokens of the app; `revoked` makes every call answer token_revoked."""

    bot: str
    app: str
    revoked: bool = False

    def check(self, token: str, wanted: str) -> None:
        if not token:
            raise ApiError("not_authed")
        is_bot = secrets.compare_digest(token.encode(), self.bot.encode())
        is_app = secrets.compare_digest(token.encode(), self.app.encode())
        if not is_bot and not is_app:
            raise ApiError("invalid_auth")
        if self.revoked:
            raise ApiError("token_revoked")
        if wanted != ("bot" if is_bot else "app"):
            raise ApiError("not_allowed_token_type")


@dataclass
class WebApi:
    """The `/api/<method>` endpoint. `connections_open` gives the address for Socket Mode."""

    core: Core
    tokens: Tokens
    faults: Faults
    connections_open: Callable[[], str]
    rates: RateLimits | None = None
    calls: list[Call] = field(default_factory=list[Call])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or do to it what a fault asks for."""
        method = request.match_info["method"]
        call = Call(method, {})
        self.calls.append(call)
        fault = self.faults.next_for(method)
        if fault and fault.kind == "refused_connection":
            return _dropped(request)
        if fault and fault.kind == "status":
            call.status = fault.status
            return web.Response(status=fault.status, text="upstream error")
        headers = await self._answer(request, call, fault)
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind == "lost_answer":
            call.answer, call.status = {}, 0
            return _dropped(request)
        return web.json_response(call.answer, status=call.status, headers=headers)

    async def _answer(
        self, request: web.Request, call: Call, fault: Fault | None
    ) -> dict[str, str]:
        try:
            if fault:
                _refuse_by(fault)
            call.answer = {"ok": True, **await self._carry_out(request, call)}
        except ApiError as error:
            self._hold_to_the_table(call.method, error, planted=fault is not None)
            call.answer = {"ok": False, "error": error.code, **error.more}
            call.status = error.status
            return error.headers
        return {}

    async def _carry_out(self, request: web.Request, call: Call) -> Json:
        sent = read_arguments(
            dict(request.query), request.headers.get("Content-Type", ""), await request.read()
        )
        token = _token(request, sent)
        call.arguments = {key: value for key, value in sent.items() if key != "token"}
        method = METHODS.get(call.method)
        if method is None:
            raise ApiError("unknown_method", req_method=call.method)
        self.tokens.check(token, method.caller)
        if method.caller == "app":
            return self._open_connection(request)
        self.core.require_scope(*method.scopes)
        self._limit(method, sent)
        return HANDLERS[method.name](self.core, checked_arguments(method, sent))

    def _open_connection(self, request: web.Request) -> Json:
        if request.method != "POST":
            raise ApiError("insecure_request")
        return {"url": self.connections_open()}

    def _limit(self, method: Method, sent: Json) -> None:
        wait = self.rates.wait(method.name, str(sent.get("channel", ""))) if self.rates else None
        if wait is not None:
            raise _ratelimited(wait)

    def _hold_to_the_table(self, method: str, error: ApiError, *, planted: bool) -> None:
        known = COMMON_ERRORS | (METHODS[method].errors if method in METHODS else frozenset())
        if error.code not in known and not planted:
            raise AssertionError(f"{method} is not known to answer {error.code}")


def _token(request: web.Request, sent: Json) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return str(sent.get("token", ""))


def _refuse_by(fault: Fault) -> None:
    if fault.kind == "ratelimited":
        raise _ratelimited(fault.retry_after)
    if fault.kind == "error":
        raise ApiError(fault.code, **fault.more)


def _ratelimited(seconds: int) -> ApiError:
    error = ApiError("ratelimited", status=429)
    error.headers["Retry-After"] = str(seconds)
    return error


def _dropped(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
