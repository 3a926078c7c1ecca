"""`/approvals away`: who is away, until when, and who decides in their place."""

import re
from typing import Any

from bot.absences import Absence, Absences
from bot.delegating import owed
from bot.listeners.payloads import user_of
from bot.policy import Member
from bot.services import Services
from bot.texts import t
from bot.until import BadTime, read_until, zone_of
from bot.views.away import away_card, back_card, refused_card
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
    absence = Absence(user=caller, deputy=deputy, since=now, until=until)
    await absences.put(absence)
    if absence.untold(now):
        await services.changes.queue.add(owed(absence))
    return away_card(deputy, until, await _further(absences, services, deputy))


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
