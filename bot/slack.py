"""The only calls to Slack's Web API, and what their errors mean: try again, or don't."""

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.approvals import MessageRef
from bot.policy import Member
from bot.views.card import ButtonValue, Card

T = TypeVar("T")

log = logging.getLogger(__name__)

CARD_EVENT = "countersign_card"
TRAIL_EVENT = "countersign_trail"
CLOCK_SKEW = 60  # seconds that Slack's clock and ours may differ when we look for our message
PAGE = 200
CACHED_FOR = 60.0  # seconds
PASSING = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
NOBODY = ("user_not_found", "user_not_visible")
TOO_LATE = ("expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id")
LIMITED = frozenset({"rate_limited", "ratelimited"})
# Without them nothing can be done; whatever else conversations.info refuses, cards may go through.
NO_TOKEN = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_revoked"})


class SlackUnavailable(Exception):
    """No answer, or one that will pass: what was sent may have arrived. Try again, after
    `retry_after` seconds where Slack says so. limited: too many calls; this one certainly did
    nothing."""

    def __init__(self, what: str, retry_after: float = 0.0, *, limited: bool = False) -> None:
        super().__init__(what)
        self.retry_after = retry_after
        self.limited = limited


class SlackRefused(Exception):
    """Slack said no, and will until someone changes something. code: Slack's own error."""

    def __init__(self, code: str, needed: str = "") -> None:
        super().__init__(f"{code} (needs {needed})" if needed else code)
        self.code = code


def slack_client(token: str, api_url: str) -> AsyncWebClient:
    """A client that tries nothing again on its own: a message could come twice, and a task that
    sleeps on a 429 keeps others from their work. The record knows when the next try is due."""
    return AsyncWebClient(token, base_url=api_url, timeout=15, retry_handlers=[])


@dataclass(frozen=True)
class Told:
    """A reply as its metadata names it: the `number`-th event (from 1) of the approval's trail.
    event: its hash, since after a loss in Redis another event may have the same number."""

    approval_id: str
    number: int
    event: str


@dataclass
class SlackGateway:
    """team: enterprise or team id, as records carry it; bot_user: the id of our own user. All from
    auth.test, which is asked once: that a click counts does not hang on a second answer."""

    client: AsyncWebClient
    team: str
    bot_user: str
    team_name: str = ""
    team_id: str = ""
    enterprise_id: str = ""
    bot_id: str = ""
    monotonic: Callable[[], float] = time.monotonic
    _members: dict[str, tuple[float, Member]] = field(default_factory=dict[str, Any])
    _groups: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict[str, Any])

    @classmethod
    async def connect(cls, client: AsyncWebClient) -> "SlackGateway":
        """SlackRefused where the token is not good."""
        who = await _call(client.auth_test())
        team_id, enterprise_id = _given(who, "team_id", str), who.get("enterprise_id") or ""
        return cls(
            client,
            team=enterprise_id or team_id,
            bot_user=_given(who, "user_id", str),
            team_name=who.get("team") or "",
            team_id=team_id,
            enterprise_id=enterprise_id,
            bot_id=who.get("bot_id") or "",
        )

    @property
    def own_ids(self) -> frozenset[str]:
        """What our workspace goes by: payloads name it by its own id, its enterprise's, or both,
        and a record by the one that it had then."""
        return frozenset({self.team, self.team_id, self.enterprise_id} - {""})

    async def check_app_token(self, token: str) -> None:
        """SlackRefused where Socket Mode could not be opened with it; the SDK would try, and log
        a traceback, for ever."""
        _given(await _call(self.client.apps_connections_open(app_token=token)), "url", str)

    async def why_not_in(self, channel: str) -> str | None:
        """What keeps cards out of the channel, and the cure; None: nothing does, or Slack does
        not tell."""
        try:
            told = await _call(self.client.conversations_info(channel=channel))
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
        if info.get("is_archived"):
            return f"#{info.get('name')} is archived; unarchive it, or choose another"
        if info.get("is_member") is False and not info.get("is_im"):
            return f"the app is not in #{info.get('name')}; type /invite @Countersign there"
        return None

    async def post_card(self, channel: str, approval_id: str, card: Card) -> MessageRef:
        sent = await _call(
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
        await _call(
            self.client.chat_update(
                channel=where.channel, ts=where.ts, text=card.text, blocks=card.blocks
            )
        )

    async def stands(self, where: MessageRef) -> bool:
        """Is our message still there? One that was deleted above a thread leaves another's."""
        page = await _call(
            self.client.conversations_history(
                channel=where.channel, oldest=where.ts, latest=where.ts, inclusive=True, limit=1
            )
        )
        found = page.get("messages", [])
        return any(m.get("ts") == where.ts and m.get("user") == self.bot_user for m in found)

    async def reply(self, where: MessageRef, told: Told, card: Card) -> MessageRef:
        sent = await _call(
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
        await _call(self.client.chat_delete(channel=message.channel, ts=message.ts))

    async def has_reply(self, where: MessageRef, told: Told) -> bool:
        return any([reply == told async for reply in self.replies(where, told.approval_id)])

    async def replies(self, where: MessageRef, approval_id: str) -> AsyncGenerator[Told, None]:
        """What the thread tells of this approval, in order."""
        async for message in self._messages(
            self.client.conversations_replies, None, channel=where.channel, ts=where.ts
        ):
            payload = _payload(message, TRAIL_EVENT)
            if payload.get("approval_id") == approval_id:
                number, event = payload.get("number"), payload.get("event")
                yield Told(approval_id, int(number or 0), str(event or ""))

    async def open_view(self, trigger_id: str, view: dict[str, Any]) -> None:
        """Within three seconds of the click that gave the trigger; SlackUnavailable after that:
        another click gives another."""
        try:
            await _call(self.client.views_open(trigger_id=trigger_id, view=view))
        except SlackRefused as refused:
            if refused.code in TOO_LATE:
                raise SlackUnavailable(refused.code) from None
            raise

    async def whisper(self, channel: str, user: str, card: Card) -> None:
        """Only this user sees it, and only now: for private answers where no response_url came."""
        await _call(
            self.client.chat_postEphemeral(
                channel=channel, user=user, text=card.text, blocks=card.blocks or None
            )
        )

    async def publish_home(self, user: str, view: dict[str, Any]) -> None:
        await _call(self.client.views_publish(user_id=user, view=view))

    async def permalink(self, where: MessageRef) -> str:
        found = await _call(
            self.client.chat_getPermalink(channel=where.channel, message_ts=where.ts)
        )
        return found["permalink"]

    async def member(self, user: str, *teams: str) -> Member:
        """As users.info tells it, at most a minute old. teams: the ids, of team and enterprise,
        that the click came from: whom we name in a card may click elsewhere."""
        known = self._members.get(user)
        if not known or known[0] <= self.monotonic():
            member = await self._looked_up(user)
            known = (self.monotonic() + CACHED_FOR, member)
            self._members[user] = known
        if self.own_ids.isdisjoint(teams):
            team, also = next(iter(teams), ""), frozenset(teams)
        else:
            team, also = self.team, self.own_ids.union(teams)
        return replace(known[1], team=team, known_as=also)

    async def _looked_up(self, user: str) -> Member:
        """Someone whom Slack does not know is no member; their name is empty."""
        nobody = Member(team="", user=user, name="", full=False)
        if not user:
            return nobody
        try:
            info = _given(await _call(self.client.users_info(user=user)), "user", dict)
        except SlackRefused as refused:
            if refused.code in NOBODY:
                return nobody
            raise
        flags = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        profile = info.get("profile") or {}
        name = info.get("real_name") or profile.get("real_name") or info.get("name") or user
        full = not any(info.get(flag) for flag in flags) and not self._is_foreign(info)
        return Member(team="", user=user, name=str(name), full=full)

    def _is_foreign(self, info: dict[str, Any]) -> bool:
        """Someone of another workspace, in a channel that we share with it: is_stranger is false
        for them."""
        enterprise = info.get("enterprise_user") or {}
        told = [info.get("team_id"), enterprise.get("enterprise_id"), *enterprise.get("teams", [])]
        ids = {each for each in told if each}
        return bool(ids) and self.own_ids.isdisjoint(ids)

    async def groups(self, approvers: Iterable[str]) -> dict[str, frozenset[str]]:
        """The members of the user groups (S…) among `approvers`, at most a minute old. A group
        that is gone or disabled has none."""
        wanted = [approver for approver in approvers if approver.startswith("S")]
        return {group: await self._group(group) for group in wanted}

    def forget_group(self, group: str) -> None:
        """Its members changed."""
        self._groups.pop(group, None)

    async def names(self, users: Iterable[str | None]) -> dict[str, str]:
        """Display names by id; a user who cannot be looked up is left out."""
        found: dict[str, str] = {}
        for user in {user for user in users if user}:
            try:
                member = await self.member(user, self.team)
            except (SlackRefused, SlackUnavailable):
                continue
            if member.name:
                found[user] = member.name
        return found

    async def _group(self, group: str) -> frozenset[str]:
        known = self._groups.get(group)
        if known and known[0] > self.monotonic():
            return known[1]
        try:
            found = await _call(self.client.usergroups_users_list(usergroup=group))
            users = frozenset(_given(found, "users", list))
        except SlackRefused as refused:
            if refused.code not in ("no_such_subteam", "subteam_not_found"):
                raise
            users = frozenset[str]()
        self._groups[group] = (self.monotonic() + CACHED_FOR, users)
        return users

    async def _messages(
        self, method: Callable[..., Awaitable[Any]], since: datetime | None, **where: str
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Our own: anyone may copy metadata or buttons."""
        oldest = {"oldest": f"{since.timestamp() - CLOCK_SKEW:.6f}"} if since else {}
        cursor = ""
        while True:
            page = await _call(
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


async def _call(request: Awaitable[Any]) -> Any:
    try:
        return await request
    except SlackApiError as error:
        # aiohttp's own response where the body is broken JSON
        status = getattr(error.response, "status_code", 0)
        data = getattr(error.response, "data", None)
        if not isinstance(data, dict) or not data.get("error"):  # a proxy's words, not Slack's
            what, wait = f"http_{status}", _retry_after(error)
            raise SlackUnavailable(what, wait, limited=status == 429) from None
        code = str(data["error"])
        if code in PASSING or status == 429 or status >= 500:
            limited = status == 429 or code in LIMITED
            raise SlackUnavailable(code, _retry_after(error), limited=limited) from None
        raise SlackRefused(code, str(data.get("needed") or "")) from None
    except AttributeError:  # the SDK's own, over an answer that is no JSON object
        raise SlackUnavailable("no JSON object") from None
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise SlackUnavailable(type(error).__name__) from None


def _given(answer: Any, key: str, kind: type[T]) -> T:
    """SlackUnavailable where the answer does not have it: something else answered."""
    value = answer.get(key)
    if not isinstance(value, kind) or value == "":
        raise SlackUnavailable(f"no {key} in the answer")
    return value


def _retry_after(error: SlackApiError) -> float:
    """Seconds, as the header says; 0 where it says nothing that can be read."""
    headers: dict[str, str] = getattr(error.response, "headers", None) or {}
    told = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return float(told) if told.isdecimal() else 0.0


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
