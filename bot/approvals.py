"""An approval: one question, asked once, decided once. All its rules, and no I/O."""

from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

from bot.audit import Draft, Tag
from bot.records import Change, Record
from bot.runs import Run
from workflows.payloads import Asked
from workflows.protocol import Actor, ApprovalRequest, Decision, Expired, Policy
from workflows.runner import Question

Status = Literal[
    "pending",
    "approved",
    "edited",
    "rejected",
    "answered",
    "expired",
    "superseded",
    "cancelled",
]
OUTCOME: dict[str, tuple[Status, Tag]] = {
    "approve": ("approved", Tag.APPROVED),
    "edit": ("edited", Tag.EDITED),
    "reject": ("rejected", Tag.REJECTED),
    "respond": ("answered", Tag.ANSWERED),
    "expired": ("expired", Tag.EXPIRED),
}
RESTORED_NOTE = (
    "Redis lost its last moments and this card was set back: what its thread told before counts "
    "only where the record still has it. Please decide again."
)
RETRY_SLACK = timedelta(seconds=1)  # doubled with each try, up to the next
RETRY_SLACK_AT_MOST = timedelta(minutes=5)


# What a person says of an effect that may have happened, and what the button says.
ANSWERS = {"done": "It happened", "not_done": "It did not happen", "retry": "Try again"}


class Closed(Exception):
    """The approval is no longer pending; the decision was not taken."""


class MessageRef(BaseModel):
    """Where the card stands."""

    model_config = ConfigDict(frozen=True)

    channel: str
    ts: str


class Delivery(BaseModel):
    """What Slack said when the card or a reply was last refused. code: Slack's own error."""

    model_config = ConfigDict(frozen=True)

    code: str
    tries: int
    retry_at: AwareDatetime


class Outcome(BaseModel):
    """What became of the decision, as the card says it. run_failed: the whole run did, and may
    be tried again."""

    model_config = ConfigDict(frozen=True)

    state: Literal["done", "failed"]
    text: str
    at: AwareDatetime
    run_failed: bool = False


class Doubt(BaseModel):
    """The effect that an approval asks about, and which call of it: the workflow does not ask
    this, its ledger does."""

    model_config = ConfigDict(frozen=True)

    key: str
    attempt: str


class Approval(Record):
    """revision: counts what a reader of the card would notice; shown: the revision that Slack
    has. trail: how many events tell of it; replied: how many of them Slack has. posting_since,
    posting_in and reply_tried: what was begun and not yet known to have arrived, so that the next
    try looks before it posts. astray: why the card stands in another channel, in Slack's word.
    deleted: how many messages of it are gone. replies_at: no reply before, others wait. recheck:
    Redis may have forgotten what Slack was shown. doubt: set where it asks whether an effect
    happened; then the decision is a Respond whose text is a key of ANSWERS, and goes to the
    ledger, never to the graph. in_doubt: another approval asks that about an effect of this one's
    decision. by_failure: it was superseded because its run failed. held: why the decision
    waits for other code, in words for people."""

    id: str
    thread_id: str
    workflow: str
    interrupt_id: str
    node: str
    request: ApprovalRequest
    digest: str
    note: str = ""
    policy: Policy
    requester: str | None
    channel: str
    status: Status = "pending"
    votes: tuple[Decision, ...] = ()
    requested_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    superseded_by: str | None = None
    by_failure: bool = False
    reopened_at: AwareDatetime | None = None
    handed_over_at: AwareDatetime | None = None
    held: str = ""
    applied_at: AwareDatetime | None = None
    outcome: Outcome | None = None
    message: MessageRef | None = None
    revision: int = 1
    shown: int = 0
    trail: int = 0
    replied: int = 0
    posting_since: AwareDatetime | None = None
    posting_in: str = ""
    astray: str = ""
    deleted: int = 0
    reply_tried: int = 0
    recheck: bool = False
    replies_at: AwareDatetime | None = None
    delivery: Delivery | None = None
    doubt: Doubt | None = None
    in_doubt: bool = False

    @classmethod
    def open(
        cls,
        run: Run,
        question: Question,
        asked: Asked,
        *,
        policy: Policy,
        channel: str,
        now: datetime,
    ) -> Change:
        """The record of a question. The same question gives the same id, so it is opened once."""
        request = asked.request
        approval = cls(
            id=question.key,
            team=run.team,
            thread_id=run.thread_id,
            workflow=run.workflow,
            interrupt_id=question.interrupt_id,
            node=question.node,
            request=request,
            digest=request.digest,
            note=asked.note,
            policy=request.policy or policy,
            requester=run.requester,
            channel=channel,
            requested_at=now,
            expires_at=now + request.expires_in if request.expires_in else None,
        )
        detail: dict[str, JsonValue] = {"request": request.model_dump(mode="json")}
        who = Actor(team=run.team, user=run.requester) if run.requester else None
        return Change(approval, (approval.event(Tag.REQUESTED, now, who, detail),))

    @property
    def decision(self) -> Decision | None:
        """The vote that decided; None while pending, or where it was superseded."""
        return self.votes[-1] if self.votes and self.status not in ("superseded",) else None

    @property
    def offered(self) -> tuple[str, ...]:
        """What can be decided: the kinds of decisions, or the answers to a doubt."""
        return tuple(ANSWERS) if self.doubt else self.request.allowed_decisions

    def decide(self, decision: Decision, now: datetime) -> Change:
        """Take the decision. Closed where there is one already, or the deadline has passed."""
        if self.status != "pending":
            raise Closed(self.status)
        if decision.type != "expired" and self.past_deadline(now):
            raise Closed("expired")
        status, tag = OUTCOME[decision.type]
        record = self._revised(status=status, votes=(*self.votes, decision), closed_at=now)
        actor = decision.by if decision.by.user else None
        detail = decision.model_dump(mode="json", include={"values", "reason", "text"})
        if self.doubt:
            detail["text"] = ANSWERS[detail["text"]]
        return Change(record, (record.event(tag, now, actor, detail),))

    def past_deadline(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def expire(self, now: datetime) -> Change:
        """The deadline has passed: an outcome of its own, which the graph is told."""
        nobody = Actor(team=self.team, user=None)
        return self.decide(Expired(by=nobody, at=now, digest=self.digest), now)

    def supersede(self, now: datetime, by: str | None = None) -> Change:
        """The graph no longer asks this; by: the id of what it asks instead. Closed where there
        is a decision already."""
        if self.status != "pending":
            raise Closed(self.status)
        record = self._revised(status="superseded", closed_at=now, superseded_by=by)
        return Change(record, (record.event(Tag.SUPERSEDED, now, detail={"by": by}),))

    def reopen(self, asked: Asked, policy: Policy, now: datetime) -> Change:
        """It was superseded, and is asked again after all: by a run that was retried, or that a
        failover took back. The code may have changed meanwhile, so what it asks now is shown;
        it has all its time again, since nobody could decide while it was closed."""
        request = asked.request
        record = self._revised(
            status="pending",
            request=request,
            digest=request.digest,
            note=asked.note,
            policy=request.policy or policy,
            closed_at=None,
            superseded_by=None,
            by_failure=False,
            outcome=None,
            reopened_at=now,
            expires_at=now + request.expires_in if request.expires_in else None,
        )
        detail: dict[str, JsonValue] = {"request": request.model_dump(mode="json")}
        return Change(record, (record.event(Tag.REOPENED, now, detail=detail),))

    def hand_over(self, now: datetime, instance: str, checkpoint_id: str) -> Change:
        """The decision goes to the graph; from here on it is final there too."""
        record = self._revised(handed_over_at=now, held="")
        detail: dict[str, JsonValue] = {"instance": instance, "checkpoint_id": checkpoint_id}
        return Change(record, (record.event(Tag.RUN_RESUMED, now, detail=detail),))

    def hold(self, why: str) -> Self:
        """The decision stands, and waits for a worker that can carry it out."""
        return self if self.held == why else self._revised(held=why)

    def applied(self, now: datetime) -> Self:
        """The graph has taken the decision and does not ask any more."""
        return self.to(applied_at=now)

    def concluded(self, state: Literal["done", "failed"], text: str, now: datetime) -> Self:
        return self._revised(outcome=Outcome(state=state, text=text, at=now))

    def given_up(self, text: str, now: datetime) -> Self:
        """The run failed, and can be tried again."""
        outcome = Outcome(state="failed", text=text, at=now, run_failed=True)
        return self._revised(outcome=outcome, by_failure=self.status == "superseded")

    def in_question(self, on: bool) -> Self:
        """Does a doubt about an effect of this decision wait for a person?"""
        return self if on == self.in_doubt else self._revised(in_doubt=on)

    def retried(self) -> Self:
        """The run that failed on this decision is tried again: its outcome is still to come."""
        return self._revised(outcome=None)

    def settled(self, text: str, now: datetime) -> Change:
        """The answer to the doubt stands in the ledger, and the graph can go on."""
        record = self.concluded("done", text, now).to(handed_over_at=now, applied_at=now)
        actor = self.decision.by if self.decision else None
        return Change(record, (record.event(Tag.EFFECT_SETTLED, now, actor, {"text": text}),))

    def posting(self, now: datetime, where: str = "", astray: str = "") -> Self:
        """About to post the card: whoever comes next looks for it first, and there."""
        where = where or self.channel
        since = self.posting_since if where == (self.posting_in or self.channel) else None
        return self.to(posting_since=since or now, posting_in=where, astray=astray)

    def posted(
        self, message: MessageRef, revision: int, now: datetime, instance: str = ""
    ) -> Change:
        """Slack has the card, drawn from `revision`; instance: who posted it."""
        record = self.to(message=message, shown=revision, posting_since=None, delivery=None)
        if self.message is not None:
            return Change(record)
        detail: dict[str, JsonValue] = {**message.model_dump(), "instance": instance}
        detail |= {"instead_of": self.channel, "because": self.astray} if self.astray else {}
        detail |= {"deleted_before": self.deleted} if self.deleted else {}
        return Change(record, (record.event(Tag.SHOWN, now, detail=detail),))

    def lost(self) -> Self:
        """The message is gone: it is posted anew, and its thread told from the beginning."""
        anew = self.to(message=None, posting_since=None, shown=0, replied=0, reply_tried=0)
        return anew.to(deleted=self.deleted + 1, astray="", replies_at=None)

    def doubted(self) -> Self:
        """Redis restarted or failed over, and may have lost its last moments: Slack is compared
        with this record before anything is said there again."""
        return self.to(recheck=True)

    def rechecked(
        self, message: MessageRef | None, replied: int, *, ahead: bool, now: datetime
    ) -> Change:
        """Compared. replied: the replies that stand there and are still so. ahead: Slack tells
        what this record no longer knows; then it is asked again, and people are told why."""
        stands = {"message": message, "posting_since": None, "shown": 0, "replied": replied}
        record = self.to(**stands, reply_tried=0, recheck=False)
        if not ahead:
            return Change(record)
        if record.status == "pending":
            record = record.to(note=RESTORED_NOTE)
        return Change(record, (record.event(Tag.RESTORED, now),))

    def replying(self, number: int) -> Self:
        return self.to(reply_tried=number)

    def reply_later(self, at: datetime, tried: int) -> Self:
        """No reply before; the card itself does not wait. tried: as in reply_tried."""
        return self.to(reply_tried=tried, replies_at=at)

    def replied_to(self, number: int) -> Self:
        """The first `number` events of the trail stand in the thread."""
        return self.to(replied=number, delivery=None, replies_at=None)

    def undelivered(self, code: str, now: datetime, retry_after: float = 0.0) -> Self:
        """Slack did not take it: try again later, for as long as it takes. retry_after:
        seconds, where Slack says."""
        tries = (self.delivery.tries if self.delivery else 0) + 1
        pause = min(RETRY_SLACK * 2 ** min(tries - 1, 10), RETRY_SLACK_AT_MOST)
        at = now + max(pause, timedelta(seconds=retry_after))
        return self.to(delivery=Delivery(code=code, tries=tries, retry_at=at))

    def not_posted(self) -> Self:
        """Slack certainly did not take the card: there is nothing to look for."""
        return self.to(posting_since=None)

    def event(
        self,
        tag: Tag,
        now: datetime,
        actor: Actor | None = None,
        detail: dict[str, JsonValue] | None = None,
    ) -> Draft:
        return Draft(
            thread_id=self.thread_id,
            tag=tag,
            at=now,
            actor=actor,
            approval_id=self.id,
            digest=self.digest,
            detail=detail or {},
        )

    def _revised(self, **changes: object) -> Self:
        return self.to(revision=self.revision + 1, **changes)
