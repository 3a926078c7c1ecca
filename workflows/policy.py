"""Who may decide a request, how many of them, and in which order: declared by a workflow, or by a
request for itself."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from workflows.fields import Label, MoneyField, RequestField
from workflows.hours import Hours
from workflows.money import Currency, from_minor

APPROVER_ID = r"^[UWSCG][A-Z0-9]{2,}$"
ApproverId = Annotated[str, StringConstraints(pattern=APPROVER_ID)]
AllowedDecision = Literal["approve", "edit", "reject", "respond"]
Quorum = Annotated[int, Field(ge=1, le=50)]


class PolicyError(ValueError):
    """Under this policy nobody, or too few, could ever decide."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(_Value):
    """One step of several: the next is asked when so many of this one's approvers have approved.

    approvers: Slack ids of users (U…, W…), user groups (S…) and channels (C…, G…), which stand
    for their members.
    """

    name: Annotated[str, StringConstraints(max_length=40, strip_whitespace=True)] = ""
    approvers: tuple[ApproverId, ...]
    quorum: Quorum = 1


class Tier(_Value):
    """Other rules for a request whose amount is over a limit.

    field: label of a money field of the request. over: in major units (1000 is $1,000.00), in
    `currency`, or in whichever the field has where that is None. A request that lacks the field,
    or has it in another currency, counts as over: what cannot be compared is not let through.
    stages, or quorum for the policy's own approvers: what holds then.
    """

    field: Label
    over: Annotated[Decimal, Field(ge=0)]
    currency: Currency | None = None
    quorum: Quorum | None = None
    stages: tuple[Stage, ...] = ()

    @model_validator(mode="after")
    def _says_what_holds(self) -> Self:
        if (self.quorum is None) == (not self.stages):
            raise ValueError("a tier sets quorum, or stages, and not both")
        return self

    def holds_for(self, fields: Sequence[RequestField]) -> bool:
        amount = next(
            (f for f in fields if isinstance(f, MoneyField) and f.label == self.field), None
        )
        if amount is None or self.currency not in (None, amount.currency):
            return True
        return abs(from_minor(amount.amount_minor, amount.currency)) > self.over


class Policy(_Value):
    """Who may decide. Nobody named means nobody, never everybody.

    approvers, quorum: so many of these; or stages: one after the other. tiers: of those that hold
    for a request, the last one replaces both. requester_may_approve: who asked for it, too.
    named_may_approve: labels of the user fields whose people may decide although the request names
    them; else a payee, or whoever else it names, may not. reason_required: decisions that want one.
    bulk: may be decided together with others, from the list; only where the risk is low.
    reassign: who may hand it to other approvers, besides its approvers themselves.
    escalate_to: who may decide too, once it is escalated: escalate_after so long, or by an
    approver or one of `reassign`. remind_every: after the first reminder (`remind_after` of the
    request), until it is decided. remind_within: when, in the time zone of who is reminded.
    """

    approvers: tuple[ApproverId, ...] = ()
    quorum: Quorum = 1
    stages: tuple[Stage, ...] = ()
    tiers: tuple[Tier, ...] = ()
    requester_may_approve: bool = False
    named_may_approve: tuple[Label, ...] = ()
    reason_required: tuple[AllowedDecision, ...] = ()
    bulk: bool = False
    reassign: tuple[ApproverId, ...] = ()
    escalate_to: tuple[ApproverId, ...] = ()
    escalate_after: Annotated[timedelta, Field(gt=timedelta(0))] | None = None
    remind_every: Annotated[timedelta, Field(ge=timedelta(minutes=1))] = timedelta(hours=24)
    remind_within: Hours = Hours()

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if self.approvers and self.stages:
            raise ValueError("stages: each names its own approvers; leave `approvers` out")
        if self.escalate_after and not self.escalate_to:
            raise ValueError("escalate_after: needs escalate_to, which says to whom")
        return self

    @property
    def in_order(self) -> tuple[Stage, ...]:
        """Its stages; without any it is one, of the approvers."""
        return self.stages or (Stage(approvers=self.approvers, quorum=self.quorum),)

    def for_request(self, fields: Sequence[RequestField]) -> "Policy":
        """What holds for exactly this request: its tiers applied."""
        policy = self.model_copy(update={"tiers": ()})
        for tier in self.tiers:
            if not tier.holds_for(fields):
                continue
            if tier.stages:
                policy = policy.model_copy(update={"approvers": (), "stages": tier.stages})
            else:
                policy = policy._of(tier.quorum or 1)  # noqa: SLF001 - its own kind
        return policy

    def check(self) -> None:
        """PolicyError where a stage of it, or of one of its tiers, could never be passed."""
        for stages in (self.in_order, *(tier.stages for tier in self.tiers)):
            for stage in stages:
                _check(stage)
        for tier in self.tiers:
            if tier.quorum:
                for stage in self._of(tier.quorum).in_order:
                    _check(stage)

    def _of(self, quorum: int) -> "Policy":
        """The same people, so many of each stage."""
        stages = tuple(stage.model_copy(update={"quorum": quorum}) for stage in self.stages)
        return self.model_copy(update={"quorum": quorum, "stages": stages})


def _check(stage: Stage) -> None:
    where = f" in its stage {stage.name!r}" if stage.name else ""
    if not stage.approvers:
        raise PolicyError(f"names nobody who could decide{where}")
    people = [each for each in stage.approvers if each[0] in "UW"]
    if len(people) == len(stage.approvers) and len(set(people)) < stage.quorum:
        raise PolicyError(f"wants {stage.quorum} to approve and names {len(set(people))}{where}")
