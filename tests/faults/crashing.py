"""A process that dies at its n-th outside call: before it, or after it and before the answer.

Redis, Slack, the queue and the payment provider are wrapped where they are handed in; the product
has no trigger points. A death is an exception that nothing in the product catches, after which
nothing of that process is used again: another is made, as a restart does.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeVar

from redis.asyncio import Redis

from bot.app import connect
from bot.services import Services
from bot.slack import SlackGateway, slack_client
from bot.starting import Starter
from bot.steps import Step
from bot.store import Store
from bot.tasks import Tasks
from tests.deployment import CHANNEL, Deployment
from workflows.catalog import Catalog
from workflows.checkpointer import FencedRedisSaver
from workflows.clock import utc_now
from workflows.effects import EffectLedger
from workflows.lease import Leases
from workflows.protocol import Policy
from workflows.runner import Runner

T = TypeVar("T")
When = Literal["before", "after"]

LEASE = timedelta(milliseconds=150)  # short: the next process waits for it


class Died(BaseException):
    """The process is gone; no `except Exception` of the product may see it."""


@dataclass
class Clock:
    """Counts outside calls, and says at which one the process dies. at: None, never."""

    at: int | None = None
    when: When = "before"
    calls: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])
    dead: bool = False

    async def call(self, kind: str, act: Callable[[], Awaitable[T]]) -> T:
        if self.dead:
            raise Died  # what is left of a dead process does nothing more
        self.calls += 1
        self.kinds[kind] += 1
        due = self.calls == self.at
        if due and self.when == "before":
            self.dead = True
            raise Died
        answer = await act()
        if due:
            self.dead = True
            raise Died
        return answer


class CountedPipeline:
    """A pipeline whose `execute` is one outside call; everything else is the pipeline's own."""

    def __init__(self, pipeline: Any, clock: Clock) -> None:
        self._pipeline, self._clock = pipeline, clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)

    async def __aenter__(self) -> "CountedPipeline":
        await self._pipeline.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._pipeline.__aexit__(*error)

    async def execute(self, *args: Any, **options: Any) -> Any:
        async def act() -> Any:
            return await self._pipeline.execute(*args, **options)

        return await self._clock.call("redis pipeline", act)


class CountedRedis(Redis):
    """Each command, and each pipeline, is one outside call."""

    clock: Clock

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        parent = super()

        async def act() -> Any:
            return await parent.execute_command(*args, **options)

        return await self.clock.call(f"redis {args[0]}", act)

    def pipeline(self, *args: Any, **options: Any) -> Any:
        return CountedPipeline(super().pipeline(*args, **options), self.clock)


class CountedQueue:
    """Steps in memory, gone with the process: reconcile has to find them all again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.steps: dict[str, Step] = {}

    async def add(self, step: Step) -> None:
        async def put() -> None:
            self.steps.setdefault(step.key, step)

        await self._clock.call("queue add", put)


def counted_slack(deployment: Deployment, clock: Clock) -> Any:
    """The real client, each call of the Web API counted."""
    client = slack_client(deployment.slack.bot_token, deployment.slack.api_url)
    act = client.api_call

    async def call(method: str, **options: Any) -> Any:
        return await clock.call(f"slack {method}", lambda: act(method, **options))

    client.api_call = call  # pyright: ignore[reportAttributeAccessIssue]
    return client


@contextlib.asynccontextmanager
async def process(
    deployment: Deployment, known: Catalog, clock: Clock, age: timedelta
) -> AsyncGenerator[tuple[Services, CountedQueue], None]:
    """One process of the deployment, whose outside calls go through the clock. age: how much
    later than now it lives, so that what it waits for is due."""
    pool = connect(deployment.redis_url).connection_pool
    redis = CountedRedis(connection_pool=pool)
    quiet = Clock()
    redis.clock = quiet

    def now() -> Any:
        return utc_now() + age

    store = Store(redis, deployment.namespace)
    saver = FencedRedisSaver(redis, namespace=deployment.namespace, state_types=known.state_types)
    await saver.asetup()
    client = counted_slack(deployment, quiet)
    queue = CountedQueue(clock)
    effects = EffectLedger(redis, store.keys.prefix, now)
    slack = SlackGateway(client, "T0000ACME", "U0COUNTER")
    policy = Policy(approvers=("U0000MARA", "U000JONAS"))
    tasks = Tasks(
        store=store,
        queue=queue,  # pyright: ignore[reportArgumentType] # the same `add`
        runner=Runner(known, saver, effects),
        effects=effects,
        leases=Leases(redis, store.keys.prefix, LEASE),
        slack=slack,
        policies=dict.fromkeys(known, policy),
        channel=CHANNEL,
        instance="one",
        now=now,
    )
    slack.client = counted_slack(deployment, clock)
    redis.clock = clock
    starter = Starter(store, tasks.queue, known, now)
    try:
        yield Services(store, slack, tasks, starter, known, now), queue
    finally:
        redis.clock = quiet
        await redis.aclose()
