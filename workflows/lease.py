"""One writer per thread: a lease in Redis with a heartbeat and a fencing token.

A holder that was stopped for longer than the lease finds it gone: whoever asks `Lease.check()`
before writing cannot write behind the back of the next holder.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

RENEW = """if redis.call('GET', KEYS[1]) == ARGV[1]
then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"""
RELEASE = """if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0"""

POLL = 0.05  # seconds between two looks at a lease that someone else holds


class LeaseLost(Exception):
    """The lease ran out while its holder was away; nothing more may be written under it."""


class LeaseTaken(Exception):
    """Someone else holds the lease, and still did when the wait was over."""


@dataclass(frozen=True)
class Lease:
    """A held lease. token: unique to this holding, so that no other is taken for it."""

    redis: Redis
    key: str
    token: str
    ttl: timedelta

    async def check(self) -> None:
        """Prolong the lease; LeaseLost where it is no longer ours."""
        held = await self.redis.eval(RENEW, 1, self.key, self.token, str(_ms(self.ttl)))
        if not held:
            raise LeaseLost(self.key)


CURRENT: ContextVar[Lease | None] = ContextVar("countersign_lease", default=None)


async def still_held() -> None:
    """LeaseLost where the block that this runs in holds a lease no longer."""
    lease = CURRENT.get()
    if lease is not None:
        await lease.check()


@dataclass(frozen=True)
class Leases:
    """Takes leases by name. prefix: of the keys; ttl: how long a dead holder blocks the next."""

    redis: Redis
    prefix: str
    ttl: timedelta = timedelta(seconds=15)

    @contextlib.asynccontextmanager
    async def hold(
        self,
        name: str,
        *,
        wait: timedelta = timedelta(0),
        on_lost: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[Lease, None]:
        """Hold the lease in the block, and as `CURRENT` in all that the block starts.

        Raises LeaseTaken when `wait` is over. `on_lost` is called as soon as a heartbeat finds
        the lease gone.
        """
        lease = await self._acquire(name, wait)
        heartbeat = asyncio.create_task(_beat(lease, on_lost))
        reset = CURRENT.set(lease)
        try:
            yield lease
        finally:
            CURRENT.reset(reset)
            heartbeat.cancel()
            await asyncio.gather(heartbeat, return_exceptions=True)
            with contextlib.suppress(RedisError, OSError):  # then it runs out by itself
                await self.redis.eval(RELEASE, 1, lease.key, lease.token)

    async def _acquire(self, name: str, wait: timedelta) -> Lease:
        key = f"{self.prefix}lease:{name}"
        token = secrets.token_hex(16)
        deadline = asyncio.get_running_loop().time() + wait.total_seconds()
        while not await self._take(key, token):
            if asyncio.get_running_loop().time() >= deadline:
                raise LeaseTaken(name)
            await asyncio.sleep(POLL)
        return Lease(self.redis, key, token, self.ttl)

    async def _take(self, key: str, token: str) -> bool:
        """Ours also where an answer was lost, and the client sent the command again."""
        if await self.redis.set(key, token, nx=True, px=_ms(self.ttl)):
            return True
        return await self.redis.get(key) == token.encode()


async def _beat(lease: Lease, on_lost: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(lease.ttl.total_seconds() / 3)
        try:
            await lease.check()
        except LeaseLost:
            on_lost()
            return
        except (RedisError, OSError):  # away for a moment: each write checks for itself
            continue


def _ms(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
