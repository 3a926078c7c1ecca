"""One soak: runs are started, reviewers decide, chaos reigns; then everything must settle."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from bot.app import open_store
from bot.store import Store
from tests.faults.soak import verdict
from tests.faults.soak.chaos import Chaos
from tests.faults.soak.cluster import Cluster, open_cluster
from tests.faults.soak.mending import SENDS, Mending
from tests.faults.soak.process import log_of, soaked
from tests.faults.soak.provider import Provider
from tests.faults.soak.reviewers import Reviewers

SETTLES_WITHIN = 300.0  # seconds; a dead worker's task is delivered again after one
FEW = 30  # threads
WORKFLOWS = ("refund", "blind", "mended", "refund", "blind")
LOOK = 1.0
REPORT = 10.0


@dataclass(frozen=True)
class Result:
    """done: what was tried. wrong: what must not be, by kind. words: each of these."""

    done: dict[str, int]
    wrong: dict[str, int]
    words: list[str]

    @property
    def held(self) -> bool:
        return not any(self.wrong.values())


async def soak(
    directory: Path, threads: int, seconds: float, dice: random.Random, console: Console
) -> Result:
    async with open_cluster(directory) as cluster, _records(cluster) as store:
        chaos = Chaos(cluster, dice, limits_posts=threads <= FEW)
        reviewers = Reviewers(cluster, dice)
        provider = Provider(log_of(cluster.deployment.settings().payments_db))
        mending = Mending(reviewers, provider, dice)
        reviewing = asyncio.gather(reviewers.work(), mending.work())
        asking = asyncio.create_task(_ask(cluster, threads, seconds * 0.8))
        telling = asyncio.create_task(_tell(cluster, reviewers, chaos, console))
        try:
            await chaos.reign(seconds)
            await asking
            left = await _settle(cluster, store, threads, console)
        finally:
            for task in (reviewing, asking, telling, *reviewers.busy):
                task.cancel()
            await asyncio.gather(reviewing, asking, telling, return_exceptions=True)
        wrong, words = await verdict.count(cluster, store, reviewers, provider, chaos.troubles)
        wrong["not settled"] = len(left)
        done = {
            "threads": threads,
            **dict(sorted(chaos.tally.items())),
            "clicks acknowledged": len(reviewers.clicks),
            "clicks that Slack marked as failed": reviewers.failed,
            **dict(sorted(mending.said.items())),
            **{f"decided by {way}": n for way, n in Counter(reviewers.ways.values()).items()},
        }
        kinds = (*verdict.KINDS, "not settled")
        return Result(done, {kind: wrong[kind] for kind in kinds}, [*words, *left])


@contextlib.asynccontextmanager
async def _records(cluster: Cluster) -> AsyncGenerator[Store, None]:
    async with open_store(cluster.deployment.settings()) as (store, _):
        yield store


async def _ask(cluster: Cluster, threads: int, seconds: float) -> None:
    """Spread over the time, with a burst now and then."""
    settings = cluster.deployment.settings()
    async with open_store(settings) as (_, plain):
        starter = replace(plain, catalog=soaked(settings))
        for number in range(threads):
            thread_id = f"soak-{number}"
            workflow = WORKFLOWS[number % len(WORKFLOWS)]
            values = {"title": f"{SENDS}{thread_id}"}
            if workflow == "refund":
                values = {"customer": thread_id, "amount": "120.50", "reason": "Soaked parcel"}
            await cluster.start_run(starter, workflow, values, thread_id)
            if number % 7:
                await asyncio.sleep(seconds / threads)


async def _tell(cluster: Cluster, reviewers: Reviewers, chaos: Chaos, console: Console) -> None:
    while True:
        await asyncio.sleep(REPORT)
        alive = sum(each.running for each in cluster.instances.values())
        console.print(
            f"  {len(reviewers.ways)} cards seen, {len(reviewers.clicks)} clicks acknowledged, "
            f"{chaos.tally.total()} troubles, {alive} processes"
        )


async def _settle(cluster: Cluster, store: Store, threads: int, console: Console) -> list[str]:
    """Until nothing is owed; else what still is, in words."""
    console.print("Chaos is over; waiting until nothing is owed any more.")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLES_WITHIN
    while True:
        left: list[str] = []
        for run in await cluster.ask(lambda: store.recent_runs(100_000)):
            approvals = await store.approvals_of(run.thread_id)
            if not verdict.settled(run, approvals):
                states = ", ".join(_state(approval.model_dump()) for approval in approvals)
                left.append(f"{run.thread_id}: {run.status} ({run.error}); {states}")
        started = len(await store.recent_runs(100_000))
        if (not left and started == threads) or loop.time() > deadline:
            return left
        await cluster.revive()
        await asyncio.sleep(LOOK)


def _state(approval: dict[str, object]) -> str:
    names = ("status", "revision", "shown", "trail", "replied", "delivery", "outcome")
    return " ".join(f"{name}={approval[name]}" for name in names)
