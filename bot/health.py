"""What this process tells those who watch it: `/healthz`, whether it works, and `/readyz`, whether
it may take traffic. 200, or 503 and which part fails why, as JSON."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from docket import Docket
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

CHECK_WITHIN = 1.0  # seconds
# A worker asks for work many times a second, and while it has no hand free it claims what it does
# every eleven seconds; Redis knows when it last did either.
POLLS_EVERY = 30.0

Check = Callable[[], Awaitable[str]]  # "", or words for what is wrong


async def _unknown() -> bool:
    return True


@dataclass
class Health:
    """live: what must work, by name. connected: whether Slack reaches us; where that is not by
    Socket Mode, the endpoint that is asked is the one that Slack asks."""

    live: dict[str, Check] = field(default_factory=dict[str, Check])
    connected: Callable[[], Awaitable[bool]] = _unknown
    started: bool = False
    stopping: bool = False

    def add_routes(self, application: web.Application) -> None:
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer(await self._failing())

    async def _readyz(self, _: web.Request) -> web.Response:
        failing = await self._failing()
        if not self.started:
            failing["process"] = "is starting"
        elif not await self.connected():
            failing["slack"] = "is not connected"
        if self.stopping:
            failing["process"] = "is stopping"
        return _answer(failing)

    async def _failing(self) -> dict[str, str]:
        names = list(self.live)
        found = await asyncio.gather(*(_asked(self.live[name]) for name in names))
        return {name: words for name, words in zip(names, found, strict=True) if words}


async def _asked(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            return await check()
    except TimeoutError:
        return f"does not answer within {CHECK_WITHIN:g} s"
    except (RedisError, OSError) as error:
        return type(error).__name__


def _answer(failing: dict[str, str]) -> web.Response:
    if failing:
        return web.json_response({"status": "failing", "failing": failing}, status=503)
    return web.json_response({"status": "ok"})


def redis_answers(redis: Redis) -> Check:
    async def check() -> str:
        await redis.execute_command("PING")
        return ""

    return check


def worker_polls(redis: Redis, docket: Docket, name: str, running: asyncio.Future[Any]) -> Check:
    """Whether the worker of this name still asks for work, as Redis saw it."""

    async def check() -> str:
        if running.done():
            return "has ended"
        try:
            consumers = await redis.xinfo_consumers(docket.stream_key, docket.worker_group_name)
        except ResponseError:  # nobody did, ever
            consumers = []
        idle = [each["idle"] / 1000 for each in consumers if _text(each["name"]) == name]
        if not idle:
            return "has not asked for work yet"
        return "" if idle[0] < POLLS_EVERY else f"has not asked for work for {idle[0]:.0f} s"

    return check


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
