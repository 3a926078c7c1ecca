"""Committing: what is owed after a change is queued; a change to a stale read is made again."""

from collections.abc import Callable
from dataclasses import dataclass

from bot import steps
from bot.approvals import Approval
from bot.queue import Queue
from bot.records import Change
from bot.store import Conflict, Store
from workflows.clock import Clock, utc_now


@dataclass(frozen=True)
class Changes:
    """The one way by which records change, whoever changes them."""

    store: Store
    queue: Queue
    now: Clock = utc_now

    async def commit(self, *changes: Change) -> None:
        """Commit, and queue what is owed then. A crash in between is found by reconcile."""
        now = self.now()
        for record in await self.store.commit(*changes):
            for step in steps.due(record, now):
                await self.queue.add(step)

    async def change(
        self, approval_id: str, transition: Callable[[Approval], Change], *, queue: bool = False
    ) -> None:
        """Commit a transition of the approval as it stands; again where it moved meanwhile.

        queue: what is owed then; `show` does not, it goes on itself until nothing is.
        """
        while True:
            approval = await self.store.approval(approval_id)
            if approval is None:
                return
            change = transition(approval)
            try:
                if change.record != approval:
                    await (self.commit if queue else self.store.commit)(change)
            except Conflict:
                continue
            return
