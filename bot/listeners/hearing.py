"""What is said in a card's thread: the requester's answer to what they were asked back, recorded
before it is acknowledged, as a form is. Everything else that people write is none of our business:
it costs one look at most, and is neither kept nor logged."""

import asyncio
import html
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.approvals import Approval
from bot.inquiries import heard_before, refuse_answer, reply
from bot.listeners.following import follow
from bot.listeners.payloads import workspaces_of
from bot.listeners.recording import Outcome
from bot.listeners.refusing import Who, recorded
from bot.listeners.rights import member_of
from bot.policy import Why
from bot.records import Change
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.views.card import Card
from bot.views.inquiry import TEXT_AT_MOST
from bot.waiting import asked_back
from workflows.protocol import Actor

log = logging.getLogger(__name__)

LOOK_UP = 1.2  # seconds: leaves some of recording.DECIDE_WITHIN
NAMED_AT_MOST = 5  # people whose names are looked up, of those that an answer mentions
COUNTS = (None, "thread_broadcast", "file_share")  # of all subtypes: a person says it, and now
AGAIN = BoltResponse(status=503, body="")  # not acknowledged: Slack sends it once more, later
HEARD = "countersign_heard"

MARKUP = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


@dataclass(frozen=True)
class Said:
    """A reply that a person wrote. thread: the message above it. files: their names. teams: ids of
    the writer's workspace."""

    user: str
    channel: str
    thread: str
    ts: str
    text: str
    files: tuple[str, ...]
    teams: tuple[str, ...]

    @classmethod
    def read(cls, body: dict[str, Any]) -> "Said | None":
        """None of what is no reply, or no person's own words."""
        event: dict[str, Any] = body.get("event") or {}
        named = [event.get(key) for key in ("user", "channel", "thread_ts", "ts")]
        ids = [each for each in named if isinstance(each, str) and each]
        if len(ids) < len(named) or event["thread_ts"] == event["ts"]:
            return None
        if event.get("subtype") not in COUNTS or event.get("bot_id") or event.get("hidden"):
            return None
        files: Any = event.get("files") or []
        own = (event.get(key) for key in ("user_team", "source_team", "team"))
        teams = [each for each in own if isinstance(each, str) and each][:1]
        return cls(
            *ids,
            text=str(event.get("text") or ""),
            files=tuple(str(each.get("name") or "?") for each in files),
            teams=tuple(teams) or workspaces_of(body),
        )


def register(app: AsyncApp, services: Services) -> None:
    async def first(
        body: dict[str, Any], context: dict[str, Any], next_: Callable[[], Awaitable[Any]]
    ) -> Any:
        """Before it is acknowledged: what is not recorded now, Slack has to send again."""
        said = Said.read(body)
        try:
            outcome = await hear(services, said) if said else None
        except (RedisError, OSError, SlackUnavailable) as error:  # OSError: TimeoutError is one
            log.warning("a reply in a thread was not looked at: %s", type(error).__name__)
            return AGAIN
        if outcome and outcome.again:
            return AGAIN
        context[HEARD] = outcome, said
        return await next_()

    async def then(body: dict[str, Any], context: dict[str, Any]) -> None:
        outcome, said = context[HEARD]
        if outcome is None:
            return
        if outcome.answer:
            await _tell(services, said, outcome.answer)
        await follow(services, body, *outcome.records)

    app.event("message", middleware=[first])(then)


async def hear(services: Services, said: Said) -> Outcome | None:
    """None where it answers nothing. Only what its writer was asked is looked at."""
    async with asyncio.timeout(LOOK_UP):
        asked = await asked_back(services.store, said.user)
    here = [each for each in asked if each.message and each.message.ts == said.thread]
    here = [each for each in here if each.message and each.message.channel == said.channel]
    if not here or not (said.text.strip() or said.files):
        return None

    async def rule(approval: Approval) -> list[Change] | Why | str:
        async with asyncio.timeout(LOOK_UP):
            return await _meant(services, approval, said)

    return await recorded(services, here[0].id, Who(said.user, said.teams), "answer", rule)


async def _meant(services: Services, approval: Approval, said: Said) -> list[Change] | Why | str:
    """Nothing where it was heard already, or was said before the question."""
    if heard_before(approval, said.ts):
        return ""
    member = await member_of(services, said.user, *said.teams)
    why = refuse_answer(approval, member)
    why = why or (Why.FORM_ONLY if approval.restricted else None)
    if why is not None:
        return why
    users = [name for sign, name, _ in MARKUP.findall(said.text) if sign == "@"]
    names = await services.slack.names(users[:NAMED_AT_MOST])
    actor = Actor(team=member.team, user=member.user, name=member.name)
    return [reply(approval, actor, as_read(said, names), services.now(), said.ts)]


def as_read(said: Said, names: Mapping[str, str]) -> str:
    """The words as people read them in the thread, where Slack sends its own markup."""

    def plain(match: re.Match[str]) -> str:
        sign, name, label = match.groups()
        if sign == "@":
            return f"@{names.get(name) or label or 'someone'}"
        if sign == "#":
            return f"#{label or name}"
        if sign == "!":
            return label or f"@{name.partition('^')[0]}"
        return name if label in (None, "", name) else f"{label} ({name})"

    words = html.unescape(MARKUP.sub(plain, said.text)).strip()
    whole = "\n".join(part for part in (words, *(f"📎 {name}" for name in said.files)) if part)
    return whole if len(whole) <= TEXT_AT_MOST else f"{whole[: TEXT_AT_MOST - 2]} …"


async def _tell(services: Services, said: Said, words: str) -> None:
    """In the thread, to its writer only."""
    try:
        await services.slack.whisper(said.channel, said.user, Card(words, []), said.thread)
    except (SlackRefused, SlackUnavailable) as error:
        log.warning("%s in %s could not be told: %s", said.user, said.channel, error)
