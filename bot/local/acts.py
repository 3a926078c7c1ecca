"""What a person can do in Slack: write, command, click, submit, close, open App Home.

Used by the page (`/client/*`) and by tests (`Person`) alike. Refusals are in words that a person
understands, near to those of Slack's client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from bot.local.app_events import AppEvents
from bot.local.arguments import ApiError
from bot.local.core import Core
from bot.local.delivery import Delivery
from bot.local.fill import elements_of
from bot.local.interactions import Payloads
from bot.local.methods_views import checked_view
from bot.local.modals import ViewError
from bot.local.records import Channel, Command, Json, User
from bot.local.response_urls import ResponseUrls, Target
from bot.local.sockets import Ack
from bot.local.state_values import Entered, UnknownValueError, input_errors, state_values
from bot.local.typed_text import escaped, with_mentions
from bot.local.workspace import is_reply


class RefusedError(Exception):
    """What the person was told instead."""


@dataclass
class Acts:
    payloads: Payloads
    delivery: Delivery
    response_urls: ResponseUrls
    commands: dict[str, Command]
    events: AppEvents

    @property
    def core(self) -> Core:
        return self.payloads.core

    # -- seeing ---------------------------------------------------------------------------------

    def channel_seen(self, user_id: str, channel_id: str) -> list[Json]:
        """The channel as this person sees it, their ephemeral messages included; oldest first."""
        user, channel = self._there(user_id, channel_id)
        workspace = self.core.workspace
        whispers = workspace.whispers(channel.id, user.id)
        seen = workspace.messages(channel.id) + [m for m in whispers if not is_reply(m)]
        return sorted(seen, key=_at)

    def thread_seen(self, user_id: str, channel_id: str, ts: str) -> list[Json]:
        user, channel = self._there(user_id, channel_id)
        workspace = self.core.workspace
        parent = workspace.find(channel.id, ts)
        if parent is None:
            raise RefusedError("there is no such thread")
        whispers = [m for m in workspace.whispers(channel.id, user.id) if is_reply(m)]
        replies = workspace.replies(channel.id, ts) + [m for m in whispers if m["thread_ts"] == ts]
        return [parent, *sorted(replies, key=_at)]

    # -- writing --------------------------------------------------------------------------------

    def write(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> Json:
        user, channel = self._there(user_id, channel_id)
        if channel.is_archived or user.id not in channel.members:
            raise RefusedError(f"{user.real_name} cannot write in #{channel.name}")
        workspace = self.core.workspace
        stored = with_mentions(workspace, escaped(text), labels=False)
        body: Json = {"user": user.id, "team": workspace.team.id, "text": stored}
        if thread_ts:
            parent = workspace.find(channel.id, thread_ts)
            if parent is None or is_reply(parent):
                raise RefusedError("there is no such thread")
            body["thread_ts"] = thread_ts
        message = workspace.post(channel.id, body)
        self.events.written(channel, message)
        return message

    def delete(self, user_id: str, channel_id: str, ts: str) -> None:
        """One's own message; an administrator any."""
        user, channel = self._there(user_id, channel_id)
        message = self.core.workspace.find(channel.id, ts)
        if message is None:
            raise RefusedError("there is no such message")
        if message.get("user") != user.id and not user.is_admin:
            raise RefusedError(f"{user.real_name} may only delete their own messages")
        self.core.workspace.remove(channel.id, ts)
        self.events.deleted(channel, message)

    # -- commands and shortcuts -----------------------------------------------------------------

    async def command(self, user_id: str, channel_id: str, text: str) -> None:
        """Type a slash command; an answer in the acknowledgement shows at once."""
        user, channel = self._there(user_id, channel_id)
        name, _, rest = text.strip().partition(" ")
        command = self.commands.get(name)
        if command is None:
            raise RefusedError(f"{name} is not a valid command.")
        fields, target = self.payloads.command(
            user, channel, name, rest.strip(), escape=command.should_escape
        )
        ack = await self.delivery.send("slash_commands", fields, answerable=True)
        if not ack.ok:
            raise RefusedError(f'{name} failed with the error "{ack.error}"')
        self._answer_command(name, target, ack.body)

    def _answer_command(self, name: str, target: Target, body: Json) -> None:
        if not (body.get("text") or body.get("blocks")):
            return
        try:
            self.response_urls.answer(target, body)
        except ApiError as error:
            raise RefusedError(f'{name} failed with the error "{_words(error)}"') from error

    async def shortcut(self, user_id: str, callback_id: str) -> None:
        payload = self.payloads.shortcut(self._person(user_id), callback_id)
        _require(await self.delivery.send("interactive", payload, answerable=False))

    # -- clicks ---------------------------------------------------------------------------------

    async def act(
        self,
        user_id: str,
        container: Json,
        clicked: tuple[str, str, Any],
        entered: Entered | None = None,
    ) -> None:
        """Click or change one element; `clicked` is (block_id, action_id, value)."""
        user = self._person(user_id)
        try:
            payload = self._action_payload(user, container, clicked, entered or {})
        except UnknownValueError as error:
            raise RefusedError(str(error)) from error
        _require(await self.delivery.send("interactive", payload, answerable=False))

    def _action_payload(
        self, user: User, container: Json, clicked: tuple[str, str, Any], entered: Entered
    ) -> Json:
        block_id, action_id, value = clicked
        if container.get("type") == "view":
            view = self._open_view(user, container["view_id"])
            block, element = _element(view["blocks"], block_id, action_id)
            return self.payloads.view_action(user, view, (block, element, value), entered)
        _, channel = self._there(user.id, container["channel_id"])
        message = self._seen_message(user, channel, container)
        block, element = _element(message.get("blocks", []), block_id, action_id)
        return self.payloads.message_action(
            user, channel, message, (block, element, value), entered
        )

    def _seen_message(self, user: User, channel: Channel, container: Json) -> Json:
        ts = container["message_ts"]
        workspace = self.core.workspace
        if container.get("is_ephemeral"):
            whispers = workspace.whispers(channel.id, user.id)
            found = next((m for m in whispers if m["ts"] == ts), None)
        else:
            found = workspace.find(channel.id, ts)
        if found is None:
            raise RefusedError("there is no such message")
        return found

    # -- modals and App Home --------------------------------------------------------------------

    async def submit(self, user_id: str, view_id: str, entered: Entered) -> Json:
        """Submit the top modal. Gives back `errors` by block, if any, and then it stays open."""
        user = self._person(user_id)
        view = self._top_view(user, view_id)
        if view.get("submit") is None:
            raise RefusedError("this modal has no submit button")
        try:
            values = state_values(view["blocks"], entered)
        except UnknownValueError as error:
            raise RefusedError(str(error)) from error
        errors = input_errors(view["blocks"], values)
        if errors:
            return {"response_action": "errors", "errors": errors}
        payload = self.payloads.view_submission(user, view, values)
        ack = await self.delivery.send("interactive", payload, answerable=True)
        _require(ack)
        try:
            return self._after_submission(user, view, ack.body)
        except (ApiError, ViewError) as error:
            raise RefusedError(
                f"the answer to the submission was refused: {_words(error)}"
            ) from error

    def _after_submission(self, user: User, view: Json, body: Json) -> Json:
        action = body.get("response_action")
        modals = self.core.modals
        if action is None:
            modals.close(user.id, view["id"])
            return {}
        if action == "clear":
            modals.clear(user.id)
        elif action == "errors":
            return _own_errors(view, body)
        elif action == "update":
            modals.update(checked_view(body.get("view"), "modal"), view["id"])
        elif action == "push":
            modals.push(user.id, checked_view(body.get("view"), "modal"))
        else:
            raise ApiError("invalid_arguments", f"unknown response_action: {action}")
        return {"response_action": action}

    async def close(self, user_id: str, view_id: str) -> None:
        """Cancel the top modal; the app hears of it only where it asked to."""
        user = self._person(user_id)
        view = self._top_view(user, view_id)
        cleared = bool(view["clear_on_close"])
        closed = self.core.modals.clear(user.id) if cleared else [view]
        if not cleared:
            self.core.modals.close(user.id, view["id"])
        for one in closed:
            if one["notify_on_close"]:
                payload = self.payloads.view_closed(user, one, is_cleared=cleared)
                await self.delivery.send("interactive", payload, answerable=False)

    async def open_home(self, user_id: str) -> Json | None:
        """Open App Home; what is published there by the time the bot has acknowledged."""
        user = self._person(user_id)
        event: Json = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": self.core.workspace.direct_message(user.id).id,
            "tab": "home",
        }
        view = self.core.modals.home(user.id)
        if view is not None:
            event["view"] = view
        await self.send_event(event)
        return self.core.modals.home(user.id)

    async def send_event(self, event: Json) -> Ack:
        """An event of those that the app subscribes to."""
        payload = self.payloads.event(event)
        return await self.delivery.send("events_api", payload, answerable=False)

    # -- who and where --------------------------------------------------------------------------

    def _person(self, user_id: str) -> User:
        user = self.core.workspace.users.get(user_id)
        if user is None or user.is_bot:
            raise RefusedError(f"there is no person {user_id}")
        if user.deleted:
            raise RefusedError(f"the account of {user.real_name} is deactivated")
        return user

    def _there(self, user_id: str, channel_id: str) -> tuple[User, Channel]:
        user = self._person(user_id)
        channel = self.core.workspace.channels.get(channel_id)
        if channel is None or not self.core.workspace.may_see(user.id, channel):
            raise RefusedError(f"{user.real_name} does not see the channel {channel_id}")
        return user, channel

    def _open_view(self, user: User, view_id: str) -> Json:
        found = self.core.modals.find(view_id)
        if found is None or found[0] != user.id:
            raise RefusedError("this view is not open")
        return found[1]

    def _top_view(self, user: User, view_id: str) -> Json:
        stack = self.core.modals.stack(user.id)
        if not stack or stack[-1]["id"] != view_id:
            raise RefusedError("this modal is not open, or another one is on top")
        return stack[-1]


def _at(message: Json) -> float:
    return float(message["ts"])


def _element(blocks: list[Json], block_id: str, action_id: str) -> tuple[Json, Json]:
    for block in blocks:
        for element in elements_of(block):
            if block["block_id"] == block_id and element["action_id"] == action_id:
                return block, element
    raise RefusedError(f"there is no {action_id} (any more)")


def _require(ack: Ack) -> None:
    if not ack.ok:
        raise RefusedError(f"We had some trouble connecting. Try again? ({ack.error})")


def _own_errors(view: Json, body: Json) -> Json:
    """Errors of the app; each has to name an input block, else Slack shows nothing."""
    errors: Any = body.get("errors")
    if not isinstance(errors, dict) or not errors:
        raise ApiError("invalid_arguments", "errors must not be empty [json-pointer:/errors]")
    named = cast("Json", errors)
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    for block_id, words in named.items():
        if block_id not in inputs or not isinstance(words, str) or not words:
            raise ApiError("invalid_arguments", f"no input block {block_id} [json-pointer:/errors]")
    return {"response_action": "errors", "errors": named}


def _words(error: Exception) -> str:
    if isinstance(error, ApiError):
        messages = error.more.get("response_metadata", {}).get("messages", [])
        return " ".join([error.code, *messages])
    return str(error)
