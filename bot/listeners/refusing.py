"""A refused click is kept in the trail, where that can be done at once. It was refused anyway:
what cannot be written stands in the log."""

import asyncio
import logging

from pydantic import ValidationError
from redis.exceptions import RedisError

from bot.policy import Why
from bot.refused import refused
from bot.services import Services
from bot.store import Conflict
from workflows.lease import LeaseLost
from workflows.protocol import Actor
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

WITHIN = 0.4  # seconds; with recording.DECIDE_WITHIN it stays within Slack's three
LOOKS = 5


async def keep(
    services: Services, approval_id: str, user: str, teams: tuple[str, ...], why: Why, decision: str
) -> None:
    """teams: as the click names them. Of a click on nothing that there is, the log tells."""
    about = f"{approval_id!r}: {user} may not {decision}: {why}"
    if why == Why.UNKNOWN:
        log.warning("a click on nothing that we know: %s", about)
        return
    own = services.slack.own_ids.intersection(teams)
    try:
        by = Actor(team=services.slack.team if own else next(iter(teams), ""), user=user)
        async with asyncio.timeout(WITHIN):
            await _keep(services, approval_id, by, why, decision)
    except (RedisError, OSError, Conflict, LeaseLost, Unreadable, ValidationError) as error:
        log.warning("refused, and not in the trail (%s): %s", type(error).__name__, about)


async def _keep(services: Services, approval_id: str, by: Actor, why: Why, decision: str) -> None:
    store = services.store
    for _ in range(LOOKS):
        approval = await store.approval(approval_id)
        if approval is None:
            return
        trail = await store.trail(approval.thread_id)
        change = refused(approval, trail, by, why, decision, services.now())
        try:
            if change is not None:
                await store.commit(change)
        except Conflict:
            continue
        return
    raise Conflict(approval_id)
