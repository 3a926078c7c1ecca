"""Recorded, or refused; and a refusal is kept in the trail, where that can be done at once. It was
refused anyway: what cannot be written stands in the log."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError
from redis.exceptions import RedisError

from bot.approvals import Approval
from bot.listeners.recording import Outcome, Recording
from bot.policy import Why
from bot.records import Change
from bot.refused import refused
from bot.services import Services
from bot.store import Conflict
from bot.views.answers import refusal
from workflows.lease import LeaseLost
from workflows.protocol import Actor
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

WITHIN = 0.4  # seconds; with recording.DECIDE_WITHIN it stays within Slack's three
LOOKS = 5
OTHERWISE_DRAWN = (Why.CHANGED, Why.TAKEN_BACK)  # they look at a card that is not as it should be

Rule = Callable[[Approval], Awaitable[list[Change] | Why | str]]


@dataclass(frozen=True)
class Who:
    """teams: ids of their workspace, as the click names them."""

    user: str
    teams: tuple[str, ...]


async def recorded(
    services: Services, approval_id: str, who: Who, doing: str, rule: Rule
) -> Outcome:
    """What `rule` makes of the approval, committed; else the words that say why not. approval_id:
    as a button names it, which may be anything. doing: the decision, or what else is meant."""
    why: list[Why] = []
    stands: list[Approval] = []

    async def meant(approval: Approval | None) -> list[Change] | str:
        found = Why.UNKNOWN if approval is None else await rule(approval)
        why[:] = [found] if isinstance(found, Why) else []
        stands[:] = [approval] if approval and found in OTHERWISE_DRAWN else []
        return refusal(found, approval, doing) if isinstance(found, Why) else found

    outcome = Outcome(refusal(Why.UNKNOWN, None, doing))
    if approval_id:
        outcome = await Recording(services.store, approval_id, meant).outcome()
    if outcome.answer and (why or not approval_id):
        await keep(services, approval_id, who, why[0] if why else Why.UNKNOWN, doing)
    return outcome._replace(records=tuple(stands)) if stands else outcome


async def keep(services: Services, approval_id: str, who: Who, why: Why, doing: str) -> None:
    """Of a click on nothing that there is, the log tells."""
    about = f"{approval_id[:100]!r}: {who.user} may not {doing}: {why}"
    if why == Why.UNKNOWN:
        log.warning("a click on nothing that we know: %s", about)
        return
    own = services.slack.own_ids.intersection(who.teams)
    try:
        team = services.slack.team if own else next(iter(who.teams), "")
        async with asyncio.timeout(WITHIN):
            await _keep(services, approval_id, Actor(team=team, user=who.user), why, doing)
    except (RedisError, OSError, Conflict, LeaseLost, Unreadable, ValidationError) as error:
        log.warning("refused, and not in the trail (%s): %s", type(error).__name__, about)


async def _keep(services: Services, approval_id: str, by: Actor, why: Why, doing: str) -> None:
    store = services.store
    for _ in range(LOOKS):
        approval = await store.approval(approval_id)
        if approval is None:
            return
        trail = await store.trail(approval.thread_id)
        change = refused(approval, trail, by, why, doing, services.now())
        try:
            if change is not None:
                await store.commit(change)
        except Conflict:
            continue
        return
    raise Conflict(approval_id)
