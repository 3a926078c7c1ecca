"""A modal that is submitted: recorded first, and only then acknowledged; what it was refused for
stands in the modal itself."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncAck

from bot.listeners.following import follow
from bot.listeners.payloads import user_of
from bot.services import Services
from bot.telemetry import reference
from bot.views.answers import NEWER, NO_ANSWER, OTHER_VIEW, UNEXPECTED
from bot.views.modals import Carried, told_view
from workflows.schema import NewerRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submitted:
    """carried: what the modal was opened with. values: its state, by block_id and action_id."""

    body: dict[str, Any]
    carried: Carried
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """errors: by block_id, for the person to mend. words: why it was refused; "" where it was
    recorded. records: as they stand then. title: of the modal that says `words`. view: what is
    asked next, in place of this."""

    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    words: str = ""
    records: tuple[Any, ...] = ()
    title: str = "Not recorded"
    view: Mapping[str, Any] | None = None


Handler = Callable[[Submitted], Awaitable[Result]]


def submitted(services: Services, handler: Handler) -> Any:
    """The listener of a view's submission."""

    async def listen(body: dict[str, Any], ack: AsyncAck) -> None:
        result = await _result(body, handler)
        if result.errors:
            await ack(response_action="errors", errors=dict(result.errors))
        elif result.words:
            await ack(response_action="update", view=told_view(result.words, result.title))
        elif result.view:
            await ack(response_action="update", view=dict(result.view))
        else:
            await ack(response_action="clear")
        await follow(services, body, *result.records)

    return listen


async def _result(body: dict[str, Any], handler: Handler) -> Result:
    view: dict[str, Any] = body.get("view") or {}
    carried = Carried.read(str(view.get("private_metadata") or ""))
    if carried is None or carried.opener != user_of(body):
        return Result(words=OTHER_VIEW)
    state: dict[str, Any] = view.get("state") or {}
    try:
        return await handler(Submitted(body, carried, state.get("values") or {}))
    except NewerRecord:  # another instance, with newer code, can take it
        return Result(words=NEWER)
    except (RedisError, TimeoutError) as error:
        log.warning("a modal was not answered: %s", type(error).__name__)
        return Result(words=NO_ANSWER)
    except Exception as error:  # noqa: BLE001 - whatever it is, a person waits for an answer
        number = reference(error, listener=handler.__name__)
        return Result(words=UNEXPECTED.format(number=number))
