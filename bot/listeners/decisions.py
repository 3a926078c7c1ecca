"""A click on a card: who may, does the button still hold, record, and only then acknowledge."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals import Approval
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import action_of, user_of, value_of, workspaces_of
from bot.listeners.recording import Outcome, Recording
from bot.policy import Member, Why, authorize, refuse_stale, refuse_stale_retry
from bot.records import Change
from bot.retrying import retried
from bot.runs import NotFailed
from bot.services import Services
from bot.slack import SlackGateway, SlackRefused, SlackUnavailable
from bot.views.answers import NOT_RECORDED, NOT_SHOWN, refusal
from bot.views.card import DECIDES, SETTLES, ActionId, ButtonValue
from bot.views.details import details_view
from workflows.protocol import Actor, Approve, Decision, Reject, Respond

LOOK_UP = 1.2  # seconds for Slack to say who clicked: leaves some of recording.DECIDE_WITHIN
RETRY = "retry_run"  # decides nothing anew: what was decided is carried out after all
CLICKS = {**DECIDES, **SETTLES, ActionId.RETRY: RETRY}
STRANGERS = (Why.OTHER_WORKSPACE, Why.NOT_A_MEMBER)  # they learn nothing; others first what is new


@dataclass(frozen=True)
class Click:
    """teams: ids of the clicker's workspace. value: None where it is none of ours."""

    teams: tuple[str, ...]
    user: str
    decision: str
    value: ButtonValue | None

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
        await services.changes.queue_soon(*outcome.records)

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
        why = authorize(approval, member, {})
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
                member, may_not = await _asked_slack(services.slack, approval, click)
        except (SlackUnavailable, SlackRefused, TimeoutError) as error:
            return no_answer(error, f"{approval.id}: who may decide", NOT_RECORDED)
        now = services.now()
        stale = _stale(approval, value.digest, click.decision, now)
        why = may_not if may_not in STRANGERS else stale or may_not
        if why is not None:
            return refusal(why, approval, click.decision)
        actor = Actor(team=member.team, user=member.user, name=member.name)
        try:
            return await _changes(services, approval, click.decision, actor, now)
        except NotFailed:
            return refusal(Why.NOT_FAILED, approval, click.decision)

    return await Recording(services.store, value.approval, meant).outcome()


def _stale(approval: Approval, digest: str, decision: str, now: datetime) -> Why | None:
    if decision == RETRY:
        return refuse_stale_retry(approval, digest)
    return refuse_stale(approval, digest, decision, now)


async def _changes(
    services: Services, approval: Approval, decision: str, actor: Actor, now: datetime
) -> list[Change]:
    if decision == RETRY:
        return await retried(services.store, now, approval.thread_id, actor, approval.id)
    decided = _decision(decision, by=actor, at=now, digest=approval.digest)
    return [approval.decide(decided, now)]


async def _asked_slack(
    slack: SlackGateway, approval: Approval, click: Click
) -> tuple[Member, Why | None]:
    """Who clicked, and why they may not decide. Groups are asked for only where they matter: an
    approver by id decides also while Slack cannot tell who is in a group."""
    member = await slack.member(click.user, *click.teams)
    why = authorize(approval, member, {})
    if why == Why.NOT_AN_APPROVER:
        why = authorize(approval, member, await slack.groups(approval.policy.approvers))
    return member, why


def _decision(kind: str, **who_and_when: Any) -> Decision:
    if kind in SETTLES.values():
        return Respond(**who_and_when, text=kind)
    return Approve(**who_and_when) if kind == "approve" else Reject(**who_and_when)
