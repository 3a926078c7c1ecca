"""Records, indexes and the audit trail in Redis: read, and changed by one script only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from bot import steps
from bot.approvals import Approval
from bot.audit import AuditEvent, Draft, chain
from bot.records import Change
from bot.runs import Run


class Conflict(Exception):
    """Someone else changed the record or the trail since it was read: read, and decide again."""


@dataclass(frozen=True)
class Keys:
    """The names of all keys. One hash tag, so that one script may touch them together."""

    namespace: str

    @property
    def prefix(self) -> str:
        return f"{{countersign}}:{self.namespace}:"

    def record(self, record: Run | Approval) -> str:
        if isinstance(record, Run):
            return self.run(record.thread_id)
        return self.approval(record.id)

    def run(self, thread_id: str) -> str:
        return f"{self.prefix}run:{thread_id}"

    def approval(self, approval_id: str) -> str:
        return f"{self.prefix}approval:{approval_id}"

    def trail(self, thread_id: str) -> str:
        return f"{self.prefix}trail:{thread_id}"

    def of_thread(self, thread_id: str) -> str:
        return f"{self.prefix}approvals:{thread_id}"

    @property
    def runs(self) -> str:
        return f"{self.prefix}runs"

    @property
    def pending(self) -> str:
        return f"{self.prefix}pending"

    @property
    def owed(self) -> str:
        return f"{self.prefix}owed"


class Store:
    """namespace: keeps deployments on one Redis apart."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self.redis = redis
        self.keys = Keys(namespace)
        source = files("bot").joinpath("commit.lua").read_text(encoding="utf-8")
        self._script = redis.register_script(source)

    async def commit(self, *changes: Change) -> tuple[Any, ...]:
        """Write all the changes (of one thread), or raise Conflict and write none. Answers the
        records as they stand now.

        An answer that got lost on the way is settled by a look: what stands there as we wrote
        it was written.
        """
        thread_id = changes[0].record.thread_id
        drafts = [draft for change in changes for draft in change.events]
        length, last = await self._end_of_trail(thread_id)
        records = [_with_trail(change.record, drafts) for change in changes]
        bodies = [_body(record) for record in records]
        keys = [self.keys.trail(thread_id), *(self.keys.record(record) for record in records)]
        entries = [entry for record in records for entry in self._entries(record)]
        names = list(dict.fromkeys(key for key, _, _ in entries))
        arguments: list[Any] = [length, len(records)]
        for record, body in zip(records, bodies, strict=True):
            arguments += [record.version, body]
        arguments.append(len(entries))
        for key, member, score in entries:
            arguments += [len(keys) + names.index(key) + 1, member, score]
        arguments += [event.model_dump_json() for event in chain(last, drafts)]
        if not await self._script(keys=keys + names, args=arguments):
            await self._settle(keys[1:], bodies)
        return tuple(record.to(version=record.version + 1) for record in records)

    async def run(self, thread_id: str) -> Run | None:
        body = await self._read(self.keys.run(thread_id))
        return Run.model_validate(body) if body else None

    async def approval(self, approval_id: str) -> Approval | None:
        body = await self._read(self.keys.approval(approval_id))
        return Approval.model_validate(body) if body else None

    async def approvals_of(self, thread_id: str) -> list[Approval]:
        """Oldest first."""
        ids = await self.redis.zrange(self.keys.of_thread(thread_id), 0, -1)
        found = [await self.approval(_text(approval_id)) for approval_id in ids]
        return [approval for approval in found if approval]

    async def pending(self, start: int, count: int) -> tuple[list[Approval], int]:
        """A page of what waits for a decision, oldest first, and how many there are in all."""
        total = await self.redis.zcard(self.keys.pending)
        ids = await self.redis.zrange(self.keys.pending, start, start + count - 1)
        found = [await self.approval(_text(approval_id)) for approval_id in ids]
        return [approval for approval in found if approval], total

    async def recent_runs(self, count: int) -> list[Run]:
        """Newest first."""
        ids = await self.redis.zrevrange(self.keys.runs, 0, count - 1)
        found = [await self.run(_text(thread_id)) for thread_id in ids]
        return [run for run in found if run]

    async def owing(self, now: datetime, count: int = 500) -> list[Run | Approval]:
        """The records that owe a step at `now`, the longest waiting first."""
        ids = await self.redis.zrangebyscore(
            self.keys.owed, "-inf", now.timestamp(), start=0, num=count
        )
        return [record for name in ids if (record := await self._named(_text(name)))]

    async def trail(self, thread_id: str) -> list[AuditEvent]:
        """Every event of the thread, in order."""
        stored = await self.redis.lrange(self.keys.trail(thread_id), 0, -1)
        return [AuditEvent.model_validate_json(text) for text in stored]

    async def _named(self, name: str) -> Run | Approval | None:
        kind, _, record_id = name.partition(" ")
        return await (self.run(record_id) if kind == "run" else self.approval(record_id))

    def _entries(self, record: Run | Approval) -> list[tuple[str, str, str]]:
        """(index, id, score): where the record is to be found from now on; "" takes it out."""
        owed = _score(steps.next_at(record))
        if isinstance(record, Run):
            created = _score(record.created_at)
            return [
                (self.keys.owed, f"run {record.thread_id}", owed),
                (self.keys.runs, record.thread_id, created),
            ]
        asked = _score(record.requested_at)
        return [
            (self.keys.owed, f"approval {record.id}", owed),
            (self.keys.pending, record.id, asked if record.status == "pending" else ""),
            (self.keys.of_thread(record.thread_id), record.id, asked),
        ]

    async def _end_of_trail(self, thread_id: str) -> tuple[int, AuditEvent | None]:
        stored = await self.redis.lrange(self.keys.trail(thread_id), -1, -1)
        last = AuditEvent.model_validate_json(stored[0]) if stored else None
        return (last.seq + 1 if last else 0), last

    async def _read(self, key: str) -> dict[str, Any] | None:
        version, body = await self.redis.hmget(key, ["version", "body"])
        if body is None:
            return None
        return {**json.loads(body), "version": int(version or 0)}

    async def _settle(self, keys: Sequence[str], bodies: Sequence[str]) -> None:
        for key, body in zip(keys, bodies, strict=True):
            stored = await self.redis.hget(key, "body")
            if stored is None or _text(stored) != body:
                raise Conflict(key)


def _with_trail(record: Run | Approval, drafts: Sequence[Draft]) -> Run | Approval:
    if isinstance(record, Run):
        return record
    told = sum(1 for draft in drafts if draft.approval_id == record.id)
    return record.to(trail=record.trail + told)


def _body(record: Run | Approval) -> str:
    return record.model_dump_json(exclude={"version"})


def _score(at: datetime | None) -> str:
    return "" if at is None else repr(at.timestamp())


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
