"""An approval: one question, asked once, decided once. All its rules, and no I/O."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from bot.alike import AmongOthers
from bot.asked import Inquiry
from bot.audit import Tag
from bot.outcomes import ANSWERS, Outcome
from bot.records import Change
from bot.runs import Run
from bot.texts import later
from workflows.payloads import Asked, asked_digest
from workflows.policy import Policy, Stage
from workflows.protocol import Actor, ApprovalRequest, Decision, Edit, Expired
from workflows.runner import Question

Status = Literal[
    "pending",
    "approved",
    "edited",
    "rejected",
    "answered",
    "expired",
    "outdated",
    "superseded",
    "cancelled",
]
OUTCOME: dict[str, tuple[Status, Tag]] = {
    "approve": ("approved", Tag.APPROVED),
    "edit": ("edited", Tag.EDITED),
    "reject": ("rejected", Tag.REJECTED),
    "respond": ("answered", Tag.ANSWERED),
    "expired": ("expired", Tag.EXPIRED),
    "outdated": ("outdated", Tag.OUTDATED),
}
CHANGED_NOTE = later("The request changed after it was decided, so it is asked again.")
SUPPORTS = ("approve", "edit")  # of these a policy may want several; any other decides alone


class Closed(Exception):
    """The approval is no longer pending; the decision was not taken."""


class NoVote(Exception):
    """There is no vote of theirs that could be taken back."""


class Doubt(BaseModel):
    """The effect that an approval asks about, and which call of it: the workflow does not ask
    this, its ledger does."""

    model_config = ConfigDict(frozen=True)

    key: str
    attempt: str


class Approval(AmongOthers):
    """asked: the digest of what the graph interrupted with. policy: what holds for this request;
    its stages are passed one after the other. votes: those that count, at most one a person; an
    edit among them is what the others approved. doubt: set where it asks whether an effect
    happened; then the decision is a Respond whose text is a key of ANSWERS, and goes to the
    ledger, never to the graph. in_doubt: another approval asks that about an effect of this one's
    decision. by_failure: it was superseded because its run failed. held: why the decision waits
    for other code, in words for people. goes_on_at: it waits for this time. remind_at: when
    somebody is next looked for who has to be reminded; reminded: when each of those who are missing
    was last. escalated_at: since when those may decide whom the policy's `escalate_to` names. seen:
    where it is restricted, who has looked at it, by user, and the terms that they saw. inquiries:
    what its requester was asked back; only the last may be open."""

    workflow: str
    interrupt_id: str
    node: str
    request: ApprovalRequest
    digest: str
    asked: str = ""
    policy: Policy
    requester: str | None
    status: Status = "pending"
    votes: tuple[Decision, ...] = ()
    # By user: since which revision a vote of theirs counts no more. Who clicks on what was drawn
    # before may be heard again, and is not.
    taken_back: Mapping[str, int] = {}
    requested_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    superseded_by: str | None = None
    by_failure: bool = False
    reopened_at: AwareDatetime | None = None
    handed_over_at: AwareDatetime | None = None
    held: str = ""
    goes_on_at: AwareDatetime | None = None
    seen: Mapping[str, str] = {}
    applied_at: AwareDatetime | None = None
    outcome: Outcome | None = None
    doubt: Doubt | None = None
    in_doubt: bool = False
    remind_at: AwareDatetime | None = None
    reminded: dict[str, AwareDatetime] = Field(default_factory=dict[str, AwareDatetime])
    escalated_at: AwareDatetime | None = None
    inquiries: tuple[Inquiry, ...] = ()

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
            asked=asked.value,
            note=asked.note,
            policy=(request.policy or policy).for_request(request.fields),
            requester=run.requester,
            channel=channel,
            requested_at=now,
            expires_at=now + request.expires_in if request.expires_in else None,
        )
        detail: dict[str, JsonValue] = {"request": request.model_dump(mode="json")}
        who = Actor(team=run.team, user=run.requester) if run.requester else None
        return Change(approval, (approval.event(Tag.REQUESTED, now, who, detail),))

    @property
    def is_open(self) -> bool:
        return self.status == "pending"

    @property
    def asked_at(self) -> datetime:
        """Since when it waits; a reminder and an escalation count from then."""
        return self.reopened_at or self.requested_at

    @property
    def remind_next(self) -> datetime | None:
        """None where nobody is to be reminded."""
        after = self.request.remind_after
        return (self.remind_at or self.asked_at + after) if after and self.is_open else None

    @property
    def escalate_next(self) -> datetime | None:
        """When it escalates by itself; None: never, or it has."""
        after = self.policy.escalate_after
        return self.asked_at + after if after and self.is_open and not self.escalated_at else None

    @property
    def restricted(self) -> bool:
        """Is what it asks, and what is answered, kept out of the channel?"""
        return self.request.sensitivity == "restricted"

    @property
    def decision(self) -> Decision | None:
        """What was decided, and who else was for it; None while pending, or where it was
        superseded."""
        if self.status in ("pending", "superseded") or not self.votes:
            return None
        last = self.votes[-1]
        if last.type not in SUPPORTS:
            return last
        chosen = self.proposal or last
        also = tuple(vote.by for vote in self.votes if vote is not chosen)
        return chosen.model_copy(update={"also": also})

    @property
    def proposal(self) -> Edit | None:
        """The edit that is to be approved, or was, instead of what the graph asked."""
        return next((vote for vote in self.votes if isinstance(vote, Edit)), None)

    @property
    def inquiry(self) -> Inquiry | None:
        """The question that waits for its requester's answer."""
        return next((each for each in self.inquiries[-1:] if not each.answer), None)

    @property
    def terms(self) -> str:
        """The digest of what the card shows: of the request, or of the edit that is proposed."""
        if self.proposal is None:
            return self.digest
        edited = json.dumps(self.proposal.values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"{self.digest} {edited}".encode()).hexdigest()

    @property
    def offered(self) -> tuple[str, ...]:
        """What can be decided: the kinds of decisions, or the answers to a doubt."""
        return tuple(ANSWERS) if self.doubt else self.request.allowed_decisions

    @property
    def open_stage(self) -> int | None:
        """The first stage that wants more votes; None: all have theirs."""
        return next((i for i, _ in enumerate(self.stages) if self.missing(i) > 0), None)

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.policy.in_order

    @property
    def asked_now(self) -> list[JsonValue]:
        """The approvers of the open stage: users, groups and channels."""
        stage = None if self.open_stage is None else self.stages[self.open_stage]
        return [each for each in stage.approvers if each not in stage.without] if stage else []

    def missing(self, stage: int) -> int:
        """How many of this stage are still to approve."""
        have = sum(vote.stage == stage for vote in self.votes if vote.type in SUPPORTS)
        return max(0, self.stages[stage].quorum - have)

    def vote_of(self, user: str) -> Decision | None:
        """Theirs, or the one that was cast in their place."""
        return next((v for v in self.votes if user in (v.by.user, v.on_behalf_of)), None)

    def decide(self, decision: Decision, now: datetime) -> Change:
        """Take the decision, or count the vote where the policy wants more of them. It takes the
        place of an earlier one of theirs; an edit voids all others, which were for something
        else. Closed where there is a decision already, or the deadline has passed."""
        if self.status != "pending":
            raise Closed(self.status)
        if decision.type != "expired" and self.past_deadline(now):
            raise Closed("expired")
        own = self.vote_of(decision.by.user) if decision.by.user else None
        others = tuple(vote for vote in self.votes if vote is not own)
        voided = others if decision.type == "edit" else ()
        votes = (decision,) if voided else (*others, decision)
        voted = self.revised(votes=votes, taken_back=self._without(voided))
        actor = decision.by if decision.by.user else None
        detail = decision.model_dump(
            mode="json", include={"values", "reason", "text", "on_behalf_of"}, exclude_defaults=True
        )
        if self.doubt:
            detail["text"] = ANSWERS[detail["text"]]
        if voided:
            detail["voided"] = [vote.by.user for vote in voided]
        if decision.type in SUPPORTS and voted.open_stage is not None:
            detail |= {"type": decision.type, "stage": self.stages[decision.stage].name}
            detail |= {"next": voted.asked_now} if voted.open_stage != self.open_stage else {}
            return Change(voted, (voted.event(Tag.VOTED, now, actor, detail),))
        kind = "edit" if voted.proposal and decision.type in SUPPORTS else decision.type
        if isinstance(voted.proposal, Edit) and kind == "edit":
            detail |= {"values": voted.proposal.values, "edited_by": voted.proposal.by.user}
            detail |= {"before": self.request.editable.values if self.request.editable else {}}
        status, tag = OUTCOME[kind]
        record = voted.to(status=status, closed_at=now)
        return Change(record, (record.event(tag, now, actor, detail),))

    def viewed(self, by: Actor, now: datetime) -> Change:
        """Who may decide it looks at what it asks. The card does not change."""
        record = self.to(seen={**self.seen, by.user or "": self.terms})
        return Change(record, (record.event(Tag.VIEWED, now, by),))

    def withdraw(self, user: str, now: datetime) -> Change:
        """Take a vote back, their own or the one cast in their place; with an edit go the votes
        for it. Closed where the outcome is there; NoVote where there is none of theirs."""
        if self.status != "pending":
            raise Closed(self.status)
        vote = self.vote_of(user)
        if vote is None:
            raise NoVote(user)
        left = () if vote.type == "edit" else tuple(v for v in self.votes if v is not vote)
        gone = [v for v in self.votes if v not in left]
        record = self.revised(votes=left, taken_back=self._without(gone))
        detail: dict[str, JsonValue] = {"type": vote.type}
        detail |= {"voided": [v.by.user for v in gone if v is not vote]}
        actor = Actor(team=self.team, user=user)
        return Change(record, (record.event(Tag.WITHDRAWN, now, actor, detail),))

    def _without(self, votes: Iterable[Decision]) -> Mapping[str, int]:
        """`taken_back`, as it is when these count no more; also of the absent ones."""
        whose = [who for vote in votes for who in (vote.by.user, vote.on_behalf_of) if who]
        return {**self.taken_back, **dict.fromkeys(whose, self.revision + 1)}

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
        record = self.revised(status="superseded", closed_at=now, superseded_by=by)
        return Change(record, (record.event(Tag.SUPERSEDED, now, detail={"by": by}),))

    def reopen(self, asked: Asked, policy: Policy, now: datetime) -> Change:
        """It was superseded, and is asked again after all: by a run that was retried, or that a
        failover took back. The code may have changed meanwhile, so what it asks now is shown;
        it has all its time again, since nobody could decide while it was closed."""
        record = self._anew(asked, policy, now)
        detail: dict[str, JsonValue] = {"request": asked.request.model_dump(mode="json")}
        return Change(record, (record.event(Tag.REOPENED, now, detail=detail),))

    def void(self, asked: Asked, policy: Policy, now: datetime) -> Change:
        """What the graph asks is not what was decided any more: it is asked again, as it is."""
        record = self._anew(asked, policy, now)
        record = record.to(note=CHANGED_NOTE, handed_over_at=None, held="")
        detail: dict[str, JsonValue] = {"request": asked.request.model_dump(mode="json")}
        detail["why"] = CHANGED_NOTE
        return Change(record, (record.event(Tag.VOIDED, now, detail=detail),))

    def _anew(self, asked: Asked, policy: Policy, now: datetime) -> Self:
        request = asked.request
        return self.revised(
            status="pending",
            request=request,
            digest=request.digest,
            asked=asked.value,
            note=asked.note,
            policy=(request.policy or policy).for_request(request.fields),
            votes=(),
            taken_back=self._without(self.votes),
            inquiries=(),
            closed_at=None,
            superseded_by=None,
            by_failure=False,
            outcome=None,
            reopened_at=now,
            remind_at=None,
            reminded={},
            escalated_at=None,
            expires_at=now + request.expires_in if request.expires_in else None,
        )

    def asks_otherwise(self, question: Question) -> bool:
        """Does the graph ask something else by now than what this was opened for?"""
        return bool(self.asked) and self.asked != asked_digest(question.value)

    @property
    def stops(self) -> bool:
        """Was it answered by a no that the graph cannot be told, since it asks nothing itself?"""
        at_a_breakpoint = not self.interrupt_id and not self.doubt
        return at_a_breakpoint and self.status in ("rejected", "expired")

    def hand_over(self, now: datetime, instance: str, checkpoint_id: str) -> Change:
        """The decision goes to the graph; from here on it is final there too."""
        record = self.revised(handed_over_at=now, held="")
        detail: dict[str, JsonValue] = {"instance": instance, "checkpoint_id": checkpoint_id}
        return Change(record, (record.event(Tag.RUN_RESUMED, now, detail=detail),))

    def hold(self, why: str) -> Self:
        """The decision stands, and waits for a worker that can carry it out."""
        return self if self.held == why else self.revised(held=why)

    def applied(self, now: datetime) -> Self:
        """The graph has taken the decision and does not ask any more."""
        return self.to(applied_at=now)

    def concluded(self, state: Literal["done", "failed"], text: str, now: datetime) -> Self:
        return self.revised(outcome=Outcome(state=state, text=text, at=now))

    def given_up(self, text: str, now: datetime) -> Self:
        """The run failed, and can be tried again."""
        outcome = Outcome(state="failed", text=text, at=now, run_failed=True)
        return self.revised(outcome=outcome, by_failure=self.status == "superseded")

    def in_question(self, on: bool) -> Self:
        """Does a doubt about an effect of this decision wait for a person?"""
        return self if on == self.in_doubt else self.revised(in_doubt=on)

    def retried(self) -> Self:
        """The run that failed on this decision is tried again: its outcome is still to come."""
        return self.revised(outcome=None)

    def settled(self, text: str, now: datetime) -> Change:
        """The answer to the doubt stands in the ledger, and the graph can go on."""
        record = self.concluded("done", text, now).to(handed_over_at=now, applied_at=now)
        actor = self.decision.by if self.decision else None
        return Change(record, (record.event(Tag.EFFECT_SETTLED, now, actor, {"text": text}),))
