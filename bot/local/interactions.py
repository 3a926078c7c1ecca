"""The payloads that Slack sends for what people do: clicks, submissions, commands, events."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from bot.local.core import Core
from bot.local.fill import elements_of
from bot.local.records import Channel, Json, User
from bot.local.response_urls import ResponseUrls, Target
from bot.local.state_values import Entered, entered_value, state_values
from bot.local.typed_text import escaped, with_mentions
from bot.local.workspace import is_reply

TOKEN = "local-verification-token"  # noqa: S105  (deprecated by Slack; only its place matters)


def channel_label(channel: Channel) -> str:
    """The name of a channel as payloads give it."""
    if channel.is_im:
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name


@dataclass
class Payloads:
    """Builds payloads. Each one that allows it carries a fresh trigger_id."""

    core: Core
    response_urls: ResponseUrls

    def _common(self, user: User) -> Json:
        workspace = self.core.workspace
        return {
            "user": {
                "id": user.id,
                "username": user.name,
                "name": user.name,
                "team_id": workspace.team.id,
            },
            "api_app_id": workspace.app.id,
            "token": TOKEN,
            "team": {"id": workspace.team.id, "domain": workspace.team.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _action(self, block: Json, element: Json, value: Any) -> Json:
        """The clicked element. A button's text and value are the stored ones."""
        action: Json = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "action_ts": self.core.workspace.next_ts(),
        }
        if element["type"] == "button":
            kept = ("text", "value", "style", "url")
            return action | {key: element[key] for key in kept if key in element}
        if "placeholder" in element:
            action["placeholder"] = element["placeholder"]
        return action | entered_value(element, value)

    def message_action(
        self,
        user: User,
        channel: Channel,
        message: Json,
        clicked: tuple[Json, Json, Any],
        entered: Entered,
    ) -> Json:
        """block_actions from a message; `clicked` is (block, element, value)."""
        is_ephemeral = bool(message.get("is_ephemeral"))
        target = Target(user.id, channel.id, message["ts"], is_ephemeral)
        container: Json = {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel.id,
            "is_ephemeral": is_ephemeral,
        }
        if is_reply(message):
            container["thread_ts"] = message["thread_ts"]
        payload = {
            "type": "block_actions",
            **self._common(user),
            "container": container,
            "trigger_id": self.core.triggers.issue(user.id),
            "channel": {"id": channel.id, "name": channel_label(channel)},
            "state": {"values": state_values(message["blocks"], entered)},
            "response_url": self.response_urls.issue(target),
            "actions": [self._action(*clicked)],
        }
        if not is_ephemeral:
            payload["message"] = {k: v for k, v in message.items() if k != "metadata"}
        return payload

    def view_action(
        self, user: User, view: Json, clicked: tuple[Json, Json, Any], entered: Entered
    ) -> Json:
        """block_actions from a modal or App Home."""
        values = state_values(view["blocks"], entered)
        origin = view["id"] if view["type"] == "modal" else None
        return {
            "type": "block_actions",
            **self._common(user),
            "container": {"type": "view", "view_id": view["id"]},
            "trigger_id": self.core.triggers.issue(user.id, origin),
            "view": {**view, "state": {"values": values}},
            "actions": [self._action(*clicked)],
        }

    def view_submission(self, user: User, view: Json, values: dict[str, Json]) -> Json:
        return {
            "type": "view_submission",
            **self._common(user),
            "trigger_id": self.core.triggers.issue(user.id, view["id"]),
            "view": {**view, "state": {"values": values}},
            "response_urls": self._response_urls(user, view, values),
        }

    def _response_urls(self, user: User, view: Json, values: dict[str, Json]) -> list[Json]:
        found: list[Json] = []
        for block in view["blocks"]:
            for element in elements_of(block):
                if not element.get("response_url_enabled"):
                    continue
                chosen = values[block["block_id"]][element["action_id"]]
                channel = chosen.get("selected_conversation") or chosen.get("selected_channel")
                if channel:
                    found.append(
                        {
                            "block_id": block["block_id"],
                            "action_id": element["action_id"],
                            "channel_id": channel,
                            "response_url": self.response_urls.issue(Target(user.id, channel)),
                        }
                    )
        return found

    def view_closed(self, user: User, view: Json, *, is_cleared: bool) -> Json:
        return {
            "type": "view_closed",
            **self._common(user),
            "view": view,
            "is_cleared": is_cleared,
        }

    def shortcut(self, user: User, callback_id: str) -> Json:
        """A global shortcut."""
        return {
            "type": "shortcut",
            **self._common(user),
            "action_ts": self.core.workspace.next_ts(),
            "callback_id": callback_id,
            "trigger_id": self.core.triggers.issue(user.id),
        }

    def command(
        self, user: User, channel: Channel, name: str, text: str, *, escape: bool
    ) -> tuple[Json, Target]:
        """The form fields of a slash command, and where its immediate answer goes."""
        workspace = self.core.workspace
        target = Target(user.id, channel.id)
        if escape:
            text = with_mentions(workspace, escaped(text), labels=True)
        fields: Json = {
            "token": TOKEN,
            "team_id": workspace.team.id,
            "team_domain": workspace.team.domain,
            "channel_id": channel.id,
            "channel_name": channel_label(channel),
            "user_id": user.id,
            "user_name": user.name,
            "command": name,
            "text": text,
            "api_app_id": workspace.app.id,
            "is_enterprise_install": "false",
            "response_url": self.response_urls.issue(target, "commands"),
            "trigger_id": self.core.triggers.issue(user.id),
        }
        return fields, target

    def event(self, event: Json) -> Json:
        """An Events API wrapper around one event."""
        workspace = self.core.workspace
        return {
            "token": TOKEN,
            "team_id": workspace.team.id,
            "api_app_id": workspace.app.id,
            "event": {"event_ts": workspace.next_ts(), **event},
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(workspace.clock()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": workspace.team.id,
                    "user_id": workspace.app.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }
