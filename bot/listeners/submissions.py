"""A modal that is submitted: recorded first, and only then acknowledged; what it was refused for
stands in the modal itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncAck

from bot.listeners.following import follow, opened_in
from bot.listeners.payloads import user_of, workspaces_of
from bot.listeners.refusing import Who, keep
from bot.policy import Why
from bot.services import Services
from bot.telemetry import reference
from bot.texts import t
from bot.views.answers import NEWER, NO_ANSWER, OTHER_VIEW, UNEXPECTED
from bot.views.modals import NOT_RECORDED, Carried, told_view
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
    recorded. records: as they stand then. title: of the modal that says `words`, in the catalog.
    view: what is
    asked next, in place of this."""

    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    words: str = ""
    records: tuple[Any, ...] = ()
    title: str = NOT_RECORDED
    view: Mapping[str, Any] | None = None


Handler = Callable[[Submitted], Awaitable[Result]]
About = Callable[[Submitted], Iterable[str]]


def the_one(form: Submitted) -> list[str]:
    return [form.carried.approval] if form.carried.approval else []


def submitted(services: Services, handler: Handler, about: About = the_one) -> Any:
    """The listener of a view's submission. about: ids of the approvals that it would decide."""

    async def listen(body: dict[str, Any], ack: AsyncAck) -> None:
        result = await _result(services, body, handler, about)
        if result.errors:
            await ack(response_action="errors", errors=dict(result.errors))
        elif result.words:
            await ack(response_action="update", view=told_view(result.words, result.title))
        elif result.view:
            view = opened_in(body, dict(result.view))
            await ack(response_action="update", view=view)
        else:
            await ack(response_action="clear")
        await follow(services, body, *result.records)

    return listen


async def _result(
    services: Services, body: dict[str, Any], handler: Handler, about: About
) -> Result:
    view: dict[str, Any] = body.get("view") or {}
    carried = Carried.read(str(view.get("private_metadata") or ""))
    if carried is None:
        return Result(words=t(OTHER_VIEW))
    state: dict[str, Any] = view.get("state") or {}
    form = Submitted(body, carried, state.get("values") or {})
    try:
        if carried.opener != user_of(body):
            await _keep_each(services, form, about)
            return Result(words=t(OTHER_VIEW))
        return await handler(form)
    except NewerRecord:  # another instance, with newer code, can take it
        return Result(words=t(NEWER))
    except (RedisError, TimeoutError) as error:
        log.warning("a modal was not answered: %s", type(error).__name__)
        return Result(words=t(NO_ANSWER))
    except Exception as error:  # noqa: BLE001 - whatever it is, a person waits for an answer
        number = reference(error, listener=handler.__name__)
        return Result(words=t(UNEXPECTED, number=number))


async def _keep_each(services: Services, form: Submitted, about: About) -> None:
    """That it was submitted by someone else than its opener."""
    who = Who(user_of(form.body), workspaces_of(form.body))
    kept = [keep(services, each, who, Why.OTHER_OPENER, "submit") for each in about(form)]
    await asyncio.gather(*kept)
