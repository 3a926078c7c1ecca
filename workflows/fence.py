"""A Redis client whose writes are carried out only under the caller's lease, checked by Redis
itself in the same transaction: who was stopped between a look at the lease and a write finds the
write refused, however long ago the look was."""

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.exceptions import WatchError

from workflows.lease import CURRENT, LeaseLost

# What changes nothing that belongs to a thread; everything else is taken for a write.
_KEYS = "GET JSON.GET JSON.MGET MGET SCAN TTL ZCARD ZRANGE"
_REST = "CLIENT FT._LIST FT.AGGREGATE FT.CREATE FT.INFO FT.SEARCH INFO MODULE PING"
FREE = frozenset(f"{_KEYS} {_REST}".split())
TRIES = 10  # the lease is prolonged now and then, which Redis takes for a change of it
PAUSE = 0.02  # seconds before a lost connection is tried again; doubled each time
PAUSE_AT_MOST = 0.5


class FencedPipeline(Pipeline):
    """Its commands are carried out together, or, where the lease is no longer ours, none is."""

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """LeaseLost where the lease is another's, or nobody's. A lost answer is no reason to
        give up: what the saver writes is the same when it is written twice."""
        commands = list(self.command_stack)
        if all(_is_free(arguments) for arguments, _ in commands):
            return await super().execute(raise_on_error)
        for number in range(TRIES):
            try:
                return await self._under_lease(commands, raise_on_error)
            except WatchError:
                continue
            except (RedisConnectionError, RedisTimeoutError):
                if number == TRIES - 1:
                    raise
                await asyncio.sleep(min(PAUSE * 2**number, PAUSE_AT_MOST))
            finally:
                await self.reset()
        raise RedisConnectionError(f"the lease changed {TRIES} times while it was looked at")

    async def _under_lease(self, commands: list[Any], raise_on_error: bool) -> list[Any]:
        lease = CURRENT.get()
        if lease is None:
            raise LeaseLost("no lease: the saver writes only inside Leases.hold()")
        self.command_stack = []
        await self.watch(lease.key)
        holder: Any = await self.get(lease.key)  # at once, since the key is watched
        if holder != lease.token.encode():
            raise LeaseLost(lease.key)
        self.multi()
        self.command_stack = list(commands)
        return await super().execute(raise_on_error)


class FencedRedis(Redis):
    """On the pool of another client; RESP2, decode_responses off."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> FencedPipeline:
        return FencedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if _is_free(args):
            return await super().execute_command(*args, **options)
        pipeline = self.pipeline()
        pipeline.execute_command(*args, **options)
        return (await pipeline.execute())[0]


def _is_free(arguments: Any) -> bool:
    name = arguments[0]
    first = (name.decode() if isinstance(name, bytes) else str(name)).split(" ")[0]
    return first.upper() in FREE
