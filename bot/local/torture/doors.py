"""A process's ways to the outside, with the counter in each of them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Any

import aiohttp
from docket import Docket
from redis.asyncio import Redis
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import Doors, connect
from bot.local.torture.calls import Calls, CountedConnection, CountedSlack
from bot.local.torture.outside import allowed
from bot.local.torture.world import World
from bot.queue import Queue
from bot.slack_calls import slack_client
from bot.steps import Step
from workflows.clock import Clock
from workflows.effects import EffectLedger, Receipt, ThreadEffects
from workflows.protocol import Decision


def doors(calls: Calls, world: World, session: aiohttp.ClientSession) -> Doors:
    """For one process. session: of its loop, so that its calls of Slack share a connection."""

    def redis(url: str) -> Redis:
        client = connect(url)
        pool = client.connection_pool
        pool.connection_class = CountedConnection
        # A PING comes when the machine is slow, and so is no call that comes in each run.
        pool.connection_kwargs.update(calls=calls, health_check_interval=0)
        return client

    def slack(token: str, api_url: str) -> AsyncWebClient:
        as_it_is = slack_client(token, api_url)
        return CountedSlack(
            calls=calls,
            token=token,
            base_url=api_url,
            timeout=as_it_is.timeout,
            session=session,
            retry_handlers=as_it_is.retry_handlers,
        )

    def queue(docket: Docket) -> Queue:
        return CountedQueue(docket, calls=calls, world=world)

    def effects(redis: Redis, prefix: str, now: Clock) -> EffectLedger:
        seconds = asyncio.get_running_loop().time  # which goes on while the process is frozen
        return CountedLedger(redis, prefix, now, seconds, calls=calls, world=world)

    return Doors(redis=redis, slack=slack, queue=queue, effects=effects)


@dataclass(frozen=True, kw_only=True)
class CountedQueue(Queue):
    """Adds to what outlives the process; the kit works it off itself, in order."""

    calls: Calls
    world: World

    def serve(self, **tasks: Callable[..., Awaitable[None]]) -> None:
        pass

    async def add(self, step: Step, again: int = 0) -> None:
        async def add() -> None:
            self.world.backlog.add(step, again)

        await self.calls.around(f"docket add {step.key}", add)


@dataclass(frozen=True, kw_only=True)
class CountedLedger(EffectLedger):
    calls: Calls
    world: World

    def of(self, *args: Any, **options: Any) -> ThreadEffects:
        plain = super().of(*args, **options)
        its = {field.name: getattr(plain, field.name) for field in fields(plain)}
        return CountedEffects(**its, calls=self.calls, world=self.world)


@dataclass(frozen=True, kw_only=True)
class CountedEffects(ThreadEffects):
    """The provider, as the kit sees it: each call and each question after one."""

    calls: Calls
    world: World

    async def once(
        self,
        key: str,
        call: Callable[[], Awaitable[Receipt]],
        find: Callable[[], Awaitable[Receipt | None]] | None = None,
        *,
        on: Decision | None = None,
    ) -> Receipt:
        async def tallied() -> Receipt:
            with allowed():
                receipt = await call()
            self.world.called[key] += 1
            return receipt

        def counted_call() -> Awaitable[Receipt]:
            return self.calls.around(f"effect {key}: its call", tallied)

        if find is None:
            self.world.without_find.add(key)
        counted_find = self._counted(key, find) if find else None
        return await super().once(key, counted_call, counted_find, on=on)

    def _counted(
        self, key: str, find: Callable[[], Awaitable[Receipt | None]]
    ) -> Callable[[], Awaitable[Receipt | None]]:
        async def asked() -> Receipt | None:
            with allowed():
                return await find()

        return lambda: self.calls.around(f"effect {key}: its find", asked)
