"""Commit: all or nothing, refused where it is stale, and settled where an answer got lost."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.approvals import Approval
from bot.audit import Tag, first_broken
from bot.keys import Keys
from bot.local.redis import EmbeddedRedis
from bot.records import Change
from bot.runs import Run
from bot.store import Conflict, Store
from tests.bot.samples import (
    JONAS,
    MARA,
    NOW,
    POLICY,
    TEAM,
    THREAD,
    WHERE,
    after,
    approve,
    handed_over,
    opened,
    reject,
    run,
)
from workflows.fields import DiffField, MoneyField, TextField
from workflows.lease import LeaseLost, Leases


@pytest.fixture
async def store(redis_server: EmbeddedRedis) -> AsyncGenerator[Store, None]:
    async with Redis.from_url(redis_server.url) as redis:
        yield Store(redis, f"s{secrets.token_hex(5)}")


async def written(store: Store) -> dict[str, Any]:
    """Every key of the namespace, as it stands."""
    names = [key async for key in store.redis.scan_iter(match=f"{store.keys.prefix}*", count=1000)]
    return {name.decode(): await store.redis.dump(name) for name in names}


async def asked(store: Store, key: str = "ap_1", **changes: Any) -> Approval:
    (record,) = await store.commit(Change(opened(key).to(**changes)))
    return record


def started() -> Change:
    return Run.start(
        thread_id=THREAD, workflow="refund", workflow_version="1", values={"amount": "1.50"},
        requester=MARA, channel=None, team=TEAM, now=NOW,
    )  # fmt: skip


async def test_who_lost_the_lease_writes_no_record(store: Store) -> None:
    """Though nobody has changed the record since it was read: the next holder may be about to."""
    approval = await asked(store)
    async with Leases(store.redis, store.keys.prefix).hold(THREAD) as lease:
        await store.commit(Change(approval.to(note="under the lease")))
        approval = await store.approval(approval.id) or approval
        await store.redis.set(lease.key, "another's")
        before = await written(store)
        with pytest.raises(LeaseLost, match=lease.key):
            await store.commit(approval.decide(approve(approval), NOW))
        assert await written(store) == before


async def test_what_is_read_is_what_was_written(store: Store) -> None:
    fields = (
        TextField(label="Customer", value="Акме \U0001f4a5 <b>\x00"),
        MoneyField(label="Amount", amount_minor=12050, currency="USD"),
        DiffField(label="Plan", before=None, after="Pro"),
    )
    asked_for = opened(fields=fields, expires_in="PT1H", policy=POLICY, details="a\nb")
    full = handed_over(asked_for, after(3)).posting(NOW).posted(WHERE, 2, NOW).record
    for record in (full.undelivered("x", NOW), full.concluded("done", "ok", NOW).to(id="ap_2")):
        (stands,) = await store.commit(Change(record))
        assert stands.version == 1
        assert await store.approval(record.id) == stands
    (began,) = await store.commit(started())
    assert await store.run(THREAD) == began


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.approval("ap_unknown") is None
    assert await store.run("unknown") is None
    assert await store.approvals_of("unknown") == []
    assert await store.trail("unknown") == []
    assert await store.pending(0, 5) == ([], 0)
    assert [record async for record in store.owing(NOW)] == []
    assert await store.recent_runs(5) == []


async def test_a_stale_change_is_refused_and_writes_nothing(store: Store) -> None:
    record = await asked(store)
    await store.commit(record.decide(approve(record), NOW))
    before = await written(store)

    with pytest.raises(Conflict, match=THREAD):
        await store.commit(record.decide(reject(record, JONAS), after(1)))

    assert await written(store) == before


async def test_opening_what_is_open_already_is_refused(store: Store) -> None:
    """A record that was never read has version 0."""
    await asked(store)
    before = await written(store)

    with pytest.raises(Conflict):
        await store.commit(Change(opened().to(channel="C0OTHER")))

    assert await written(store) == before


@pytest.mark.parametrize("stale", [0, 1, 2])
async def test_of_several_records_all_are_written_or_none(store: Store, stale: int) -> None:
    (began,) = await store.commit(started())
    records: list[Any] = [began, await asked(store), await asked(store, "ap_2")]
    await store.commit(Change(records[stale].to(team="T0MOVED")))
    before = await written(store)
    changes = [
        Change(records[0].wait(after(1)), (draft_of(records[0], "ap_1"),)),
        records[1].decide(approve(records[1]), after(1)),
        records[2].supersede(after(1)),
    ]

    with pytest.raises(Conflict):
        await store.commit(*changes)

    assert await written(store) == before
    changes[stale] = Change(changes[stale].record.to(version=records[stale].version + 1))
    assert [r.version for r in await store.commit(*changes)] == [
        record.version + 1 + (n == stale) for n, record in enumerate(records)
    ]


def draft_of(record: Run, approval_id: str) -> Any:
    return record.event(Tag.EFFECT_DONE, after(1), None, {"text": "Refund done"}, approval_id)


async def test_each_event_counts_for_the_approval_that_tells_it(store: Store) -> None:
    (began,) = await store.commit(started())
    first, second = await asked(store), await asked(store, "ap_2")
    event = draft_of(began, "ap_2")
    stands = await store.commit(
        Change(began.wait(NOW), (event,)), first.decide(approve(first), NOW), Change(second)
    )

    assert [record.trail for record in stands[1:]] == [1, 1]
    assert [record.trail for record in await store.approvals_of(THREAD)] == [1, 1]
    assert [event.approval_id for event in await store.trail(THREAD)] == [None, "ap_2", "ap_1"]


class LosesAnswers(Connection):
    """Sends, and loses so many answers of scripts: the script has run, and nobody is told."""

    losing = 0
    _script = False

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        self._script = args[0] == "EVALSHA"
        await super().send_command(*args, **kwargs)

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        answer = await super().read_response(*args, **kwargs)
        if self._script and type(self).losing:
            type(self).losing -= 1
            raise RedisConnectionError("the connection is gone")
        return answer


@pytest.fixture
async def losing(
    redis_server: EmbeddedRedis, store: Store, request: pytest.FixtureRequest
) -> AsyncGenerator[Store, None]:
    """The same records, over a connection that loses one answer. param: how often it retries."""
    retry = Retry(NoBackoff(), request.param)
    pool = BlockingConnectionPool.from_url(
        redis_server.url, connection_class=LosesAnswers, retry=retry
    )
    redis = Redis.from_pool(pool)
    async with redis:
        await redis.ping()
        await Store(redis, "warm").commit(Change(run()), Change(opened()))  # the script is loaded
        LosesAnswers.losing = 1
        yield Store(redis, store.keys.namespace)
        assert LosesAnswers.losing == 0, "no answer was lost"


@pytest.mark.parametrize("losing", [1], indirect=True)
async def test_a_lost_answer_is_settled_by_a_look(store: Store, losing: Store) -> None:
    """The client sends again by itself; the second script finds what the first one wrote."""
    record = await asked(store)

    (stands,) = await losing.commit(record.decide(approve(record), NOW))

    assert await store.approval("ap_1") == stands
    assert (stands.version, stands.status) == (2, "approved")
    assert [event.tag for event in await store.trail(THREAD)] == [Tag.APPROVED]


@pytest.mark.parametrize("losing", [0], indirect=True)
async def test_a_caller_that_commits_again_finds_it_done(store: Store, losing: Store) -> None:
    record = await asked(store)
    change = record.decide(approve(record), NOW)
    with pytest.raises(RedisConnectionError):
        await losing.commit(change)
    before = await written(store)

    (stands,) = await losing.commit(change)

    assert (stands.version, stands.status) == (2, "approved")
    assert await written(store) == before


async def test_another_s_same_record_does_not_hide_that_an_event_was_not_told(store: Store) -> None:
    """The record is the same, what the trail says of it is not: that is no lost answer."""
    record = (await store.commit(handed(await asked(store))))[0]
    await store.commit(record.hand_over(NOW, "one", "cp1"))

    with pytest.raises(Conflict):
        await store.commit(record.hand_over(NOW, "two", "cp1"))

    assert [e.detail.get("instance") for e in await store.trail(THREAD)][1:] == ["one"]


def handed(record: Approval) -> Change:
    return record.decide(approve(record), NOW)


async def test_the_trail_has_no_gap_when_records_of_one_thread_change_at_once(store: Store) -> None:
    names = [f"ap_{n}" for n in range(12)]
    for name in names:
        await asked(store, name)
    everyone_has_read = asyncio.Barrier(len(names))

    async def decide(name: str) -> None:
        record = await store.approval(name)
        assert record is not None
        await everyone_has_read.wait()
        await store.commit(record.decide(approve(record), NOW))

    await asyncio.gather(*(decide(name) for name in names))
    trail = await store.trail(THREAD)

    assert [event.seq for event in trail] == list(range(len(names)))
    assert first_broken(trail) is None
    assert {event.approval_id for event in trail} == set(names)
    assert {a.status for a in await store.approvals_of(THREAD)} == {"approved"}


async def test_pending_is_paged_oldest_first(store: Store) -> None:
    for number in (3, 0, 4, 1, 2):
        await asked(store, f"ap_{number}", requested_at=after(number))

    pages = [await store.pending(start, 2) for start in (0, 2, 4, 6)]

    assert [[a.id for a in items] for items, _ in pages] == [
        ["ap_0", "ap_1"], ["ap_2", "ap_3"], ["ap_4"], [],
    ]  # fmt: skip
    assert {total for _, total in pages} == {5}
    assert [a.id for a in await store.approvals_of(THREAD)] == [f"ap_{n}" for n in range(5)]


async def test_what_is_closed_is_pending_no_more(store: Store) -> None:
    first, second = await asked(store), await asked(store, "ap_2")
    await store.commit(first.decide(approve(first), NOW))
    await store.commit(second.supersede(NOW))

    assert await store.pending(0, 5) == ([], 0)
    assert len(await store.approvals_of(THREAD)) == 2


async def test_what_owes_is_found_from_its_time_on_the_longest_waiting_first(store: Store) -> None:
    shown = {"shown": 1, "message": WHERE}
    for name, seconds in (("ap_late", 30), ("ap_soon", 10), ("ap_never", None)):
        deadline = None if seconds is None else after(seconds)
        await asked(store, name, expires_at=deadline, **shown)
    await store.commit(Change(run(created_at=after(20))))

    async def owing(at: timedelta) -> list[str]:
        return [
            record.thread_id if isinstance(record, Run) else record.id
            async for record in store.owing(NOW + at)
        ]

    instant = timedelta(microseconds=1)
    assert await owing(timedelta(seconds=10) - instant) == []
    assert await owing(timedelta(seconds=10)) == ["ap_soon"]
    assert await owing(timedelta(seconds=25)) == ["ap_soon", THREAD]
    assert await owing(timedelta(days=1)) == ["ap_soon", THREAD, "ap_late"]


async def test_recent_runs_come_newest_first(store: Store) -> None:
    for number in (1, 3, 2):
        await store.commit(Change(run(thread_id=f"t{number}", created_at=after(number))))

    assert [record.thread_id for record in await store.recent_runs(2)] == ["t3", "t2"]


async def test_namespaces_do_not_see_each_other(store: Store) -> None:
    await asked(store)
    other = Store(store.redis, f"{store.keys.namespace}x")

    assert await other.approval("ap_1") is None
    assert await other.pending(0, 5) == ([], 0)


def test_all_names_share_one_hash_tag() -> None:
    """So that one script may touch them together."""
    keys = Keys("default")
    names = [
        keys.run("t"), keys.approval("a"), keys.trail("t"), keys.of_thread("t"),
        keys.runs, keys.pending, keys.owed, keys.decided,
        keys.record(run()), keys.record(opened()),
    ]  # fmt: skip

    assert {name[: name.index("}") + 1] for name in names} == {"{countersign}"}
    assert all(name.startswith("{countersign}:default:") for name in names)
    assert len(set(names)) == len(names)
