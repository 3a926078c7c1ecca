"""HubSpot's CRM API (v3) as far as it is used, on loopback: as strict as its documentation.

Values are strings; unknown properties are left out of what is read and refused where they are
written, as are read-only ones; every value has its history, the newest first.
"""

import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Answer = Callable[[], web.Response]

TOKEN = "pat-eu1-0000"
MARK = "countersign_operation"
LENA = {
    "firstname": "Lena",
    "lastname": "Vogt",
    "email": "lena@acme.example",
    "phone": "+49 30 1",
    "city": "",
}
READ_ONLY = ("hs_object_id", "createdate")
KNOWN = {
    "contacts": ("firstname", "lastname", "email", "phone", "city", MARK),
    "companies": ("name", "domain", "city"),
    "deals": ("dealname", "dealstage", "amount"),
}
INVALID = "Authentication credentials not found. This API supports OAuth 2.0 authentication"


@dataclass
class HubSpotStandIn:
    """log: what was written, in order, a line each; reads: how often it was read. answers: what is
    answered instead, in order; None for a connection that is dropped when it was carried out;
    writes: the same, of writes only.
    before_writing: what somebody else changes then. formats: what HubSpot makes of a value.
    """

    url: str = ""
    log: list[str] = field(default_factory=list[str])
    reads: int = 0
    answers: list[Answer | None] = field(default_factory=list[Callable[[], web.Response] | None])
    writes: list[Answer | None] = field(default_factory=list[Callable[[], web.Response] | None])
    before_writing: list[Json] = field(default_factory=list[Json])
    formats: Callable[[str], str] = str
    _history: dict[tuple[str, str], dict[str, list[Json]]] = field(
        default_factory=dict[tuple[str, str], dict[str, list[Json]]]
    )
    _now: datetime = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncGenerator["HubSpotStandIn", None]:
        standin = cls()
        standin.seed("contacts", "101", **LENA)
        application = web.Application()
        application.router.add_route("*", "/crm/v3/objects/{type}/{id}", standin.serve)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address: Any = runner.addresses[0]
        standin.url = f"http://127.0.0.1:{address[1]}"
        try:
            yield standin
        finally:
            await runner.cleanup()

    def seed(self, kind: str, record_id: str, **values: str) -> None:
        self._history[kind, record_id] = {}
        self.change(kind, record_id, **values)

    def change(self, kind: str, record_id: str, source: str = "CRM_UI", **values: str) -> None:
        """As anybody else does who uses HubSpot. Only what is another value is a change."""
        self._now += timedelta(milliseconds=500)
        at = self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z").replace(".000", "")
        history = self._history[kind, record_id]
        for name, value in values.items():
            known = history.setdefault(name, [])
            if value != (known[0]["value"] if known else ""):
                known.insert(0, {"value": value, "timestamp": at, "sourceType": source})

    def archive(self, kind: str, record_id: str) -> None:
        del self._history[kind, record_id]

    def value(self, kind: str, record_id: str, name: str) -> str:
        return self._history[kind, record_id][name][0]["value"]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        instead = self.writes if request.method == "PATCH" and self.writes else self.answers
        if not instead:
            return await self._answer(request)
        answer = instead.pop(0)
        if answer is not None:
            return answer()
        response = await self._answer(request)
        assert request.transport is not None
        request.transport.abort()  # carried out, and nobody hears of it
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_AUTHENTICATION", INVALID)
        kind, record_id = request.match_info["type"], request.match_info["id"]
        if kind not in KNOWN:
            return _error(400, "VALIDATION_ERROR", f"Unable to infer object type from: {kind}")
        if (kind, record_id) not in self._history:
            return _error(404, "OBJECT_NOT_FOUND", "resource not found")
        if request.method == "GET":
            return self._read(kind, record_id, request)
        if request.method == "PATCH":
            return self._write(kind, record_id, await request.json())
        return _error(405, "VALIDATION_ERROR", "Method not allowed")

    def _read(self, kind: str, record_id: str, request: web.Request) -> web.Response:
        self.reads += 1
        history = self._history[kind, record_id]
        named = {key: request.query.get(key, "").split(",") for key in ("properties", HISTORY)}
        found = {n: history.get(n, []) for n in KNOWN[kind]}
        values = {n: found[n][0]["value"] or None if found[n] else None for n in found}
        return web.json_response(
            {
                "id": record_id,
                "properties": {n: v for n, v in values.items() if n in named["properties"]},
                HISTORY: {n: each for n, each in found.items() if n in named[HISTORY]},
                "createdAt": "2026-03-01T09:00:00Z",
                "updatedAt": self._now.isoformat(),
                "archived": False,
            }
        )

    def _write(self, kind: str, record_id: str, body: Json) -> web.Response:
        if set(body) != {"properties"} or not isinstance(body["properties"], dict):
            return _error(400, "VALIDATION_ERROR", "Invalid input JSON")
        values: dict[str, Any] = body["properties"]
        wrong = [
            {"isValid": False, "error": code, "name": name, "message": f"{name}: {code}"}
            for name, value in values.items()
            if (code := _wrong(kind, name, value))
        ]
        if wrong:
            words = f"Property values were not valid: {json.dumps(wrong)}"
            return _error(400, "VALIDATION_ERROR", words)
        if self.before_writing:
            self.change(kind, record_id, **self.before_writing.pop(0))
        written = {name: self.formats(str(value)) for name, value in values.items()}
        self.change(kind, record_id, "INTEGRATION", **written)
        shown = " ".join(f"{n}={v}" for n, v in values.items() if n != MARK)
        self.log.append(f"{kind} {record_id} {shown}")
        return web.json_response(
            {"id": record_id, "properties": written, "updatedAt": self._now.isoformat(),
             "createdAt": "2026-03-01T09:00:00Z", "archived": False}
        )  # fmt: skip


HISTORY = "propertiesWithHistory"


def _wrong(kind: str, name: str, value: object) -> str:
    if name in READ_ONLY:
        return "READ_ONLY_VALUE"
    if name not in KNOWN[kind]:
        return "PROPERTY_DOESNT_EXIST"
    return "" if isinstance(value, str) else "INVALID_STRING"


def _error(status: int, category: str, message: str, **headers: str) -> web.Response:
    body = {"status": "error", "message": message, "correlationId": "c-1", "category": category}
    return web.json_response(body, status=status, headers=headers)


def failing(status: int, category: str = "", message: str = "", **headers: str) -> Answer:
    """An answer for `answers`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: _error(status, category, message, **named)
