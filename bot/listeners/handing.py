"""An approval is handed to other people: by the card's menu, or by `/approvals reassign`."""

import asyncio
import html
from collections.abc import Sequence
from typing import Any

from bot.approvals import Approval, Closed
from bot.handing import Handing, NotHanded, hand, may_hand
from bot.listeners.away import mentioned
from bot.listeners.guard import no_answer
from bot.listeners.payloads import user_of, workspaces_of
from bot.listeners.recording import Outcome
from bot.listeners.refusing import Who, recorded
from bot.listeners.rights import member_of
from bot.listeners.submissions import Handler, Result, Submitted
from bot.policy import People, Why, refuse_closed
from bot.records import Change
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import later, listed, t, tn
from bot.views.answers import NOT_RECORDED
from bot.views.card import Card
from bot.views.handing import NOTE, NOTE_AT_MOST, PEOPLE, PEOPLE_AT_MOST, who_decides
from bot.views.help import problem_card
from bot.views.modals import Carried
from bot.views.text import section, user
from workflows.protocol import Actor

LOOK_UP = 1.2  # seconds: leaves some of recording.DECIDE_WITHIN
NOTHING = later("Nothing was reassigned.")
HOW = later(
    "`/approvals reassign THREAD_ID @name` and, if you like, a note: choose the name from the list"
)


async def people_of(services: Services, approval: Approval) -> People:
    """The members of all groups that matter. Nobody hands over in an absent one's place."""
    stages = [each for stage in approval.stages for each in stage.approvers]
    return People(await services.slack.groups([*stages, *approval.policy.reassign]))


async def place_of(services: Services, approval: Approval, who: Who) -> Handing | Why:
    member = await member_of(services, who.user, *who.teams)
    return may_hand(approval, member, await people_of(services, approval))


async def reassign(
    services: Services,
    approval_id: str,
    who: Who,
    to: Sequence[str],
    note: str,
    form: Carried | None = None,
) -> Outcome:
    """Recorded; else the words that say why not. form: in which they were chosen, if in one."""

    async def rule(approval: Approval) -> list[Change] | Why | str:
        closed = refuse_closed(approval, services.now())
        if closed is not None:
            return closed
        try:
            async with asyncio.timeout(LOOK_UP):
                return await _handed(services, approval, who, to, note, form)
        except Closed:
            return Why.DECIDED
        except NotHanded as problem:
            return f":no_entry_sign: {problem} *{t(NOTHING)}*"
        except (SlackUnavailable, SlackRefused, TimeoutError) as error:
            return no_answer(error, f"{approval.id}: who may hand it over", NOT_RECORDED)

    return await recorded(services, approval_id, who, "reassign", rule)


async def _handed(
    services: Services,
    approval: Approval,
    who: Who,
    to: Sequence[str],
    note: str,
    form: Carried | None,
) -> list[Change] | Why:
    handing = await place_of(services, approval, who)
    if not isinstance(handing, Handing):
        return handing
    drawn = form and (form.digest, form.about)
    if drawn and drawn != (approval.terms, who_decides(approval)):
        return Why.CHANGED
    member = await member_of(services, who.user, *who.teams)
    chosen = [await services.slack.member(each, services.slack.team) for each in to]
    by = Actor(team=member.team, user=member.user, name=member.name)
    people = await people_of(services, approval)
    return [hand(approval, handing, by, chosen, people, note, services.now())]


def submission(services: Services) -> Handler:
    async def reassigned(form: Submitted) -> Result:
        people = (form.values.get(PEOPLE) or {}).get(PEOPLE) or {}
        note = (form.values.get(NOTE) or {}).get(NOTE) or {}
        to = [str(each) for each in people.get("selected_users") or []][:PEOPLE_AT_MOST]
        if not to:
            return Result(errors={PEOPLE: t("Choose who decides instead.")})
        who = Who(user_of(form.body), workspaces_of(form.body))
        said = str(note.get("value") or "").strip()[:NOTE_AT_MOST]
        outcome = await reassign(services, form.carried.approval, who, to, said, form.carried)
        return Result(words=outcome.answer, records=outcome.records)

    return reassigned


async def by_command(services: Services, body: dict[str, Any], words: list[str]) -> Card:
    """`/approvals reassign THREAD_ID @name [note]`"""
    thread_id, *rest = words or [""]
    to, note = mentioned(rest)
    if not thread_id or not to:
        return problem_card(t(HOW), t(NOTHING))
    approvals = await services.store.approvals_of(thread_id)
    waiting = [each for each in approvals if each.is_open]
    if not waiting:
        why = later("{thread} is not known; `/approvals` lists what is pending.")
        if approvals:
            why = later("{thread} waits for no decision; `/approvals` lists what is pending.")
        return problem_card(t(why, thread=repr(thread_id)), t(NOTHING))
    if len(waiting) > 1:
        why = tn(
            "{thread} asks {n} question: use the menu of the card that you mean.",
            "{thread} asks {n} questions: use the menu of the card that you mean.",
            len(waiting),
            thread=repr(thread_id),
        )
        return problem_card(why, t(NOTHING))
    who = Who(user_of(body), (services.slack.team,))
    said = html.unescape(" ".join(note))[:NOTE_AT_MOST]
    outcome = await reassign(services, waiting[0].id, who, to[:PEOPLE_AT_MOST], said)
    await services.changes.queue_soon(*outcome.records)
    names = listed([user(each) for each in dict.fromkeys(to[:PEOPLE_AT_MOST])])
    handed = t(
        ":busts_in_silhouette: {thread} is handed to {whom}.", thread=f"`{thread_id}`", whom=names
    )
    words_ = outcome.answer or handed
    return Card(words_, [section(words_)])
