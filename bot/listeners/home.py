"""App Home, and the events of the workspace that we keep up with."""

import logging
from typing import Any

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncApp

from bot.absences import Absences
from bot.listeners.finding import Reader, find
from bot.listeners.guard import in_time
from bot.listeners.payloads import user_of
from bot.listeners.rights import changed
from bot.listeners.whereabouts import whereabouts
from bot.policy import Member
from bot.query import Turn
from bot.services import Services
from bot.telemetry import reference
from bot.texts import later, t
from bot.views.home import DECIDED, MINE, OTHERS, Away, Home, guest_view, home_view, trouble_view
from bot.views.people import people_on
from bot.waiting import decided

log = logging.getLogger(__name__)

NOT_NOW = later(":warning: This cannot be shown now. Open it again in a minute.")


def register(app: AsyncApp, services: Services) -> None:
    async def opened(event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            await draw(services, user_of(event))

    async def group_changed(event: dict[str, Any]) -> None:
        services.slack.forget_group(str(event.get("subteam_id") or ""))

    async def user_changed(event: dict[str, Any]) -> None:
        await changed(services, user_of(event))

    async def removed(event: dict[str, Any]) -> None:
        log.error("Slack says %s: install the app again and set its new token", event.get("type"))

    app.event("app_uninstalled")(removed)
    app.event("tokens_revoked")(removed)
    app.event("app_home_opened")(opened)
    app.event("subteam_members_changed")(group_changed)
    app.event("user_change")(user_changed)


async def draw(services: Services, user: str) -> None:
    """As it is now. One that cannot be drawn is logged: it is drawn when it is opened again."""
    try:
        member = await services.slack.member(user, services.slack.team)
        view = await _view(services, member) if member.full else guest_view()
        await services.slack.publish_home(user, view)
    except Exception as error:  # noqa: BLE001 - Slack's or Redis's; nobody waits for an answer
        reference(error, listener="home")


async def _view(services: Services, member: Member) -> dict[str, Any]:
    try:
        home = await in_time(_home(services, member))
    except (RedisError, TimeoutError):
        return trouble_view(t(NOT_NOW))
    return home_view(home, services.now())


async def _home(services: Services, member: Member) -> Home:
    store = services.store
    waiting = await find(Reader(services, member), Turn(), MINE + OTHERS)
    last = await decided(store, DECIDED)
    absence = await Absences(store.redis, store.keys).of(member.user)
    away = absence and absence.holds(services.now()) and Away(absence.deputy, absence.until)
    named = [who for each in waiting.items if each.id in waiting.mine for who in people_on(each)]
    return Home(
        waiting=waiting,
        decided=last,
        where=await whereabouts(services, [*waiting.items, *last], look=False),
        away=away or None,
        names=await services.slack.names(named),
    )
