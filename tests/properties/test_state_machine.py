"""However stale what was read and whatever the order: one outcome, and a trail that tells it."""

import asyncio
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test
from redis.asyncio import Redis

from bot.approvals import Approval, Closed
from bot.audit import first_broken
from bot.local.redis import EmbeddedRedis
from bot.records import Change
from bot.store import Conflict, Store
from tests.bot.samples import NOW, THREAD, approve, opened, reject
from tests.properties.machine import Approvals, World

MANY = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    verbosity=Verbosity.quiet,
)
FOUND_IS_ENOUGH = settings(MANY, max_examples=200, phases=[Phase.generate], database=None)
CHECK = "redis.call('HGET', KEYS[r + 2], 'version') or '0'"


def without_the_check() -> str:
    """The script, with the one line cut out; fails here, not in a test, where there is none."""
    source = files("bot").joinpath("commit.lua").read_text(encoding="utf-8").splitlines()
    kept = [line for line in source if CHECK not in line]
    if len(kept) != len(source) - 1:
        raise RuntimeError("the check is written otherwise now")
    return "\n".join(kept)


UNGUARDED = without_the_check()


class Unguarded(Store):
    """A Store whose script does not look whether anyone else has changed the record."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        super().__init__(redis, namespace)
        self._script = redis.register_script(UNGUARDED)


@contextmanager
def machine(url: str, make: type[Store]) -> Generator[type[Approvals], None, None]:
    with asyncio.Runner() as runner:
        redis = Redis.from_url(url)

        class Bound(Approvals):
            world = World(runner, redis, f"m{secrets.token_hex(4)}", make)

        try:
            yield Bound
        finally:
            runner.run(redis.aclose())


def test_one_outcome_whatever_the_order(redis_server: EmbeddedRedis) -> None:
    with machine(redis_server.url, Store) as bound:
        run_state_machine_as_test(bound, settings=MANY)


def test_without_the_version_check_the_same_machine_finds_a_violation(
    redis_server: EmbeddedRedis,
) -> None:
    with machine(redis_server.url, Unguarded) as bound, pytest.raises(AssertionError):
        run_state_machine_as_test(bound, settings=FOUND_IS_ENOUGH)


async def test_of_fifty_who_decide_at_once_exactly_one_does(redis_server: EmbeddedRedis) -> None:
    namespace = f"c{secrets.token_hex(4)}"
    clients = [Redis.from_url(redis_server.url) for _ in range(50)]
    stores = [Store(client, namespace) for client in clients]
    waiting = opened()
    await stores[0].commit(Change(waiting))
    everyone_has_read = asyncio.Barrier(len(stores))

    async def decide(number: int) -> str:
        store, who, first = stores[number], f"U{number:07}", True
        while True:
            record = await store.approval(waiting.id)
            assert record is not None
            decision = approve(record, who) if number % 2 else reject(record, who)
            if first:
                await everyone_has_read.wait()
            try:
                await store.commit(record.decide(decision, NOW))
            except Conflict:
                assert first, "nobody writes any more"
                first = False
                continue
            except Closed:
                return "closed"
            return who

    answers = await asyncio.gather(*(decide(number) for number in range(len(stores))))
    decided = await stores[0].approval(waiting.id)
    trail = await stores[0].trail(THREAD)
    for client in clients:
        await client.aclose()

    winners = [answer for answer in answers if answer != "closed"]
    assert isinstance(decided, Approval)
    assert decided.decision is not None
    assert winners == [decided.decision.by.user]
    assert (decided.version, len(decided.votes), len(trail)) == (2, 1, 1)
    assert first_broken(trail) is None
