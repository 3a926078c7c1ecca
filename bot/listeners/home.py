"""App Home, and the events of the workspace that we keep up with."""

import logging
from typing import Any

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncApp

from bot.listeners.commands import list_pending
from bot.listeners.guard import in_time
from bot.listeners.payloads import user_of
from bot.services import Services
from bot.telemetry import reference
from bot.views.card import Card
from bot.views.help import problem_card
from bot.views.home import guest_view, home_view
from bot.views.listing import HOME_SIZE

log = logging.getLogger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    async def opened(event: dict[str, Any]) -> None:
        user = user_of(event)
        if event.get("tab") != "home":
            return
        try:
            member = await services.slack.member(user, services.slack.team)
            view = home_view(await _listing(services)) if member.full else guest_view()
            await services.slack.publish_home(user, view)
        except Exception as error:  # noqa: BLE001 - Slack's or Redis's: it is drawn when opened again
            reference(error, listener="home")

    async def group_changed(event: dict[str, Any]) -> None:
        services.slack.forget_group(str(event.get("subteam_id") or ""))

    async def removed(event: dict[str, Any]) -> None:
        log.error("Slack says %s: install the app again and set its new token", event.get("type"))

    app.event("app_uninstalled")(removed)
    app.event("tokens_revoked")(removed)
    app.event("app_home_opened")(opened)
    app.event("subteam_members_changed")(group_changed)


async def _listing(services: Services) -> Card:
    try:
        return await in_time(list_pending(services, 0, HOME_SIZE))
    except (RedisError, TimeoutError):
        return problem_card("This cannot be shown now. Open it again in a minute.")
