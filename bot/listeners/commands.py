"""`/approvals`: list what is pending, show one thread, start a workflow, help."""

import asyncio
import hashlib
import html
import re
import shlex
from typing import Any

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.given import BadInput, field_values
from bot.listeners.away import away
from bot.listeners.escalating import escalate
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.handing import by_command
from bot.listeners.payloads import FIRST_AT_MOST, start_of, user_of
from bot.listeners.whereabouts import whereabouts
from bot.runs import OtherInput
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.starting import BadStart, made_thread_id
from bot.views.answers import NOT_KNOWN
from bot.views.card import ActionId, Card
from bot.views.help import help_card, problem_card
from bot.views.listing import PAGE_SIZE, QUESTIONS_AT_MOST, Page, pending_list, thread_report
from bot.views.text import escape, section
from workflows.catalog import InvalidInput, UnknownWorkflow

COMMAND = "/approvals"
QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})  # as phones type them
NEEDS = {
    "list": "is followed by nothing, or by the number of a page",
    "show": "is followed by one thread id, as `/approvals` lists them",
    "escalate": "is followed by one thread id, as `/approvals` lists them",
    "start": "is followed by a workflow and its fields, such as these",
}
START_WITHIN = 2.0  # seconds, of guard.ANSWER_WITHIN: then it is not known whether it was started
FURTHER = {"away": away, "reassign": by_command}  # each with a module of its own
MENTION = re.compile(r"^<[@#!]([A-Z0-9]+)(\|[^>]*)?>$")


def register(app: AsyncApp, services: Services) -> None:
    async def command(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        await answering(await in_time(answer(services, body)))

    async def page(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        listing = await in_time(list_pending(services, start_of(body)))
        await answering(listing, replace_original=True)

    app.command(COMMAND)(guarded(services.slack, command))
    for action in (ActionId.PREVIOUS, ActionId.NEXT):
        app.action(action)(guarded(services.slack, page))


async def answer(services: Services, body: dict[str, Any]) -> Card:
    """The private answer to one command. Guests get none: titles name customers and amounts."""
    try:
        member = await services.slack.member(user_of(body), services.slack.team)
    except (SlackRefused, SlackUnavailable) as error:
        words = no_answer(error, f"{COMMAND}: who types it", NOT_KNOWN)
        return Card(words, [section(words)])
    if not member.full:
        words = ":warning: Only full members of this workspace use /approvals."
        return Card(words, [section(words)])
    return await _routed(services, body)


async def _routed(services: Services, body: dict[str, Any]) -> Card:
    try:
        words = shlex.split(body.get("text", "").translate(QUOTES))
    except ValueError:
        return help_card(services.catalog.values(), "A quotation mark is not closed.")
    if words and words[0] in FURTHER:
        return await FURTHER[words[0]](services, body, words[1:])
    return await _listed_or_started(services, body, words)


async def _listed_or_started(services: Services, body: dict[str, Any], words: list[str]) -> Card:
    match words:
        case [] | ["list"]:
            return await list_pending(services, 0)
        case ["list", page] if page.isdecimal():
            first = (max(1, int(page[:9])) - 1) * PAGE_SIZE
            return await list_pending(services, min(first, FIRST_AT_MOST))
        case ["help"]:
            return help_card(services.catalog.values())
        case [("show" | "escalate") as command, thread_id]:
            return await _on_thread(services, body, command, thread_id)
        case ["start", workflow, *fields]:
            return await start(services, body, workflow, fields)
        case [("list" | "show" | "escalate" | "start") as command, *_]:
            return help_card(services.catalog.values(), f"`/approvals {command}` {NEEDS[command]}.")
        case _:
            asked = escape(words[0], 60)
            return help_card(services.catalog.values(), f"There is no `/approvals {asked}`.")


async def _on_thread(services: Services, body: dict[str, Any], command: str, thread: str) -> Card:
    return await (show(services, thread) if command == "show" else escalate(services, body, thread))


async def list_pending(services: Services, start: int, size: int = PAGE_SIZE) -> Card:
    """A page of what waits; one that has emptied meanwhile shows the last that has not."""
    items, total = await services.store.pending(start, size)
    if not items and total:
        start = (total - 1) // size * size
        items, total = await services.store.pending(start, size)
    where = await whereabouts(services, items, look=size == PAGE_SIZE)
    return pending_list(Page(items, start, total, size), where, services.now())


async def show(services: Services, thread_id: str) -> Card:
    run = await services.store.run(thread_id)
    if run is None:
        return problem_card(f"There is no run {thread_id!r}. `/approvals` lists what is pending.")
    approvals = await services.store.approvals_of(thread_id)
    shown = approvals[-QUESTIONS_AT_MOST:]
    return thread_report(run, approvals, await whereabouts(services, shown))


async def start(services: Services, body: dict[str, Any], workflow: str, fields: list[str]) -> Card:
    """Start it in the caller's name; what does not fit is said field by field."""
    try:
        values = {name: _value(value) for name, value in field_values(fields).items()}
    except BadInput as problem:
        return problem_card(f"{problem}; in quotes if it has spaces.", "Nothing was started.")
    thread_id = _once(workflow, body)
    try:
        async with asyncio.timeout(START_WITHIN):
            run = await services.starter.start_run(
                workflow,
                values,
                thread_id=thread_id,
                requester=user_of(body),
                team=services.slack.team,
            )
    except (UnknownWorkflow, InvalidInput, BadStart, OtherInput) as problem:
        return problem_card(str(problem), "Nothing was started.")
    except (RedisError, OSError):  # OSError: TimeoutError is one
        return problem_card(f"Our database does not answer. {_whether_started(thread_id)}")
    return _started(run.workflow, run.thread_id, run.channel or services.channel)


def _whether_started(thread_id: str | None) -> str:
    where = f"`/approvals show {thread_id}`" if thread_id else "`/approvals`"
    return f"In a minute {where} tells whether it was started; only if not, start it again."


def _started(workflow: str, thread_id: str, channel: str) -> Card:
    started = f":rocket: Started *{escape(workflow, 60)}* as `{thread_id}`."
    text = f"{started} Its question comes to <#{channel}>."
    return Card(text=text, blocks=[section(text)])


def _once(workflow: str, body: dict[str, Any]) -> str | None:
    """A thread_id that is the same when this command is delivered twice; None: any will do."""
    trigger = str(body.get("trigger_id") or "")
    name = made_thread_id(workflow, hashlib.sha256(trigger.encode()).hexdigest()[:10])
    return name if trigger else None


def _value(typed: str) -> str:
    """As it was meant: Slack escapes &, < and >, and sends a mention as <@U…|name>."""
    mention = MENTION.match(typed)
    return mention.group(1) if mention else html.unescape(typed)
