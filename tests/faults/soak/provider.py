"""What the soak's graphs send with: a provider whose log tells of each call, and forgives nothing.

It knows no idempotency key: a second call is a second mail. It refuses an account until a person
mends it, and it loses calls, and answers. Its log also tells which calls are still on their
way: those of a process that is stopped will arrive.
"""

import asyncio
import contextlib
import os
import random
import sqlite3
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Literal

from workflows.effects import EffectRefused, Receipt

WAIT = 30.0  # seconds for others to be done with the file
LOST_CALLS, LOST_ANSWERS = 0.2, 0.5
TABLES = (
    "CREATE TABLE IF NOT EXISTS calls (key TEXT, process INTEGER, arrived INTEGER DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS mended (key TEXT)",
)
Truth = Literal["happened", "did not happen", "is on its way"]


class Provider:
    """path: of its log, which all processes share. on_the_way: seconds, from and to, that a call
    takes, and its answer."""

    def __init__(self, path: Path, on_the_way: tuple[float, float] = (0.0, 0.5)) -> None:
        self._path = path
        self._on_the_way = on_the_way

    async def send_if_mended(self, key: str) -> Receipt:
        with self._log() as log:
            if not log.execute("SELECT 1 FROM mended WHERE key = ?", (key,)).fetchone():
                raise EffectRefused("The account is closed")
        return await self.send(key, loses=False)

    async def send(self, key: str, *, loses: bool = True) -> Receipt:
        with self._log() as log:
            call = log.execute("INSERT INTO calls VALUES (?, ?, 0)", (key, os.getpid())).lastrowid
        await self._travel()
        lost = loses and _happens(LOST_CALLS)
        with self._log() as log:
            arrives = "DELETE FROM calls" if lost else "UPDATE calls SET arrived = 1"
            log.execute(f"{arrives} WHERE rowid = ?", (call,))
        await self._travel()
        if lost or (loses and _happens(LOST_ANSWERS)):
            raise ConnectionError("no answer")
        return Receipt(id=f"m_{call}", summary="Sent")

    def mend(self, key: str) -> None:
        with self._log() as log:
            log.execute("INSERT INTO mended VALUES (?)", (key,))

    def truth(self, key: str) -> Truth:
        """What a person finds who looks the key up."""
        with self._log() as log:
            calls = log.execute(
                "SELECT process, arrived FROM calls WHERE key = ?", (key,)
            ).fetchall()
        if any(arrived for _, arrived in calls):
            return "happened"
        return "is on its way" if any(_lives(process) for process, _ in calls) else "did not happen"

    def sent(self) -> Counter[str]:
        """How many mails arrived, by key."""
        with self._log() as log:
            return Counter(key for (key,) in log.execute("SELECT key FROM calls WHERE arrived"))

    async def _travel(self) -> None:
        await asyncio.sleep(random.uniform(*self._on_the_way))  # noqa: S311 - another trouble each time

    @contextlib.contextmanager
    def _log(self) -> Generator[sqlite3.Connection, None, None]:
        with closing(sqlite3.connect(self._path, timeout=WAIT, isolation_level=None)) as log:
            log.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                log.execute(table)
            yield log
            log.execute("COMMIT")


def _happens(chance: float) -> bool:
    return random.random() < chance  # noqa: S311 - as above


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
