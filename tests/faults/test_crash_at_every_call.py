"""Every journey, with a process that dies at one outside call: the end is that of the clean run.

`CRASH_STRIDE=1` (`make faults`) dies at each call; by default only at some, to be quick.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args

import pytest

from bot.listeners.decisions import Click, take
from bot.services import Services
from bot.views.card import ButtonValue
from tests.deployment import Deployment
from tests.faults.crashing import Clock, CountedQueue, Died, When, process
from tests.faults.journeys import JOURNEYS, Journey
from workflows.catalog import Catalog

STRIDE = int(os.environ.get("CRASH_STRIDE", "23"))
LATER = timedelta(minutes=10)  # what was abandoned or put off is due by then
PROCESSES = 6  # a journey that needs more of them does not get on


@dataclass
class World:
    """The deployment with one journey in it, whatever process of it lives."""

    deployment: Deployment
    journey: Journey
    name: str
    clock: Clock
    started: bool = False
    clicked: set[str] = field(default_factory=set[str])

    async def play(self) -> None:
        """Until nothing is owed; each death is followed by another process, later."""
        known = Catalog([self.journey.build(self.deployment.payments)])
        for number in range(PROCESSES):
            async with process(self.deployment, known, self.clock, number * LATER) as (s, queue):
                try:
                    await self._live(s, queue)
                except Died:
                    self.clock = Clock(calls=self.clock.calls)
                    continue
                run = await s.store.run(self.name)
                if run is not None and run.closed:
                    return
        raise AssertionError(f"{self.name} did not end after {PROCESSES} processes")

    async def _live(self, s: Services, queue: CountedQueue) -> None:
        if not self.started:
            await s.starter.start_run("journey", {"name": self.name}, thread_id=self.name)
            self.started = True
        while True:
            await self._work(s, queue)
            if not await self._click(s):
                return

    async def _work(self, s: Services, queue: CountedQueue) -> None:
        await s.tasks.reconcile()
        while queue.steps:
            step = queue.steps.pop(next(iter(queue.steps)))
            await {"advance": s.tasks.advance, "show": s.tasks.show, "expire": s.tasks.expire}[
                step.kind
            ](step.subject)

    async def _click(self, s: Services) -> bool:
        """Decide the next question; a click that nobody answered is clicked again."""
        for approval in await s.store.approvals_of(self.name):
            word = approval.request.title.split()[0]
            if approval.status != "pending" or not approval.message:
                continue
            value = ButtonValue(approval=approval.id, digest=approval.digest)
            click = Click("T0000ACME", "U0000MARA", self.journey.decisions[word], value)
            assert await take(s, click) is None
            return True
        return False


async def told(deployment: Deployment, name: str) -> dict[str, Any]:
    """What anyone can see of the journey at its end."""
    async with deployment.store() as store:
        run = await store.run(name)
        approvals = await store.approvals_of(name)
        trail = [event.tag for event in await store.trail(name)]
    assert run is not None
    mara = deployment.person("mara")
    cards = [m for m in mara.sees() if m.blocks and name in m.text]
    return {
        "run": run.status,
        "decisions": sorted((a.request.title, a.status, len(a.votes)) for a in approvals),
        "outcomes": sorted(a.outcome.text.split(",")[0] for a in approvals if a.outcome),
        "cards": sorted(card.text.split(",")[0] for card in cards),
        "replies": sorted([_said(reply.text) for reply in mara.replies(card)] for card in cards),
        "trail": sorted(tag for tag in trail),
        "paid": [key for key, *_ in await deployment.payments.refunds()].count(f"pay:{name}"),
    }  # fmt: skip


@asynccontextmanager
async def played(
    deployment: Deployment, journey: Journey, name: str, clock: Clock
) -> AsyncGenerator[dict[str, Any], None]:
    world = World(deployment, journey, name, clock)
    await world.play()
    seen = await told(deployment, name)
    yield {key: _without(value, name) for key, value in seen.items()}


@pytest.mark.parametrize("title", JOURNEYS)
async def test_the_end_is_that_of_the_clean_run(deployment: Deployment, title: str) -> None:
    journey = JOURNEYS[title]
    clean_clock = Clock()
    async with played(deployment, journey, "clean", clean_clock) as clean:
        assert clean["run"] == "finished"
        assert clean["paid"] == journey.paid
    different: list[str] = []
    for at in range(1 + len(title) % STRIDE, clean_clock.calls + 1, STRIDE):
        for when in get_args(When):
            name = f"{when}-{at}-"
            async with played(deployment, journey, name, Clock(at=at, when=when)) as seen:
                changed = {k: (clean[k], seen[k]) for k in clean if clean[k] != seen[k]}
            if changed:
                different.append(f"{when} call {at}: {changed}")
    assert different == []


def _said(text: str) -> str:
    """A reply without what differs from run to run."""
    return text.split(" on digest", maxsplit=1)[0].split(",", maxsplit=1)[0]


def _without(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_without(each, name) for each in value]
    if isinstance(value, tuple):
        return tuple(_without(each, name) for each in value)
    return value.replace(name, "…") if isinstance(value, str) else value
