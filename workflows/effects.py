"""The ledger that keeps an effect from happening twice, however often its node runs.

An effect is written down as intended before the call, and as done after it. A crash between
the two leaves it in doubt; then `find` asks the provider by the same key before anything is
called again, and where there is no `find`, a person says what is so. Exactly-once does not exist
in a graph; this, with a provider that knows idempotency keys, is as near as it gets.
"""

import asyncio
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue
from redis.asyncio import Redis

from workflows.clock import Clock, utc_now
from workflows.lease import Lease, LeaseLost
from workflows.preconditions import Conditions, PreconditionFailed
from workflows.protocol import Decision
from workflows.schema import NewerRecord, Schema, Unreadable

# KEYS 1 lease  2 effect (string, JSON)  3 effects of the thread (set of keys)
# ARGV 1 token of the lease  2 the entry to write  3 key of the effect  4 "new": only if absent
#      5 milliseconds for which the lease is prolonged, so that it is known how long it holds
# Answers "lost", or what is stored afterwards.
WRITE = """if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
local known = redis.call('GET', KEYS[2])
if known and ARGV[4] == 'new' then return known end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[3], ARGV[3])
return ARGV[2]"""


SCHEMA = Schema(1)  # of an entry; see workflows/schema.py


class Receipt(BaseModel):
    """What a provider answered. id: the provider's own; summary: as the card says it."""

    model_config = ConfigDict(frozen=True)

    id: str
    summary: str
    data: dict[str, JsonValue] = {}


# intended   begun, and not known to have ended
# in_doubt   the same, and there is no `find`: a person is asked
# done       it happened; the receipt says what came of it
# refused    the provider said no, or it was not asked, since what was approved has changed; whoever
#            comes next may call again
# not_done   a person said that it did not happen; the node is told so until the run is retried
# again      it certainly did not happen, and may be called: so a person says, or the call itself
EffectState = Literal["intended", "in_doubt", "done", "refused", "not_done", "again"]


class EffectEntry(BaseModel):
    """One effect as the ledger knows it.

    attempt: tells one call of `once` from any other. decisions: keys of the questions whose
    answers the graph was running on. changes: why it was not called, where a precondition of these
    did not hold any more.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA.version
    key: str
    thread_id: str
    state: EffectState
    attempt: str
    at: AwareDatetime
    decisions: tuple[str, ...] = ()
    receipt: Receipt | None = None
    error: str = ""
    changes: tuple[str, ...] = ()


class EffectRefused(Exception):
    """It certainly did not happen: the provider said no, or a person says so. The text is shown
    to people."""


class EffectNotYet(Exception):
    """It certainly did not happen, and is worth another try after a pause: the provider was not
    reached, or asks for patience. The text is shown to people."""


class ProviderAway(Exception):
    """It did not answer as it should, and what it was asked for may have happened: the attempt is
    made again after a pause, and looks first. The text is shown to people."""


class EffectInDoubt(Exception):
    """It may have happened, and there is no `find` to ask; a person must look."""


class EffectKeyTaken(Exception):
    """Another thread has an effect under this key; its receipt is none of this thread's."""


@dataclass(frozen=True)
class EffectLedger:
    """Entries of all threads in Redis, under one prefix. seconds: a clock that is never set."""

    redis: Redis
    prefix: str
    now: Clock = utc_now
    seconds: Callable[[], float] = time.monotonic

    @property
    def bound(self) -> "type[ThreadEffects]":
        """As which a node sees it."""
        return ThreadEffects

    def of(
        self,
        lease: Lease,
        thread_id: str,
        decisions: tuple[str, ...] = (),
        decided: Mapping[str, Decision] | None = None,
        conditions: Conditions | None = None,
    ) -> "ThreadEffects":
        """decisions: keys of the questions whose answers the graph runs on. decided: all that
        was decided in the thread, by key. conditions: what these decisions rest on."""
        conditions = conditions or Conditions()
        return self.bound(self, lease, thread_id, decisions, decided or {}, conditions)

    async def entries(self, thread_id: str) -> list[EffectEntry]:
        """Every effect of the thread, oldest first; one that cannot be read is in doubt."""
        keys = [_text(key) for key in await self.redis.smembers(self.thread_key(thread_id))]
        stored = await self.redis.mget([self.key(key) for key in keys]) if keys else []
        found = zip(keys, stored, strict=True)
        entries = [self.read(key, thread_id, text) for key, text in found if text]
        return sorted(entries, key=lambda entry: (entry.at, entry.key))

    def read(self, key: str, thread_id: str, stored: bytes | str) -> EffectEntry:
        """The entry; one that cannot be read says so, and nothing is called again for it."""
        try:
            return SCHEMA.read(EffectEntry, json.loads(stored), f"the effect {key}")
        except NewerRecord:
            raise
        except (Unreadable, ValueError):
            return EffectEntry(
                key=key,
                thread_id=thread_id,
                state="intended",
                attempt="",
                at=self.now(),
                error="what the ledger holds of it cannot be read",
            )

    def key(self, key: str) -> str:
        return f"{self.prefix}effect:{key}"

    def thread_key(self, thread_id: str) -> str:
        return f"{self.prefix}effects:{thread_id}"


@dataclass(frozen=True)
class ThreadEffects:
    """The ledger as a node sees it: bound to its thread and to the lease that it runs under."""

    ledger: EffectLedger
    lease: Lease
    thread_id: str
    decisions: tuple[str, ...] = ()
    decided: Mapping[str, Decision] = field(default_factory=dict[str, Decision])
    conditions: Conditions = field(default_factory=Conditions)
    _locks: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock), compare=False, repr=False
    )

    async def once(
        self,
        key: str,
        call: Callable[[], Awaitable[Receipt]],
        find: Callable[[], Awaitable[Receipt | None]] | None = None,
        *,
        on: Decision | None = None,
    ) -> Receipt:
        """Do `call` once for `key`, and answer its receipt ever after.

        key: from the run and the node, never from time or chance; give it to the provider as
        the idempotency key too. find: asks the provider whether it happened; None: it did not.
        on: the decision that it rests on, where the graph asks several questions: its card tells.

        What the decision declares as its preconditions is checked right before the call, and
        PreconditionFailed raised where it does not hold any more; what has happened already stays.
        Raises EffectRefused (a later attempt may call again), EffectNotYet (a later attempt calls
        again, without a question), EffectInDoubt (also where `call` answers something else than a
        Receipt: it happened all the same), EffectKeyTaken, LeaseLost.
        """
        async with self._locks[key]:  # of two nodes at once, the second gets the first's receipt
            return await self._once(key, call, find, self._resting(on))

    def _resting(self, on: Decision | None) -> tuple[str, ...]:
        named = (key for key, each in self.decided.items() if on and _same(each, on))
        return tuple(named) or self.decisions

    async def settle(self, entry: EffectEntry) -> None:
        """Write down what a person said of an effect that was in doubt."""
        await self._write(entry)

    async def release(self) -> None:
        """The run is tried again: what a person said did not happen may be called."""
        for entry in await self.ledger.entries(self.thread_id):
            if entry.state == "not_done":
                await self._write(entry.model_copy(update={"state": "again", "error": ""}))

    async def _once(
        self,
        key: str,
        call: Callable[[], Awaitable[Receipt]],
        find: Callable[[], Awaitable[Receipt | None]] | None,
        decisions: tuple[str, ...],
    ) -> Receipt:
        mine = EffectEntry(
            key=key,
            thread_id=self.thread_id,
            state="intended",
            attempt=secrets.token_hex(8),
            at=self.ledger.now(),
            decisions=decisions,
        )
        if self.conditions.of(decisions) and not await self.ledger.redis.exists(
            self.ledger.key(key)
        ):
            await self._require_unchanged(mine, only_new=True)
        began = self.ledger.seconds()
        known = await self._write(mine, only_new=True)
        if known == mine:
            return await self._call(mine, call, began)
        if known.thread_id != self.thread_id:
            raise EffectKeyTaken(
                f"The effect {key} belongs to the run {known.thread_id}. Nothing was called: "
                "the graph has to make the key from its own thread_id"
            )
        if known.receipt is not None:
            return known.receipt
        if known.state == "not_done":
            raise EffectRefused(known.error)
        if known.state in ("intended", "in_doubt"):
            found = await self._look(known, mine, find)
            if found is not None:
                return found
        await self._require_unchanged(mine)
        began = self.ledger.seconds()
        await self._write(mine)  # ours now, and the lease still holds: from here on it is in doubt
        return await self._call(mine, call, began)

    async def _require_unchanged(self, mine: EffectEntry, *, only_new: bool = False) -> None:
        """PreconditionFailed, written down as not called, where what its decision rests on has
        changed; unless that is being carried out: what is done already may have changed it."""
        if not self.conditions.of(mine.decisions) or await self._under_way(mine):
            return
        changes = await self.conditions.unmet(mine.decisions)
        if changes:
            failed = PreconditionFailed(changes)
            said = {"state": "refused", "error": str(failed), "changes": changes}
            await self._write(mine.model_copy(update=said), only_new=only_new)
            raise failed

    async def _under_way(self, mine: EffectEntry) -> bool:
        entries = await self.ledger.entries(self.thread_id)
        done = (each for each in entries if each.state == "done")
        return any(set(each.decisions) & set(mine.decisions) for each in done)

    async def _look(
        self,
        known: EffectEntry,
        mine: EffectEntry,
        find: Callable[[], Awaitable[Receipt | None]] | None,
    ) -> Receipt | None:
        if find is None:
            if known.attempt:  # else it could not be read, and stays as it is for who can
                await self._write(known.model_copy(update={"state": "in_doubt"}))
            raise EffectInDoubt(
                f"{mine.key} was begun and may have happened; its node gives no find="
            )
        receipt = await find()
        if receipt is not None:
            require_receipt(receipt, "find", mine.key)
            await self._settle(mine, state="done", receipt=receipt)
        return receipt

    async def _call(
        self, mine: EffectEntry, call: Callable[[], Awaitable[Receipt]], began: float
    ) -> Receipt:
        """began: when the entry was about to be written. A process that was stopped since then
        for as long as a lease lasts does not call: the next holder may be calling already."""
        if self.ledger.seconds() - began >= self.lease.ttl.total_seconds():
            raise LeaseLost(self.lease.key)
        try:
            receipt = await call()
        except EffectRefused as refused:
            await self._settle(mine, state="refused", error=str(refused))
            raise
        except EffectNotYet as later:
            await self._settle(mine, state="again", error=str(later))
            raise
        except PreconditionFailed as failed:  # by a provider that writes on condition
            await self._settle(mine, state="refused", error=str(failed), changes=failed.changes)
            raise
        require_receipt(receipt, "call", mine.key)
        await self._settle(mine, state="done", receipt=receipt)
        return receipt

    async def _settle(self, mine: EffectEntry, **outcome: Any) -> None:
        await self._write(mine.model_copy(update={**outcome, "at": self.ledger.now()}))

    async def _write(self, entry: EffectEntry, *, only_new: bool = False) -> EffectEntry:
        ledger = self.ledger
        stored = await ledger.redis.eval(
            WRITE,
            3,
            self.lease.key,
            ledger.key(entry.key),
            ledger.thread_key(self.thread_id),
            self.lease.token,
            entry.model_dump_json(),
            entry.key,
            "new" if only_new else "set",
            str(int(self.lease.ttl.total_seconds() * 1000)),
        )
        if stored == b"lost":
            raise LeaseLost(self.lease.key)
        return ledger.read(entry.key, self.thread_id, stored)


def require_receipt(answered: object, of: str, key: str) -> None:
    """Before it is written down. What was called has happened, so the effect stays in doubt."""
    if not isinstance(answered, Receipt):
        raise EffectInDoubt(
            f"{of} must return a Receipt, and that of {key} returned a {type(answered).__name__}; "
            "it may have happened, and is not called again"
        )


def _text(reply: bytes | str) -> str:
    return reply.decode() if isinstance(reply, bytes) else reply


def _same(one: Decision, other: Decision) -> bool:
    return (one.digest, one.at, one.by.user) == (other.digest, other.at, other.by.user)
