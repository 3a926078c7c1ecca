"""The events that Slack sends by itself: what people write where the app is, and who changes.

Each goes its own way, a moment later: whoever writes does not wait for it, and faults that a test
plants for clicks do not strike it. What the app itself posts is not told to it: Bolt drops that
before any listener.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bot.local.core import Core
from bot.local.delivery import Delivery
from bot.local.interactions import Payloads
from bot.local.methods_people import described
from bot.local.records import Channel, Json
from bot.local.workspace import is_reply

# What is written where: the event to subscribe to, the scope for it, and its channel_type
KINDS = {
    "channels": ("message.channels", "channels:history", "channel"),
    "groups": ("message.groups", "groups:history", "group"),
}


@dataclass
class AppEvents:
    """subscribed: the app's bot_events, as its manifest has them."""

    core: Core
    payloads: Payloads
    delivery: Delivery
    subscribed: frozenset[str]
    _under_way: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])

    def written(self, channel: Channel, message: Json) -> None:
        """Someone wrote this."""
        self._tell_of(channel, message_event(self.core, channel, message))

    def deleted(self, channel: Channel, message: Json) -> None:
        event: Json = {
            "type": "message",
            "subtype": "message_deleted",
            "hidden": True,
            "channel": channel.id,
            "ts": self.core.workspace.next_ts(),
            "deleted_ts": message["ts"],
            "previous_message": message,
        }
        self._tell_of(channel, event)

    async def user_changed(self, user: str) -> None:
        """Their profile, their role, or whether they are still here."""
        if "user_change" in self.subscribed:
            about = described(self.core, self.core.workspace.users[user])
            event: Json = {"type": "user_change", "user": about}
            await self._send({**event, "cache_ts": int(self.core.workspace.clock())})

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _tell_of(self, channel: Channel, event: Json) -> None:
        name, scope, kind = KINDS.get(channel.kind, ("", "", ""))
        wanted = name in self.subscribed and scope in self.core.scopes
        if wanted and self.core.bot_is_in(channel):
            task = asyncio.ensure_future(self._send({**event, "channel_type": kind}))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _send(self, event: Json) -> None:
        await self.delivery.tell(self.payloads.event(event))


def message_event(core: Core, channel: Channel, message: Json) -> Json:
    """A message that a person posted, as Slack tells the apps of its channel."""
    event: Json = {**message, "channel": channel.id, "event_ts": message["ts"]}
    event["client_msg_id"] = f"c-{message['ts']}"
    if is_reply(message):
        parent = core.workspace.find(channel.id, message["thread_ts"])
        event["parent_user_id"] = (parent or {}).get("user", "")
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": message["text"]}]}
    return {**event, "blocks": [{"type": "rich_text", "block_id": "b1", "elements": [words]}]}
