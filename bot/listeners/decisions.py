"""A click on a card: who may, does the button still hold, record, and only then acknowledge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals import Approval, NoVote
from bot.listeners.following import follow
from bot.listeners.guard import Answering, guarded, no_answer
from bot.listeners.payloads import action_of, modal_of, user_of, value_of, workspaces_of
from bot.listeners.recording import Outcome
from bot.listeners.refusing import Who, recorded
from bot.listeners.rights import right_of
from bot.policy import (
    STRANGERS,
    Member,
    Right,
    Why,
    involved,
    refuse_bulk,
    refuse_closed,
    refuse_stale,
    refuse_stale_retry,
    refuse_taken_back,
    refuse_unsaid,
    refuse_unseen,
    refuse_voted,
)
from bot.raised import raises
from bot.records import Change
from bot.retrying import retried
from bot.runs import NotFailed
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import later, t
from bot.views.answers import NOT_RECORDED, RECORDED
from bot.views.card import DECIDES, SETTLES, ActionId, ButtonValue
from workflows.protocol import DECISION, Actor, Decision, Respond

RETRY = "retry_run"  # decides nothing anew: what was decided is carried out after all
WITHDRAW = "withdraw"  # of a vote that has not decided yet
CLICKS = {**DECIDES, **SETTLES, ActionId.RETRY: RETRY, ActionId.WITHDRAW: WITHDRAW}


@dataclass(frozen=True)
class Click:
    """teams: ids of the clicker's workspace. value: None where it is none of ours. said: what a
    modal asked for besides: `reason` of a reject, `values` of an edit, `text` of a response.
    together: with others, which not every approval allows."""

    teams: tuple[str, ...]
    user: str
    decision: str
    value: ButtonValue | None
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    together: bool = False

    @classmethod
    def read(cls, body: dict[str, Any]) -> "Click":
        """From a block_actions payload. Who clicked is told by ids; names can be chosen."""
        return cls(
            teams=workspaces_of(body),
            user=user_of(body),
            decision=CLICKS[ActionId(action_of(body)["action_id"])],
            value=ButtonValue.read(value_of(body)),
        )


def register(app: AsyncApp, services: Services) -> None:
    async def decide(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        outcome = await take(services, Click.read(body))
        await ack()
        if outcome.answer:
            await answering.words(outcome.answer)
        elif modal_of(body):
            await answering.words(t(RECORDED), later("Recorded"))
        await follow(services, body, *outcome.records)

    for action in CLICKS:
        app.action(action)(guarded(services.slack, decide))


async def take(services: Services, click: Click) -> Outcome:
    """Record what the click means; else the words that say why not."""
    value = click.value

    async def meant(approval: Approval) -> list[Change] | Why | str:
        try:
            found = await _right(services, approval, click)
        except (SlackUnavailable, SlackRefused, TimeoutError) as error:
            return no_answer(error, f"{approval.id}: who may decide", NOT_RECORDED)
        return await _meant(services, approval, click, found)

    who = Who(click.user, click.teams)
    return await recorded(services, value.approval if value else "", who, click.decision, meant)


async def why_not(services: Services, approval: Approval, click: Click) -> Why | None:
    """Why a click that only asks for the words of a decision is refused; None: open the form."""
    found = await _right(services, approval, click)
    return _why(approval, click, found, services.now())


async def _right(
    services: Services, approval: Approval, click: Click
) -> tuple[Member, Right | Why]:
    any_stage = click.decision in (RETRY, WITHDRAW)
    return await right_of(services, approval, click.user, *click.teams, any_stage=any_stage)


async def _meant(
    services: Services,
    approval: Approval,
    click: Click,
    found: tuple[Member, Right | Why],
) -> list[Change] | Why:
    """What it changes, or why it may not."""
    member, right = found
    now = services.now()
    reason = str(click.said.get("reason") or "")
    why = _why(approval, click, found, now)
    why = why or refuse_unsaid(approval, click.decision, reason)
    if why is not None:
        return why
    actor = Actor(team=member.team, user=member.user, name=member.name)
    try:
        return await _changes(services, approval, click, actor, right, now)
    except NotFailed:
        return Why.NOT_FAILED
    except NoVote:
        return Why.NO_VOTE


def _why(
    approval: Approval, click: Click, found: tuple[Member, Right | Why], now: datetime
) -> Why | None:
    """Why it is refused, whatever it says. Strangers learn nothing; others first what is new."""
    _, right = found
    if isinstance(right, Why) and right in STRANGERS:
        return right
    return _stale(approval, click, now) or _refused(approval, click, right)


def _refused(approval: Approval, click: Click, right: Right | Why) -> Why | None:
    if click.decision == WITHDRAW:
        return None  # theirs is looked for
    if isinstance(right, Why):
        return refuse_voted(approval, click.user, click.decision) or right
    voted = refuse_voted(approval, click.user, click.decision)
    values = click.said.get("values")
    whose = (click.user, right.on_behalf_of or click.user)  # no edit may name those who make it
    named = next((w for who in whose if (w := involved(approval, who, values))), None)
    raised = Why.RAISED if values and raises(approval, values) else None
    barred = voted or (named or raised if click.decision == "edit" else None)
    if barred or click.decision == RETRY:
        return barred
    return refuse_unseen(approval, click.user) or (
        refuse_bulk(approval) if click.together else None
    )


def _stale(approval: Approval, click: Click, now: datetime) -> Why | None:
    terms, drawn = (click.value.digest, click.value.revision) if click.value else ("", 0)
    if click.decision == RETRY:
        return refuse_stale_retry(approval, terms)
    if click.decision == WITHDRAW:
        stale = refuse_closed(approval, now) or (None if terms == approval.terms else Why.CHANGED)
    else:
        stale = refuse_stale(approval, terms, click.decision, now)
    return stale or refuse_taken_back(approval, click.user, drawn)


async def _changes(
    services: Services,
    approval: Approval,
    click: Click,
    actor: Actor,
    right: Right | Why,
    now: datetime,
) -> list[Change]:
    if click.decision == RETRY:
        return await retried(services.store, now, approval.thread_id, actor, approval.id)
    if click.decision == WITHDRAW:
        return [approval.withdraw(click.user, now)]
    if isinstance(right, Why):
        raise TypeError(f"{click.user} has no right, and was let through: {right}")
    who_and_when: dict[str, Any] = {"by": actor, "at": now, "digest": approval.digest}
    seat = {"stage": right.stage, "on_behalf_of": right.on_behalf_of}
    return [approval.decide(_decision(click, **who_and_when, **seat), now)]


def _decision(click: Click, **who_and_when: Any) -> Decision:
    if click.decision in SETTLES.values():
        return Respond(**who_and_when, text=click.decision)
    made = {"type": click.decision, **who_and_when, **click.said}
    return DECISION.validate_python(made)
