"""Clicks at a steady rate, whatever the bot does (an open loop): from the envelope that the local
workspace sends over Socket Mode to its acknowledgement, by real processes with a real Redis."""

import asyncio
import contextlib
import itertools
import math
import os
import tempfile
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.app import open_store
from bot.local.instances import Instance
from bot.local.person import Seen
from bot.local.redis import EmbeddedRedis
from bot.local.server import LocalSlack
from tests.clicks import click_as_drawn, drawn
from tests.deployment import Deployment
from tests.eventually import eventually

GOAL = 0.250  # seconds: p99 while workers are busy; Slack gives up after three
RATE = 50  # clicks a second
SECONDS = int(os.environ.get("SECONDS", "6"))  # of each measurement
DOUBLED = 5  # of so many cards one is clicked twice at once
STARTS = 10  # runs a second that are started meanwhile
PATIENCE = 300.0


@dataclass
class Measured:
    """What one way of running the bot gave. lost: clicks without an acknowledgement."""

    what: str
    seconds: list[float] = field(default_factory=list[float])
    lost: int = 0
    finished: int = 0

    def at(self, share: float) -> float:
        """The value below which so many are (nearest rank): at(0.99) is p99."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


async def bench(out: Console) -> bool:
    """True where p99 is within its goal, and no click was lost."""
    with tempfile.TemporaryDirectory(prefix="countersign-") as place:
        directory = Path(place)
        async with EmbeddedRedis(directory / "redis") as redis, LocalSlack() as slack:
            deployment = Deployment(redis.url, slack, directory)
            cards = await _questions(deployment, out)
            async with _processes(deployment, ["bot", "--no-worker"]):
                idle = await _clicks(deployment, cards, "bot --no-worker alone")
            async with _processes(deployment, ["bot", "--no-worker"], ["worker"]):
                apart = await _under_load(deployment, cards, "bot --no-worker, worker")
            async with _processes(deployment, ["bot"]):
                together = await _under_load(deployment, cards, "bot, its worker")
    out.print(_table([idle, apart, together]))
    slower = apart.at(0.99) / idle.at(0.99)
    out.print(
        f"The goal is p99 under {GOAL * 1000:.0f} ms beside busy workers; it is {slower:.1f} times "
        f"that without any, and {together.at(0.99) / idle.at(0.99):.1f} times where the bot has "
        f"started its worker. "
        f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
    )
    lost = idle.lost + apart.lost + together.lost
    return apart.at(0.99) <= GOAL and together.at(0.99) <= GOAL and not lost


async def _questions(deployment: Deployment, out: Console) -> Iterator[Seen]:
    """A card for each click of all three measurements. Runs are paused by a worker as always;
    whether their cards stand in Slack already makes no difference to a click."""
    count = 3 * (RATE * SECONDS * DOUBLED // (DOUBLED + 1) + DOUBLED)
    out.print(f"Asking {count} questions ...")
    async with (
        deployment.instance("starter", listens=False) as services,
        open_store(deployment.settings()) as (store, starter),
    ):
        for number in range(count):
            await starter.start_run("refund", _values(number))

        async def all_asked() -> bool:
            return (await services.store.pending(0, 1))[1] == count

        await eventually("all are asked", all_asked, PATIENCE)
        waiting, _ = await store.pending(0, count)
    return iter([drawn(approval) for approval in waiting])


def _values(number: int) -> dict[str, str]:
    return {"customer": f"Customer {number}", "amount": "120.50", "reason": "Damaged parcel"}


@contextlib.asynccontextmanager
async def _processes(deployment: Deployment, *commands: list[str]) -> AsyncGenerator[None, None]:
    """Until the bot among them listens; each ends with the block."""
    running: list[Instance] = []
    try:
        for command in commands:
            name = f"{len(running)}-{'-'.join(command)}"
            place = deployment.directory
            running.append(await Instance.start(name, command, deployment.environment, place))
        await eventually(
            "the bot listens", lambda: deployment.slack.sockets.connections, within=PATIENCE
        )
        yield
    finally:
        await asyncio.gather(*(instance.kill() for instance in running))
        await eventually("nobody listens", lambda: not deployment.slack.sockets.connections)


async def _under_load(deployment: Deployment, cards: Iterator[Seen], what: str) -> Measured:
    """While runs are started, and those go on that were decided."""
    async with open_store(deployment.settings()) as (store, starter):

        async def finished() -> int:
            return sum(run.status == "finished" for run in await store.recent_runs(100_000))

        async def keep_starting() -> None:
            for number in itertools.count():
                await starter.start_run("refund", _values(number))
                await asyncio.sleep(1 / STARTS)

        async def at_work() -> bool:
            return await finished() > before

        before = await finished()
        starting = asyncio.create_task(keep_starting())
        await eventually("workers are at work", at_work, PATIENCE)
        before = await finished()
        measured = await _clicks(deployment, cards, what)
        starting.cancel()
        await asyncio.wait([starting])
        measured.finished = await finished() - before
    return measured


async def _clicks(deployment: Deployment, cards: Iterator[Seen], what: str) -> Measured:
    measured = Measured(what)
    loop = asyncio.get_running_loop()

    async def click(seen: Seen, at: float) -> None:
        await asyncio.sleep(at - loop.time())
        began = loop.time()
        ack = await click_as_drawn(deployment, "mara", seen, "Approve")
        measured.seconds.append(loop.time() - began)
        measured.lost += not ack.ok

    began = loop.time() + 1.0
    moments = (began + number / RATE for number in range(RATE * SECONDS))
    await asyncio.gather(*(click(seen, at) for at, seen in zip(moments, _clicked(cards))))  # noqa: B905
    return measured


def _clicked(cards: Iterator[Seen]) -> Iterator[Seen]:
    for number, seen in enumerate(cards):
        yield seen
        if number % DOUBLED == 0:
            yield seen


def _table(all_measured: list[Measured]) -> Table:
    table = Table(title=f"Acknowledged after, in ms ({RATE} clicks a second, {SECONDS} s each)")
    for name in ("", "clicks", "p50", "p99", "max", "lost", "runs finished meanwhile"):
        table.add_column(name, justify="right" if name else "left")
    for measured in all_measured:
        shown = [f"{measured.at(share) * 1000:.1f}" for share in (0.5, 0.99, 1.0)]
        rest = [str(measured.lost), str(measured.finished)]
        table.add_row(measured.what, str(len(measured.seconds)), *shown, *rest)
    return table
