"""A process that is frozen at a call, for longer than its lease lasts, while another goes on.

As after a SIGSTOP, a pause of the machine, or a network that is gone for a while: it wakes up and
goes on from exactly that call, and knows nothing of it. It may write nothing then: not what its
graph did, no record, and what it still says in Slack is taken back.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from bot.app import LEASE
from bot.local.torture.calls import Crash
from bot.local.torture.life import Life, Loop
from bot.services import Services

FROZEN_FOR = LEASE + timedelta(seconds=3)


class Stand(Protocol):
    """What all runs share; see crashes.py."""

    def end_leases(self) -> None: ...

    def written(self) -> dict[str, bytes]: ...


@dataclass
class Freeze:
    """Called where the process is frozen. Before a call: the other process does what is owed, up
    to the next click; after one, it goes on to the end. written: what stands in Redis by then,
    where nothing is left to do for the one that wakes up."""

    stand: Stand
    life: Life
    crash: Crash
    written: dict[str, bytes] | None = None
    troubles: list[Exception] = field(default_factory=list[Exception])

    def __call__(self) -> None:
        world, loop = self.life.world, asyncio.get_running_loop()
        self.stand.end_leases()
        world.time.move_on_to(world.time.at + FROZEN_FOR)
        world.backlog.deliver_again()
        to_the_end = self.crash.side == "after"
        other = replace(self.life, clicks=to_the_end)
        with ThreadPoolExecutor(1) as elsewhere:  # this loop stands still, and has this thread
            try:
                elsewhere.submit(other.live, None, _nothing).result()
            except Exception as error:  # noqa: BLE001 - not the frozen one's, who would swallow it
                self.troubles.append(error)
        if isinstance(loop, Loop):
            loop.slept += FROZEN_FOR.total_seconds()
        self.written = self.stand.written() if to_the_end else None

    def late(self) -> list[str]:
        """The keys that were written after it woke up, where nothing was owed any more."""
        if self.written is None:
            return []
        now = self.stand.written()
        keys = sorted(self.written.keys() | now.keys())
        return [key for key in keys if self.written.get(key) != now.get(key)]


async def _nothing(_services: Services) -> None:
    pass
