"""The one place where a listener's errors become words and a reference number."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncRespond

from bot.telemetry import reference
from bot.views.answers import UNEXPECTED

Listener = Callable[..., Awaitable[None]]


def guarded(listener: Callable[[dict[str, Any], AsyncAck, AsyncRespond], Awaitable[None]]) -> Any:
    """Answer an unexpected error privately. It never escapes: an exception after `ack()` would
    take the ack back."""

    @functools.wraps(listener)
    async def listen(body: dict[str, Any], ack: AsyncAck, respond: AsyncRespond) -> None:
        try:
            await listener(body, ack, respond)
        except Exception as error:  # noqa: BLE001 - whatever it is, a person waits for an answer
            number = reference(error, listener=listener.__name__)
            await ack()
            await tell(respond, UNEXPECTED.format(number=number))

    return listen


async def tell(respond: AsyncRespond, text: str, **message: Any) -> None:
    """A private answer. One that does not arrive is logged: the work itself is done."""
    try:
        await respond(text=text, response_type="ephemeral", **message)
    except Exception as error:  # noqa: BLE001 - Slack is away, and nobody is left to tell
        reference(error, listener="respond")
