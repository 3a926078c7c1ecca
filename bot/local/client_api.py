"""The `/client/*` endpoints: what a person at the page does and sees.

There is no sign-in: the page says who acts. So only loopback may ask, and only our own page.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from bot.local.acts import Acts, RefusedError
from bot.local.core import Core
from bot.local.records import Json
from bot.local.sockets import Sockets
from bot.local.workspace import channel_json, user_json

NOTE = "This is a local stand-in for Slack, on this machine only. It is not Slack."
Endpoint = Callable[[Json], Awaitable[Json]]


def host_is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@web.middleware
async def only_this_machine(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse other hosts (DNS rebinding) everywhere, and other origins for what people do."""
    if not host_is_loopback(request.host):
        return web.json_response({"ok": False, "error": "only from this machine"}, status=403)
    origin = request.headers.get("Origin")
    if request.path.startswith("/client/") and origin not in (None, f"http://{request.host}"):
        return web.json_response({"ok": False, "error": "not from another site"}, status=403)
    return await handler(request)


@web.middleware
async def nothing_cached(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers["Cache-Control"] = "no-store"
    return response


class ClientApi:
    """Routes of the page's requests; each answers `ok`, or an error in words."""

    def __init__(self, core: Core, acts: Acts, sockets: Sockets) -> None:
        self._core = core
        self._acts = acts
        self._sockets = sockets
        self._pages: set[web.WebSocketResponse] = set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        reads: dict[str, Endpoint] = {
            "boot": self._boot,
            "messages": self._messages,
            "replies": self._replies,
        }
        writes: dict[str, Endpoint] = {
            "message": self._message,
            "command": self._command,
            "action": self._action,
            "view_submit": self._view_submit,
            "view_close": self._view_close,
            "home": self._home,
            "shortcut": self._shortcut,
            "delete": self._delete,
        }
        for name, endpoint in reads.items():
            router.add_get(f"/client/{name}", _answering(endpoint))
        for name, endpoint in writes.items():
            router.add_post(f"/client/{name}", _answering(endpoint))
        router.add_get("/client/ws", self._live)

    async def close(self) -> None:
        for page in list(self._pages):
            await page.close()

    # -- what is there --------------------------------------------------------------------------

    async def _boot(self, _asked: Json) -> Json:
        workspace = self._core.workspace
        app = workspace.app
        return {
            "note": NOTE,
            "team": asdict(workspace.team),
            "app": {"id": app.id, "name": app.name, "bot_user_id": app.bot_user_id},
            "users": [user_json(user) for user in workspace.users.values()],
            "channels": [channel_json(channel) for channel in workspace.channels.values()],
            "usergroups": [
                {"id": g.id, "handle": g.handle, "name": g.name, "users": list(g.users)}
                for g in workspace.usergroups.values()
            ],
            "commands": [
                {
                    "command": c.command,
                    "description": c.description,
                    "usage_hint": c.usage_hint,
                }
                for c in self._acts.commands.values()
            ],
            "connections": len(self._sockets.connections),
        }

    async def _messages(self, asked: Json) -> Json:
        return {"messages": self._acts.channel_seen(asked["user"], asked["channel"])}

    async def _replies(self, asked: Json) -> Json:
        seen = self._acts.thread_seen(asked["user"], asked["channel"], asked["ts"])
        return {"messages": seen}

    # -- what people do -------------------------------------------------------------------------

    async def _message(self, asked: Json) -> Json:
        message = self._acts.write(
            asked["user"], asked["channel"], asked["text"], asked.get("thread_ts")
        )
        return {"ts": message["ts"]}

    async def _command(self, asked: Json) -> Json:
        await self._acts.command(asked["user"], asked["channel"], asked["text"])
        return {}

    async def _action(self, asked: Json) -> Json:
        clicked = (asked["block_id"], asked["action_id"], asked.get("value"))
        entered = asked.get("state") or {}
        await self._acts.act(asked["user"], asked["container"], clicked, entered)
        return {}

    async def _view_submit(self, asked: Json) -> Json:
        return await self._acts.submit(asked["user"], asked["view_id"], asked.get("state") or {})

    async def _view_close(self, asked: Json) -> Json:
        await self._acts.close(asked["user"], asked["view_id"])
        return {}

    async def _home(self, asked: Json) -> Json:
        view = await self._acts.open_home(asked["user"])
        return {"view": view} if view else {}

    async def _shortcut(self, asked: Json) -> Json:
        await self._acts.shortcut(asked["user"], asked["callback_id"])
        return {}

    async def _delete(self, asked: Json) -> Json:
        self._acts.delete(asked["user"], asked["channel"], asked["ts"])
        return {}

    # -- live events ----------------------------------------------------------------------------

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Changes as they happen, those that this person may see."""
        user = request.query.get("user", "")
        if user not in self._core.workspace.users:
            return web.json_response({"ok": False, "error": "there is no such person"}, status=404)
        page = web.WebSocketResponse(heartbeat=30)
        await page.prepare(request)
        queue: asyncio.Queue[Json] = asyncio.Queue()

        def hear(event: Json, only_for: str | None) -> None:
            if only_for in (None, user) and self._concerns(event, user):
                queue.put_nowait(event)

        unsubscribe = self._core.workspace.subscribe(hear)
        self._pages.add(page)
        for event in self._now(user):
            queue.put_nowait(event)
        sender = asyncio.create_task(_forward(queue, page))
        try:
            async for frame in page:
                if frame.type in (WSMsgType.CLOSE, WSMsgType.ERROR):
                    break
        finally:
            unsubscribe()
            self._pages.discard(page)
            sender.cancel()
        return page

    def _now(self, user: str) -> list[Json]:
        """What a page that just connected cannot know: who listens, and this person's modals."""
        stack = self._core.modals.stack(user)
        opened: list[Json] = [{"type": "view", "stack": stack}] if stack else []
        return [{"type": "connections", "count": len(self._sockets.connections)}, *opened]

    def _concerns(self, event: Json, user: str) -> bool:
        channel: Any = event.get("channel")
        channel_id = channel["id"] if isinstance(channel, dict) else channel
        if channel_id is None:
            return True
        found = self._core.workspace.channels.get(channel_id)
        return found is not None and self._core.workspace.may_see(user, found)


async def _forward(queue: asyncio.Queue[Json], page: web.WebSocketResponse) -> None:
    while True:
        event = await queue.get()
        try:
            await page.send_json(event)
        except ConnectionError:
            return


def _answering(
    endpoint: Endpoint,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            asked = await _asked(request)
            return web.json_response({"ok": True, **await endpoint(asked)})
        except RefusedError as error:
            return web.json_response({"ok": False, "error": str(error)})
        except KeyError as error:
            words = f"missing: {error.args[0]}"
            return web.json_response({"ok": False, "error": words}, status=400)

    return handle


async def _asked(request: web.Request) -> Json:
    if request.method == "GET":
        return dict(request.query)
    if request.content_type != "application/json":
        raise RefusedError("send JSON")
    try:
        value: Any = json.loads(await request.text())
    except ValueError as error:
        raise RefusedError("this is not JSON") from error
    if not isinstance(value, dict):
        raise RefusedError("send a JSON object")
    fields: Json = value
    return fields
