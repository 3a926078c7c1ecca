"""What is still owed for a record: the one question behind every recovery."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.approvals import Approval
from bot.likeness import owes_comparing, uncompared
from bot.runs import Run

StepKind = Literal[
    "advance",
    "post",
    "show",
    "notify",
    "remind",
    "escalate",
    "expire",
    "retire",
    "delegate",
    "look",
    "compare",
]

# A run that is said to run and has not moved for this long has lost its worker, or has a long
# node: whoever asks finds its lease taken then, and leaves it.
ABANDONED_AFTER = timedelta(seconds=30)
# A killed worker keeps the key of its step for a minute, and a channel has one step for all its
# cards: it is another one after this long, when the lease of the dead is over.
CHANNEL_ROUND = 15  # seconds


@dataclass(frozen=True)
class Step:
    """One task to be done. subject: thread_id for advance and retire, the channel for post, the
    user who is away for delegate, else the approval's id."""

    kind: StepKind
    subject: str
    version: str

    @property
    def key(self) -> str:
        """The same while nothing changed, so that a step is queued once."""
        return f"{self.kind}:{self.subject}:{self.version}"


def due(record: Run | Approval, now: datetime) -> list[Step]:
    """The steps owed at `now`."""
    return [_in_round(step, now) for at, step in _owed(record) if at <= now]


def next_at(record: Run | Approval) -> datetime | None:
    """When the record owes its next step; None: nothing, ever."""
    return min((at for at, _ in _owed(record)), default=None)


def posted_at(approval: Approval) -> datetime:
    """Its place among the cards of its channel: when it was asked, or when the next try is due
    of one that was refused for itself."""
    return approval.delivery.retry_at if approval.delivery else approval.requested_at


def to_be_posted(approval: Approval) -> bool:
    """Does its channel wait for its card? Not before it was compared with others, nor while nobody
    knows whether it stands there already."""
    return approval.message is None and not approval.recheck and not uncompared(approval)


def _in_round(step: Step, now: datetime) -> Step:
    round_ = int(now.timestamp()) // CHANNEL_ROUND
    return replace(step, version=str(round_)) if step.kind == "post" else step


def _owed(record: Run | Approval) -> list[tuple[datetime, Step]]:
    return _run(record) if isinstance(record, Run) else _approval(record)


def _run(run: Run) -> list[tuple[datetime, Step]]:
    step = Step("advance", run.thread_id, f"{run.status}.{run.attempts}")
    match run.status:
        case "queued":
            return [(run.retry_at or run.created_at, step)]
        case "running":
            return [(run.retry_at or run.updated_at + ABANDONED_AFTER, step)]
        case "blocked":
            return [(run.retry_at or run.updated_at, step)]
        case "waiting":
            return [(run.wakes_at, step)] if run.wakes_at else []
        case _:
            return _closed(run)


def _closed(run: Run) -> list[tuple[datetime, Step]]:
    """Its graph's state is kept for a while: for looking at it, and for a retry."""
    if run.retired_at:
        return []
    at = run.retiring_at or run.updated_at + run.retention
    return [(at, Step("retire", run.thread_id, str(run.retired)))]


def _shown(approval: Approval) -> str:
    recheck = ".recheck" if approval.recheck else ""
    return f"{approval.revision}.{approval.trail}{recheck}"


def _approval(approval: Approval) -> list[tuple[datetime, Step]]:
    owed: list[tuple[datetime, Step]] = []
    behind = approval.shown < approval.revision or approval.replied < approval.trail
    if owes_comparing(approval):
        version = f"{approval.wanted}.{approval.status}.{approval.revision}"
        owed.append((approval.requested_at, Step("compare", approval.id, version)))
    if to_be_posted(approval):
        owed.append((posted_at(approval), Step("post", approval.channel, "")))
    elif (approval.message is not None and behind) or approval.recheck:
        owed.append((_shown_at(approval), Step("show", approval.id, _shown(approval))))
    owed += _while_it_waits(approval) if approval.status == "pending" else []
    if approval.look_at:
        owed.append((approval.look_at, Step("look", approval.id, str(approval.look_at))))
    if approval.notices.due:
        last = str(approval.notices.due[-1])
        at = approval.notices.at or approval.requested_at
        owed.append((at, Step("notify", approval.id, last)))
    waits = not (approval.handed_over_at or approval.outcome or approval.held)
    if approval.decision and waits:  # what is held waits with its run
        at = approval.closed_at or approval.requested_at
        owed.append((at, Step("advance", approval.thread_id, approval.id)))
    return owed


def _while_it_waits(approval: Approval) -> list[tuple[datetime, Step]]:
    revision, looked = str(approval.revision), str(approval.remind_at)
    steps = [
        (approval.remind_next, Step("remind", approval.id, looked)),
        (approval.escalate_next, Step("escalate", approval.id, revision)),
        (approval.expires_at, Step("expire", approval.id, revision)),
    ]
    return [(at, step) for at, step in steps if at]


def _shown_at(approval: Approval) -> datetime:
    at = approval.delivery.retry_at if approval.delivery else approval.requested_at
    only_replies = approval.shown >= approval.revision and not approval.recheck
    return max(at, approval.replies_at or at) if only_replies else at
