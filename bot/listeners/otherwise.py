"""Whatever else Slack sends: acknowledged, so that nobody sees an error or gets it again. A button
of another version (there are two while instances are replaced one by one) is answered."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.listeners.commands import COMMAND
from bot.listeners.guard import Answering, guarded
from bot.services import Services
from bot.texts import t
from bot.views.answers import OTHER_BUTTON
from bot.views.help import problem_card

ANY = re.compile("")


def register(app: AsyncApp, services: Services) -> None:
    """After all others."""

    async def button(_: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        await answering.words(t(OTHER_BUTTON))

    async def command(_: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        await answering(problem_card(t("Countersign knows {command} only.", command=COMMAND)))

    async def options(ack: AsyncAck) -> None:
        await ack(options=[])

    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    app.action(ANY)(guarded(services.slack, button))
    app.command(ANY)(guarded(services.slack, command))
    app.options(ANY)(options)
    for listen_to in (app.view_submission, app.view_closed, app.shortcut, app.event):
        listen_to(ANY)(acknowledge)
