"""All that is asked, in a modal: what a card had to cut, or what no channel may show."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals import Approval
from bot.listeners.following import opened_in
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import modal_of, user_of, value_of, workspaces_of
from bot.listeners.recording import Recording
from bot.listeners.refusing import Who, keep
from bot.listeners.rights import right_of
from bot.policy import STRANGERS, Why, refuse_person
from bot.records import Change
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import t
from bot.views.answers import NOT_SHOWN, refusal
from bot.views.card import ActionId, ButtonValue
from bot.views.details import details_view, review_view
from bot.views.people import people_on
from bot.views.text import Block
from workflows.protocol import Actor


def register(app: AsyncApp, services: Services) -> None:
    async def details(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        answer = await in_time(open_details(services, body))
        if answer:
            await answering.words(answer)

    app.action(ActionId.DETAILS)(guarded(services.slack, details))


async def open_details(services: Services, body: dict[str, Any]) -> str | None:
    """Show it, and answer None; else the words that say why not."""
    value = ButtonValue.read(value_of(body))
    approval = await services.store.approval(value.approval) if value else None
    if approval is None:
        return refusal(Why.UNKNOWN, None, "")
    if approval.restricted:
        return await _review(services, body, approval)
    try:
        member = await services.slack.member(user_of(body), *workspaces_of(body))
        why = refuse_person(approval, member)
        if why is not None and why in STRANGERS:
            return await _refused(services, body, approval, why)
        names = await services.slack.names(people_on(approval))
        return await show(services, body, details_view(approval, names), NOT_SHOWN)
    except (SlackUnavailable, SlackRefused) as error:
        return no_answer(error, f"{approval.id}: the details", NOT_SHOWN)


async def _review(services: Services, body: dict[str, Any], asked: Approval) -> str | None:
    """Who looks is recorded before they see anything."""

    async def looked(approval: Approval | None) -> list[Change] | str:
        if approval is None:
            return refusal(Why.UNKNOWN, None, "")
        try:
            member, right = await right_of(
                services, approval, user_of(body), *workspaces_of(body), any_stage=True
            )
        except (SlackUnavailable, SlackRefused, TimeoutError) as error:
            return no_answer(error, f"{approval.id}: who may look", NOT_SHOWN)
        if isinstance(right, Why):
            return await _refused(services, body, approval, right)
        actor = Actor(team=member.team, user=member.user, name=member.name)
        return [approval.viewed(actor, services.now())]

    outcome = await Recording(services.store, asked.id, looked).outcome()
    if outcome.answer:
        return outcome.answer
    (approval,) = outcome.records or (await services.store.approval(asked.id),)
    if approval is None:
        return refusal(Why.UNKNOWN, None, "")
    try:
        names = await services.slack.names(people_on(approval))
        return await show(services, body, review_view(approval, names), NOT_SHOWN)
    except (SlackUnavailable, SlackRefused) as error:
        return no_answer(error, f"{asked.id}: the review", NOT_SHOWN)


async def _refused(services: Services, body: dict[str, Any], approval: Approval, why: Why) -> str:
    who = Who(user_of(body), workspaces_of(body))
    await keep(services, approval.id, who, why, "look at it")
    return refusal(why, approval, "")


async def show(services: Services, body: dict[str, Any], view: Block, otherwise: str) -> str | None:
    """A modal for the click; over the one that it was in. `otherwise`: the words, of the
    catalog, where there is no trigger."""
    trigger = str(body.get("trigger_id") or "")
    if not trigger:
        return t(otherwise)
    opened = opened_in(body, view)
    if modal_of(body):
        await services.slack.push_view(trigger, opened)
    else:
        await services.slack.open_view(trigger, opened)
    return None
