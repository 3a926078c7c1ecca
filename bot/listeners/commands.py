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
from bot.listeners.away import away
from bot.listeners.escalating import escalate
from bot.listeners.finding import Reader, find
from bot.listeners.guard import Answering, guarded, in_time, no_answer
from bot.listeners.handing import by_command
from bot.listeners.payloads import user_of, value_of, workspaces_of
from bot.listeners.refusing import Who, keep
from bot.listeners.rights import is_ours
from bot.listeners.starting import START_WITHIN, open_start
from bot.listeners.whereabouts import whereabouts
from bot.policy import Member, Why
from bot.query import FILTERS, QUOTE, WORKFLOW, BadQuery, Query, Turn, nearest
from bot.runs import OtherInput
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.starting import BadStart, made_thread_id
from bot.texts import later, t
from bot.views.answers import NOT_KNOWN
from bot.views.card import ActionId, Card
from bot.views.help import help_card, problem_card
from bot.views.listing import PAGE_SIZE, QUESTIONS_AT_MOST, pending_list, thread_report
from bot.views.starting import (
    misfit_words,
    started_words,
    unknown_workflow,
    whether_started,
)
from bot.views.text import escape, section
from workflows.catalog import InvalidInput, UnknownWorkflow

COMMAND = "/approvals"
QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})  # as phones type them
NOTHING = later("Nothing was started.")
FURTHER = {"away": away, "reassign": by_command}  # each with a module of its own
KNOWN = ("list", *FILTERS, "show", "escalate", "start", "help", *FURTHER)
CHANGES = ("escalate", "reassign")  # an approval
MENTION = re.compile(r"^<[@#!]([A-Z0-9]+)(\|[^>]*)?>$")


def register(app: AsyncApp, services: Services) -> None:
    async def command(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        said = await in_time(answer(services, body))
        if said:
            await answering(said)

    async def page(body: dict[str, Any], ack: AsyncAck, answering: Answering) -> None:
        await ack()
        await answering(await in_time(turned(services, body)), replace_original=True)

    app.command(COMMAND)(guarded(services.slack, command))
    for action in (ActionId.PREVIOUS, ActionId.NEXT):
        app.action(action)(guarded(services.slack, page))


async def answer(services: Services, body: dict[str, Any]) -> Card | None:
    """The private answer to one command; None where a form was opened instead. Guests get none:
    titles name customers and amounts."""
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
    if member.full and is_ours(services, body):
        return member
    await _keep_try(services, body)
    words = t(":warning: Only full members of this workspace use /approvals.")
    return Card(words, [section(words)])


async def _keep_try(services: Services, body: dict[str, Any]) -> None:
    """A stranger's, to change an approval: in its trail."""
    words = str(body.get("text") or "").split()
    if len(words) < 2 or words[0] not in CHANGES:
        return
    who = Who(user_of(body), workspaces_of(body))
    why = Why.NOT_A_MEMBER if is_ours(services, body) else Why.OTHER_WORKSPACE
    waiting = [each for each in await services.store.approvals_of(words[1]) if each.is_open]
    await asyncio.gather(*(keep(services, each.id, who, why, words[0]) for each in waiting))


async def _routed(services: Services, body: dict[str, Any], member: Member) -> Card | None:
    text = body.get("text", "").translate(QUOTES)
    try:
        words, quoted = shlex.split(text), shlex.split(html.unescape(text), posix=False)
    except ValueError:
        return help_card(services.catalog.values(), t("A quotation mark is not closed."))
    if words and words[0] in FURTHER:
        return await FURTHER[words[0]](services, body, words[1:])
    return await _shown_or_started(services, body, member, words, quoted)


async def _shown_or_started(
    services: Services, body: dict[str, Any], member: Member, words: list[str], quoted: list[str]
) -> Card | None:
    match words:
        case ["help"]:
            return help_card(services.catalog.values())
        case [("show" | "escalate") as command, thread_id]:
            return await _on_thread(services, body, command, thread_id)
        case [("show" | "escalate") as command, *_]:
            needs = later("{command} is followed by one thread id, as `/approvals` lists them.")
            typed = f"`{COMMAND} {command}`"
            return help_card(services.catalog.values(), t(needs, command=typed))
        case ["start", *fields]:
            return await _form_or_start(services, body, fields)
        case _:
            return await _searched(services, member, quoted)


async def _on_thread(services: Services, body: dict[str, Any], command: str, thread: str) -> Card:
    return await (show(services, thread) if command == "show" else escalate(services, body, thread))


async def _form_or_start(services: Services, body: dict[str, Any], words: list[str]) -> Card | None:
    match words:
        case []:
            return await form(services, body)
        case [workflow] if workflow in services.catalog:
            return await form(services, body, workflow)
        case _:
            return await start(services, body, words[0], words[1:])


async def _searched(services: Services, member: Member, words: list[str]) -> Card:
    """`list` may stand before what is looked for."""
    if words and words[0] == "list":
        words = words[1:]
    elif words and not _looks_for(words[0]):
        return help_card(services.catalog.values(), _unknown(words[0]))
    try:
        query = Query.read(words, services.catalog)
    except BadQuery as problem:
        return help_card(services.catalog.values(), escape(str(problem), 400))
    return await listing(services, member, Turn(query=query))


def _looks_for(word: str) -> bool:
    typed = word.lower()
    return typed in FILTERS or typed.startswith(WORKFLOW) or word[0] in QUOTE


def _unknown(word: str) -> str:
    meant = nearest(word, KNOWN)
    typed = f"`{COMMAND} {escape(word, 60)}`"
    if not meant:
        return t("There is no {command}.", command=typed)
    return t(
        "There is no {command}. Did you mean {meant}?", command=typed, meant=f"`{COMMAND} {meant}`"
    )


async def listing(services: Services, member: Member, turn: Turn) -> Card:
    page = await find(Reader(services, member), turn, PAGE_SIZE)
    return pending_list(page, await whereabouts(services, page.items), services.now())


async def show(services: Services, thread_id: str) -> Card:
    run = await services.store.run(thread_id)
    if run is None:
        words = later("There is no run {thread}. `/approvals` lists what is pending.")
        return problem_card(t(words, thread=repr(thread_id)))
    approvals = await services.store.approvals_of(thread_id)
    shown = approvals[-QUESTIONS_AT_MOST:]
    return thread_report(run, approvals, await whereabouts(services, shown))


async def form(
    services: Services, body: dict[str, Any], workflow: str | None = None
) -> Card | None:
    """To fill in; the words, where it cannot be opened."""
    words = await open_start(services, body, workflow)
    return Card(words, [section(words)]) if words else None


async def start(services: Services, body: dict[str, Any], workflow: str, fields: list[str]) -> Card:
    """Start it in the caller's name; what does not fit is said field by field."""
    try:
        values = {name: _value(value) for name, value in field_values(fields).items()}
    except BadInput as problem:
        words = t("{problem}; in quotes if it has spaces.", problem=problem)
        return problem_card(words, t(NOTHING))
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
    except UnknownWorkflow:
        return problem_card(unknown_workflow(workflow, services.catalog), t(NOTHING))
    except InvalidInput as problem:
        words = misfit_words(services.catalog[workflow], problem.error)
        return problem_card(words, t(NOTHING))
    except (BadStart, OtherInput) as problem:
        return problem_card(str(problem), t(NOTHING))
    except (RedisError, OSError):  # OSError: TimeoutError is one
        return problem_card(whether_started(thread_id))
    text = started_words(run.workflow, run.thread_id, run.channel or services.channel)
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
