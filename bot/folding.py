"""The state that a trail tells: what a run and its approvals must be, if their events are all that
happened. Value in, value out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from bot.approvals import OUTCOME, Approval
from bot.audit import AuditEvent, Tag
from bot.runs import Run
from workflows.protocol import ApprovalRequest

CLOSES = {tag: status for status, tag in OUTCOME.values()} | {Tag.SUPERSEDED: "superseded"}
ASKS = (Tag.REQUESTED, Tag.REOPENED, Tag.VOIDED)
ENDS = {
    Tag.RUN_FINISHED: "finished",
    Tag.RUN_FAILED: "failed",
    Tag.RUN_CANCELLED: "cancelled",
    Tag.RUN_RETRIED: "open",
}


@dataclass
class Told:
    """What the events of one approval come to. votes: who has one that counts, by user ("" is
    nobody: a deadline). request: as it was asked last. asked: how often it was asked first."""

    status: str = ""
    digest: str | None = None
    request: object = None
    votes: dict[str, str] = field(default_factory=dict[str, str])
    handed_over: bool = False
    shown: bool = False
    asked: int = 0
    events: int = 0

    def take(self, event: AuditEvent) -> None:
        self.events += 1
        if event.tag in ASKS:
            self.asked += event.tag == Tag.REQUESTED
            self.status, self.digest, self.votes = "pending", event.digest, {}
            self.request = event.detail.get("request")
            self.handed_over = self.handed_over and event.tag == Tag.REOPENED
        elif event.tag in (Tag.VOTED, *CLOSES):
            self._decided(event)
        elif event.tag == Tag.WITHDRAWN:
            self._dropped([event.actor.user if event.actor else None, *_voided(event)])
        self.shown = self.shown or event.tag == Tag.SHOWN
        self.handed_over = self.handed_over or event.tag in (Tag.RUN_RESUMED, Tag.EFFECT_SETTLED)

    def _decided(self, event: AuditEvent) -> None:
        self.status = CLOSES.get(event.tag, self.status)
        if event.tag == Tag.SUPERSEDED:
            return
        self.handed_over = self.handed_over and event.tag != Tag.OUTDATED  # it is handed that
        absent = event.detail.get("on_behalf_of")
        self._dropped(_voided(event))
        voter = (event.actor.user if event.actor else None) or ""
        self._dropped([voter, str(absent or "")])
        self.votes[voter] = str(absent or "")

    def _dropped(self, users: Iterable[object]) -> None:
        """Their votes, and those that were cast in their place."""
        gone = {str(user or "") for user in users if user}
        self.votes = {by: for_ for by, for_ in self.votes.items() if not gone & {by, for_}}


@dataclass
class Story:
    """What a whole trail comes to. status: of the run, "open" until it ends."""

    status: str = ""
    retired: bool = False
    workflow: object = None
    input: object = None
    approvals: dict[str, Told] = field(default_factory=dict[str, Told])


def fold(events: Iterable[AuditEvent]) -> Story:
    """The sum of the events of one thread."""
    story = Story()
    for event in events:
        if event.tag == Tag.RUN_STARTED:
            story.status = "open"
            story.workflow, story.input = event.detail.get("workflow"), event.detail.get("input")
        story.status = ENDS.get(event.tag, story.status)
        story.retired = story.retired or event.tag == Tag.RUN_RETIRED
        if event.approval_id:
            story.approvals.setdefault(event.approval_id, Told()).take(event)
    return story


def disagreements(
    events: Sequence[AuditEvent], run: Run | None, approvals: Iterable[Approval]
) -> list[str]:
    """In which the records are not the sum of the events, in words."""
    story, known = fold(events), {approval.id: approval for approval in approvals}
    found = _of_run(story, run)
    for approval_id in story.approvals.keys() - known.keys():
        found.append(f"the record of the approval {approval_id} is missing")
    for approval_id, approval in known.items():
        told = story.approvals.get(approval_id)
        words = _of_approval(told, approval) if told else ["the trail does not tell of it"]
        found += [f"approval {approval_id}: {each}" for each in words]
    return found


def _of_run(story: Story, run: Run | None) -> list[str]:
    if run is None:
        return ["the record of the run is missing"] if story.status else []
    status = run.status if run.closed else "open"
    found = {
        f"the run is {status}, and the trail says {story.status or 'nothing of it'}": (
            status != story.status
        ),
        "the run's workflow is not the one that was started": run.workflow != story.workflow,
        "the run's input is not the one that was started": run.input != story.input,
        "the run has retired, and the trail says otherwise or the reverse": (
            bool(run.retired_at) != story.retired
        ),
    }
    return [words for words, is_so in found.items() if is_so]


def _of_approval(told: Told, approval: Approval) -> list[str]:
    voters = {vote.by.user or "" for vote in approval.votes}
    found = {
        f"{approval.trail} events are counted, and {told.events} are there": (
            approval.trail != told.events
        ),
        f"it is {approval.status}, and the trail says {told.status or 'nothing'}": (
            approval.status != told.status
        ),
        f"it has votes of {_list(voters)}, and the trail says {_list(told.votes)}": (
            voters != told.votes.keys()
        ),
        "its digest is not that of the trail": approval.digest != told.digest,
        "what it asks is not what was asked": not _same(told.request, approval.request),
        "its digest is not that of what it asks": approval.request.digest != approval.digest,
        "it was handed over, and the trail says otherwise, or the reverse": (
            bool(approval.handed_over_at) != told.handed_over
        ),
        f"it was opened {told.asked} times": told.asked != 1,
    }
    return [words for words, is_so in found.items() if is_so]


def _same(told: object, request: ApprovalRequest) -> bool:
    """By what it means to this code: fields were added since older events were written."""
    try:
        return ApprovalRequest.model_validate(told) == request
    except ValidationError:
        return told == request.model_dump(mode="json")


def _voided(event: AuditEvent) -> list[object]:
    users = event.detail.get("voided")
    return list(users) if isinstance(users, list) else []


def _list(users: Iterable[str]) -> str:
    return ", ".join(user or "nobody" for user in sorted(users)) or "none"
