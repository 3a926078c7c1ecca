"""One process: a loop of its own, everything that it opened in it, and its end.

It works like a bot with a worker, but in a fixed order: the steps that are queued, one by one;
when there is none, `reconcile`; when nothing is owed, nor will be in the next minutes, a person
clicks; when there is nothing to click, the time moves on to what is owed next. So the n-th call is
the same one in each run, and what a dead process left is done before anyone clicks again.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import aiohttp

from bot.app import open_services
from bot.local.torture.calls import Calls, Crash
from bot.local.torture.doors import doors
from bot.local.torture.reviewer import Reviewer
from bot.local.torture.world import REQUESTER, World
from bot.services import Services
from bot.settings import ListenerSettings
from bot.steps import Step
from workflows.catalog import Catalog

log = logging.getLogger(__name__)

T = TypeVar("T")
WITHIN = 120.0  # real seconds: far more than a life takes, and the kit must not hang
PATIENCE = timedelta(minutes=2)  # of a reviewer; longer than a run counts as abandoned
STUCK = "stuck"  # beside the kinds of an ending: there is none
TURNS = 400  # steps and looks at the clock of one life; far more than a journey takes


class Stuck(Exception):
    """It does not come to an end."""


class Loop(asyncio.SelectorEventLoop):
    """Its clock goes on while the process is frozen. slept: seconds for which it was."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0.0

    def time(self) -> float:
        return super().time() + self.slept


@dataclass(frozen=True)
class Lived(Generic[T]):
    """made: its outside calls. struck: its crash came. end: None where it was killed."""

    made: tuple[str, ...]
    struck: bool
    end: T | None


@dataclass(frozen=True)
class Life:
    """workflow, values: what it starts, unless an earlier life did. clicks: else it ends where
    nothing is owed before somebody clicks."""

    settings: ListenerSettings
    known: Catalog
    world: World
    workflow: str
    values: dict[str, Any]
    decide: str
    clicks: bool = True

    def live(
        self,
        crash: Crash | None,
        at_the_end: Callable[[Services], Awaitable[T]],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Lived[T]:
        """Until nothing is owed any more, or until it is killed. meanwhile: what happens where it
        is frozen. Stuck where there is no end."""
        with asyncio.Runner(loop_factory=Loop) as runner:
            calls = Calls(crash, self.world.names, meanwhile)
            return runner.run(self._until_death(calls, at_the_end))

    async def _until_death(
        self, calls: Calls, at_the_end: Callable[[Services], Awaitable[T]]
    ) -> Lived[T]:
        life = asyncio.create_task(self._life(calls, at_the_end))
        death = asyncio.create_task(calls.death.wait())
        await asyncio.wait({life, death}, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        if calls.dead:
            await _bury(life)
            return Lived(tuple(calls.made), calls.struck, None)
        if not life.done():
            calls.dead = True
            await _bury(life)
            raise Stuck(f"no end after {WITHIN:.0f} seconds")
        return Lived(tuple(calls.made), calls.struck, life.result())

    async def _life(self, calls: Calls, at_the_end: Callable[[Services], Awaitable[T]]) -> T:
        async with self._process(calls) as services:
            calls.counting = True
            await self._start(services)
            await self._work(services, calls, Reviewer(services, self.world, self.decide))
            calls.counting = False
            return await at_the_end(services)

    @asynccontextmanager
    async def _process(self, calls: Calls) -> AsyncGenerator[Services, None]:
        """Connected and checked."""
        async with (
            aiohttp.ClientSession() as session,
            open_services(
                self.settings, self.known, self.world.time, doors(calls, self.world, session)
            ) as services,
        ):
            yield services

    async def _start(self, services: Services) -> None:
        """Whoever starts it does so again until it is said to be started."""
        if not self.world.started:
            await services.starter.start_run(
                self.workflow,
                self.values,
                thread_id=self.world.thread_id,
                requester=REQUESTER.id,
            )
            self.world.started = True

    async def _work(self, services: Services, calls: Calls, reviewer: Reviewer) -> None:
        step = None
        for _ in range(TURNS):
            step = self.world.backlog.take()
            if step is not None:
                await self._do(services, step)
                continue
            await services.tasks.reconcile()
            if self.world.backlog.queued:
                continue
            with calls.looking():
                at = await _next_due(services)
                soon = at is not None and at <= self.world.time.at + PATIENCE
                click = None if soon else await reviewer.next_click()
            if click is not None and not self.clicks:
                return
            if click is not None:
                await reviewer.click(click)
            elif at is not None:
                self.world.time.move_on_to(at)
            else:
                return
        raise Stuck(f"no end after {TURNS} steps; the last was {step.key if step else 'to wait'}")

    async def _do(self, services: Services, step: Step) -> None:
        """As docket does: what a task raises is logged, and reconcile asks again."""
        try:
            await getattr(services.tasks, step.kind)(step.subject)
        except Exception:
            log.warning("%s raised", step.key, exc_info=True)
        self.world.backlog.running = None


async def _bury(life: "asyncio.Task[Any]") -> None:
    """Take down what is left of the process. Nothing of it reaches anybody: it is dead."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.wait({life, *left}, timeout=WITHIN)
    for task in {life, *left}:
        if task.done() and not task.cancelled():
            task.exception()  # seen


async def _next_due(services: Services) -> datetime | None:
    """When something is owed next. None where it is only that a run that ended retires, and its
    state, which is compared, goes."""
    owed = services.store.keys.owed
    first: Any = await services.store.redis.zrange(owed, 0, 0, withscores=True)
    if not first:
        return None
    kind, _, name = first[0][0].decode().partition(" ")
    run = await services.store.run(name) if kind == "run" else None
    ended = run is not None and run.closed
    return None if ended else datetime.fromtimestamp(float(first[0][1]), UTC)
