"""reconcile: what is owed is queued, also where the queue believes that somebody is at it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.queue import Queue
from bot.services import Services
from bot.steps import Step
from bot.tasks import Tasks
from tests.deployment import Deployment
from workflows.clock import utc_now


@dataclass(frozen=True)
class Recorded(Queue):
    """A queue whose workers take everything and never come back."""

    added: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    async def add(self, step: Step, again: int = 0) -> None:
        self.added.append((step.kind, again))


def at(services: Services, moment: datetime, queue: Queue) -> Tasks:
    changes = replace(services.changes, queue=queue, now=lambda: moment)
    return replace(services.tasks, changes=changes)


async def test_a_step_that_stays_owed_is_queued_again_and_ever_more_seldom(
    deployment: Deployment,
) -> None:
    begun = utc_now()
    async with deployment.instance(listens=False, works=False) as services:
        await deployment.start()
        queue = Recorded(services.changes.queue.docket)
        for seconds in (1, 3, 8, 9, 11, 16, 17, 31, 33, 64, 65):
            await at(services, begun + timedelta(seconds=seconds), queue).reconcile()
    assert {kind for kind, _ in queue.added} == {"advance"}
    assert [again for _, again in queue.added] == [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4]


async def test_a_step_that_was_done_meanwhile_begins_anew(deployment: Deployment) -> None:
    begun = utc_now()
    async with deployment.instance(listens=False, works=False) as services:
        thread_id = await deployment.start()
        queue = Recorded(services.changes.queue.docket)
        await at(services, begun + timedelta(seconds=1), queue).reconcile()
        await services.tasks.advance(thread_id)
        await at(services, begun + timedelta(seconds=40), queue).reconcile()
    assert queue.added == [("advance", 0), ("compare", 0)]
