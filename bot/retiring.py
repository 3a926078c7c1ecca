"""retire: delete the state of a graph whose run was closed long enough ago.

What people did stays: the run, its approvals, its effects and its audit trail. A run that waits or
is blocked is never retired, however old it is.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from bot import steps
from bot.changes import Changes
from bot.records import Change
from bot.store import Conflict
from workflows.lease import LeaseLost, Leases, LeaseTaken
from workflows.runner import Runner
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)


@dataclass(frozen=True)
class Retiring:
    """The run is marked before anything is deleted: one that is tried again meanwhile finds its
    state, or is refused; half of it is never gone on with."""

    changes: Changes
    runner: Runner
    leases: Leases

    async def retire(self, thread_id: str) -> None:
        try:
            async with self.leases.hold(thread_id, wait=WAIT_FOR_LEASE):
                await self._retire(thread_id)
        except (LeaseTaken, LeaseLost, Conflict):
            log.info("%s is held elsewhere; reconcile asks again", thread_id)
        except Unreadable as error:
            self.changes.store.pass_over(error)

    async def _retire(self, thread_id: str) -> None:
        store, now = self.changes.store, self.changes.now()
        run = await store.run(thread_id)
        if run is None or not any(step.kind == "retire" for step in steps.due(run, now)):
            return
        if not run.retired:
            (run,) = await store.commit(Change(run.retire(now)))
        await self.runner.forget(thread_id)
        await store.commit(run.forgotten(now))
