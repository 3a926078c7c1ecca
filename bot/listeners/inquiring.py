"""A question to the requester, and their answer: recorded as a decision is."""

import asyncio

from bot.approvals import Approval, Closed
from bot.inquiries import inquire, refuse_answer, refuse_question, reply
from bot.listeners.guard import no_answer
from bot.listeners.payloads import user_of, workspaces_of
from bot.listeners.refusing import Rule, Who, recorded
from bot.listeners.rights import member_of, right_of
from bot.listeners.submissions import Handler, Result, Submitted
from bot.policy import Member, Why, refuse_closed
from bot.records import Change
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import t
from bot.views.answers import NOT_RECORDED
from bot.views.inquiry import TEXT, TEXT_AT_MOST
from workflows.protocol import Actor

LOOK_UP = 1.2  # seconds: leaves some of recording.DECIDE_WITHIN


def question(services: Services) -> Handler:
    async def asked(form: Submitted) -> Result:
        async def who_and_why(approval: Approval, who: Who) -> tuple[Member, Why | None]:
            member, right = await right_of(services, approval, who.user, *who.teams, any_stage=True)
            return member, right if isinstance(right, Why) else refuse_question(approval)

        async def rule(approval: Approval) -> list[Change] | Why | str:
            member, why = await who_and_why(approval, _who(form))
            why = why or _outdated(form, approval)
            return why or [inquire(approval, _actor(member), _said(form), services.now())]

        return await _result(services, form, "ask", rule)

    return asked


def answer(services: Services) -> Handler:
    async def answered(form: Submitted) -> Result:
        async def rule(approval: Approval) -> list[Change] | Why | str:
            who = _who(form)
            member = await member_of(services, who.user, *who.teams)
            why = refuse_answer(approval, member)
            if why is None and form.carried.about != str(len(approval.inquiries)):
                why = Why.NOTHING_ASKED  # this form was for another question
            return why or [reply(approval, _actor(member), _said(form), services.now())]

        return await _result(services, form, "answer", rule)

    return answered


def _outdated(form: Submitted, approval: Approval) -> Why | None:
    """Also where the same form comes once more, after the answer."""
    if form.carried.about != str(len(approval.inquiries)):
        return Why.ASKED_MEANWHILE
    return None if form.carried.digest == approval.terms else Why.CHANGED


async def _result(services: Services, form: Submitted, doing: str, rule: Rule) -> Result:
    if not _said(form):
        return Result(errors={TEXT: t("Write something that can be read.")})

    async def guarded(approval: Approval) -> list[Change] | Why | str:
        closed = refuse_closed(approval, services.now())
        if closed is not None:
            return closed
        try:
            async with asyncio.timeout(LOOK_UP):
                return await rule(approval)
        except Closed:
            return Why.DECIDED
        except (SlackUnavailable, SlackRefused, TimeoutError) as error:
            return no_answer(error, f"{approval.id}: who may {doing}", NOT_RECORDED)

    outcome = await recorded(services, form.carried.approval, _who(form), doing, guarded)
    return Result(words=outcome.answer, records=outcome.records)


def _who(form: Submitted) -> Who:
    return Who(user_of(form.body), workspaces_of(form.body))


def _actor(member: Member) -> Actor:
    return Actor(team=member.team, user=member.user, name=member.name)


def _said(form: Submitted) -> str:
    entered = (form.values.get(TEXT) or {}).get(TEXT) or {}
    return str(entered.get("value") or "").strip()[:TEXT_AT_MOST]
