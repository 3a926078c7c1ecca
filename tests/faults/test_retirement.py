"""Runs that ended lose the state of their graph, and nothing grows that has no reason to."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from langgraph.runtime import RunControl
from redis.asyncio import Redis

from bot.audit import Tag, first_broken
from bot.records import Change
from bot.services import Services
from bot.store import Store
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.versions import after, mail
from workflows.effects import EffectRefused, Receipt

PATIENCE = 60.0
# Everything that is left of runs that ended and retired, and why. By the thread: what an auditor
# asks for. By the deployment: one key, however many runs there were.
KEPT_BY_THREAD = {
    "run": "what was started, by whom, and how it ended",
    "trail": "the audit trail",
    "approvals": "which questions it asked",
    "approval": "what was shown, and who decided",
    "effects": "which effects it had",
    "effect": "its receipt; a key that comes again must find it, or the effect happens twice",
}
KEPT_BY_DEPLOYMENT = {
    "runs": "index of all runs, by time",
    "decided": "index of all decisions, by time",
    "server": "which run of Redis this is, so that a restart is noticed",
    "stream": "docket's: empty but for what is to be done now",
}
# What is gone by itself: docket's memory of a step that it has done (its execution_ttl), who is at
# work, and a lease, which lasts as long as its holder.
OF_THE_MOMENT = re.compile(
    r":(runs:.*|lease:.*|leases:.*|workers.*|worker-tasks.*|task-workers.*)$"
)


async def refused() -> Receipt:
    raise EffectRefused("the address is unknown")


async def ended(deployment: Deployment, thread_id: str, click: str, last: str) -> None:
    async with deployment.instance(
        "one", mail(send=refused if "fail" in thread_id else None)
    ) as bot:
        before = {message.ts for message in deployment.person("mara").sees()}
        await bot.starter.start_run("mail", {}, thread_id=thread_id)

        async def asked() -> bool:
            card = await deployment.card("Send it", within=PATIENCE)
            return card.ts not in before

        await eventually("it asks", asked, PATIENCE)
        card = await deployment.card("Send it")
        await deployment.settled(thread_id, within=PATIENCE)
        await deployment.person("mara").click(card, click)
        await deployment.reads(card, last, within=PATIENCE)
        await deployment.settled(thread_id, within=PATIENCE)


async def keys_of(deployment: Deployment) -> dict[str, int]:
    """What this deployment has in Redis: seconds to live (-1: for ever), by key."""
    async with Redis.from_url(deployment.redis_url, protocol=2) as redis:
        names = [key async for key in redis.scan_iter(f"*{deployment.namespace}*", count=1000)]
        return {name.decode(): await redis.ttl(name) for name in names}


def of_graphs(keys: dict[str, int]) -> list[str]:
    return [key for key in keys if "checkpoint" in key or "write_keys_zset" in key]


async def retired(deployment: Deployment, *threads: str) -> None:
    async def all_of_them() -> bool:
        runs = [await deployment.run_of(thread_id) for thread_id in threads]
        return all(run.retired_at for run in runs)

    await eventually(f"{threads} are retired", all_of_them, PATIENCE)


async def test_what_is_left_of_runs_that_ended_is_what_an_auditor_asks_for(
    deployment: Deployment,
) -> None:
    """Each family of keys has its reason, and there are as many of them as runs."""
    name = deployment.namespace  # so that the keys of the saver are found by it
    threads = {
        f"{name}-1": ("Approve", "Sent, m_1"),
        f"{name}-2": ("Reject", "Nothing was executed"),
        f"{name}-fail": ("Approve", "the address is unknown"),
    }
    for thread_id, (click, last) in threads.items():
        await ended(deployment, thread_id, click, last)
    assert of_graphs(await keys_of(deployment)), "kept until the retention is over"
    async with deployment.store() as store:
        asked_after_a_restart = [approval async for approval in store.open_approvals()]
    assert asked_after_a_restart == [], "what ended owes its retirement only"

    async with deployment.instance("later", mail(), now=after(days=31)):
        await retired(deployment, *threads)

    keys = await keys_of(deployment)
    assert of_graphs(keys) == []
    for_ever = Counter(family(key) for key, ttl in keys.items() if ttl < 0)
    effects = {"effects": 2, "effect": 2}  # a rejection has none
    assert for_ever == {**dict.fromkeys(KEPT_BY_THREAD, len(threads)), **effects} | dict.fromkeys(
        KEPT_BY_DEPLOYMENT, 1
    )
    unexplained = [key for key, ttl in keys.items() if ttl >= 0 and not OF_THE_MOMENT.search(key)]
    assert unexplained == []
    async with deployment.store() as store:
        assert await store.redis.xlen(f"countersign-{name}:stream") == 0
        for thread_id in threads:
            trail = await store.trail(thread_id)
            assert [event.tag for event in trail][-1] == Tag.RUN_RETIRED
            assert first_broken(trail) is None


def family(key: str) -> str:
    """`{countersign}:ns:trail:t1` -> `trail`"""
    return re.sub(r"^(\{countersign\}:|countersign-)[^:]+:", "", key).split(":")[0]


async def test_what_waits_is_kept_however_long(deployment: Deployment) -> None:
    async with deployment.instance("one", mail()) as bot:
        await bot.starter.start_run("mail", {}, thread_id="waits")
        card = await deployment.card("Send it", within=PATIENCE)
        await deployment.settled("waits", within=PATIENCE)
    async with deployment.instance("later", mail(), now=after(days=4000)) as bot:
        assert [record async for record in bot.store.owing(bot.now())] == []
        await bot.tasks.retire("waits")
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Sent, m_1", within=PATIENCE)


async def test_the_retention_is_a_setting(deployment: Deployment) -> None:
    async with deployment.instance("one", mail(), COUNTERSIGN_RETENTION_DAYS="0") as bot:
        run = await bot.starter.start_run("mail", {}, thread_id="t1")
        assert run.retention == timedelta(0)
        card = await deployment.card("Send it", within=PATIENCE)
        await deployment.person("mara").click(card, "Approve")
        await retired(deployment, "t1")
        assert await bot.tasks.advancing.runner.look("mail", "t1") is None
        again = await bot.starter.start_run("mail", {}, thread_id="t1")
        assert (again.status, again.retired) == ("finished", True), "it does not begin anew"


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_worker_that_died_half_way_is_followed_by_another(
    deployment: Deployment, deleted: bool
) -> None:
    await ended(deployment, "t1", "Approve", "Sent, m_1")
    async with deployment.instance("one", mail(), works=False) as bot:
        run = await bot.store.run("t1")
        assert run is not None
        await bot.store.commit(Change(run.retire(bot.now())))
        if deleted:
            async with bot.tasks.advancing.leases.hold("t1"):
                await bot.tasks.advancing.runner.forget("t1")
    async with deployment.instance("two", mail()) as bot:
        await retired(deployment, "t1")
        assert await bot.tasks.advancing.runner.look("mail", "t1") is None
    tags = [event["tag"] for event in (await deployment.shown("t1"))["trail"]]
    assert tags.count(Tag.RUN_RETIRED) == 1


async def test_a_run_that_is_tried_again_meanwhile_keeps_its_state(deployment: Deployment) -> None:
    await ended(deployment, "fail", "Approve", "the address is unknown")
    async with deployment.instance("one", mail(), works=False, now=after(days=31)) as bot:
        store = OneStepAhead(bot.store.redis, bot.store.keys.namespace)
        retiring = bot.tasks.retiring
        changes = type(retiring.changes)(store, retiring.changes.queue, bot.now)
        await type(retiring)(changes, retiring.runner, retiring.leases).retire("fail")
        run = await bot.store.run("fail")
        assert run is not None
        assert (run.status, run.retired) == ("queued", False)
        assert await went_on(bot), "the state is there"


async def went_on(bot: Services) -> bool:
    async with bot.tasks.advancing.leases.hold("fail") as lease:
        runner = bot.tasks.advancing.runner
        state = await runner.advance("mail", "fail", {}, {}, lease=lease, control=RunControl())
        return state.finished


class OneStepAhead(Store):
    """Someone has the run tried again between each look at it and the next write."""

    async def commit(self, *changes: Change, until: float | None = None) -> tuple[Any, ...]:
        run = await self.run("fail")
        assert run is not None
        if run.status == "failed":
            await super().commit(run.retry(run.updated_at, None, None))
        return await super().commit(*changes, until=until)


async def test_docket_forgets_workers_that_are_gone(deployment: Deployment) -> None:
    async with deployment.instance("one", mail(), works=False) as bot:
        queue, redis = bot.changes.queue, bot.store.redis
        await queue.forget_workers(redis)  # no worker was ever here
        stream, group = queue.docket.stream_key, queue.docket.worker_group_name
        await redis.xgroup_create(stream, group, mkstream=True)
        for name in ("gone", "died"):
            await redis.xgroup_createconsumer(stream, group, name)
        await redis.xadd(stream, {"key": "in hand"})
        await redis.xreadgroup(group, "died", {stream: ">"})

        async def names() -> set[str]:
            return {each["name"].decode() for each in await redis.xinfo_consumers(stream, group)}

        await queue.forget_workers(redis)
        assert await names() == {"gone", "died"}, "an hour is not over"
        await queue.forget_workers(redis, timedelta(0))
        assert await names() == {"died"}, "what it has in hand is delivered again"
