"""The ledger for trying out: one row a refund, whatever comes twice."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workflows.connectors.payments import SqlitePayments
from workflows.effects import EffectRefused, Receipt


@pytest.fixture
def payments(tmp_path: Path) -> SqlitePayments:
    return SqlitePayments(tmp_path / "new" / "payments.db")


async def pay(payments: SqlitePayments, key: str, amount: int = 1250) -> Receipt:
    return await payments.refund(key, customer="Acme", amount_minor=amount, currency="EUR")


async def test_a_refund_is_a_row(payments: SqlitePayments) -> None:
    receipt = await pay(payments, "refund:a")

    assert receipt.id.startswith("re_")
    assert receipt.summary == "Refund done: €12.50"
    assert await payments.refunds() == [("refund:a", "Acme", 1250, "EUR")]


async def test_the_same_key_is_the_same_refund(payments: SqlitePayments) -> None:
    """Also with another amount: the first one was paid, and is what is answered."""
    first = await pay(payments, "refund:a")
    again = await pay(payments, "refund:a", amount=99)

    assert again == first
    assert await payments.refunds() == [("refund:a", "Acme", 1250, "EUR")]


async def test_another_key_is_another_refund(payments: SqlitePayments) -> None:
    first, other = await pay(payments, "refund:a"), await pay(payments, "refund:b")

    assert first.id != other.id
    assert [row[0] for row in await payments.refunds()] == ["refund:a", "refund:b"]


async def test_many_at_once_with_the_same_key_pay_once(tmp_path: Path) -> None:
    """From several processes, as far as SQLite can tell: each its own object, each its own
    connection, and the file is made by whoever is first."""
    all_of_them = [SqlitePayments(tmp_path / "payments.db") for _ in range(12)]

    receipts = await asyncio.gather(*(pay(each, "refund:a") for each in all_of_them))

    assert len({receipt.id for receipt in receipts}) == 1
    assert await all_of_them[0].refunds() == [("refund:a", "Acme", 1250, "EUR")]


@pytest.mark.parametrize("held_by", ["BEGIN EXCLUSIVE", "BEGIN; SELECT * FROM sqlite_master"])
async def test_whoever_comes_while_the_file_is_held_waits(
    payments: SqlitePayments, tmp_path: Path, held_by: str
) -> None:
    """Such as by someone who counts the refunds; from the first moment of the file on."""
    (tmp_path / "new").mkdir()
    with closing(sqlite3.connect(tmp_path / "new" / "payments.db", isolation_level=None)) as held:
        for statement in held_by.split(";"):
            held.execute(statement).fetchall()
        asyncio.get_running_loop().call_later(0.05, held.execute, "COMMIT")

        paid, found = await asyncio.gather(pay(payments, "refund:a"), payments.find("refund:b"))

    assert paid.id.startswith("re_")
    assert found is None


async def test_find_says_what_was_paid(payments: SqlitePayments) -> None:
    assert await payments.find("refund:a") is None
    receipt = await pay(payments, "refund:a")

    assert await payments.find("refund:a") == receipt
    assert await payments.find("refund:b") is None


@pytest.mark.parametrize("amount", [0, -1])
async def test_nothing_and_less_is_refused(payments: SqlitePayments, amount: int) -> None:
    with pytest.raises(EffectRefused, match="more than zero"):
        await pay(payments, "refund:a", amount=amount)

    assert await payments.refunds() == []


async def test_the_database_itself_holds_one_row_a_key(
    payments: SqlitePayments, tmp_path: Path
) -> None:
    """Whatever the code around it does."""
    await pay(payments, "refund:a")
    db = sqlite3.connect(tmp_path / "new" / "payments.db")
    with pytest.raises(sqlite3.IntegrityError, match="idempotency_key"):
        db.execute(
            "INSERT INTO refunds (id, idempotency_key, customer, amount_minor, currency)"
            " VALUES ('re_other', 'refund:a', 'Acme', 1, 'EUR')"
        )
    db.close()
