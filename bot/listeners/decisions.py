"""A click on a card: who may, does the button still hold, record, and only then acknowledge."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals import Approval, NoVote
from bot.listeners.following import follow
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import action_of, user_of, value_of, workspaces_of
from bot.listeners.recording import Outcome, Recording
from bot.listeners.rights import right_of
from bot.policy import (
    Member,
    Right,
    Why,
    refuse_bulk,
    refuse_closed,
    refuse_person,
    refuse_stale,
    refuse_stale_retry,
    refuse_voted,
)
from bot.records import Change
from bot.retrying import retried
from bot.runs import NotFailed
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.views.answers import NOT_RECORDED, NOT_SHOWN, refusal
from bot.views.card import DECIDES, SETTLES, ActionId, ButtonValue
from bot.views.details import details_view
from workflows.protocol import DECISION, Actor, Decision, Respond

LOOK_UP = 1.2  # seconds for Slack to say who clicked: leaves some of recording.DECIDE_WITHIN
RETRY = "retry_run"  # decides nothing anew: what was decided is carried out after all
WITHDRAW = "withdraw"  # of a vote that has not decided yet
CLICKS = {**DECIDES, **SETTLES, ActionId.RETRY: RETRY, ActionId.WITHDRAW: WITHDRAW}
STRANGERS = (Why.OTHER_WORKSPACE, Why.NOT_A_MEMBER)


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
        await follow(services, body, *outcome.records)

    async def details(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        answer = await in_time(open_details(services, body))
        if answer:
            await answering.words(answer)

    app.action(ActionId.DETAILS)(guarded(services.slack, details))
    for action in CLICKS:
        app.action(action)(guarded(services.slack, decide))


async def open_details(services: Services, body: dict[str, Any]) -> str | None:
    """Show all that is asked, where the card had to cut it; else the words that say why not."""
    value = ButtonValue.read(value_of(body))
    approval = await services.store.approval(value.approval) if value else None
    if approval is None:
        return refusal(Why.UNKNOWN, None, "")
    try:
        member = await services.slack.member(user_of(body), *workspaces_of(body))
        why = refuse_person(approval, member)
        if why is not None and why in STRANGERS:
            return refusal(why, approval, "")
        trigger = str(body.get("trigger_id") or "")
        if not trigger:
            return NOT_SHOWN
        await services.slack.open_view(trigger, details_view(approval))
    except (SlackUnavailable, SlackRefused) as error:
        return no_answer(error, f"{approval.id}: the details", NOT_SHOWN)
    return None


async def take(services: Services, click: Click) -> Outcome:
    """Record what the click means; else the words that say why not."""
    value = click.value
    if value is None:
        return Outcome(refusal(Why.UNKNOWN, None, click.decision))

    async def meant(approval: Approval | None) -> list[Change] | str:
        if approval is None:
            return refusal(Why.UNKNOWN, None, click.decision)
        try:
            async with asyncio.timeout(LOOK_UP):
                right = await right_of(
                    services,
                    approval,
                    click.user,
                    *click.teams,
                    any_stage=click.decision in (RETRY, WITHDRAW),
                )
        except (SlackUnavailable, SlackRefused, TimeoutError) as error:
            return no_answer(error, f"{approval.id}: who may decide", NOT_RECORDED)
        return await _meant(services, approval, click, value.digest, right)

    return await Recording(services.store, value.approval, meant).outcome()


async def _meant(
    services: Services,
    approval: Approval,
    click: Click,
    terms: str,
    found: tuple[Member, Right | Why],
) -> list[Change] | str:
    """What it changes; the words, where it may not. Strangers learn nothing; others first what
    is new."""
    member, right = found
    now = services.now()
    stale = _stale(approval, terms, click.decision, now)
    why = right if right in STRANGERS else stale or _refused(approval, click, right)
    if isinstance(why, Why):
        return refusal(why, approval, click.decision)
    actor = Actor(team=member.team, user=member.user, name=member.name)
    try:
        return await _changes(services, approval, click, actor, right, now)
    except NotFailed:
        return refusal(Why.NOT_FAILED, approval, click.decision)
    except NoVote:
        return refusal(Why.NO_VOTE, approval, click.decision)


def _refused(approval: Approval, click: Click, right: Right | Why) -> Why | None:
    if click.decision == WITHDRAW:
        return None  # theirs is looked for
    voted = refuse_voted(approval, click.user, click.decision)
    if click.together and not isinstance(right, Why):
        return voted or refuse_bulk(approval)
    return voted or (right if isinstance(right, Why) else None)


def _stale(approval: Approval, terms: str, decision: str, now: datetime) -> Why | None:
    if decision == RETRY:
        return refuse_stale_retry(approval, terms)
    if decision == WITHDRAW:
        return refuse_closed(approval, now)
    return refuse_stale(approval, terms, decision, now)


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
