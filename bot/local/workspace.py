"""The state of the local workspace: who is there, what was said; every change is told to listeners.

Messages are kept as the JSON that Slack stores. There is no HTTP in here and no check of tokens,
scopes or blocks: those stand in front of it.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace

from bot.local.records import Channel, Json, Seed, User, Usergroup
from bot.local.seeds import ACME

Clock = Callable[[], float]
Listener = Callable[[Json, str | None], None]

TOMBSTONE = "This message was deleted."


class Workspace:
    """People, channels and messages; `subscribe` hears each change, with whom it is for."""

    def __init__(self, seed: Seed = ACME, clock: Clock = time.time) -> None:
        self.team = seed.team
        self.app = seed.app
        self.clock = clock
        self.users: dict[str, User] = {user.id: user for user in seed.users}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in seed.channels}
        self.usergroups: dict[str, Usergroup] = {group.id: group for group in seed.usergroups}
        self._messages: dict[str, dict[str, Json]] = {}
        self._ephemeral: dict[str, list[tuple[str, Json]]] = {}
        self._listeners: list[Listener] = []
        self._last_ts = 0

    # -- change events ----------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(event, user)` on each change (`user`: only for them); gives the undo."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def announce(self, event: Json, user: str | None = None) -> None:
        for listener in list(self._listeners):
            listener(copy.deepcopy(event), user)

    # -- people and places --------------------------------------------------------------------

    def next_ts(self) -> str:
        """A message's `ts`: the time, and unique in the workspace."""
        self._last_ts = max(int(self.clock() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def channel_named(self, id_or_name: str) -> Channel | None:
        """A channel by id, or by name with or without `#`."""
        if id_or_name in self.channels:
            return self.channels[id_or_name]
        name = id_or_name.removeprefix("#")
        return next((c for c in self.channels.values() if c.name == name and not c.is_im), None)

    def user_named(self, words: str) -> User | None:
        """A person by id, by handle or by real name."""
        wanted = words.removeprefix("@").casefold()
        for user in self.users.values():
            if wanted in (user.id.casefold(), user.name.casefold(), user.real_name.casefold()):
                return user
        return None

    def direct_message(self, user: str) -> Channel:
        """The conversation of this person with the bot; made when there is none yet."""
        existing = self.find_direct_message(user)
        if existing is not None:
            return existing
        channel = Channel(
            id=f"D0{user[1:]}",
            name=user,
            members=(user, self.app.bot_user_id),
            is_im=True,
            is_private=True,
            user=user,
        )
        self.channels[channel.id] = channel
        self.announce({"type": "channel", "channel": channel_json(channel)}, user)
        return channel

    def find_direct_message(self, user: str) -> Channel | None:
        return next((c for c in self.channels.values() if c.is_im and c.user == user), None)

    def change_user(self, user: str, **changes: object) -> User:
        """For tests: someone becomes a guest, leaves the company, ..."""
        self.users[user] = replace(self.users[user], **changes)  # type: ignore[arg-type]
        return self.users[user]

    def change_channel(self, channel: str, **changes: object) -> Channel:
        """For tests: a channel is archived, someone leaves it, ..."""
        self.channels[channel] = replace(self.channels[channel], **changes)  # type: ignore[arg-type]
        self.announce({"type": "channel", "channel": channel_json(self.channels[channel])})
        return self.channels[channel]

    def change_usergroup(self, group: str, users: tuple[str, ...]) -> Usergroup:
        self.usergroups[group] = replace(self.usergroups[group], users=users)
        return self.usergroups[group]

    def may_see(self, user: str, channel: Channel) -> bool:
        """Members see a channel; whoever is not a guest sees the public ones too."""
        if user in channel.members:
            return True
        return not (channel.is_private or channel.is_im or self.users[user].is_guest)

    # -- messages -----------------------------------------------------------------------------

    def post(self, channel: str, body: Json) -> Json:
        """Store a message (a reply when it has a `thread_ts`) and tell the listeners."""
        message: Json = {"type": "message", "ts": self.next_ts(), **copy.deepcopy(body)}
        self._messages.setdefault(channel, {})[message["ts"]] = message
        self._tell("message", channel, message)
        if is_reply(message):
            self._count_replies(channel, message["thread_ts"])
        return copy.deepcopy(message)

    def find(self, channel: str, ts: str) -> Json | None:
        message = self._messages.get(channel, {}).get(ts)
        return None if message is None else copy.deepcopy(message)

    def change(self, channel: str, ts: str, changes: Json) -> Json:
        """Update a message; a value of None takes the field away."""
        message = self._messages[channel][ts]
        message.update(copy.deepcopy(changes))
        for key in [key for key, value in message.items() if value is None]:
            del message[key]
        self._tell("message_changed", channel, message)
        return copy.deepcopy(message)

    def remove(self, channel: str, ts: str) -> None:
        """Delete a message; one with replies leaves a tombstone, as in Slack."""
        message = self._messages[channel][ts]
        if message.get("reply_count"):
            keep = ("type", "ts", "thread_ts", "reply_count", "latest_reply", "reply_users")
            stone = {key: message[key] for key in keep if key in message}
            stone |= {"subtype": "tombstone", "user": "USLACKBOT", "text": TOMBSTONE}
            self._messages[channel][ts] = stone
            self._tell("message_changed", channel, stone)
            return
        del self._messages[channel][ts]
        self.announce({"type": "message_deleted", "channel": channel, "ts": ts})
        if is_reply(message):
            self._count_replies(channel, message["thread_ts"])

    def messages(self, channel: str) -> list[Json]:
        """The channel's own messages, oldest first: no replies, but those broadcast."""
        return [
            copy.deepcopy(message)
            for message in self._messages.get(channel, {}).values()
            if not is_reply(message) or message.get("subtype") == "thread_broadcast"
        ]

    def replies(self, channel: str, ts: str) -> list[Json]:
        return [
            copy.deepcopy(message)
            for message in self._messages.get(channel, {}).values()
            if is_reply(message) and message["thread_ts"] == ts
        ]

    def _count_replies(self, channel: str, ts: str) -> None:
        replies = self.replies(channel, ts)
        parent = self._messages[channel].get(ts)
        if parent is None:
            return
        parent.update(
            thread_ts=ts,
            reply_count=len(replies),
            latest_reply=replies[-1]["ts"] if replies else ts,
            reply_users=list(dict.fromkeys(str(reply.get("user", "")) for reply in replies)),
        )
        self._tell("message_changed", channel, parent)

    def _tell(self, kind: str, channel: str, message: Json) -> None:
        self.announce({"type": kind, "channel": channel, "message": message})

    # -- ephemeral messages -------------------------------------------------------------------

    def whisper(self, channel: str, user: str, body: Json) -> Json:
        """A message that only this person sees, until their next reload."""
        message: Json = {
            "type": "message",
            "ts": self.next_ts(),
            "is_ephemeral": True,
            **copy.deepcopy(body),
        }
        self._ephemeral.setdefault(channel, []).append((user, message))
        self.announce({"type": "message", "channel": channel, "message": message}, user)
        return copy.deepcopy(message)

    def whispers(self, channel: str, user: str) -> list[Json]:
        return [copy.deepcopy(m) for u, m in self._ephemeral.get(channel, []) if u == user]

    def change_whisper(self, channel: str, user: str, ts: str, changes: Json) -> None:
        for whom, message in self._ephemeral.get(channel, []):
            if whom == user and message["ts"] == ts:
                message.update(copy.deepcopy(changes))
                event = {"type": "message_changed", "channel": channel, "message": message}
                self.announce(event, user)

    def forget_whisper(self, channel: str, user: str, ts: str) -> None:
        kept = [(u, m) for u, m in self._ephemeral.get(channel, []) if m["ts"] != ts or u != user]
        self._ephemeral[channel] = kept
        self.announce({"type": "message_deleted", "channel": channel, "ts": ts}, user)


def is_reply(message: Json) -> bool:
    return message.get("thread_ts") not in (None, message["ts"])


def channel_json(channel: Channel) -> Json:
    """A channel as the page gets it."""
    return {
        "id": channel.id,
        "name": channel.name,
        "is_im": channel.is_im,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "topic": channel.topic,
        "members": list(channel.members),
        **({"user": channel.user} if channel.user else {}),
    }


def user_json(user: User) -> Json:
    """A person as the page gets them."""
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "title": user.title,
        "is_bot": user.is_bot,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "deleted": user.deleted,
        "tz": user.tz,
        "color": user.color,
    }
