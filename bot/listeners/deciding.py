"""A decision that takes more than a click: its modal is opened as a decision is authorised, and
what is submitted is authorised again and recorded as a click would be."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.listeners.decisions import Click, take, why_not
from bot.listeners.details import show
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import action_of, user_of, value_of, workspaces_of
from bot.listeners.submissions import Result, Submitted, submitted
from bot.policy import Why
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.views.answers import NOT_OPENED, OTHER_VIEW, refusal
from bot.views.card import ASKS_MORE, ActionId, ButtonValue
from bot.views.deciding import DECIDE, FORMS, decision_view, read_decision


def register(app: AsyncApp, services: Services) -> None:
    async def ask(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        answer = await in_time(open_form(services, body))
        if answer:
            await answering.words(answer)

    async def decided(form: Submitted) -> Result:
        return await record(services, form)

    for action in ASKS_MORE:
        app.action(action)(guarded(services.slack, ask))
    app.view(DECIDE)(submitted(services, decided))


async def open_form(services: Services, body: dict[str, Any]) -> str | None:
    """Ask for what the decision needs, and answer None; else the words that say why not."""
    click = Click(
        teams=workspaces_of(body),
        user=user_of(body),
        decision=ASKS_MORE[ActionId(action_of(body)["action_id"])],
        value=ButtonValue.read(value_of(body)),
    )
    approval = await services.store.approval(click.value.approval) if click.value else None
    if approval is None or click.value is None:
        return refusal(Why.UNKNOWN, None, click.decision)
    try:
        why = await why_not(services, approval, click, click.value.digest)
        if why is not None:
            return refusal(why, approval, click.decision)
        view = decision_view(approval, click.decision, click.user)
        return await show(services, body, view, NOT_OPENED)
    except (SlackUnavailable, SlackRefused, TimeoutError) as error:
        return no_answer(error, f"{approval.id}: the form", NOT_OPENED)


async def record(services: Services, form: Submitted) -> Result:
    """Take the decision; what is wrong with it stands in the modal."""
    decision = form.carried.about
    if decision not in FORMS:
        return Result(words=OTHER_VIEW)
    read = read_decision(decision, form.values)
    if read.errors:
        return Result(errors=read.errors)
    click = Click(
        teams=workspaces_of(form.body),
        user=user_of(form.body),
        decision=decision,
        value=ButtonValue(approval=form.carried.approval, digest=form.carried.digest),
        said=read.said,
    )
    outcome = await take(services, click)
    return Result(words=outcome.answer, records=outcome.records)
