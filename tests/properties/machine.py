"""Several actors on one approval's records: each reads, and commits later what it made of that."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from redis.asyncio import Redis

from bot import steps
from bot.approvals import Approval, Closed
from bot.audit import AuditEvent, Tag, first_broken
from bot.inslack import MessageRef
from bot.records import Change
from bot.store import Conflict, Store
from tests.bot.samples import CHANNEL, THREAD, after, approve, opened, reject, run
from workflows.payloads import Asked

T = TypeVar("T")
IDS = ("ap_1", "ap_2")
CLOSING = {
    Tag.APPROVED: "approved",
    Tag.REJECTED: "rejected",
    Tag.EXPIRED: "expired",
    Tag.SUPERSEDED: "superseded",
}
BEFORE = {"pending": "superseded"}  # what is opened again was superseded; all else was pending


@dataclass
class World:
    """One event loop and one Redis for all the runs of a machine; each has its own namespace."""

    runner: asyncio.Runner
    redis: Redis
    name: str
    make: Callable[[Redis, str], Store] = Store
    _count: "itertools.count[int]" = field(default_factory=itertools.count)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def store(self) -> Store:
        return self.make(self.redis, f"{self.name}-{next(self._count)}")


@dataclass(frozen=True)
class Act:
    """What an actor makes of a record that it has read: who it is, and when that is."""

    who: str
    at: float

    def approve(self, a: Approval) -> Change:
        return a.decide(approve(a, self.who, after(self.at)), after(self.at))

    def reject(self, a: Approval) -> Change:
        return a.decide(reject(a, self.who, after(self.at)), after(self.at))

    def expire(self, a: Approval) -> Change:
        return a.expire(after(self.at))

    def supersede(self, a: Approval) -> Change:
        return a.supersede(after(self.at))

    def reopen(self, a: Approval) -> Change | None:
        fits = a.status == "superseded"
        return a.reopen(Asked(a.request), a.policy, after(self.at)) if fits else None

    def given_up(self, a: Approval) -> Change | None:
        fits = a.status != "pending" and not a.outcome
        return Change(a.given_up("The workflow failed", after(self.at))) if fits else None

    def retried(self, a: Approval) -> Change | None:
        failed = a.outcome and a.outcome.run_failed
        return Change(a.retried()) if failed else None

    def hand_over(self, a: Approval) -> Change | None:
        fits = a.decision and not a.handed_over_at
        return a.hand_over(after(self.at), self.who, "cp") if fits else None

    def applied(self, a: Approval) -> Change | None:
        return Change(a.applied(after(self.at))) if a.handed_over_at else None

    def concluded(self, a: Approval) -> Change | None:
        fits = a.applied_at and not a.outcome
        return Change(a.concluded("done", "Refund done", after(self.at))) if fits else None

    def posting(self, a: Approval) -> Change | None:
        return None if a.message else Change(a.posting(after(self.at)))

    def posted(self, a: Approval) -> Change:
        where = a.message or MessageRef(channel=CHANNEL, ts=f"{self.at:.6f}")
        return a.posted(where, a.revision, after(self.at))

    def lost(self, a: Approval) -> Change:
        return Change(a.lost())

    def replied(self, a: Approval) -> Change | None:
        return Change(a.replied_to(a.replied + 1)) if a.replied < a.trail else None

    def reply_later(self, a: Approval) -> Change:
        return Change(a.reply_later(after(self.at + 5), a.replied))

    def undelivered(self, a: Approval) -> Change:
        return Change(a.undelivered("not_in_channel", after(self.at)))


ACTS = [name for name in vars(Act) if not name.startswith("_") and name not in ("who", "at")]
OUTCOMES = {
    "approve": "approved",
    "reject": "rejected",
    "expire": "expired",
    "supersede": "superseded",
    "reopen": "pending",
}
actors = st.sampled_from(["U0000MARA", "U000JONAS", "U000CHRIS"])
which = st.sampled_from(IDS)


@dataclass
class Expected:
    """What one record must look like: how often written, and how it was closed, if it was."""

    commits: int = 0
    status: str = "pending"
    decided: Any = None


class Approvals(RuleBasedStateMachine):
    """world: set by who runs it."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.store = self.world.store()
        self.seconds = 0
        self.held: dict[str, dict[str, Any]] = {}
        self.last: dict[str, tuple[Change, ...]] = {}
        self.expected = {name: Expected() for name in (*IDS, "run")}

    @initialize()
    def opens(self) -> None:
        asked = [opened("ap_1", expires_in="PT1H"), opened("ap_2")]
        changes = [Change(a, (a.event(Tag.REQUESTED, after(0)),)) for a in asked]
        self.commit("U0000MARA", [], Change(run().wait(after(0))), *changes)

    @rule(who=actors)
    def reads(self, who: str) -> None:
        self.held[who] = self.records()

    @rule(who=actors, of=which, act=st.sampled_from(ACTS))
    def acts(self, who: str, of: str, act: str) -> None:
        """On what it read before, however long ago that was."""
        record = self.held.setdefault(who, self.records())[of]
        try:
            change = getattr(Act(who, self.tick()), act)(record)
        except Closed:
            assert record.status != "pending"
            return
        if change:
            self.commit(who, [(of, OUTCOMES[act])] if act in OUTCOMES else [], change)

    @rule(who=actors, of=which, both=st.booleans())
    def tells(self, who: str, of: str, both: bool) -> None:
        """The run, and what its approvals' threads tell of it, in one commit."""
        held = self.held.setdefault(who, self.records())
        now = after(self.tick())
        event = held["run"].event(Tag.EFFECT_DONE, now, None, {"by": who}, of)
        others = [Change(held[each]) for each in (IDS if both else (of,))]
        self.commit(who, [], Change(held["run"].wait(now), (event,)), *others)

    @rule(who=actors)
    def sends_again(self, who: str) -> None:
        """As after an answer that got lost: nothing is written twice."""
        if who in self.last:
            before = self.written()
            self.attempt(self.last[who])
            assert self.written() == before

    def commit(self, who: str, closes: list[tuple[str, str]], *changes: Change) -> None:
        before = self.written()
        written = self.attempt(changes)
        if not written:
            assert self.written() == before, "a refused commit wrote something"
            return
        self.last[who] = changes
        if self.written() == before:
            self.someone_else_wrote(changes)
            return
        for change in changes:
            self.expected[self.name(change.record)].commits += 1
        for name, status in closes:
            before = BEFORE.get(status, "pending")
            assert self.expected[name].status == before, f"{name} was closed twice"
            self.expected[name].status = status
            self.expected[name].decided = self.records()[name].decision

    def someone_else_wrote(self, changes: tuple[Change, ...]) -> None:
        """What a commit that wrote nothing calls written stands there, word for word."""
        records = self.records()
        for change in changes:
            stands = records[self.name(change.record)]
            assert stands == change.record.to(version=stands.version), "lost without a word"

    def attempt(self, changes: tuple[Change, ...]) -> bool:
        try:
            self.world.do(self.store.commit(*changes))
        except Conflict:
            return False
        return True

    @invariant()
    def records_are_as_expected(self) -> None:
        for name, record in self.records().items():
            assert record.version == self.expected[name].commits
            if isinstance(record, Approval):
                assert record.status == self.expected[name].status
                assert record.decision == self.expected[name].decided
                assert len(record.votes) <= 1

    @invariant()
    def the_trail_tells_the_same(self) -> None:
        trail = self.world.do(self.store.trail(THREAD))
        assert first_broken(trail) is None
        for name, record in self.records().items():
            if isinstance(record, Approval):
                told = [event for event in trail if event.approval_id == name]
                assert record.trail == len(told)
                assert _folded(told) == record.status

    @invariant()
    def the_indexes_agree(self) -> None:
        pending, unposted, owed = self.world.do(_indexes(self.store))
        records = self.records()
        waiting = {n for n in IDS if n in records and records[n].status == "pending"}
        assert pending == waiting
        to_post = {n: r for n, r in records.items() if n in IDS and r.message is None}
        assert unposted == {n: steps.posted_at(r).timestamp() for n, r in to_post.items()}
        next_at = {
            f"{'run' if name == 'run' else 'approval'} {THREAD if name == 'run' else name}": at
            for name, record in records.items()
            if (at := steps.next_at(record))
        }
        assert owed == {name: at.timestamp() for name, at in next_at.items()}

    def records(self) -> dict[str, Any]:
        return self.world.do(_records(self.store))

    def written(self) -> list[Any]:
        return self.world.do(_written(self.store))

    def tick(self) -> float:
        self.seconds += 1
        return self.seconds

    @staticmethod
    def name(record: Any) -> str:
        return record.id if isinstance(record, Approval) else "run"


def _folded(told: list[AuditEvent]) -> str:
    status = "pending"
    for event in told:
        if event.tag == Tag.REOPENED:
            assert status == "superseded", "the trail tells of a decision that was opened again"
            status = "pending"
        if event.tag in CLOSING:
            assert status == "pending", "the trail tells of a second outcome"
            status = CLOSING[event.tag]
    return status


async def _records(store: Store) -> dict[str, Any]:
    found = {name: await store.approval(name) for name in IDS}
    every: dict[str, Any] = {**found, "run": await store.run(THREAD)}
    return {name: record for name, record in every.items() if record}


async def _indexes(store: Store) -> tuple[set[str], dict[str, float], dict[str, float]]:
    keys, scores = store.keys, list[dict[str, float]]()
    for key in (keys.pending, keys.unposted(CHANNEL), keys.owed):
        found: Any = await store.redis.zrange(key, 0, -1, withscores=True)
        scores.append({each.decode(): at for each, at in found})
    pending, unposted, owed = scores
    return set(pending), unposted, owed


async def _written(store: Store) -> list[Any]:
    """Everything that a commit could have touched."""
    keys = store.keys
    pipe = store.redis.pipeline(transaction=False)
    for key in (keys.run(THREAD), *(keys.approval(name) for name in IDS)):
        pipe.hgetall(key)
    for key in (keys.pending, keys.unposted(CHANNEL), keys.owed, keys.runs, keys.of_thread(THREAD)):
        pipe.zrange(key, 0, -1, withscores=True)
    pipe.lrange(keys.trail(THREAD), 0, -1)
    return await pipe.execute()
