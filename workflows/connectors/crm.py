"""Records of a CRM: the Protocol, and a CRM on SQLite for trying out.

A record has a version, as far as it was read: what was changed and changed back is another one.
"""

import asyncio
import json
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from workflows.effects import EffectRefused, Receipt
from workflows.preconditions import PreconditionFailed

Kind = Literal["contact", "company", "deal"]
NAMED_BY: dict[Kind, tuple[str, ...]] = {  # its name, and last what tells it from its namesakes
    "contact": ("firstname", "lastname", "email"),
    "company": ("name", "domain"),
    "deal": ("dealname", "dealstage"),
}
WAIT = 30.0  # seconds for others to be done with the file


class Record(BaseModel):
    """A record as it was read: its properties by their internal name, "" where there is none.
    version: of these; url: where people look at it, if anywhere."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    id: str
    version: str
    values: dict[str, str]
    url: str = ""

    @property
    def name(self) -> str:
        *known, last = [self.values.get(each, "") for each in NAMED_BY[self.kind]]
        return " ".join(each for each in known if each) or last or f"{self.kind} {self.id}"

    def differs(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Of what is wanted, what is not so yet."""
        return {name: value for name, value in wanted.items() if self.values.get(name) != value}


class Crm(Protocol):
    """A CRM whose records change only by what differs from what was read."""

    async def read(self, kind: Kind, record_id: str, properties: Sequence[str]) -> Record | None:
        """These properties, and those that it is known by; None: there is no such record.
        EffectRefused where there never can be an answer, EffectNotYet or ProviderAway where there
        may be later."""
        ...

    async def update(self, key: str, was: Record, values: Mapping[str, str]) -> Receipt:
        """Write these values, once for `key`. EffectRefused where they certainly were not
        written; PreconditionFailed where the record is seen not to be as it `was`."""
        ...

    async def find(self, key: str, was: Record, values: Mapping[str, str]) -> Receipt | None:
        """The update made under `key`, if there is one."""
        ...


def receipt(was: Record, values: Mapping[str, str], version: str) -> Receipt:
    changed = ", ".join(values) or "nothing"
    summary = f"{was.kind.capitalize()} updated: {changed}"
    return Receipt(id=f"{was.kind} {was.id}", summary=summary, data={"version": version})


TABLES = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, properties TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE IF NOT EXISTS updates (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, properties TEXT NOT NULL,
    version INTEGER NOT NULL
);
"""
SAMPLES: dict[tuple[Kind, str], dict[str, str]] = {
    ("contact", "101"): {
        "firstname": "Lena", "lastname": "Vogt", "email": "lena.vogt@nordlicht.example",
        "phone": "+49 30 5550100", "city": "Berlin", "jobtitle": "",
    },
    ("company", "201"): {
        "name": "Nordlicht Versand", "domain": "nordlicht.example", "city": "Hamburg",
        "industry": "Logistics", "numberofemployees": "48",
    },
    ("deal", "301"): {
        "dealname": "Nordlicht, yearly contract", "dealstage": "contractsent", "amount": "12000",
        "closedate": "2026-03-31",
    },
}  # fmt: skip


class SqliteCrm:
    """A CRM that anyone can open and look at: a row a record, and a row an update, unique by key.
    A new file has a few records to try with."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self, kind: Kind, record_id: str, properties: Sequence[str]) -> Record | None:
        return await asyncio.to_thread(self._read, kind, record_id, properties)

    async def update(self, key: str, was: Record, values: Mapping[str, str]) -> Receipt:
        return await asyncio.to_thread(self._update, key, was, values)

    async def find(self, key: str, was: Record, values: Mapping[str, str]) -> Receipt | None:
        del values  # the key says it all
        return await asyncio.to_thread(self._find, key, was)

    async def change(self, kind: Kind, record_id: str, **values: str) -> None:
        """As anybody else does who uses the CRM."""
        await asyncio.to_thread(self._change, kind, record_id, values)

    async def updates(self) -> list[tuple[str, dict[str, str]]]:
        """(key, what was written) of each, oldest first."""
        return await asyncio.to_thread(self._updates)

    def _read(self, kind: Kind, record_id: str, properties: Sequence[str]) -> Record | None:
        with self._transaction() as db:
            return _record(db, kind, record_id, properties)

    def _update(self, key: str, was: Record, values: Mapping[str, str]) -> Receipt:
        """On condition: in one transaction nothing comes between the look and the write."""
        with self._transaction() as db:
            done = _done(db, key, was)
            if done is not None:
                return done
            now = _record(db, was.kind, was.id, list(was.values))
            if now is None:
                raise EffectRefused(f"there is no {was.kind} {was.id} any more")
            if now.version != was.version:
                raise PreconditionFailed(changes_between(was, now))
            version = _write(db, was.kind, was.id, values)
            row = (key, was.kind, was.id, json.dumps(dict(values)), version)
            db.execute("INSERT INTO updates VALUES (?, ?, ?, ?, ?)", row)
            return receipt(was, values, str(version))

    def _find(self, key: str, was: Record) -> Receipt | None:
        with self._transaction() as db:
            return _done(db, key, was)

    def _change(self, kind: Kind, record_id: str, values: Mapping[str, str]) -> None:
        with self._transaction() as db:
            _write(db, kind, record_id, values)

    def _updates(self) -> list[tuple[str, dict[str, str]]]:
        with self._transaction() as db:
            rows = db.execute("SELECT key, properties FROM updates ORDER BY rowid").fetchall()
        return [(key, json.loads(written)) for key, written in rows]

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """One at a time, whoever else has the file open; as in payments.py."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=WAIT, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            for statement in TABLES.split(";"):
                db.execute(statement)
            if db.execute("SELECT count(*) FROM records").fetchone() == (0,):
                for (kind, record_id), values in SAMPLES.items():
                    row = (kind, record_id, 1, json.dumps(values))
                    db.execute("INSERT INTO records VALUES (?, ?, ?, ?)", row)
            yield db
            db.execute("COMMIT")


def changes_between(was: Record, now: Record) -> list[str]:
    """In words, a line each; at least one, since the version says that there are some."""
    changed = [
        f"{name}: {json.dumps(value, ensure_ascii=False)} is now"
        f" {json.dumps(now.values.get(name, ''), ensure_ascii=False)}"
        for name, value in was.values.items()
        if now.values.get(name, "") != value
    ]
    return changed or ["Something else of the record was changed"]


def _stored(
    db: sqlite3.Connection, kind: Kind, record_id: str
) -> tuple[int, dict[str, str]] | None:
    query = "SELECT version, properties FROM records WHERE kind = ? AND id = ?"
    found = db.execute(query, (kind, record_id)).fetchone()
    return (found[0], json.loads(found[1])) if found else None


def _record(
    db: sqlite3.Connection, kind: Kind, record_id: str, properties: Sequence[str]
) -> Record | None:
    found = _stored(db, kind, record_id)
    if found is None:
        return None
    version, stored = found
    unknown = [name for name in properties if name not in stored]
    if unknown:
        raise EffectRefused(f"a {kind} has no property {unknown[0]!r}")
    values = {name: stored[name] for name in (*properties, *NAMED_BY[kind])}
    return Record(kind=kind, id=record_id, version=str(version), values=values)


def _write(db: sqlite3.Connection, kind: Kind, record_id: str, values: Mapping[str, str]) -> int:
    found = _stored(db, kind, record_id)
    if found is None:
        raise EffectRefused(f"there is no {kind} {record_id}")
    version, stored = found
    changed = (version + 1, json.dumps({**stored, **values}), kind, record_id)
    db.execute("UPDATE records SET version = ?, properties = ? WHERE kind = ? AND id = ?", changed)
    return version + 1


def _done(db: sqlite3.Connection, key: str, was: Record) -> Receipt | None:
    query = "SELECT properties, version FROM updates WHERE key = ?"
    found = db.execute(query, (key,)).fetchone()
    return receipt(was, json.loads(found[0]), str(found[1])) if found else None
