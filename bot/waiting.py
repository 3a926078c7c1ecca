"""What waits for a decision, read on from a place that stays right while items come and go."""

from collections.abc import AsyncGenerator
from typing import Any

from bot.approvals import Approval
from bot.query import Place
from bot.store import Store

BATCH = 100


async def waiting(
    store: Store, place: Place | None, *, back: bool = False
) -> AsyncGenerator[Approval, None]:
    """Those after the place, oldest first; back: before it, newest first."""
    position = (place.at, place.id) if place else None
    room = BATCH
    while True:
        found = await _ids(store, position, room, back=back)
        new = [each for each in found if position is None or _beyond(each, position, back=back)]
        for approval in await store.many([name for _, name in new]):
            yield approval
        if len(found) < room:
            return
        position = new[-1] if new else position
        room = BATCH if new else room * 2  # so many were asked in the same moment


async def edge(store: Store, rank: int) -> float | None:
    """When the one with this number, counted from the oldest, was asked; None: there are fewer."""
    found: Any = await store.redis.zrange(store.keys.pending, rank, rank, withscores=True)
    return float(found[0][1]) if found else None


async def decided(store: Store, count: int) -> list[Approval]:
    """Those with an outcome, the last ones first."""
    ids: Any = await store.redis.zrevrange(store.keys.decided, 0, count - 1)
    return await store.many(map(_text, ids))


async def asked_back(store: Store, requester: str) -> list[Approval]:
    """Those that wait for an answer of theirs."""
    found: Any = await store.redis.zrange(store.keys.asked_back(requester), 0, -1)
    return await store.many(map(_text, found)) if found else []


async def how_many(store: Store) -> int:
    return int(await store.redis.zcard(store.keys.pending))


async def _ids(
    store: Store, position: tuple[float, str] | None, room: int, *, back: bool
) -> list[tuple[float, str]]:
    key, redis = store.keys.pending, store.redis
    start = position[0] if position else ("+inf" if back else "-inf")
    if back:
        found: Any = await redis.zrevrangebyscore(key, start, "-inf", 0, room, withscores=True)
    else:
        found = await redis.zrangebyscore(key, start, "+inf", 0, room, withscores=True)
    return [(float(score), _text(name)) for name, score in found]


def _beyond(each: tuple[float, str], position: tuple[float, str], *, back: bool) -> bool:
    return each < position if back else each > position


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
