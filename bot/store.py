"""Records, indexes and the audit trail in Redis: read, and changed by one script only."""

import json
import logging
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from bot import steps
from bot.approvals import Approval
from bot.audit import NO_KEYS, AuditEvent, Draft, Keyring, chain
from bot.channels import Hold
from bot.concerned import concerned
from bot.keys import Keys
from bot.likeness import counts, key_of
from bot.records import Change, Record
from bot.runs import Run
from workflows.lease import CURRENT, LeaseLost
from workflows.schema import Stored, Unreadable

log = logging.getLogger(__name__)

OF_A_DRAFT = set(Draft.model_fields)
TRAIL_TRIES = 50  # how often the trail may grow between our look and our write
BATCH = 500
_STORED = ["version", "body"]
WRITTEN, LEASE_LOST, TOO_LATE = 1, -1, -2  # what commit.lua answers
HOLD_KEPT = 3600  # seconds after the last try to post there

R = TypeVar("R", bound=Record)


class Conflict(Exception):
    """Someone else changed the record or the trail since it was read: read, and decide again."""


class TooLate(Exception):
    """Redis came to the change when its time was over: it was not written, nor will it be."""


class Store:
    """namespace: keeps deployments on one Redis apart. keyring: signs the trail.

    A record that this code cannot read is left alone: Unreadable where it is asked for, or its
    thread is; lists pass over it, and one line of the log says so.
    """

    def __init__(self, redis: Redis, namespace: str, keyring: Keyring = NO_KEYS) -> None:
        self.redis = redis
        self.keyring = keyring
        self.keys = Keys(namespace)
        self._passed_over = set[str]()
        source = files("bot").joinpath("commit.lua").read_text(encoding="utf-8")
        self._script = redis.register_script(source)

    async def commit(self, *changes: Change, until: float | None = None) -> tuple[Any, ...]:
        """Write all the changes (of one thread), or raise Conflict and write none. Answers the
        records as they stand now. Inside Leases.hold(), LeaseLost where the lease is another's.

        until: a time of Redis's clock. A command that lies in the socket of a server that does
        not answer is carried out when that wakes up, after its sender has given up: it is refused
        then, and TooLate raised where someone still asks.

        An answer that got lost on the way is settled by a look: where the records stand as we
        wrote them, and the trail tells what we told, it was written. Where only the trail has
        grown meanwhile, our events come after what it has now.
        """
        drafts = [draft for change in changes for draft in change.events]
        records = [with_trail(change.record, drafts) for change in changes]
        for _ in range(TRAIL_TRIES):
            answer = await self._write(records, drafts, until)
            if answer == WRITTEN or await self._written(records, drafts):
                return tuple(record.to(version=record.version + 1) for record in records)
            if answer == TOO_LATE:
                raise TooLate(records[0].thread_id)
            if not await self._unchanged(records):
                break
        raise Conflict(records[0].thread_id)

    async def _write(
        self, records: Sequence[Run | Approval], drafts: Sequence[Draft], until: float | None
    ) -> int:
        thread_id = records[0].thread_id
        length, last = await self._end_of_trail(thread_id) if drafts else ("", None)
        lease = CURRENT.get()
        trail, held = self.keys.trail(thread_id), lease.key if lease else self.keys.no_lease
        keys = [trail, held, *(self.keys.record(record) for record in records)]
        entries = [entry for record in records for entry in self._entries(record)]
        names = list(dict.fromkeys(key for key, *_ in entries))
        arguments: list[Any] = [lease.token if lease else ""]
        arguments += ["" if until is None else repr(until), length, len(records)]
        for record in records:
            arguments += [record.version, _body(record)]
        arguments.append(len(entries))
        for key, member, score, seconds in entries:
            arguments += [len(keys) + names.index(key) + 1, member, score, seconds]
        arguments += [event.model_dump_json() for event in chain(last, drafts, self.keyring)]
        answer = int(await self._script(keys=keys + names, args=arguments))
        if answer == LEASE_LOST:
            raise LeaseLost(held)
        return answer

    async def _written(self, records: Sequence[Run | Approval], drafts: Sequence[Draft]) -> bool:
        for record in records:
            stored = await self.redis.hget(self.keys.record(record), "body")
            if stored is None or _text(stored) != _body(record):
                return False
        return await self.tells(records[0].thread_id, drafts)

    async def tells(self, thread_id: str, drafts: Sequence[Draft]) -> bool:
        """Whether the trail tells all of this: so it was committed, whatever came after it."""
        told = {event.model_dump_json(include=OF_A_DRAFT) for event in await self.trail(thread_id)}
        return all(draft.model_dump_json() in told for draft in drafts)

    async def _unchanged(self, records: Sequence[Run | Approval]) -> bool:
        stored = [await self.redis.hget(self.keys.record(r), "version") for r in records]
        return all(int(v or 0) == r.version for v, r in zip(stored, records, strict=True))

    async def run(self, thread_id: str) -> Run | None:
        return await self._read(Run, self.keys.run(thread_id), f"the run {thread_id}")

    async def approval(self, approval_id: str) -> Approval | None:
        key = self.keys.approval(approval_id)
        return await self._read(Approval, key, f"the approval {approval_id}")

    async def approval_and_time(self, approval_id: str) -> tuple[Approval | None, float]:
        """The approval, and what Redis's clock said meanwhile; in one round trip."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hmget(self.keys.approval(approval_id), _STORED)
            pipe.time()
            stored, clock = await pipe.execute()
        return _parsed(Approval, f"the approval {approval_id}", *stored), _seconds(clock)

    async def time(self) -> float:
        """Of Redis's clock."""
        return _seconds(await self.redis.time())

    async def approvals_of(self, thread_id: str) -> list[Approval]:
        """All of them, oldest first: who does not know each of them cannot say what is open."""
        ids = await self.redis.zrange(self.keys.of_thread(thread_id), 0, -1)
        found = [await self.approval(_text(approval_id)) for approval_id in ids]
        return [approval for approval in found if approval]

    async def pending(self, start: int, count: int) -> tuple[list[Approval], int]:
        """A page of what waits for a decision, oldest first, and how many there are in all."""
        total = await self.redis.zcard(self.keys.pending)
        ids = await self.redis.zrange(self.keys.pending, start, start + count - 1)
        return await self.many(map(_text, ids)), total

    async def many(self, ids: Iterable[str]) -> list[Approval]:
        """Approvals by id, in one round trip; what is not there or not readable is left out."""
        names, found = list(ids), list[Approval]()
        async with self.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hmget(self.keys.approval(name), _STORED)
            stored = await pipe.execute()
        for name, each in zip(names, stored, strict=True):
            try:
                approval = _parsed(Approval, f"the approval {name}", *each)
                found += [approval] if approval else []
            except Unreadable as error:
                self.pass_over(error)
        return found

    async def next_unposted(self, channel: str, now: datetime) -> Approval | None:
        """The approval whose card is the next to be posted in the channel."""
        start = 0
        while True:
            ids = await self.redis.zrangebyscore(
                self.keys.unposted(channel), "-inf", now.timestamp(), start=start, num=10
            )
            for approval_id in ids:
                approval = await self._listed(f"approval {_text(approval_id)}")
                if isinstance(approval, Approval):
                    return approval
            start += len(ids)
            if not ids:
                return None

    async def unposted(self, channel: str, now: datetime) -> int:
        """How many cards wait to be posted in the channel."""
        return await self.redis.zcount(self.keys.unposted(channel), "-inf", now.timestamp())

    async def hold(self, channel: str) -> Hold | None:
        """None: as far as anyone knows, Slack takes messages there."""
        stored = await self.redis.get(self.keys.hold(channel))
        return Hold.model_validate_json(stored) if stored else None

    async def put_hold(self, channel: str, hold: Hold) -> None:
        await self.redis.set(self.keys.hold(channel), hold.model_dump_json(), ex=HOLD_KEPT)

    async def drop_hold(self, channel: str) -> bool:
        """Was there one?"""
        return bool(await self.redis.delete(self.keys.hold(channel)))

    async def recent_runs(self, count: int) -> list[Run]:
        """Newest first."""
        ids = await self.redis.zrevrange(self.keys.runs, 0, count - 1)
        found = [await self._listed(f"run {_text(thread_id)}") for thread_id in ids]
        return [each for each in found if isinstance(each, Run)]

    async def threads(self, until: datetime | None = None) -> AsyncGenerator[str, None]:
        """The thread_ids of all runs, oldest first; of those that were started by then."""
        start, latest = 0, "+inf" if until is None else until.timestamp()
        while True:
            ids = await self.redis.zrangebyscore(
                self.keys.runs, "-inf", latest, start=start, num=BATCH
            )
            for thread_id in map(_text, ids):
                yield thread_id
            start += BATCH
            if len(ids) < BATCH:
                return

    async def open_threads(self) -> list[str]:
        """The thread_ids of all runs that are not closed, oldest first."""
        return [_text(name) for name in await self.redis.zrange(self.keys.open, 0, -1)]

    async def owing(self, now: datetime) -> AsyncGenerator[Run | Approval, None]:
        """The records that owe a step at `now`, the longest waiting first."""
        start = 0
        while True:
            names = await self.redis.zrangebyscore(
                self.keys.owed, "-inf", now.timestamp(), start=start, num=BATCH
            )
            for name in map(_text, names):
                record = await self._listed(name)
                if record is not None:
                    yield record
            start += BATCH
            if len(names) < BATCH:
                return

    async def restarted(self) -> str | None:
        """The run of the Redis server that `known_as` has not been told of; None: none is new,
        or the server does not say."""
        try:
            about = await self.redis.info("server")
        except NoPermissionError:
            return None
        known = await self.redis.get(self.keys.server)
        run_id = str(about.get("run_id") or "")
        return run_id if run_id and (known is None or _text(known) != run_id) else None

    async def known_as(self, run_id: str) -> None:
        await self.redis.set(self.keys.server, run_id)

    async def open_approvals(self) -> AsyncGenerator[Approval, None]:
        """Those that wait for a decision, and those that owe a step."""
        pending = await self.redis.zrange(self.keys.pending, 0, -1)
        owing = await self.redis.zrange(self.keys.owed, 0, -1)
        ids = {_text(approval_id): None for approval_id in pending}
        open_threads = set(await self.open_threads())  # one that ended owes its retirement only
        for kind, _, name in (_text(each).partition(" ") for each in owing):
            if kind == "approval":
                ids[name] = None
            elif name in open_threads:
                listed = await self.redis.zrange(self.keys.of_thread(name), 0, -1)
                ids.update((_text(approval_id), None) for approval_id in listed)
        for approval_id in ids:
            approval = await self._listed(f"approval {approval_id}")
            if isinstance(approval, Approval):
                yield approval

    async def trail(self, thread_id: str) -> list[AuditEvent]:
        """Every event of the thread, in order."""
        stored = await self.stored_trail(thread_id)
        return [AuditEvent.model_validate_json(text) for text in stored]

    async def stored_trail(self, thread_id: str) -> Sequence[bytes | str]:
        """The same, as JSON texts: what is there may be no event."""
        return await self.redis.lrange(self.keys.trail(thread_id), 0, -1)

    async def unlisted_trails(self) -> AsyncGenerator[str, None]:
        """The thread_ids of trails whose run the index does not list."""
        start = self.keys.trail("")
        async for key in self.redis.scan_iter(match=f"{start}*", count=BATCH):
            thread_id = _text(key).removeprefix(start)
            if await self.redis.zscore(self.keys.runs, thread_id) is None:
                yield thread_id

    async def _listed(self, name: str) -> Run | Approval | None:
        """None where it cannot be read: one such record must not hide the others."""
        kind, _, record_id = name.partition(" ")
        try:
            return await (self.run(record_id) if kind == "run" else self.approval(record_id))
        except Unreadable as error:
            self.pass_over(error)
            return None

    def pass_over(self, error: Unreadable) -> None:
        """Say once that it is left alone, however often it is met."""
        if str(error) not in self._passed_over:
            self._passed_over.add(str(error))
            log.warning("%s; left alone", error, exc_info=error.__cause__)

    def _entries(self, record: Run | Approval) -> list[tuple[str, str, str, str]]:
        """(index, id, score, seconds): where the record is to be found from now on, and for how
        long where not for good; "" takes it out."""
        owed = _score(steps.next_at(record))
        if isinstance(record, Run):
            created = _score(record.created_at)
            return [
                (self.keys.owed, f"run {record.thread_id}", owed, ""),
                (self.keys.runs, record.thread_id, created, ""),
                (self.keys.open, record.thread_id, "" if record.closed else created, ""),
            ]
        asked, name = _score(record.requested_at), record.id
        unposted = _score(steps.posted_at(record)) if steps.to_be_posted(record) else ""
        closed = _score(record.closed_at if record.decision else None)
        return [
            *self._asked_back(record),
            (self.keys.owed, f"approval {name}", owed, ""),
            (self.keys.unposted(record.channel), name, unposted, ""),
            (self.keys.pending, name, asked if record.status == "pending" else "", ""),
            (self.keys.decided, name, closed, ""),
            (self.keys.of_thread(record.thread_id), name, asked, ""),
            *self._among_alike(record, asked),
        ]

    def _among_alike(self, record: Approval, asked: str) -> list[tuple[str, str, str, str]]:
        key = record.request.duplicate_of
        if key is None:
            return []
        seconds = str(max(1, int(key.within.total_seconds())))
        among = self.keys.alike(key_of(record))
        return [(among, record.id, asked if counts(record) else "", seconds)]

    def _asked_back(self, record: Approval) -> list[tuple[str, str, str, str]]:
        """Nothing of the many that nobody was asked about: their requester's index is not held."""
        if record.requester is None or not record.inquiries:
            return []
        since = record.inquiry.at if record.is_open and record.inquiry else None
        return [(self.keys.asked_back(record.requester), record.id, _score(since), "")]

    async def _end_of_trail(self, thread_id: str) -> tuple[int, AuditEvent | None]:
        stored = await self.redis.lrange(self.keys.trail(thread_id), -1, -1)
        last = AuditEvent.model_validate_json(stored[0]) if stored else None
        return (last.seq + 1 if last else 0), last

    async def _read(self, model: type[R], key: str, name: str) -> R | None:
        return _parsed(model, name, *await self.redis.hmget(key, _STORED))


def _parsed(model: type[R], name: str, version: Any, body: Any) -> R | None:
    if body is None:
        return None
    stored: Stored = {**json.loads(body), "version": int(version or 0)}
    return model.form.read(model, stored, name)


def with_trail(record: Run | Approval, drafts: Sequence[Draft]) -> Run | Approval:
    if isinstance(record, Run):
        return record
    own = [draft for draft in drafts if draft.approval_id == record.id]
    numbered = enumerate(own, record.trail + 1)
    news = [number for number, draft in numbered if concerned(record, draft)]
    return record.to(trail=record.trail + len(own), notices=record.notices.add(news))


def _body(record: Run | Approval) -> str:
    return record.model_dump_json(exclude={"version"})


def _score(at: datetime | None) -> str:
    return "" if at is None else repr(at.timestamp())


def _seconds(clock: tuple[int, int]) -> float:
    seconds, microseconds = clock
    return seconds + microseconds / 1e6


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
