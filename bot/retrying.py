"""Retry: a run that failed is tried again, and its cards say so; one commit, so one retry."""

from datetime import datetime

from bot.approvals import Approval
from bot.changes import Changes
from bot.records import Change
from bot.runs import NotFailed, Run
from bot.store import Store
from workflows.protocol import Actor


async def retry_run(
    changes: Changes, thread_id: str, actor: Actor | None, clicked: str | None = None
) -> Run:
    """The run, queued again. NotFailed where there is nothing to retry; Conflict: read, and try
    again."""
    change, *more = await retried(changes.store, changes.now(), thread_id, actor, clicked)
    await changes.commit(change, *more)
    return change.record


async def retried(
    store: Store, now: datetime, thread_id: str, actor: Actor | None, clicked: str | None = None
) -> list[Change]:
    """What is to be committed, the run first. actor: None is an operator. clicked: the approval
    on whose card it was asked for. NotFailed where there is nothing to retry."""
    run = await store.run(thread_id)
    if run is None:
        raise NotFailed(f"There is no run {thread_id!r}.")
    approvals = await store.approvals_of(thread_id)
    failed = [each for each in approvals if each.outcome and each.outcome.run_failed]
    told = clicked or _last(failed)
    if clicked not in (None, *(each.id for each in failed)):
        raise NotFailed(f"The run {thread_id} went on.")
    return [run.retry(now, actor, told), *(Change(each.retried()) for each in failed)]


def _last(failed: list[Approval]) -> str | None:
    """The card whose decision was handed over last: it is the one that told of the failure."""
    handed = [each for each in failed if each.handed_over_at]
    last = max(handed, key=lambda each: each.handed_over_at or each.requested_at, default=None)
    return last.id if last else None
