"""A clock that a test moves on by hand, and an instance that goes by it."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.local.person import Seen
from bot.services import Services
from tests.asking import Asking
from tests.deployment import Deployment
from tests.eventually import eventually

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # 10:00 in Berlin, 9:00 in Lisbon
PATIENCE = 60.0


@dataclass
class HandClock:
    at: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Waiting:
    """An instance, and the time that it takes it to be."""

    deployment: Deployment
    bot: Services
    clock: HandClock

    async def until(self, at: datetime) -> None:
        """Time has passed, and what is owed now is queued."""
        self.clock.at = at
        await self.bot.tasks.reconcile()

    async def pass_by(self, **time: float) -> None:
        await self.until(self.clock.at + timedelta(**time))

    async def direct(self, who: str, count: int) -> list[str]:
        """What the bot wrote to this person, once it is so many messages."""

        def told() -> list[str] | None:
            seen = direct(self.deployment, who)
            return [message.text for message in seen] if len(seen) >= count else None

        return await eventually(f"{count} direct messages to {who}", told, PATIENCE)

    async def quiet(self) -> None:
        """Nothing is owed now, nor being done, whoever was to do it."""

        async def owed() -> bool | None:
            store, now = self.bot.store, self.clock()
            return None if [record async for record in store.owing(now)] else True

        await eventually("nothing is owed", owed, PATIENCE)


def direct(deployment: Deployment, who: str) -> list[Seen]:
    """What the bot has written to this person."""
    person = deployment.person(who)
    if deployment.slack.workspace.find_direct_message(person.id) is None:
        return []
    return person.direct()


@contextlib.asynccontextmanager
async def waiting(
    deployment: Deployment, known: Asking, clock: HandClock | None = None
) -> AsyncGenerator[Waiting, None]:
    clock = clock or HandClock()
    async with deployment.instance(known=known, now=clock) as bot:
        yield Waiting(deployment, bot, clock)
