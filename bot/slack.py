"""The only calls to Slack's Web API, and what their errors mean: try again, or don't."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.directory import Directory
from bot.inslack import Earlier, MessageRef
from bot.slack_calls import PAGE, SlackRefused, SlackUnavailable, call, given
from bot.views.card import ButtonValue, Card

T = TypeVar("T")

log = logging.getLogger(__name__)

CARD_EVENT = "countersign_card"
TRAIL_EVENT = "countersign_trail"
NOTICE_EVENT = "countersign_notice"
CLOCK_SKEW = 300  # seconds that Slack's clock and ours may differ, as for its signatures
TOO_LATE = ("expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id")
# Without them nothing can be done; whatever else conversations.info refuses, cards may go through.
NO_TOKEN = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_revoked"})


@dataclass(frozen=True)
class Told:
    """A reply, or a direct message, as its metadata names it: the `number`-th event (from 1) of
    the approval's trail. event: its hash, since after a loss in Redis another event may have the
    same number. Of what belongs to no approval it is another name, and since when it is so."""

    approval_id: str
    number: int
    event: str


class SlackGateway(Directory):
    """Messages, views and who is who."""

    @classmethod
    async def connect(cls, client: AsyncWebClient) -> "SlackGateway":
        """SlackRefused where the token is not good."""
        who = await call(client.auth_test())
        team_id, enterprise_id = given(who, "team_id", str), who.get("enterprise_id") or ""
        return cls(
            client,
            team=enterprise_id or team_id,
            bot_user=given(who, "user_id", str),
            team_name=who.get("team") or "",
            team_id=team_id,
            enterprise_id=enterprise_id,
            bot_id=who.get("bot_id") or "",
        )

    async def check_app_token(self, token: str) -> None:
        """SlackRefused where Socket Mode could not be opened with it; the SDK would try, and log
        a traceback, for ever."""
        given(await call(self.client.apps_connections_open(app_token=token)), "url", str)

    async def why_not_in(self, channel: str) -> str | None:
        """What keeps cards out of the channel, and the cure; None: nothing does, or Slack does
        not tell."""
        try:
            told = await call(self.client.conversations_info(channel=channel))
            info = told.get("channel") or {}
        except SlackRefused as refused:
            if refused.code == "channel_not_found":
                return "there is no such channel, or it is private and the app is not in it"
            if refused.code in NO_TOKEN:
                raise
            log.warning(
                "Slack does not tell whether cards can be posted in %s: %s", channel, refused
            )
            return None
        except SlackUnavailable as error:
            log.warning("Slack does not tell whether cards can be posted in %s: %s", channel, error)
            return None
        if info.get("is_mpim"):
            return "it is a group message, and cards go where all of the team sees them"
        if info.get("is_archived"):
            return f"#{info.get('name')} is archived; unarchive it, or choose another"
        if info.get("is_member") is False and not info.get("is_im"):
            return f"the app is not in #{info.get('name')}; type /invite @Countersign there"
        return None

    async def post_card(self, channel: str, approval_id: str, card: Card) -> MessageRef:
        sent = await call(
            self.client.chat_postMessage(
                channel=channel,
                text=card.text,
                blocks=card.blocks,
                metadata=_metadata(CARD_EVENT, {"approval_id": approval_id}),
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return MessageRef(channel=sent.get("channel") or channel, ts=sent["ts"])

    async def find_card(self, channel: str, approval_id: str, since: datetime) -> MessageRef | None:
        """Our card, if it was posted since then: by its metadata, else by its buttons."""
        async for message in self._messages(
            self.client.conversations_history, since, channel=channel
        ):
            payload = _payload(message, CARD_EVENT)
            if payload.get("approval_id") == approval_id or approval_id in _asked_by(message):
                return MessageRef(channel=channel, ts=message["ts"])
        return None

    async def update_card(self, where: MessageRef, card: Card) -> None:
        await call(
            self.client.chat_update(
                channel=where.channel, ts=where.ts, text=card.text, blocks=card.blocks
            )
        )

    async def stands(self, where: MessageRef) -> bool:
        """Is our message still there? One that was deleted above a thread leaves another's."""
        page = await call(
            self.client.conversations_history(
                channel=where.channel, oldest=where.ts, latest=where.ts, inclusive=True, limit=1
            )
        )
        found = page.get("messages", [])
        return any(m.get("ts") == where.ts and m.get("user") == self.bot_user for m in found)

    async def reply(self, where: MessageRef, told: Told, card: Card) -> MessageRef:
        sent = await call(
            self.client.chat_postMessage(
                channel=where.channel,
                thread_ts=where.ts,
                text=card.text,
                blocks=card.blocks,
                metadata=_metadata(TRAIL_EVENT, asdict(told)),
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return MessageRef(channel=sent.get("channel") or where.channel, ts=sent["ts"])

    async def withdraw(self, message: MessageRef) -> None:
        """Take back a message of our own."""
        await call(self.client.chat_delete(channel=message.channel, ts=message.ts))

    async def has_reply(self, where: MessageRef, told: Told) -> bool:
        return any([reply == told async for reply in self.replies(where, told.approval_id)])

    async def replies(self, where: MessageRef, approval_id: str) -> AsyncGenerator[Told, None]:
        """What the thread tells of this approval, in order."""
        async for told, _ in self._replies(where, approval_id):
            yield told

    async def said_again(self, where: MessageRef, approval_id: str) -> list[MessageRef]:
        """Replies that say what one above them says. Whoever takes back takes back the same."""
        stand: set[Told] = set()
        again: list[MessageRef] = []
        async for told, message in self._replies(where, approval_id):
            if told in stand:
                again.append(message)
            stand.add(told)
        return again

    async def doubles(
        self, where: MessageRef, approval_id: str, since: datetime
    ) -> list[MessageRef]:
        """Messages of ours that say again what the card at `where`, or a reply to it, says."""
        cards = [
            MessageRef(channel=where.channel, ts=message["ts"])
            async for message in self._messages(
                self.client.conversations_history, since, channel=where.channel
            )
            if _payload(message, CARD_EVENT).get("approval_id") == approval_id
        ]
        return [card for card in cards if card != where] + await self.said_again(where, approval_id)

    async def _replies(
        self, where: MessageRef, approval_id: str
    ) -> AsyncGenerator[tuple[Told, MessageRef], None]:
        async for message in self._messages(
            self.client.conversations_replies, None, channel=where.channel, ts=where.ts
        ):
            payload = _payload(message, TRAIL_EVENT)
            if payload.get("approval_id") == approval_id:
                number, event = payload.get("number"), payload.get("event")
                told = Told(approval_id, int(number or 0), str(event or ""))
                yield told, MessageRef(channel=where.channel, ts=message["ts"])

    async def tell(self, user: str, told: Told, card: Card) -> MessageRef:
        """A direct message. It needs no scope but that of any message: Slack opens the
        conversation, and says in its answer which one it is."""
        sent = await call(
            self.client.chat_postMessage(
                channel=user,
                text=card.text,
                blocks=card.blocks,
                metadata=_metadata(NOTICE_EVENT, asdict(told)),
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return MessageRef(channel=sent.get("channel") or user, ts=sent["ts"])

    async def times_told(self, user: str, told: Told, since: datetime) -> int:
        """How often this stands in our conversation with them."""
        opened = given(await call(self.client.conversations_open(users=user)), "channel", dict)
        history, channel = self.client.conversations_history, given(opened, "id", str)
        found = [
            _payload(m, NOTICE_EVENT) async for m in self._messages(history, since, channel=channel)
        ]
        return found.count(asdict(told))

    async def open_view(self, trigger_id: str, view: dict[str, Any]) -> None:
        """Within three seconds of the click that gave the trigger; SlackUnavailable after that:
        another click gives another."""
        try:
            await call(self.client.views_open(trigger_id=trigger_id, view=view))
        except SlackRefused as refused:
            if refused.code in TOO_LATE:
                raise SlackUnavailable(refused.code) from None
            raise

    async def push_view(self, trigger_id: str, view: dict[str, Any]) -> None:
        """Over the modal in which the click was that gave the trigger."""
        try:
            await call(self.client.views_push(trigger_id=trigger_id, view=view))
        except SlackRefused as refused:
            if refused.code in TOO_LATE:
                raise SlackUnavailable(refused.code) from None
            raise

    async def update_view(self, view_id: str, view: dict[str, Any]) -> None:
        """Put other content into a modal that is open."""
        await call(self.client.views_update(view_id=view_id, view=view))

    async def whisper(self, channel: str, user: str, card: Card, thread: str | None = None) -> None:
        """Only this user sees it, and only now: for private answers where no response_url came."""
        await call(
            self.client.chat_postEphemeral(
                channel=channel,
                user=user,
                text=card.text,
                blocks=card.blocks or None,
                thread_ts=thread,
            )
        )

    async def publish_home(self, user: str, view: dict[str, Any]) -> None:
        await call(self.client.views_publish(user_id=user, view=view))

    async def permalink(self, where: MessageRef) -> str:
        found = await call(
            self.client.chat_getPermalink(channel=where.channel, message_ts=where.ts)
        )
        return found["permalink"]

    async def link_before(self, earlier: Earlier | None) -> str:
        """To the card whose place another takes; "" where there is none, or none any more."""
        try:
            return await self.permalink(earlier.message) if earlier and earlier.message else ""
        except SlackRefused:
            return ""

    async def _messages(
        self, method: Callable[..., Awaitable[Any]], since: datetime | None, **where: str
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Our own: anyone may copy metadata or buttons."""
        oldest = {"oldest": f"{since.timestamp() - CLOCK_SKEW:.6f}"} if since else {}
        cursor = ""
        while True:
            page = await call(
                method(
                    **where,
                    **oldest,
                    limit=PAGE,
                    include_all_metadata=True,
                    **({"cursor": cursor} if cursor else {}),
                )
            )
            for message in page.get("messages", []):
                if message.get("user") == self.bot_user:
                    yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return


def _metadata(event: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"event_type": event, "event_payload": payload}


def _payload(message: dict[str, Any], event: str) -> dict[str, Any]:
    metadata = message.get("metadata") or {}
    return metadata.get("event_payload", {}) if metadata.get("event_type") == event else {}


def _asked_by(message: dict[str, Any]) -> set[str]:
    values = (
        ButtonValue.read(str(element.get("value", "")))
        for block in message.get("blocks") or []
        if block.get("type") == "actions"
        for element in block.get("elements", [])
    )
    return {value.approval for value in values if value}
