"""Who is away, until when, and who decides in their place meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict
from redis.asyncio import Redis
from redis.exceptions import WatchError

from bot.keys import Keys
from workflows.fields import SlackUserId


class Absence(BaseModel):
    """deputy: None where nobody takes their place. until: None where it is until they take it
    back. told: the deputy and the threads of what waits know it; tried: the deputy may, by a try
    whose answer nobody knows."""

    model_config = ConfigDict(frozen=True)

    user: SlackUserId
    deputy: SlackUserId | None
    since: AwareDatetime
    until: AwareDatetime | None = None
    told: bool = False
    tried: bool = False

    def holds(self, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until)

    def untold(self, now: datetime) -> bool:
        """Is there anyone who has to know, and does not?"""
        return self.deputy is not None and not self.told and self.holds(now)


def deputies(absences: Iterable[Absence], now: datetime) -> dict[str, str]:
    """By each who is away at `now`, who takes their place."""
    return {each.user: each.deputy for each in absences if each.deputy and each.holds(now)}


@dataclass(frozen=True)
class Absences:
    """All that are known, in one hash: a workspace has few."""

    redis: Redis
    keys: Keys

    async def all(self) -> list[Absence]:
        return [Absence.model_validate_json(v) for v in await self.redis.hvals(self.keys.absences)]

    async def of(self, user: str) -> Absence | None:
        stored = await self.redis.hget(self.keys.absences, user)
        return Absence.model_validate_json(stored) if stored else None

    async def put(self, absence: Absence) -> None:
        await self.redis.hset(self.keys.absences, absence.user, absence.model_dump_json())

    async def drop(self, user: str) -> bool:
        """Was there one?"""
        return bool(await self.redis.hdel(self.keys.absences, user))

    async def note(self, absence: Absence, **changes: bool) -> Absence | None:
        """How far it is told; None where it is another one by now, or may be: asked again."""
        name, noted = self.keys.absences, absence.model_copy(update=changes)
        async with self.redis.pipeline() as pipe:
            try:
                await pipe.watch(name)
                if await self.of(absence.user) != absence:
                    return None
                pipe.multi()
                pipe.hset(name, absence.user, noted.model_dump_json())
                await pipe.execute()
            except WatchError:
                return None
        return noted
