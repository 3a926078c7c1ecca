"""Paying money back: the Protocol, and a ledger on SQLite for trying out."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from workflows.effects import EffectRefused, Receipt
from workflows.money import format_money

WAIT = 30.0  # seconds for others to be done with the file
TABLE = """CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
)"""
ROWS = "SELECT idempotency_key, customer, amount_minor, currency FROM refunds"


class Payments(Protocol):
    """A payment provider that knows idempotency keys. needs_payment: whether it refunds payments
    of its own only, by their ids. told: which one it is, for the operator."""

    @property
    def needs_payment(self) -> bool: ...

    @property
    def told(self) -> str: ...

    async def refund(
        self,
        key: str,
        *,
        customer: str,
        amount_minor: int,
        currency: str,
        payment: str | None = None,
    ) -> Receipt:
        """Pay back once for `key`. EffectRefused where the provider certainly did not."""
        ...

    async def find(self, key: str, *, payment: str | None = None) -> Receipt | None:
        """The refund made under `key`, if there is one."""
        ...


class SqlitePayments:
    """A ledger that anyone can open and count: one row a refund, unique by idempotency key. It
    knows no payments: it pays to whoever is named."""

    needs_payment = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.told = f"written down in {path}, the ledger for trying out"

    async def refund(
        self,
        key: str,
        *,
        customer: str,
        amount_minor: int,
        currency: str,
        payment: str | None = None,  # noqa: ARG002 - others need it
    ) -> Receipt:
        if amount_minor <= 0:
            raise EffectRefused("a refund must be more than zero")
        row = (_refund_id(key), key, customer, amount_minor, currency)
        await asyncio.to_thread(self._insert, row)
        paid = await self.find(key)  # what an earlier call paid, if there was one
        return paid or _receipt(key, customer, amount_minor, currency)

    async def find(self, key: str, *, payment: str | None = None) -> Receipt | None:  # noqa: ARG002
        found = await asyncio.to_thread(self._select, f"{ROWS} WHERE idempotency_key = ?", (key,))
        return _receipt(*found[0]) if found else None

    async def refunds(self) -> list[tuple[str, str, int, str]]:
        """(idempotency key, customer, amount in minor units, currency) of each, oldest first."""
        return await asyncio.to_thread(self._select, f"{ROWS} ORDER BY rowid", ())

    def _insert(self, row: tuple[str, str, str, int, str]) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO refunds (id, idempotency_key, customer, amount_minor, currency)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (idempotency_key) DO NOTHING",
                row,
            )

    def _select(self, query: str, values: tuple[str, ...]) -> list[tuple[str, str, int, str]]:
        with self._transaction() as db:
            return db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """One at a time, whoever else has the file open. SQLite waits for its turn only where a
        transaction begins as a writer: a reader that turns writer, and a change to WAL, fail at
        once with "database is locked"."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=WAIT, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(TABLE)
            yield db
            db.execute("COMMIT")


def _refund_id(key: str) -> str:
    return f"re_{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _receipt(key: str, _customer: str, amount_minor: int, currency: str) -> Receipt:
    """Says what was paid, which is not always what was asked for."""
    amount = format_money(amount_minor, currency)
    return Receipt(id=_refund_id(key), summary=f"Refund done: {amount}")
