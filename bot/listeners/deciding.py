"""A decision that takes more than a click: its modal is opened as a decision is authorised, and
what is submitted is authorised again and recorded as a click would be."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals import Approval
from bot.listeners.decisions import Click, take, why_not
from bot.listeners.details import show
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import action_of, user_of, value_of, workspaces_of
from bot.listeners.refusing import Who, keep
from bot.listeners.submissions import Result, Submitted, submitted
from bot.policy import Why
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import t
from bot.views.answers import NOT_OPENED, NOT_RECORDED, OTHER_VIEW, refusal
from bot.views.card import ASKS_MORE, ActionId, ButtonValue
from bot.views.deciding import decision_view, read_decision
from bot.views.words import DECIDE


def register(app: AsyncApp, services: Services) -> None:
    async def ask(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        decision = ASKS_MORE[ActionId(action_of(body)["action_id"])]
        await asked(services, body, answering, decision, ButtonValue.read(value_of(body)))

    async def decided(form: Submitted) -> Result:
        return await record(services, form)

    for action in ASKS_MORE:
        app.action(action)(guarded(services.slack, ask))
    app.view(DECIDE)(submitted(services, decided))


async def asked(
    services: Services,
    body: dict[str, Any],
    answering: Answering,
    decision: str,
    value: ButtonValue | None,
) -> None:
    """Ask for what the decision needs; else say why not. value: of what was clicked."""
    click = Click(workspaces_of(body), user_of(body), decision, value)
    answer = await in_time(_open_form(services, body, click))
    if answer:
        await answering.words(answer)


async def _open_form(services: Services, body: dict[str, Any], click: Click) -> str | None:
    """None where it is open, else the words that say why not."""
    approval = await services.store.approval(click.value.approval) if click.value else None
    if approval is None or click.value is None:
        await keep(services, "", Who(click.user, click.teams), Why.UNKNOWN, click.decision)
        return refusal(Why.UNKNOWN, None, click.decision)
    why = await _why_not(services, approval, click)
    if why:
        return why
    try:
        view = decision_view(approval, click.decision, click.user)
        return await show(services, body, view, NOT_OPENED)
    except (SlackUnavailable, SlackRefused) as error:
        return no_answer(error, f"{approval.id}: the form", NOT_OPENED)


async def record(services: Services, form: Submitted) -> Result:
    """Take the decision; what is wrong with it stands in the modal."""
    carried = form.carried
    approval = await services.store.approval(carried.approval)
    if approval is None:
        return Result(words=refusal(Why.UNKNOWN, None, ""))
    read = read_decision(approval, carried, form.values)
    if read is None:
        return Result(words=t(OTHER_VIEW))
    click = Click(
        teams=workspaces_of(form.body),
        user=user_of(form.body),
        decision=carried.about.partition(":")[0],
        value=ButtonValue(
            approval=carried.approval, digest=carried.digest, revision=carried.revision
        ),
        said=read.said,
    )
    if read.errors or read.view:
        why = await _why_not(services, approval, click)
        return Result(words=why) if why else Result(errors=read.errors, view=read.view)
    outcome = await take(services, click)
    return Result(words=outcome.answer, records=outcome.records)


async def _why_not(services: Services, approval: Approval, click: Click) -> str:
    """The words, where they may not decide this now; before a form shows anything, too."""
    try:
        why = await why_not(services, approval, click)
    except (SlackUnavailable, SlackRefused, TimeoutError) as error:
        return no_answer(error, f"{approval.id}: who may decide", NOT_RECORDED)
    if why is None:
        return ""
    await keep(services, approval.id, Who(click.user, click.teams), why, click.decision)
    return refusal(why, approval, click.decision)
