"""The Redis saver as Countersign uses it: typed, and fenced by the lease of the thread."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import ERROR  # private, pinned
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.checkpoint.redis.key_registry import AsyncCheckpointKeyRegistry as AsyncKeyRegistry
from langgraph.checkpoint.redis.util import to_storage_safe_id
from redis.asyncio import Redis
from redisvl.exceptions import RedisVLError
from redisvl.query import CountQuery, FilterQuery
from redisvl.query.filter import FilterExpression, Tag

from workflows.effects import Receipt
from workflows.fence import FencedRedis
from workflows.lease import CURRENT, LeaseLost
from workflows.protocol import Actor, Approve, Edit, Expired, Outdated, Reject, Respond
from workflows.serializer import TypedRedisSerializer

ROUNDS = 100  # of deleting what a thread holds
STATE_TYPES = (Actor, Approve, Edit, Expired, Outdated, Receipt, Reject, Respond)  # any workflow's


class FencedRedisSaver(AsyncRedisSaver):
    """Writes only under a lease that still holds. No TTL: a question waits as long as it takes."""

    def __init__(self, redis: Redis, *, namespace: str, state_types: Iterable[type] = ()) -> None:
        """redis: RESP2, decode_responses off. namespace: keeps deployments on one Redis apart."""
        super().__init__(
            redis_client=FencedRedis(connection_pool=redis.connection_pool),
            checkpoint_prefix=f"{namespace}:checkpoint",
            checkpoint_write_prefix=f"{namespace}:checkpoint_write",
        )
        self._typed = TypedRedisSerializer(*STATE_TYPES, *state_types)
        self.serde = self._typed

    async def asetup_reading(self) -> None:
        """As asetup(), but no index is created: enough for looking at threads."""
        self.loop = asyncio.get_running_loop()
        self.create_indexes()  # objects only
        await self._detect_cluster_mode()
        self._key_registry = AsyncKeyRegistry(self._redis)

    def _recursive_deserialize(self, obj: Any) -> Any:
        """Raises where a value cannot be read; the parent logs it and hands out the raw JSON."""
        return self._typed.revive(obj)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        stream_mode: str = "values",
    ) -> RunnableConfig:
        await _early()
        try:
            return await super().aput(config, checkpoint, metadata, new_versions, stream_mode)
        except RedisVLError as error:  # the index hides what it was: a lost lease, a lost Redis
            raise error.__cause__ or error from None

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        await _early()
        # A node's error is kept as text: else it could not be stored, nor the answers beside it.
        texts = [(name, repr(value) if name == ERROR else value) for name, value in writes]
        await super().aput_writes(config, texts, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """The parent deletes 10,000 checkpoints and as many writes at a time."""
        await _early()
        for _ in range(ROUNDS):
            if not await self._holds(thread_id):
                return
            await self._delete_torn(thread_id)
            await super().adelete_thread(thread_id)

    async def _delete_torn(self, thread_id: str) -> None:
        """The writes of a checkpoint may stand without it, after a crash between the two; then
        they alone tell which of its keys are there."""
        fields = ["checkpoint_ns", "checkpoint_id"]
        found = await self.checkpoint_writes_index.search(
            FilterQuery(_of(thread_id), return_fields=fields, num_results=10_000)
        )
        named = {(doc.checkpoint_ns, doc.checkpoint_id) for doc in found.docs}
        keys = [
            key
            for space, checkpoint_id in named
            for key in (
                self._make_redis_checkpoint_key(thread_id, space, checkpoint_id),
                self._make_redis_checkpoint_latest_key(thread_id, space),
                AsyncKeyRegistry.make_write_keys_zset_key(thread_id, space, checkpoint_id),
            )
        ]
        if keys:
            await self._redis.delete(*keys)

    async def _holds(self, thread_id: str) -> bool:
        counting = CountQuery(_of(thread_id))
        found = [
            await index.query(counting)
            for index in (self.checkpoints_index, self.checkpoint_writes_index)
        ]
        return any(found)


def _of(thread_id: str) -> FilterExpression:
    return Tag("thread_id") == str(to_storage_safe_id(thread_id))


async def _early() -> None:
    """Most who lost their lease learn it before they begin; fence.py stops the others."""
    lease = CURRENT.get()
    if lease is None:
        raise LeaseLost("no lease: the saver writes only inside Leases.hold()")
    await lease.check()
