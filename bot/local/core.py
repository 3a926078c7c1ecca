"""What the Web API methods, response_urls and interactions work on, held together in one place."""

from __future__ import annotations

from dataclasses import dataclass

from bot.local.arguments import ApiError
from bot.local.modals import Modals
from bot.local.records import Channel, Json
from bot.local.triggers import Triggers
from bot.local.workspace import Workspace


@dataclass
class Core:
    """State of the workspace, and what the app may do in it."""

    workspace: Workspace
    modals: Modals
    triggers: Triggers
    scopes: set[str]
    url: str = ""

    def require_scope(self, *any_of: str) -> None:
        """Refuse unless the bot's token carries one of these scopes."""
        if any_of and self.scopes.isdisjoint(any_of):
            provided = ",".join(sorted(self.scopes))
            raise ApiError("missing_scope", needed=",".join(any_of), provided=provided)

    def channel(self, channel: str) -> Channel:
        """A channel that the bot can know of, by id; private ones only as a member."""
        found = self.workspace.channels.get(channel)
        if found is None or (found.is_private and not self.bot_is_in(found)):
            raise ApiError("channel_not_found")
        return found

    def bot_is_in(self, channel: Channel) -> bool:
        return self.workspace.app.bot_user_id in channel.members

    def by_bot(self, message: Json) -> bool:
        return message.get("bot_id") == self.workspace.app.bot_id
