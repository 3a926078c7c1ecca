"""Writing to patients: the Protocol, and a desk on SQLite for trying out."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from workflows.effects import EffectRefused, Receipt

WAIT = 30.0  # seconds for others to be done with the file
TABLES = (
    """CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY,
    operation_id TEXT NOT NULL UNIQUE,
    patient TEXT NOT NULL,
    template TEXT NOT NULL,
    body TEXT NOT NULL
)""",
    "CREATE TABLE IF NOT EXISTS withdrawn (patient TEXT PRIMARY KEY)",
)
Row = tuple[Any, ...]


class Patients(Protocol):
    """Whoever keeps what patients agreed to, and brings them messages."""

    async def consents(self, patient: str) -> bool:
        """Do they agree to be written to, now?"""
        ...

    async def send(self, key: str, *, patient: str, template: str, body: str) -> Receipt:
        """Send once for `key`. The receipt names nothing of the patient's. EffectRefused where it
        certainly was not sent."""
        ...

    async def find(self, key: str) -> Receipt | None:
        """The message that was sent under `key`, if there is one."""
        ...


class SqlitePatients:
    """A desk that anyone can open and count: one row a message. Whoever did not withdraw agrees."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def consents(self, patient: str) -> bool:
        return not await self._do("SELECT 1 FROM withdrawn WHERE patient = ?", patient)

    async def withdraw(self, patient: str) -> None:
        """They do not agree any more."""
        await self._do("INSERT INTO withdrawn VALUES (?) ON CONFLICT DO NOTHING", patient)

    async def send(self, key: str, *, patient: str, template: str, body: str) -> Receipt:
        if not body.strip():
            raise EffectRefused("a message must say something")
        row = (_message_id(key), key, patient, template, body)
        await self._do("INSERT INTO messages VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", *row)
        return _receipt(key)

    async def find(self, key: str) -> Receipt | None:
        found = await self._do("SELECT 1 FROM messages WHERE operation_id = ?", key)
        return _receipt(key) if found else None

    async def messages(self) -> list[Row]:
        """(operation id, patient, template, body) of each, oldest first."""
        return await self._do(
            "SELECT operation_id, patient, template, body FROM messages ORDER BY rowid"
        )

    async def _do(self, statement: str, *values: str) -> list[Row]:
        return await asyncio.to_thread(self._execute, statement, values)

    def _execute(self, statement: str, values: tuple[str, ...]) -> list[Row]:
        with self._transaction() as db:
            return db.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """One at a time, whoever else has the file open; as in payments.py."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=WAIT, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                db.execute(table)
            yield db
            db.execute("COMMIT")


def _message_id(key: str) -> str:
    return f"msg_{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _receipt(key: str) -> Receipt:
    return Receipt(id=_message_id(key), summary="Sent")
