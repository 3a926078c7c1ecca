"""Who may decide a request, how many of them, and in which order: declared by a workflow, or by a
request for itself."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from workflows.fields import Label, MoneyField, RequestField, SlackUserId
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
    for their members. without: users who do not count, though a group has them.
    """

    name: Annotated[str, StringConstraints(max_length=40, strip_whitespace=True)] = ""
    approvers: tuple[ApproverId, ...]
    quorum: Quorum = 1
    without: tuple[SlackUserId, ...] = ()

    @property
    def people(self) -> list[str] | None:
        """The users who may pass it; None: a group is among them, whose members are Slack's."""
        named = [each for each in dict.fromkeys(self.approvers) if each not in self.without]
        return named if all(each[0] in "UW" for each in named) else None


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
        """What holds for exactly this request: its tiers applied. Those that do not hold are kept:
        no edit may make it one for which they would."""
        holding = [tier for tier in self.tiers if tier.holds_for(fields)]
        left = tuple(tier for tier in self.tiers if tier not in holding)
        policy = self.model_copy(update={"tiers": left})
        for tier in holding:
            policy = policy.under(tier)
        return policy

    def check(self) -> None:
        """PolicyError where it, or what any of its tiers makes of it, could never be passed."""
        possible = [self.model_copy(update={"tiers": ()})]
        for tier in self.tiers:
            more = [policy.under(tier) for policy in possible]
            possible += [policy for policy in more if policy not in possible]
        for policy in possible:
            for stage in policy.in_order:
                _check(stage)
            _check_together(policy.in_order)

    def under(self, tier: Tier) -> "Policy":
        """With other stages, or the same people and so many of each stage."""
        if tier.stages:
            return self.model_copy(update={"approvers": (), "stages": tier.stages})
        quorum = tier.quorum or 1
        stages = tuple(stage.model_copy(update={"quorum": quorum}) for stage in self.stages)
        return self.model_copy(update={"quorum": quorum, "stages": stages})


def _check(stage: Stage) -> None:
    where = f" in its stage {stage.name!r}" if stage.name else ""
    people = stage.people
    if people == []:
        raise PolicyError(f"names nobody who could decide{where}")
    if people is not None and len(people) < stage.quorum:
        raise PolicyError(f"wants {stage.quorum} to approve and names {len(people)}{where}")


def _check_together(stages: Sequence[Stage]) -> None:
    """One person has one vote, so each vote of all its stages wants someone of its own."""
    stage_of: dict[str, int] = {}

    def found(stage: int, tried: set[str]) -> bool:
        for person in stages[stage].people or ():
            if person in tried:
                continue
            tried.add(person)
            if person not in stage_of or found(stage_of[person], tried):
                stage_of[person] = stage
                return True
        return False

    for number, stage in enumerate(stages):
        enough = stage.people is None or all(found(number, set()) for _ in range(stage.quorum))
        if not enough:
            where = f" for its stage {stage.name!r}" if stage.name else ""
            raise PolicyError(f"leaves too few{where}: one person has one vote in all")
