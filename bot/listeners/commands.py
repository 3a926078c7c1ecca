"""`/approvals`: find what waits, show one thread, start a workflow, help."""

import asyncio
import hashlib
import html
import re
import shlex
from typing import Any

from pydantic import ValidationError
from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.given import BadInput, field_values
from bot.listeners.finding import Reader, find
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.payloads import user_of, value_of
from bot.listeners.whereabouts import whereabouts
from bot.policy import Member
from bot.query import FILTERS, QUOTE, WORKFLOW, BadQuery, Query, Turn, nearest
from bot.runs import OtherInput
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.starting import BadStart, made_thread_id
from bot.views.answers import NOT_KNOWN
from bot.views.card import ActionId, Card
from bot.views.help import help_card, problem_card
from bot.views.listing import PAGE_SIZE, QUESTIONS_AT_MOST, pending_list, thread_report
from bot.views.text import escape, section
from workflows.catalog import InvalidInput, UnknownWorkflow

COMMAND = "/approvals"
QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})  # as phones type them
NEEDS = {
    "show": "is followed by one thread id, as `/approvals` lists them",
    "start": "is followed by a workflow and its fields, such as these",
}
KNOWN = ("list", *FILTERS, *NEEDS, "help")
START_WITHIN = 2.0  # seconds, of guard.ANSWER_WITHIN: then it is not known whether it was started
MENTION = re.compile(r"^<[@#!]([A-Z0-9]+)(\|[^>]*)?>$")


def register(app: AsyncApp, services: Services) -> None:
    async def command(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        await answering(await in_time(answer(services, body)))

    async def page(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        await answering(await in_time(turned(services, body)), replace_original=True)

    app.command(COMMAND)(guarded(services.slack, command))
    for action in (ActionId.PREVIOUS, ActionId.NEXT):
        app.action(action)(guarded(services.slack, page))


async def answer(services: Services, body: dict[str, Any]) -> Card:
    """The private answer to one command. Guests get none: titles name customers and amounts."""
    member = await _full_member(services, body)
    return member if isinstance(member, Card) else await _routed(services, body, member)


async def turned(services: Services, body: dict[str, Any]) -> Card:
    """Another page of a list."""
    member = await _full_member(services, body)
    if isinstance(member, Card):
        return member
    try:
        turn = Turn.model_validate_json(value_of(body))
    except ValidationError:  # of another version: from the beginning
        turn = Turn()
    return await listing(services, member, turn)


async def _full_member(services: Services, body: dict[str, Any]) -> Member | Card:
    """Who it is; else the answer that they get instead."""
    try:
        member = await services.slack.member(user_of(body), services.slack.team)
    except (SlackRefused, SlackUnavailable) as error:
        words = no_answer(error, f"{COMMAND}: who types it", NOT_KNOWN)
        return Card(words, [section(words)])
    words = ":warning: Only full members of this workspace use /approvals."
    return member if member.full else Card(words, [section(words)])


async def _routed(services: Services, body: dict[str, Any], member: Member) -> Card:
    text = body.get("text", "").translate(QUOTES)
    try:
        words, quoted = shlex.split(text), shlex.split(html.unescape(text), posix=False)
    except ValueError:
        return help_card(services.catalog.values(), "A quotation mark is not closed.")
    match words:
        case ["help"]:
            return help_card(services.catalog.values())
        case ["show", thread_id]:
            return await show(services, thread_id)
        case ["start", workflow, *fields]:
            return await start(services, body, workflow, fields)
        case [("show" | "start") as command, *_]:
            return help_card(services.catalog.values(), f"`/approvals {command}` {NEEDS[command]}.")
        case ["list", *_]:
            return await searched(services, member, quoted[1:])
        case _ if not words or _looks_for(quoted[0]):
            return await searched(services, member, quoted)
        case _:
            return help_card(services.catalog.values(), _unknown(words[0]))


def _looks_for(word: str) -> bool:
    typed = word.lower()
    return typed in FILTERS or typed.startswith(WORKFLOW) or word[0] in QUOTE


def _unknown(word: str) -> str:
    meant = nearest(word, KNOWN)
    so = f" Did you mean `{COMMAND} {meant}`?" if meant else ""
    return f"There is no `{COMMAND} {escape(word, 60)}`.{so}"


async def searched(services: Services, member: Member, words: list[str]) -> Card:
    try:
        query = Query.read(words, services.catalog)
    except BadQuery as problem:
        return help_card(services.catalog.values(), escape(str(problem), 400))
    return await listing(services, member, Turn(query=query))


async def listing(services: Services, member: Member, turn: Turn) -> Card:
    page = await find(Reader(services, member), turn, PAGE_SIZE)
    return pending_list(page, await whereabouts(services, page.items), services.now())


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
