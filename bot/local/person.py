"""A person of the local workspace, for tests: does and sees what a Slack user can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.local.acts import Acts
from bot.local.core import Core
from bot.local.fill import elements_of
from bot.local.mentions import notified
from bot.local.records import Channel, Json, User
from bot.local.state_values import Entered, options_of


@dataclass(frozen=True)
class Seen:
    """A message as a person sees it: where it stands, and its content."""

    channel: str
    json: Json

    @property
    def ts(self) -> str:
        return self.json["ts"]

    @property
    def text(self) -> str:
        return self.json.get("text", "")

    @property
    def blocks(self) -> list[Json]:
        return self.json.get("blocks", [])

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.json.get("is_ephemeral"))

    @property
    def buttons(self) -> list[str]:
        """The texts of its buttons, in order."""
        return button_texts(self.blocks)

    @property
    def notifies(self) -> set[str]:
        """Ids of people and groups, `everyone`, `channel`, `here`."""
        return notified(self.json)

    @property
    def words(self) -> str:
        """All text of it that a person reads, blocks included."""
        return "\n".join([self.text, *texts_in(self.blocks)])


def texts_in(value: Any) -> list[str]:
    """Every string that is shown: text objects, rich text, options, titles."""
    if isinstance(value, list):
        items: list[Any] = value
        return [text for item in items for text in texts_in(item)]
    if not isinstance(value, dict):
        return []
    fields: Json = value
    own = [fields["text"]] if isinstance(fields.get("text"), str) else []
    return own + [text for item in fields.values() for text in texts_in(item)]


def button_texts(blocks: list[Json]) -> list[str]:
    return [e["text"]["text"] for b in blocks for e in elements_of(b) if e["type"] == "button"]


@dataclass(frozen=True)
class Person:
    user: User
    core: Core
    acts: Acts

    @property
    def id(self) -> str:
        return self.user.id

    # -- seeing ---------------------------------------------------------------------------------

    def sees(self, channel: str = "#approvals") -> list[Seen]:
        """The messages of a channel (ephemeral ones too), oldest first."""
        where = self._channel(channel)
        return [Seen(where, m) for m in self.acts.channel_seen(self.id, where)]

    def direct(self) -> list[Seen]:
        """The messages of this person's conversation with the bot."""
        return self.sees(self.core.workspace.direct_message(self.id).id)

    def replies(self, message: Seen) -> list[Seen]:
        """The thread below a message, without the message itself."""
        seen = self.acts.thread_seen(self.id, message.channel, message.ts)
        return [Seen(message.channel, reply) for reply in seen[1:]]

    def again(self, message: Seen) -> Seen:
        """The message as it is now."""
        for seen in self.sees(message.channel):
            if seen.ts == message.ts:
                return seen
        found = self.core.workspace.find(message.channel, message.ts)
        if found is None:
            raise LookupError(f"the message {message.ts} is gone")
        return Seen(message.channel, found)

    @property
    def modal(self) -> Json | None:
        """The modal on top."""
        stack = self.core.modals.stack(self.id)
        return stack[-1] if stack else None

    # -- doing ----------------------------------------------------------------------------------

    def says(self, text: str, channel: str = "#approvals", thread: Seen | None = None) -> Seen:
        where = thread.channel if thread else self._channel(channel)
        message = self.acts.write(self.id, where, text, thread.ts if thread else None)
        return Seen(where, message)

    def delete(self, message: Seen) -> None:
        self.acts.delete(self.id, message.channel, message.ts)

    async def command(self, text: str, channel: str = "#approvals") -> None:
        await self.acts.command(self.id, self._channel(channel), text)

    async def shortcut(self, callback_id: str) -> None:
        await self.acts.shortcut(self.id, callback_id)

    async def click(self, message: Seen, label: str, value: str | None = None) -> None:
        """Click a button (by its text or action_id) or choose an option by value or by its text.

        What is clicked is what `message` showed, even when it has changed since.
        """
        block_id, action_id, chosen = _find(message.blocks, label, value)
        container: Json = {
            "type": "message",
            "channel_id": message.channel,
            "message_ts": message.ts,
            "is_ephemeral": message.is_ephemeral,
        }
        await self.acts.act(self.id, container, (block_id, action_id, chosen))

    async def click_in(self, view: Json | None, label: str, value: str | None = None) -> None:
        """The same in a modal or in App Home."""
        if view is None:
            raise LookupError("no view is open")
        block_id, action_id, chosen = _find(view["blocks"], label, value)
        container: Json = {"type": "view", "view_id": view["id"]}
        await self.acts.act(self.id, container, (block_id, action_id, chosen))

    async def submit(self, entered: dict[str, Any] | None = None) -> dict[str, str]:
        """Fill the top modal (by label, action_id or block_id) and submit; errors by block."""
        view = self.modal
        if view is None:
            raise LookupError(f"{self.user.real_name} has no modal open")
        answer = await self.acts.submit(self.id, view["id"], _entered(view, entered or {}))
        return answer.get("errors", {})

    async def close(self) -> None:
        """Cancel the top modal."""
        view = self.modal
        if view is None:
            raise LookupError(f"{self.user.real_name} has no modal open")
        await self.acts.close(self.id, view["id"])

    async def home(self) -> Json | None:
        """Open App Home; what is there once the bot has acknowledged."""
        return await self.acts.open_home(self.id)

    @property
    def home_view(self) -> Json | None:
        """App Home as it is, without opening it again."""
        return self.core.modals.home(self.id)

    def _channel(self, name: str) -> str:
        channel: Channel | None = self.core.workspace.channel_named(name)
        if channel is None:
            raise LookupError(f"there is no channel {name}")
        return channel.id


def _find(blocks: list[Json], label: str, value: str | None) -> tuple[str, str, str | None]:
    """Block, action and value of what a person means by `label`."""
    for block in blocks:
        for element in elements_of(block):
            ids = (block["block_id"], element["action_id"])
            text = element.get("text")
            if label in (element["action_id"], text["text"] if isinstance(text, dict) else None):
                return (*ids, _option(element, value) if value is not None else None)
            for option in options_of(element):
                if value is None and label == option["text"]["text"]:
                    return (*ids, option["value"])
    raise LookupError(f"there is no {label!r} here, only {button_texts(blocks)}")


def _option(element: Json, value: str) -> str:
    """An option's value, given by value or by its text."""
    for option in options_of(element):
        if value == option["text"]["text"]:
            return option["value"]
    return value


def _entered(view: Json, entered: dict[str, Any]) -> Entered:
    """What was entered, by block and action."""
    state: Entered = {}
    for name, value in entered.items():
        block, element = _input_named(view, name)
        state.setdefault(block["block_id"], {})[element["action_id"]] = _as_value(element, value)
    return state


def _as_value(element: Json, value: Any) -> Any:
    if not options_of(element):
        return value
    if isinstance(value, str):
        return _option(element, value)
    return value if value is None else [_option(element, one) for one in value]


def _input_named(view: Json, name: str) -> tuple[Json, Json]:
    labels: list[str] = []
    for block in view["blocks"]:
        label = block.get("label", {}).get("text", "")
        labels.append(label)
        for element in elements_of(block):
            if name in (label, element["action_id"], block["block_id"]):
                return block, element
    raise LookupError(f"there is no input {name!r}, only {[one for one in labels if one]}")
