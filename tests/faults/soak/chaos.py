"""What goes wrong, again and again, drawn from a seed: processes, Redis and Slack."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.app import LEASE
from tests.faults.soak.cluster import Cluster

PAUSE = (0.3, 1.5)  # seconds between two troubles
LONGER_THAN_THE_LEASE = LEASE.total_seconds() + 3
SLACK = ("chat.postMessage", "chat.update", "users.info", "conversations.history")


@dataclass
class Chaos:
    """tally: what was done, by name, and how often. troubles: when, by the loop's clock.
    limits_posts: also messages are answered 429, after which all go at Slack's pace, one a second:
    for hundreds of threads that takes longer than anyone waits."""

    cluster: Cluster
    random: random.Random
    limits_posts: bool = True
    tally: Counter[str] = field(default_factory=Counter[str])
    troubles: list[float] = field(default_factory=list[float])
    asleep: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def reign(self, seconds: float) -> None:
        """For so long; then everything that sleeps is woken, and everything dead revived."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        kinds: dict[str, tuple[int, Callable[[], Awaitable[None]]]] = {
            "SIGKILL": (8, self._kill),
            "SIGSTOP longer than the lease": (2, self._stop),
            "SIGTERM": (4, self._terminate),
            "Redis connections cut": (6, self._cut),
            "Redis killed": (1, self._kill_redis),
            "Redis restarted": (1, self._restart_redis),
            "Slack fault": (20, self._slack),
        }
        names, weights = list(kinds), [weight for weight, _ in kinds.values()]
        while loop.time() < end:
            (name,) = self.random.choices(names, weights)
            self.troubles.append(loop.time())
            await kinds[name][1]()
            self.troubles.append(loop.time())
            self.tally[name] += 1
            await self.cluster.revive()
            await asyncio.sleep(self.random.uniform(*PAUSE))
        self.cluster.slack.faults.clear()
        await asyncio.gather(*self.asleep)
        await self.cluster.revive()

    def _one(self) -> str:
        return self.random.choice(sorted(self.cluster.instances))

    async def _kill(self) -> None:
        self.cluster.signal(self._one(), signal.SIGKILL)

    async def _terminate(self) -> None:
        self.cluster.signal(self._one(), signal.SIGTERM)

    async def _stop(self) -> None:
        """One at a time: with all of them asleep nothing is tried."""
        if not self.asleep:
            task = asyncio.create_task(self._sleep(self._one()))
            self.asleep.add(task)
            task.add_done_callback(self.asleep.discard)

    async def _sleep(self, name: str) -> None:
        instance = self.cluster.instances[name]
        self.cluster.signal(name, signal.SIGSTOP)
        await asyncio.sleep(LONGER_THAN_THE_LEASE)
        instance.signal_all(signal.SIGCONT)

    async def _cut(self) -> None:
        await self.cluster.cut_connections()

    async def _kill_redis(self) -> None:
        await self._redis_away(self.cluster.redis.kill)

    async def _restart_redis(self) -> None:
        await self._redis_away(self.cluster.redis.stop)

    async def _redis_away(self, end: Callable[[], None]) -> None:
        await asyncio.to_thread(end)
        await asyncio.sleep(self.random.uniform(0.1, 2))
        await asyncio.to_thread(self.cluster.redis.start)

    async def _slack(self) -> None:
        faults, method = self.cluster.slack.faults, self.random.choice(SLACK)
        limited = method if self.limits_posts or "chat." not in method else "users.info"
        fault = self.random.choice(
            (
                lambda: faults.lose_answer(method),
                lambda: faults.refuse_connection(method),
                lambda: faults.server_error(method),
                lambda: faults.rate_limit(limited, times=3),
                lambda: faults.error(method, "internal_error"),
                lambda: faults.slow(method, 1.5),
                faults.double_deliveries,
                faults.lose_deliveries,
            )
        )
        fault()
