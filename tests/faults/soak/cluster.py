"""What is soaked: a Redis, the local workspace, and bots and workers as processes of their own."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.local.instances import Instance
from bot.local.redis import EmbeddedRedis
from bot.local.server import LocalSlack
from bot.redis_check import RedisNotSuitable
from bot.starting import Starter
from tests.deployment import Deployment

T = TypeVar("T")

ROLES = {"bot-1": "bot", "bot-2": "bot", "bot-3": "bot", "worker-1": "worker"}
ROOT = Path(__file__).parents[3]
AGAIN = 0.2  # seconds before something is asked of a Redis again that was away


@dataclass
class Cluster:
    """instances: by name, running or dead."""

    redis: EmbeddedRedis
    slack: LocalSlack
    deployment: Deployment
    directory: Path
    instances: dict[str, Instance] = field(default_factory=dict[str, Instance])

    async def start_all(self) -> None:
        await asyncio.gather(*(self.start(name) for name in ROLES))
        await self.listeners()

    async def start(self, name: str) -> None:
        environment = {**self.deployment.environment, "PYTHONPATH": str(ROOT)}
        self.instances[name] = await Instance.start(
            name, [ROLES[name]], environment, self.directory, "tests.faults.soak.process"
        )

    async def revive(self) -> None:
        """Start again what has ended, as a supervisor does."""
        dead = [name for name, each in self.instances.items() if not each.running]
        await asyncio.gather(*(self.start(name) for name in dead))

    async def listeners(self) -> None:
        while not self.slack.sockets.connections:
            await asyncio.sleep(AGAIN)
            await self.revive()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Nothing where it has ended already. A bot tells its worker of SIGTERM by itself."""
        instance = self.instances[name]
        if number != signal.SIGTERM:
            instance.signal_all(number)
        elif instance.running:
            instance.process.terminate()

    async def ask(self, what: Callable[[], Awaitable[T]]) -> T:
        """Asked again until Redis is there."""
        while True:
            try:
                return await what()
            except (RedisError, RedisNotSuitable, OSError):
                await asyncio.sleep(AGAIN)

    async def start_run(
        self, starter: Starter, workflow: str, values: dict[str, str], thread_id: str
    ) -> None:
        """As whoever asks for refunds does: the same start again until it is answered."""
        await self.ask(lambda: starter.start_run(workflow, values, thread_id=thread_id))

    async def cut_connections(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            async with Redis.from_url(self.redis.url) as client:
                await client.client_kill_filter(_type="normal", skipme=True)


@contextlib.asynccontextmanager
async def open_cluster(directory: Path) -> AsyncGenerator[Cluster, None]:
    redis = EmbeddedRedis(directory / "redis", options={"appendfsync": "always"})
    async with LocalSlack() as slack:
        await asyncio.to_thread(redis.start)
        try:
            deployment = Deployment(redis.url, slack, directory)
            cluster = Cluster(redis, slack, deployment, directory)
            try:
                await cluster.start_all()
                yield cluster
            finally:
                for each in cluster.instances.values():
                    each.signal_all(signal.SIGCONT)
                await asyncio.gather(*(each.kill() for each in cluster.instances.values()))
        finally:
            await asyncio.to_thread(redis.stop)
