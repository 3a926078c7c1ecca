"""`countersign demo --tour`: the journey plays itself, and checks that all of it held."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bot.local.person import Seen
from bot.local.stage import Stage, StageFailed, open_stage

PAID, REFUSED, CRASHED = "Acme GmbH", "Nordlicht Versand", "Hanako Sato"


@dataclass(frozen=True)
class Check:
    what: str
    held: bool
    seen: str


async def tour(console: Console) -> bool:
    """Play it against two real processes; True where every check held."""
    async with open_stage(port=0) as stage:
        journey = _Journey(stage, console)
        try:
            await journey.play()
        except StageFailed as failed:
            console.print(f"[red]✗[/] {failed}", highlight=False)
            return False
        checks = await journey.check()
    table = Table("", "Checked", "Seen", box=None)
    for check in checks:
        table.add_row("[green]✓[/]" if check.held else "[red]✗[/]", check.what, check.seen)
    console.print(table)
    held = all(check.held for check in checks)
    console.print("[bold green]All of it held.[/]" if held else "[bold red]Not all of it held.[/]")
    return held


class _Journey:
    def __init__(self, stage: Stage, console: Console) -> None:
        self.stage = stage
        self.console = console
        self.threads: dict[str, str] = {}

    async def play(self) -> None:
        await self._step("Start two bot instances as processes", self._instances)
        await self._step("Start three refunds, each waits for a person", self._refunds)
        await self._step(f"Mara approves the refund to {PAID}", self._approve)
        await self._step(f"Jonas rejects the refund to {REFUSED}", self._reject)
        await self._step(f"kill -9 the instance that posted the card of {CRASHED}", self._kill)
        await self._step(f"Mara approves {CRASHED} on the other instance", self._approve_crashed)
        await self._step("The killed instance comes back, with nothing left to do", self._revive)

    async def check(self) -> list[Check]:
        refunds = await self.stage.payments.refunds()
        return [
            *(self._refunded(refunds, customer, 1) for customer in (PAID, CRASHED)),
            self._refunded(refunds, REFUSED, 0),
            *[await self._closed(customer) for customer in (PAID, REFUSED, CRASHED)],
        ]

    async def _step(self, what: str, play: Callable[[], Awaitable[str]]) -> None:
        with self.console.status(what):
            seen = await play()
        self.console.print(f"[green]✓[/] {what}: {seen}", highlight=False)

    async def _instances(self) -> str:
        started = [await self.stage.start_instance(name) for name in ("bot-1", "bot-2")]
        return ", ".join(f"{each.name} is pid {each.process.pid}" for each in started)

    async def _refunds(self) -> str:
        for customer, amount, currency in (
            (PAID, "50000.00", "USD"),
            (REFUSED, "86.40", "EUR"),
            (CRASHED, "12000", "JPY"),
        ):
            reason = "Requested by the customer"
            self.threads[customer] = await self.stage.start_refund(
                customer, amount, reason, currency=currency
            )
            await self._card(customer, "Approval needed")
        return ", ".join(self.threads.values())

    async def _approve(self) -> str:
        return await self._decide("mara", PAID, "Approve", "Refund done")

    async def _reject(self) -> str:
        return await self._decide("jonas", REFUSED, "Reject", "Nothing was executed")

    async def _kill(self) -> str:
        poster = await self._poster(CRASHED)
        await self.stage.instances[poster].kill()
        return f"{poster} is gone"

    async def _approve_crashed(self) -> str:
        return await self._decide("mara", CRASHED, "Approve", "Refund done")

    async def _revive(self) -> str:
        dead = next(name for name, each in self.stage.instances.items() if not each.running)
        instance = await self.stage.start_instance(dead)
        return f"{dead} is pid {instance.process.pid}"

    async def _decide(self, who: str, customer: str, button: str, words: str) -> str:
        card = await self._card(customer, "Approval needed")
        await self.stage.person(who).click(card, button)
        return (await self._card(customer, words)).text

    async def _card(self, customer: str, words: str) -> Seen:
        def now() -> Seen | None:
            card = self.stage.card(customer)
            return card if card and words in card.text else None

        return await self.stage.until(f"{words!r} on the card of {customer}", now)

    async def _poster(self, customer: str) -> str:
        """Which instance posted the card: the trail names it."""
        trail = await self.stage.store.trail(self.threads[customer])
        shown = [event.detail["instance"] for event in trail if event.tag == "approval:shown"]
        return str(shown[0])

    def _refunded(
        self, refunds: list[tuple[str, str, int, str]], customer: str, times: int
    ) -> Check:
        found = [key for key, who, _, _ in refunds if who == customer]
        what = f"{customer} was refunded {'once' if times else 'never'}"
        return Check(what, len(found) == times, ", ".join(found) or "no refund in the ledger")

    async def _closed(self, customer: str) -> Check:
        """The run is finished, its card has no buttons left, and its thread tells it once."""
        thread_id = self.threads[customer]
        story = await self.stage.until(
            f"the thread of {customer} is told", lambda: self._told(customer)
        )
        run = await self.stage.store.run(thread_id)
        card = self.stage.card(customer)
        held = run is not None and run.status == "finished" and card is not None
        once = len(story) == len(set(story))
        open_buttons = card.buttons if card else []
        what = f"{customer}: run finished, card closed, each step told once"
        return Check(what, held and once and not open_buttons, " → ".join(story))

    def _told(self, customer: str) -> list[str] | None:
        card = self.stage.card(customer)
        replies = self.stage.person("mara").replies(card) if card else []
        told = [re.split(r" on digest|, | by ", reply.text)[0] for reply in replies]
        return told if told and told[-1] == "Workflow finished" else None
