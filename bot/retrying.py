"""Retry: a run that failed is tried again, and its cards say so; one commit, so one retry."""

from bot.approvals import Approval
from bot.changes import Changes
from bot.records import Change
from bot.runs import NotFailed, Run
from workflows.protocol import Actor


async def retry_run(
    changes: Changes, thread_id: str, actor: Actor | None, clicked: str | None = None
) -> Run:
    """The run, queued again. actor: None is an operator. clicked: the approval on whose card it
    was asked for. NotFailed where there is nothing to retry; Conflict: read, and try again."""
    run = await changes.store.run(thread_id)
    if run is None:
        raise NotFailed(f"There is no run {thread_id!r}.")
    approvals = await changes.store.approvals_of(thread_id)
    failed = [each for each in approvals if each.outcome and each.outcome.run_failed]
    told = clicked or _last(failed)
    if clicked not in (None, *(each.id for each in failed)):
        raise NotFailed(f"The run {thread_id} went on.")
    retried = run.retry(changes.now(), actor, told)
    await changes.commit(retried, *(Change(each.retried()) for each in failed))
    return retried.record


def _last(failed: list[Approval]) -> str | None:
    """The card whose decision was handed over last: it is the one that told of the failure."""
    handed = [each for each in failed if each.handed_over_at]
    last = max(handed, key=lambda each: each.handed_over_at or each.requested_at, default=None)
    return last.id if last else None
