"""Reviewers: each card is decided in one of the ways that people (and Slack) come up with."""

import asyncio
import random
from dataclasses import dataclass, field

from bot.local.fill import elements_of
from bot.local.person import Seen
from bot.local.records import Json
from bot.local.response_urls import Target
from bot.local.sockets import Ack
from bot.views.card import ButtonValue
from tests.faults.soak.cluster import Cluster

WAYS = ("approve", "reject", "double", "opposite", "stale", "replay")
LOOK = 0.3  # seconds between two looks at the channel
AGAIN = 1.0  # seconds after which a person clicks again whose click Slack marked as failed
PATIENCE = 6.0  # seconds for a card to change before a person clicks again
RETRY = "retry_run"  # no decision, but a click as any other
BUTTON = {
    "approve": "Approve",
    "reject": "Reject",
    RETRY: "Retry",
    "done": "It happened",
    "not_done": "It did not happen",
    "retry": "Try again",
}


@dataclass(frozen=True)
class Click:
    """One that Slack says the bot has acknowledged. at: by the loop's clock. answer: where a
    private answer to it would have gone."""

    approval: str
    user: str
    decision: str
    at: float
    answer: Target


@dataclass
class Reviewers:
    """ways: what was done with each card, by its title. failed: clicks that Slack marked with a
    warning, since nobody acknowledged them."""

    cluster: Cluster
    random: random.Random
    ways: dict[str, str] = field(default_factory=dict[str, str])
    clicks: list[Click] = field(default_factory=list[Click])
    failed: int = 0
    busy: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def work(self) -> None:
        """Until cancelled."""
        mara = self.cluster.slack.person("mara")
        while True:
            for card in mara.sees():
                title = title_of(card)
                if title and title not in self.ways and "Approve" in card.buttons:
                    self.ways[title] = self.random.choice(WAYS)
                    task = asyncio.create_task(self._decide(title, card))
                    self.busy.add(task)
                    task.add_done_callback(self.busy.discard)
            await asyncio.sleep(LOOK)

    async def _decide(self, title: str, card: Seen) -> None:
        await asyncio.sleep(self.random.uniform(0, 2))
        first = self.random.choice(("approve", "reject"))
        match self.ways[title]:
            case "approve" | "reject" as decision:
                await self.until_acknowledged(card, "mara", decision)
            case "opposite":
                await asyncio.gather(
                    self.until_acknowledged(card, "mara", "approve"),
                    self.until_acknowledged(card, "jonas", "reject"),
                )
            case "double":
                await asyncio.gather(
                    *(self.until_acknowledged(card, "mara", first) for _ in range(2))
                )
            case "stale":
                await self.until_acknowledged(card, "mara", first)
                await self.until_acknowledged(card, "jonas", other(first))
            case _:
                payload = self._payload(card, "mara", first)
                await self.until_acknowledged(card, "mara", first)
                await self._send("mara", first, payload)

    async def until_acknowledged(self, card: Seen, who: str, decision: str) -> None:
        """What a person does whose click Slack marks with a warning, or who is told that nothing
        was recorded: click again, as long as the card still offers it."""
        while True:
            ack = await self._send(who, decision, self._payload(card, who, decision))
            self.failed += not ack.ok
            await asyncio.sleep(AGAIN if not ack.ok else PATIENCE)
            if BUTTON[decision] not in self.cluster.slack.person(who).again(card).buttons:
                return

    async def _send(self, who: str, decision: str, payload: Json) -> Ack:
        slack, now = self.cluster.slack, asyncio.get_running_loop().time()
        answer = slack.response_urls.target_of(payload["response_url"])
        ack = await slack.delivery.send("interactive", payload, answerable=False)
        if ack.ok:
            value = ButtonValue.read(payload["actions"][0]["value"])
            approval = value.approval if value else ""
            self.clicks.append(Click(approval, slack.person(who).id, decision, now, answer))
        return ack

    def _payload(self, card: Seen, who: str, decision: str) -> Json:
        slack = self.cluster.slack
        block, button = _button(card, BUTTON[decision])
        channel = slack.workspace.channels[card.channel]
        user = slack.person(who).user
        return slack.acts.payloads.message_action(
            user, channel, card.json, (block, button, None), {}
        )


def other(decision: str) -> str:
    return "reject" if decision == "approve" else "approve"


def title_of(card: Seen) -> str | None:
    headers = [block["text"]["text"] for block in card.blocks if block["type"] == "header"]
    return headers[0] if headers else None


def _button(card: Seen, label: str) -> tuple[Json, Json]:
    for block in card.blocks:
        for element in elements_of(block):
            if element["type"] == "button" and element["text"]["text"] == label:
                return block, element
    raise LookupError(label)
