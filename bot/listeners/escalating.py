"""`/approvals escalate THREAD_ID`, or the card's menu: by one of its approvers, or whom the policy
names, before its time has come."""

from typing import Any

from bot.approvals import Approval, Closed
from bot.escalation import NotEscalated, refuse_to_escalate
from bot.listeners.guard import no_answer
from bot.listeners.payloads import user_of
from bot.listeners.refusing import Who, keep
from bot.listeners.rights import member_of
from bot.policy import Member, People, Why, refuse_closed
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import later, t
from bot.views.answers import NOT_RECORDED, refusal
from bot.views.card import Card, headline
from bot.views.help import problem_card
from bot.views.text import named, section
from workflows.protocol import Actor

NAMED_AT_MOST = 20
NOTHING = later("Nothing was escalated.")


async def escalate(services: Services, body: dict[str, Any], thread_id: str) -> Card:
    """Each question of the thread that waits; what happened to each is said."""
    approvals = await services.store.approvals_of(thread_id)
    waiting = [approval for approval in approvals if approval.is_open]
    if not waiting:
        known = approvals or await services.store.run(thread_id)
        why = later("{thread} is not known here. `/approvals` lists what is pending.")
        if known:
            why = later("{thread} waits for no decision. `/approvals` lists what is pending.")
        return problem_card(t(why, thread=repr(thread_id)), t(NOTHING))
    who = Who(user_of(body), (services.slack.team,))
    said = [await escalate_one(services, approval, who) for approval in waiting]
    return Card(text=said[0], blocks=[section(each) for each in said])


async def escalate_one(services: Services, approval: Approval, who: Who) -> str:
    """What happened, in words."""
    try:
        member = await member_of(services, who.user, *who.teams)
        why = refuse_closed(approval, services.now()) or await _refused(services, approval, member)
    except (SlackRefused, SlackUnavailable) as error:
        return no_answer(error, f"{approval.id}: who may escalate it", NOT_RECORDED)
    if why is not None:
        await keep(services, approval.id, who, why, "escalate")
        return refusal(why, approval, "escalate")
    return await _escalated(services, approval, member)


async def _escalated(services: Services, approval: Approval, member: Member) -> str:
    actor = Actor(team=member.team, user=member.user, name=member.name)
    try:
        await services.tasks.reminding.escalate_by_hand(approval, actor)
    except Closed:
        return refusal(Why.DECIDED, await services.store.approval(approval.id), "escalate")
    except NotEscalated as problem:
        return f":no_entry_sign: {problem} *{t(NOTHING)}*"
    to = ", ".join(named(each) for each in approval.policy.escalate_to[:NAMED_AT_MOST])
    return t(":arrow_up: Escalated to {whom}: {title}", whom=to, title=headline(approval))


async def _refused(services: Services, approval: Approval, member: Member) -> Why | None:
    """Groups are asked for only where they matter."""
    why = refuse_to_escalate(approval, member, People())
    if why not in (Why.NOT_AN_APPROVER, Why.NOT_THEIR_TURN):
        return why
    stages = [each for stage in approval.stages for each in stage.approvers]
    groups = await services.slack.groups([*stages, *approval.policy.reassign])
    return refuse_to_escalate(approval, member, People(groups))
