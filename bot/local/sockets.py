"""Socket Mode: the bot's WebSockets, up to ten; each envelope goes to exactly one of them.

A click or a command is never sent again: if its connection breaks, or nobody acknowledges in time,
it is lost, as in Slack.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSMsgType, web

from bot.local.records import Json

MOST_CONNECTIONS = 10
Kind = Literal["interactive", "slash_commands", "events_api"]
Reason = Literal["warning", "refresh_requested", "link_disabled"]


@dataclass(frozen=True)
class Ack:
    """What came back for a delivery. `error` is empty when the bot acknowledged."""

    error: str = ""
    body: Json = field(default_factory=dict[str, object])

    @property
    def ok(self) -> bool:
        return not self.error


@dataclass(eq=False)
class Connection:
    number: int
    socket: web.WebSocketResponse
    leaving: bool = False
    envelopes: list[Json] = field(default_factory=list[Json])


class Sockets:
    """The Socket Mode side of the workspace."""

    def __init__(self, app_id: str, ack_seconds: float, on_count: Callable[[int], None]) -> None:
        self._app_id = app_id
        self._ack_seconds = ack_seconds
        self._on_count = on_count
        self._tickets: set[str] = set()
        self._waiting: dict[str, tuple[Connection, asyncio.Future[Json]]] = {}
        self._numbers = itertools.count(1)
        self._turn = 0
        self.connections: list[Connection] = []
        self.stray_frames: list[str] = []
        self.enabled = True

    # -- connecting -----------------------------------------------------------------------------

    def new_address(self, base: str) -> str:
        """A WebSocket address that is good for one connection."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return f"{base}/socket/link?ticket={ticket}&app_id={self._app_id}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One WebSocket of the bot, from hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=408, text="this address was used or never given")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = Connection(next(self._numbers), socket)
        self.connections.append(connection)
        self._on_count(len(self.connections))
        try:
            await socket.send_json(self._hello(connection))
            await self._listen(connection)
        finally:
            self._forget(connection)
        return socket

    def _hello(self, connection: Connection) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": f"local-{connection.number}",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self._app_id},
        }

    async def _listen(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type == WSMsgType.TEXT:
                self._acknowledge(frame.data)

    def _acknowledge(self, text: str) -> None:
        try:
            frame: Any = json.loads(text)
            envelope_id = frame["envelope_id"]
        except (ValueError, KeyError, TypeError):
            self.stray_frames.append(text)
            return
        waiting = self._waiting.get(envelope_id)
        if waiting is None or waiting[1].done():
            self.stray_frames.append(text)
            return
        waiting[1].set_result(frame.get("payload") or {})

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
            self._on_count(len(self.connections))
        for carrier, future in list(self._waiting.values()):
            if carrier is connection and not future.done():
                future.set_exception(ConnectionResetError())

    # -- delivering -----------------------------------------------------------------------------

    async def send(self, kind: Kind, payload: Json, *, answerable: bool, **again: Any) -> Ack:
        """Hand one envelope to one connection and wait for its acknowledgement. again: what an
        envelope says whose event was not acknowledged before."""
        connection = self._next_connection()
        if connection is None:
            return Ack("dispatch_failed")
        envelope = self._envelope(kind, payload, answerable=answerable) | again
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = (connection, future)
        connection.envelopes.append(envelope)
        try:
            await connection.socket.send_json(envelope)
            body = await asyncio.wait_for(future, self._ack_seconds)
        except (TimeoutError, ConnectionError):  # nobody answered, or the connection broke
            return Ack("operation_timeout")
        finally:
            del self._waiting[envelope["envelope_id"]]
        if body and not answerable:
            return Ack()
        return Ack(body=body)

    def _envelope(self, kind: Kind, payload: Json, *, answerable: bool) -> Json:
        token = secrets.token_hex(16)
        envelope_id = "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:]))
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": answerable,
            "payload": payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": 0, "retry_reason": ""}
        return envelope

    def _next_connection(self) -> Connection | None:
        ready = [c for c in self.connections if not c.leaving and not c.socket.closed]
        if not ready:
            return None
        self._turn += 1
        return ready[self._turn % len(ready)]

    # -- ending ---------------------------------------------------------------------------------

    async def disconnect(self, reason: Reason = "refresh_requested") -> None:
        """Tell every connection to go; it gets no more envelopes unless it is only a warning."""
        for connection in list(self.connections):
            connection.leaving = reason != "warning"
            frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}}
            await connection.socket.send_json(frame)

    async def close(self) -> None:
        """Cut all connections without a word."""
        for connection in list(self.connections):
            self._forget(connection)
            await connection.socket.close()
