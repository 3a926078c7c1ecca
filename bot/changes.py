"""Committing: what is owed after a change is queued; a change to a stale read is made again."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import RedisError

from bot import steps
from bot.approvals import Approval
from bot.queue import Queue
from bot.records import Change
from bot.runs import Run
from bot.store import Conflict, Store
from workflows.clock import Clock, utc_now

log = logging.getLogger(__name__)

LOOKS = 50  # at a record that others change all the while; each of them got something done
QUEUE_WITHIN = 2.0  # seconds, where reconcile would do it anyway


@dataclass(frozen=True)
class Changes:
    """The one way by which records change, whoever changes them."""

    store: Store
    queue: Queue
    now: Clock = utc_now

    async def commit(self, *changes: Change) -> None:
        """Commit, and queue what is owed then. A crash in between is found by reconcile."""
        for record in await self.store.commit(*changes):
            await self._queue_due(record)

    async def change(
        self, approval_id: str, transition: Callable[[Approval], Change], *, queue: bool = False
    ) -> None:
        """Commit a transition of the approval as it stands; again where it moved meanwhile,
        and Conflict where it never rests.

        queue: what is owed then; `show` does not, it goes on itself until nothing is.
        """
        for _ in range(LOOKS):
            approval = await self.store.approval(approval_id)
            if approval is None:
                return
            change = transition(approval)
            try:
                if change.record != approval or change.events:
                    await (self.commit if queue else self.store.commit)(change)
            except Conflict:
                continue
            return
        raise Conflict(approval_id)

    async def queue_soon(self, *records: Run | Approval) -> None:
        """Queue what is owed after a commit; where that cannot be done now, reconcile will."""
        try:
            async with asyncio.timeout(QUEUE_WITHIN):
                for record in records:
                    await self._queue_due(record)
        except (RedisError, OSError) as error:
            log.info("left to reconcile: %s", type(error).__name__)

    async def _queue_due(self, record: Run | Approval) -> None:
        for step in steps.due(record, self.now()):
            await self.queue.add(step)
