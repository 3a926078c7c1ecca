"""Slack's clicks and commands, translated into our words and back; no rules live here."""

from slack_bolt.async_app import AsyncApp

from bot.listeners import (
    away,
    commands,
    deciding,
    decisions,
    details,
    hearing,
    home,
    more,
    otherwise,
    several,
    starting,
)
from bot.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Every listener of the app; Bolt takes the first that fits."""
    commands.register(app, services)
    decisions.register(app, services)
    deciding.register(app, services)
    details.register(app, services)
    more.register(app, services)
    away.register(app, services)
    hearing.register(app, services)
    home.register(app, services)
    several.register(app, services)
    starting.register(app, services)
    otherwise.register(app, services)
