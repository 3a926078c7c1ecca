"""What must hold in any deployment, whatever a test did to it; asked after every test."""

from collections.abc import AsyncGenerator

from bot.approvals import Approval
from bot.audit import AuditEvent, Tag, first_broken
from bot.folding import CLOSES, disagreements
from bot.runs import Run
from bot.store import Store

ANEW = (Tag.REOPENED, Tag.VOIDED, Tag.OUTDATED)  # the outcome before it counts no more


async def violations(store: Store) -> list[str]:
    """What does not hold, in words; empty where all is well."""
    return [words async for words in _found(store)]


async def _found(store: Store) -> AsyncGenerator[str, None]:
    for run in await store.recent_runs(1000):
        trail = await store.trail(run.thread_id)
        broken = first_broken(trail, store.keyring)
        if broken is not None:
            yield f"{run.thread_id}: the chain is broken at event {broken}"
        approvals = await store.approvals_of(run.thread_id)
        for words in disagreements(trail, run, approvals):
            yield f"{run.thread_id}: {words}"
        for approval in approvals:
            for words in _wrong(run, approval, trail):
                yield f"{run.thread_id} {approval.id}: {words}"


def _wrong(run: Run, approval: Approval, trail: list[AuditEvent]) -> list[str]:
    tags = [event.tag for event in trail if event.approval_id == approval.id]
    anew = [position for position, tag in enumerate(tags) if tag in ANEW]
    # Void is an outcome itself; all others are asked again.
    reopened = anew[-1] + (tags[anew[-1]] != Tag.OUTDATED) if anew else 0
    votes, supported = approval.votes, approval.status in ("approved", "edited")
    found = {
        "more than one outcome": sum(tag in CLOSES for tag in tags[reopened:]) > 1,
        "someone voted twice": len({vote.by.user for vote in votes}) < len(votes),
        "approved by too few": supported and approval.open_stage is not None,
        "reopened, and not closed before": sum(t in CLOSES for t in tags[:reopened]) != len(anew),
        "pending, and its run is closed": run.closed and approval.status == "pending",
        "owes news of what is not there": any(n > approval.trail for n in approval.notices.due),
        "replied to more than there is": approval.replied > approval.trail,
        "in doubt, and nobody is asked": run.status == "finished" and approval.in_doubt,
    }
    return [words for words, is_so in found.items() if is_so]
