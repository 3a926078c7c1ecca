"""Who is away, until when, and who decides in their place: by `/approvals away`, or by the form
that App Home opens."""

import re
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.absences import Absence, Absences
from bot.delegating import owed
from bot.listeners.details import show
from bot.listeners.following import follow
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import user_of
from bot.listeners.rights import is_ours
from bot.listeners.submissions import Result, Submitted, submitted
from bot.policy import Member
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import t
from bot.until import AT_MOST, BadTime, read_until, zone_of
from bot.views.answers import NO_ANSWER, NO_FORM
from bot.views.away import (
    AWAY,
    BACK,
    CANNOT_DECIDE,
    DEPUTY,
    FORM,
    GUESTS,
    NEITHER,
    OVER,
    OWN_PLACE,
    TOO_LONG,
    UNTIL,
    away_card,
    away_view,
    back_card,
    refused_card,
)
from bot.views.card import Card
from bot.views.text import escape, user

MENTION = re.compile(r"^<@([UW][A-Z0-9]{2,})(?:\|[^>]*)?>$")


def mentioned(words: list[str]) -> tuple[list[str], list[str]]:
    """The users that are mentioned, and the other words."""
    found = [(word, MENTION.match(word)) for word in words]
    return [m[1] for _, m in found if m], [word for word, m in found if not m]


async def away(services: Services, body: dict[str, Any], words: list[str]) -> Card:
    """What the command changes, and what holds then."""
    caller = user_of(body)
    absences = Absences(services.store.redis, services.store.keys)
    if not words:
        return _as_it_is(await absences.of(caller), services)
    if words in (["off"], ["back"]):
        return back_card(was_away=await absences.drop(caller))
    named, when = mentioned(words)
    member = await services.slack.member(caller, services.slack.team)
    now = services.now()
    try:
        zone = zone_of(member.zone, member.zone_offset)
        until = read_until(when, now, zone) if when or not named else None
    except BadTime as problem:
        return refused_card(_who_was_meant(when) or escape(str(problem), 400))
    problem = await _no_deputy(services, caller, named)
    if problem:
        return refused_card(problem)
    deputy = named[0] if named else None
    await _leave(services, absences, Absence(user=caller, deputy=deputy, since=now, until=until))
    return away_card(deputy, until, await _further(absences, services, deputy))


def register(app: AsyncApp, services: Services) -> None:
    absences = Absences(services.store.redis, services.store.keys)

    async def leaving(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        answer = await in_time(_open_form(services, absences, body))
        if answer:
            await answering.words(answer)

    async def back(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:  # noqa: ARG001
        await absences.drop(user_of(body))
        await ack()
        await follow(services, body)

    async def filled(form: Submitted) -> Result:
        return await _left(services, absences, form)

    app.action(AWAY)(guarded(services.slack, leaving))
    app.action(BACK)(guarded(services.slack, back))
    app.view(FORM)(submitted(services, filled))


async def _open_form(services: Services, absences: Absences, body: dict[str, Any]) -> str | None:
    """None where it is open, else the words that say why not."""
    caller = user_of(body)
    try:
        if not await _is_asked(services, body):
            return t(GUESTS)
        absence = await absences.of(caller)
        now = absence if absence and absence.holds(services.now()) else None
        view = away_view(caller, now and now.deputy, now and now.until)
        return await show(services, body, view, NO_FORM)
    except (SlackUnavailable, SlackRefused) as error:
        return no_answer(error, "away", NO_FORM)


async def _is_asked(services: Services, body: dict[str, Any]) -> bool:
    member = await services.slack.member(user_of(body), services.slack.team)
    return member.full and is_ours(services, body)


async def _left(services: Services, absences: Absences, form: Submitted) -> Result:
    """As the command; what is wrong stands at its field."""
    caller, now = user_of(form.body), services.now()
    chosen = _entered(form, UNTIL, "selected_date_time")
    deputy = str(_entered(form, DEPUTY, "selected_user") or "") or None
    until = datetime.fromtimestamp(chosen, UTC) if isinstance(chosen, int) else None
    try:
        if not await _is_asked(services, form.body):
            return Result(words=t(GUESTS), title=t("Away"))
        errors = _wrong_time(until, now) | await _wrong_deputy(services, caller, deputy)
    except (SlackUnavailable, SlackRefused) as error:
        return Result(words=no_answer(error, "away", NO_ANSWER), title=t("Away"))
    if not errors and not (deputy or until):
        errors = {DEPUTY: t(NEITHER)}
    if errors:
        return Result(errors=errors)
    await _leave(services, absences, Absence(user=caller, deputy=deputy, since=now, until=until))
    return Result()


def _entered(form: Submitted, name: str, key: str) -> Any:
    return ((form.values.get(name) or {}).get(name) or {}).get(key)


def _wrong_time(until: datetime | None, now: datetime) -> dict[str, str]:
    if until is None:
        return {}
    if until <= now:
        return {UNTIL: t(OVER)}
    return {UNTIL: t(TOO_LONG)} if until - now > AT_MOST else {}


async def _wrong_deputy(services: Services, caller: str, deputy: str | None) -> dict[str, str]:
    if deputy is None:
        return {}
    if deputy == caller:
        return {DEPUTY: t(OWN_PLACE)}
    member = await services.slack.member(deputy, services.slack.team)
    return {} if member.full else {DEPUTY: t(CANNOT_DECIDE)}


async def _leave(services: Services, absences: Absences, absence: Absence) -> None:
    await absences.put(absence)
    if absence.untold(services.now()):
        await services.changes.queue.add(owed(absence))


def _as_it_is(absence: Absence | None, services: Services) -> Card:
    if absence is None or not absence.holds(services.now()):
        return back_card(was_away=False)
    return away_card(absence.deputy, absence.until)


def _who_was_meant(words: list[str]) -> str:
    """A name that Slack made no mention of is nobody."""
    typed = next((word for word in words if word.startswith("@")), None)
    if typed is None:
        return ""
    return t(
        "Slack knows nobody as {name}: choose the name from the list it offers.",
        name=escape(typed, 60),
    )


async def _no_deputy(services: Services, caller: str, named: list[str]) -> str:
    """Why they cannot take the place; "" where they can, or nobody is named."""
    if not named:
        return ""
    if len(named) > 1:
        return t("Name one person who decides in your place, not several.")
    if named[0] == caller:
        return t("You cannot take your own place: name someone else.")
    member = await services.slack.member(named[0], services.slack.team)
    return "" if member.full else cannot_decide(member)


def cannot_decide(member: Member) -> str:
    return t(
        "{who} cannot decide anything: only full members of this workspace do, no "
        "guests, bots, deactivated users or people from outside.",
        who=user(member.user),
    )


async def _further(absences: Absences, services: Services, deputy: str | None) -> str:
    if deputy is None:
        return ""
    theirs = await absences.of(deputy)
    if theirs is None or not theirs.holds(services.now()):
        return t("They are told what waits now, and the thread of each card says it.")
    if theirs.deputy is None:
        return t("But {who} is away too, and has named nobody.", who=user(deputy))
    return t(
        "{who} is away too: meanwhile {deputy} decides for both of you.",
        who=user(deputy),
        deputy=user(theirs.deputy),
    )
