"""A server that answers as Slack's Web API never should, or as the local workspace cannot."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

AUTH: dict[str, Any] = {
    "ok": True,
    "url": "https://acme.example/",
    "team": "Acme",
    "user": "countersign",
    "team_id": "T111",
    "user_id": "U0COUNTER",
    "bot_id": "B0COUNTER",
}


@asynccontextmanager
async def answering(answers: Mapping[str, Any]) -> AsyncGenerator[str, None]:
    """The address of an API whose methods give these answers; the others are unknown to it."""

    async def answer(request: web.Request) -> web.Response:
        unknown = {"ok": False, "error": "unknown_method"}
        return web.json_response(answers.get(request.match_info["method"], unknown))

    application = web.Application()
    application.router.add_route("*", "/api/{method}", answer)
    server = TestServer(application)
    await server.start_server()
    try:
        yield str(server.make_url("/api/"))
    finally:
        await server.close()
