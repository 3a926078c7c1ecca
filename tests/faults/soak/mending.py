"""Reviewers of what went wrong: they retry what failed, and say what became of an effect in doubt,
always the truth, as the provider's own log tells it."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from bot.local.person import Seen
from tests.faults.soak.process import key_of
from tests.faults.soak.provider import Provider
from tests.faults.soak.reviewers import BUTTON, LOOK, RETRY, Reviewers, title_of

NOT_HAPPENED = ("not_done", "retry")  # what one may say then
SENDS = "Send for "  # begins the title of a card; the rest is its thread


@dataclass
class Mending:
    """said: what was answered, and how often. busy: the cards in hand, by ts."""

    reviewers: Reviewers
    provider: Provider
    random: random.Random
    said: Counter[str] = field(default_factory=Counter[str])
    busy: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, asyncio.Task[None]])

    async def work(self) -> None:
        """Until cancelled."""
        mara = self.reviewers.cluster.slack.person("mara")
        try:
            while True:
                for card in mara.sees():
                    if SENDS in (title_of(card) or "") and card.ts not in self.busy:
                        self._take(card)
                await asyncio.sleep(LOOK)
        finally:
            for task in self.busy.values():
                task.cancel()

    def _take(self, card: Seen) -> None:
        if BUTTON[RETRY] in card.buttons:
            work = self._retry(card)
        elif BUTTON["done"] in card.buttons:
            work = self._answer(card)
        else:
            return
        task = asyncio.create_task(work)
        self.busy[card.ts] = task
        task.add_done_callback(lambda _: self.busy.pop(card.ts))

    async def _retry(self, card: Seen) -> None:
        """First whatever it failed by is mended. Two people think of it at once."""
        self.provider.mend(_key(card))
        self.said["a run retried"] += 1
        click = self.reviewers.until_acknowledged
        await asyncio.gather(*(click(card, who, RETRY) for who in ("mara", "jonas")))

    async def _answer(self, card: Seen) -> None:
        truth = self.provider.truth(_key(card))
        if truth == "is on its way":
            return  # who looks again in a moment will know
        answers = ("done", "done") if truth == "happened" else NOT_HAPPENED
        mara, jonas = self.random.sample(answers, 2)
        self.said[f"an effect in doubt that {truth}"] += 1
        click = self.reviewers.until_acknowledged
        await asyncio.gather(click(card, "mara", mara), click(card, "jonas", jonas))


def _key(card: Seen) -> str:
    return key_of((title_of(card) or "").partition(SENDS)[2])
