"""The person who decides: clicks a button of a card as it stands, by the real Bolt app."""

import asyncio
from dataclasses import dataclass
from typing import Any

from slack_bolt.request.async_request import AsyncBoltRequest

from bot import listeners
from bot.bolt_app import bolt_app
from bot.local.person import texts_in
from bot.local.records import Json, User
from bot.local.server import ACK_SECONDS
from bot.local.torture.world import World
from bot.services import Services
from bot.views.card import ActionId, ButtonValue

BUTTONS: dict[str, str] = {"approve": ActionId.APPROVE, "reject": ActionId.REJECT}


@dataclass(frozen=True)
class Click:
    """button: (its block, itself), as the card shows them."""

    who: User
    card: Json
    button: tuple[Json, Json]

    @property
    def name(self) -> str:
        """The same for the same button of the same card."""
        return f"{self.card['ts']} {self.button[1]['value']}"


class Reviewer:
    """Of one process: clicks reach its listeners. What was not acknowledged is clicked again."""

    def __init__(self, services: Services, world: World, decide: str) -> None:
        self._services = services
        self._world = world
        self._action = BUTTONS[decide]
        self._app = bolt_app(services.slack)
        listeners.register(self._app, services)

    async def next_click(self) -> Click | None:
        """The first card, by its words, that offers a button and was not answered yet."""
        found = [click for card in self._world.cards() for click in await self._offered(card)]
        fresh = [click for click in found if click.name not in self._world.acknowledged]
        return min(fresh, key=lambda click: (click.card["text"], click.card["ts"]), default=None)

    async def _offered(self, card: Json) -> list[Click]:
        clicks: list[Click] = []
        wanted = self._wanted(card)
        for block in card["blocks"]:
            for element in _buttons(block):
                value = ButtonValue.read(str(element.get("value", "")))
                if value is None or element["action_id"] != wanted:
                    continue
                approval = await self._services.store.approval(value.approval)
                approvers = approval.policy.approvers if approval else ()
                who = self._world.reviewer(approvers)
                clicks.append(Click(who, card, (block, element)))
        return clicks

    def _wanted(self, card: Json) -> str:
        """The button that is clicked, if the card has it: on a doubt, what is so."""
        offered = {button["action_id"] for block in card["blocks"] for button in _buttons(block)}
        if ActionId.HAPPENED not in offered:
            return self._action
        words = texts_in(card["blocks"])
        key = next((key for key in self._world.without_find if key in words), "")
        self._world.asked.add(key)
        return ActionId.HAPPENED if self._world.called[key] else ActionId.CALL_AGAIN

    async def click(self, click: Click) -> None:
        """Acknowledged is a click as soon as `ack()` was called: Slack may have it from there. When
        its three seconds are over, Slack says that it failed, and it is made again."""
        self._world.clicked()
        request = self._request(click)
        others, loop = asyncio.all_tasks(), asyncio.get_running_loop()
        too_late = loop.time() + ACK_SECONDS
        try:
            await self._app.async_dispatch(request)
        finally:
            if request.context.ack.response is not None and loop.time() < too_late:
                self._world.acknowledged.add(click.name)
        mine: set[asyncio.Task[Any]] = asyncio.all_tasks() - others
        if mine:  # the listener goes on after its ack
            await asyncio.wait(mine)

    def _request(self, click: Click) -> AsyncBoltRequest:
        """As it comes over Socket Mode."""
        payload = self._world.slack.acts.payloads.message_action(
            click.who, self._world.channel, click.card, (*click.button, None), {}
        )
        return AsyncBoltRequest(mode="socket_mode", body=payload)


def _buttons(block: Json) -> list[Json]:
    return block.get("elements", []) if block["type"] == "actions" else []
