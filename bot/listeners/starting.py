"""Starting a workflow by the global shortcut, or by a command without fields: the modal that asks
which, its form, and its submission."""

import asyncio
import hashlib
from typing import Any

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import user_of, value_of
from bot.listeners.rights import is_ours
from bot.listeners.submissions import Result, Submitted, submitted
from bot.runs import OtherInput
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.starting import BadStart, made_thread_id
from bot.texts import later, t
from bot.views.answers import NOT_SHOWN, OTHER_VIEW
from bot.views.filled import errors_at, read_form
from bot.views.modals import Carried, told_view
from bot.views.starting import (
    FORM,
    GUESTS,
    PICKED,
    SHORTCUT,
    form_view,
    misfit_words,
    pick_view,
    started_words,
    whether_started,
)
from bot.views.text import escape_lines
from workflows.catalog import InvalidInput, Workflow

START_WITHIN = 2.0  # seconds, of guard.ANSWER_WITHIN: then it is not known whether it was started
NOT_STARTED = later("Not started")


def register(app: AsyncApp, services: Services) -> None:
    async def shortcut(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        answer = await in_time(open_start(services, body))
        if answer:
            await answering.words(answer)

    async def picked(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        if not await in_time(show_form(services, body)):
            await answering.words(t(OTHER_VIEW))

    async def filled(given: Submitted) -> Result:
        return await start_filled(services, given)

    app.shortcut(SHORTCUT)(guarded(services.slack, shortcut))
    app.action(PICKED)(guarded(services.slack, picked))
    app.view(FORM)(submitted(services, filled))


async def open_start(
    services: Services, body: dict[str, Any], workflow: str | None = None
) -> str | None:
    """The modal that asks which workflow, or the form of this one; the words, where not even a
    modal can be opened."""
    user = user_of(body)
    try:
        if not await may_start(services, body):
            view = told_view(t(GUESTS), NOT_STARTED)
        elif workflow is None:
            view = pick_view(services.catalog.values(), user)
        else:
            view = form_view(services.catalog[workflow], user)
        await services.slack.open_view(str(body.get("trigger_id") or ""), view)
    except (SlackRefused, SlackUnavailable) as error:
        return no_answer(error, "start a workflow", NOT_SHOWN)
    return None


async def may_start(services: Services, body: dict[str, Any]) -> bool:
    """Full members of this workspace."""
    member = await services.slack.member(user_of(body), services.slack.team)
    return member.full and is_ours(services, body)


async def show_form(services: Services, body: dict[str, Any]) -> bool:
    """In the place of the menu, where it is the clicker's own."""
    view: dict[str, Any] = body.get("view") or {}
    carried = Carried.read(str(view.get("private_metadata") or ""))
    chosen = services.catalog.get(value_of(body))
    if carried is None or carried.opener != user_of(body) or chosen is None:
        return False
    if not await may_start(services, body):
        return False
    await services.slack.update_view(str(view.get("id") or ""), form_view(chosen, carried.opener))
    return True


async def start_filled(services: Services, given: Submitted) -> Result:
    """Once, however often the same form is submitted: its view names the thread."""
    workflow = services.catalog.get(given.carried.about)
    if workflow is None:  # the other version has it
        return Result(words=t(OTHER_VIEW), title=NOT_STARTED)
    if not await may_start(services, given.body):
        return Result(words=t(GUESTS), title=NOT_STARTED)
    form = read_form(workflow.input_model.model_json_schema(), {}, given.values)
    if form.errors:
        return Result(errors=form.errors)
    return await _started(services, workflow, form.values, given)


async def _started(
    services: Services, workflow: Workflow, values: dict[str, Any], given: Submitted
) -> Result:
    view = str(given.body["view"]["id"])
    thread_id = made_thread_id(workflow.name, hashlib.sha256(view.encode()).hexdigest()[:10])
    try:
        async with asyncio.timeout(START_WITHIN):
            run = await services.starter.start_run(
                workflow.name,
                values,
                thread_id=thread_id,
                requester=user_of(given.body),
                team=services.slack.team,
            )
    except InvalidInput as problem:
        schema = workflow.input_model.model_json_schema()
        errors = errors_at(problem.error, schema, {})
        words = f":warning: {escape_lines(misfit_words(workflow, problem.error), 2700)}"
        return Result(errors=errors) if errors else Result(words=words, title=NOT_STARTED)
    except (BadStart, OtherInput) as problem:
        words = f":warning: {escape_lines(str(problem), 2700)}"
        return Result(words=words, title=NOT_STARTED)
    except (RedisError, OSError):  # OSError: TimeoutError is one
        return Result(words=f":warning: {whether_started(thread_id)}", title=later("Not confirmed"))
    words = started_words(run.workflow, run.thread_id, run.channel or services.channel)
    return Result(words=words, title=later("Started"))
