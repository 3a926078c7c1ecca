"""What else is done with a card that waits: it is handed to others, or escalated; its requester is
asked back, and answers."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals import Approval
from bot.handing import Handing
from bot.inquiries import refuse_answer, refuse_question
from bot.listeners import handing, inquiring
from bot.listeners.deciding import asked
from bot.listeners.escalating import escalate_one
from bot.listeners.following import follow, opened_in
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import action_of, user_of, value_of, workspaces_of
from bot.listeners.refusing import Who, keep
from bot.listeners.rights import member_of, right_of
from bot.listeners.submissions import submitted
from bot.policy import Why, refuse_closed
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import t
from bot.views.answers import NO_FORM, refusal
from bot.views.card import ButtonValue
from bot.views.handing import REASSIGN, reassign_view
from bot.views.inquiry import ANSWER, ASK, answer_view, question_view
from bot.views.more import ESCALATE, MENU, REJECT, REPLY
from bot.views.text import Block


def register(app: AsyncApp, services: Services) -> None:
    async def chosen(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        option = action_of(body).get("selected_option") or {}
        doing, _, about = str(option.get("value") or "").partition(" ")
        if doing == REJECT:
            await asked(services, body, answering, "reject", ButtonValue.read(about))
        elif doing == ESCALATE:
            await _escalate(services, body, answering, about)
        else:
            await _opened(services, body, answering, about, doing)

    async def replying(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        value = ButtonValue.read(value_of(body))
        await _opened(services, body, answering, value.approval if value else "", "answer")

    app.action(MENU)(guarded(services.slack, chosen))
    app.action(REPLY)(guarded(services.slack, replying))
    app.view(REASSIGN)(submitted(services, handing.submission(services)))
    app.view(ASK)(submitted(services, inquiring.question(services)))
    app.view(ANSWER)(submitted(services, inquiring.answer(services)))


async def _escalate(
    services: Services, body: dict[str, Any], answering: Answering, approval_id: str
) -> None:
    approval = await services.store.approval(approval_id)
    who = Who(user_of(body), workspaces_of(body))
    if approval is None:
        await answering.words(refusal(Why.UNKNOWN, None, ESCALATE))
        await keep(services, approval_id, who, Why.UNKNOWN, ESCALATE)
        return
    await answering.words(await in_time(escalate_one(services, approval, who)))
    await follow(services, body, approval)


async def _opened(
    services: Services, body: dict[str, Any], answering: Answering, approval_id: str, doing: str
) -> None:
    """The form; else the words that say why not."""
    approval = await services.store.approval(approval_id) if approval_id else None
    who = Who(user_of(body), workspaces_of(body))
    trigger = str(body.get("trigger_id") or "")
    try:
        view = await in_time(_view(services, approval, who, doing))
        if isinstance(view, Why):
            await answering.words(refusal(view, approval, doing))
            await keep(services, approval_id, who, view, doing)
        elif trigger:
            await services.slack.open_view(trigger, opened_in(body, view))
        else:
            await answering.words(t(NO_FORM))
    except (SlackUnavailable, SlackRefused) as error:
        await answering.words(no_answer(error, f"{approval_id}: to {doing}", NO_FORM))


async def _view(services: Services, approval: Approval | None, who: Who, doing: str) -> Block | Why:
    if approval is None or doing not in _FORMS:
        return Why.UNKNOWN
    closed = refuse_closed(approval, services.now())
    return closed or await _FORMS[doing](services, approval, who)


async def _reassign(services: Services, approval: Approval, who: Who) -> Block | Why:
    found = await handing.place_of(services, approval, who)
    if not isinstance(found, Handing):
        return found
    missing = approval.missing(found.stage)
    return reassign_view(approval, who.user, whole=found.whole, missing=missing)


async def _ask(services: Services, approval: Approval, who: Who) -> Block | Why:
    _, right = await right_of(services, approval, who.user, *who.teams, any_stage=True)
    why = right if isinstance(right, Why) else refuse_question(approval)
    return why or question_view(approval, who.user)


async def _answer(services: Services, approval: Approval, who: Who) -> Block | Why:
    member = await member_of(services, who.user, *who.teams)
    return refuse_answer(approval, member) or answer_view(approval, who.user)


_FORMS = {"reassign": _reassign, "ask": _ask, "answer": _answer}
