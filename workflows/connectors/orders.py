"""Orders that were paid: a few on SQLite, for trying out. Only read here."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from workflows.money import format_money, to_minor

TABLE = """CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL,
    paid_minor INTEGER NOT NULL,
    currency TEXT NOT NULL
)"""
TRIAL = [
    ("A-1001", "Acme GmbH", 12050, "EUR"),
    ("A-1002", "Globex", 990, "USD"),
    ("A-1003", "Initech", 250000, "USD"),
]


@dataclass(frozen=True)
class Order:
    id: str
    customer: str
    paid_minor: int
    currency: str

    def allows(self, amount: Decimal) -> bool:
        """No more can be paid back than was paid."""
        return 0 < to_minor(amount, self.currency) <= self.paid_minor

    def __str__(self) -> str:
        paid = f"{format_money(self.paid_minor, self.currency)} {self.currency}"
        return f"Order {self.id} of {self.customer}: paid {paid}"


class Orders(Protocol):
    async def find(self, order: str) -> Order | None:
        """None where there is no such order."""
        ...


class SqliteOrders:
    """Beside the ledger of refunds, in the same file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, order: str) -> Order | None:
        return await asyncio.to_thread(self._select, order)

    def _select(self, order: str) -> Order | None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30.0, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(TABLE)
            db.executemany("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?)", TRIAL)
            found = db.execute(
                "SELECT id, customer, paid_minor, currency FROM orders WHERE id = ?", (order,)
            ).fetchone()
            db.execute("COMMIT")
        return Order(*found) if found else None
