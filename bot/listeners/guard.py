"""The one place where a listener's errors become words and a reference number."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.exceptions import RedisError
from slack_bolt.async_app import AsyncAck, AsyncRespond

from bot.listeners.payloads import channel_of, modal_of, user_of
from bot.slack import SlackGateway
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.telemetry import reference
from bot.texts import t
from bot.views.answers import NEWER, NO_ANSWER, REFUSED, UNEXPECTED
from bot.views.card import Card
from bot.views.modals import NOT_RECORDED, told_view
from bot.views.text import escape
from workflows.schema import NewerRecord

log = logging.getLogger(__name__)

ANSWER_WITHIN = 2.5  # seconds: a person looks at it, and a trigger_id is good for three

OK = 200

T = TypeVar("T")


@dataclass(frozen=True)
class Answering:
    """Answers privately whoever clicked or typed: by the response_url, else in the channel,
    else (from App Home) in a modal."""

    slack: SlackGateway
    respond: AsyncRespond
    body: dict[str, Any]

    async def __call__(self, card: Card, *, replace_original: bool = False) -> None:
        """One that does not arrive is logged: the work itself is done."""
        try:
            if not self.respond.response_url or not await self._answered(card, replace_original):
                await self._whisper(card)
        except Exception as error:  # noqa: BLE001 - Slack is away, and nobody is left to tell
            reference(error, listener="respond")

    async def words(self, text: str, title: str = NOT_RECORDED) -> None:
        """title: of the catalog, where it was clicked in a modal, which says the words then."""
        view = modal_of(self.body)
        if not view:
            await self(Card(text, []))
            return
        try:
            await self.slack.update_view(view, told_view(text, title))
        except Exception as error:  # noqa: BLE001 - as above; it may be closed, too
            reference(error, listener="modal")

    async def _answered(self, card: Card, replace_original: bool) -> bool:
        """The address is good for half an hour and five answers."""
        answer = await self.respond(
            text=card.text,
            blocks=card.blocks or None,
            response_type="ephemeral",
            replace_original=replace_original,
        )
        if answer.status_code == OK:
            return True
        log.info("Slack takes no answer any more (%s): %.80s", answer.status_code, answer.body)
        return False

    async def _whisper(self, card: Card) -> None:
        channel, user = channel_of(self.body), user_of(self.body)
        trigger = str(self.body.get("trigger_id") or "")
        if not channel and trigger:
            await self._in_a_modal(trigger, card)
            return
        if not channel or not user:
            log.warning("nobody can be told, Slack names no way back: %s", card.text)
            return
        try:
            await self.slack.whisper(channel, user, card)
        except (SlackRefused, SlackUnavailable) as error:
            log.warning("%s in %s could not be told (%s): %s", user, channel, error, card.text)

    async def _in_a_modal(self, trigger: str, card: Card) -> None:
        """For App Home, which is in no channel."""
        try:
            await self.slack.open_view(trigger, told_view(card.text, "Countersign"))
        except (SlackRefused, SlackUnavailable) as error:
            log.warning("it could not be told in a modal (%s): %s", error, card.text)


Listener = Callable[[dict[str, Any], AsyncAck, Answering], Awaitable[None]]


def guarded(slack: SlackGateway, listener: Listener) -> Any:
    """Answer an unexpected error privately. It never escapes: an exception after `ack()` would
    take the ack back."""

    async def listen(body: dict[str, Any], ack: AsyncAck, respond: AsyncRespond) -> None:
        answering = Answering(slack, respond, body)
        try:
            await listener(body, ack, answering)
        except NewerRecord:  # another instance, with newer code, can take it
            await ack()
            await answering.words(t(NEWER))
        except (RedisError, TimeoutError) as error:
            log.warning("%s was not answered: %s", listener.__name__, type(error).__name__)
            await ack()
            await answering.words(t(NO_ANSWER))
        except Exception as error:  # noqa: BLE001 - whatever it is, a person waits for an answer
            number = reference(error, listener=listener.__name__)
            await ack()
            await answering.words(t(UNEXPECTED, number=number))

    return listen


async def in_time(answer: Awaitable[T]) -> T:
    """What a person waits for; TimeoutError where it takes longer than they look."""
    async with asyncio.timeout(ANSWER_WITHIN):
        return await answer


def no_answer(error: Exception, about: str, passing: str) -> str:
    """Slack did not tell what was needed: log it, and give the words for the person. `passing`,
    of the catalog, where another try may help; what Slack refuses stays until the operator mends
    it."""
    if isinstance(error, SlackRefused):
        log.error("%s: Slack refuses: %s", about, error)
        return t(REFUSED, code=escape(error.code, 80))
    log.warning("%s: Slack does not answer: %s", about, str(error) or type(error).__name__)
    return t(passing)
