"""`countersign demo --tour`: the journey plays itself, and checks that all of it held."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bot.audit import Tag
from bot.local.person import Seen
from bot.local.stage import Stage, open_stage

PAID, LESS, REFUSED, CRASHED = "Acme GmbH", "Globex Travel", "Nordlicht Versand", "Hanako Sato"
AMOUNTS = {
    PAID: ("50000.00", "USD"),
    LESS: ("900.00", "USD"),
    REFUSED: ("86.40", "EUR"),
    CRASHED: ("12000", "JPY"),
}
PART = "750.00"  # of what LESS asked for
# In minor units; nobody else.
LEDGER = {PAID: (5_000_000, "USD"), LESS: (75_000, "USD"), CRASHED: (12_000, "JPY")}
DONE = ("Requested", "Approved", "Workflow resumed", "Refund done", "Workflow finished")
NOT_DONE = ("Requested", "Rejected", "Workflow resumed", "Workflow finished")
CHANGED = tuple("Approved with changes" if step == "Approved" else step for step in DONE)
STORIES = {PAID: DONE, LESS: CHANGED, REFUSED: NOT_DONE, CRASHED: DONE}


@dataclass(frozen=True)
class Check:
    what: str
    held: bool
    seen: str


async def tour(port: int, console: Console) -> bool:
    """Play it against two real processes; True where every check held. StageFailed where it
    does not come so far."""
    async with open_stage(port) as stage:
        journey = _Journey(stage, console)
        await journey.play()
        checks = await journey.check()
    table = Table("", "Checked", "Seen", box=None)
    for check in checks:
        table.add_row("[green]✓[/]" if check.held else "[red]✗[/]", check.what, check.seen)
    console.print(table)
    held = all(check.held for check in checks)
    console.print("[bold green]All of it held.[/]" if held else "[bold red]Not all of it held.[/]")
    return held


def check_ledger(refunds: list[tuple[str, str, int, str]], threads: dict[str, str]) -> list[Check]:
    """refunds: all that the ledger has. One for each approval, for what was approved, and none
    besides."""
    checks: list[Check] = []
    for customer, thread_id in threads.items():
        found = [refund for refund in refunds if refund[1] == customer]
        wanted = (
            [(f"refund:{thread_id}", customer, *LEDGER[customer])] if customer in LEDGER else []
        )
        what = f"{customer} was refunded {'once' if wanted else 'never'}"
        seen = ", ".join(f"{key} {amount} {currency}" for key, _, amount, currency in found)
        checks.append(Check(what, found == wanted, seen or "no refund in the ledger"))
    nobody_else = len(refunds) == len(LEDGER)
    return [
        *checks,
        Check("Nobody else was refunded", nobody_else, f"{len(refunds)} refunds in all"),
    ]


def check_story(customer: str, told: list[str], buttons: list[str], status: str) -> Check:
    """told: the replies under the card, in order."""
    what = f"{customer}: run finished, card closed, each step told once and in order"
    held = tuple(told) == STORIES[customer] and not buttons and status == "finished"
    return Check(what, held, " → ".join([*told, *buttons]))


class _Journey:
    def __init__(self, stage: Stage, console: Console) -> None:
        self.stage = stage
        self.console = console
        self.threads: dict[str, str] = {}
        self.killed = ""

    async def play(self) -> None:
        await self._step("Start two bot instances as processes", self._instances)
        await self._step("Start four refunds, each waits for a person", self._refunds)
        await self._step(f"Mara approves the refund to {PAID}", self._approve)
        await self._step(f"Jonas makes {LESS}'s less, {PART}, and approves that", self._change)
        await self._step(f"Jonas rejects the refund to {REFUSED}", self._reject)
        await self._step(f"kill -9 the instance that posted the card of {CRASHED}", self._kill)
        await self._step(f"Mara approves {CRASHED} on the other instance", self._approve_crashed)
        await self._step("The killed instance comes back", self._revive)

    async def check(self) -> list[Check]:
        """When nothing is owed any more."""
        stories = [await self._story(customer) for customer in self.threads]
        survivor = await self._survived()
        refunds = await self.stage.payments.refunds()
        return [*check_ledger(refunds, self.threads), *stories, survivor]

    async def _step(self, what: str, play: Callable[[], Awaitable[str]]) -> None:
        with self.console.status(what):
            seen = await play()
        self.console.print(f"[green]✓[/] {what}: {seen}", highlight=False)

    async def _instances(self) -> str:
        started = [await self.stage.start_instance(name) for name in ("bot-1", "bot-2")]
        return ", ".join(f"{each.name} is pid {each.process.pid}" for each in started)

    async def _refunds(self) -> str:
        for customer, (amount, currency) in AMOUNTS.items():
            reason = "Requested by the customer"
            self.threads[customer] = await self.stage.start_refund(
                customer, amount, reason, currency=currency
            )
            await self._card(customer, "Approval needed")
        return ", ".join(self.threads.values())

    async def _approve(self) -> str:
        return await self._decide("mara", PAID, "Approve", "Refund done")

    async def _change(self) -> str:
        jonas = self.stage.person("jonas")
        await jonas.click(await self._card(LESS, "Approval needed"), "Edit")
        await self.stage.until("the form is open", lambda: jonas.modal)
        await jonas.submit({"Amount": PART})
        return (await self._card(LESS, "Refund done")).text

    async def _reject(self) -> str:
        return await self._decide("jonas", REFUSED, "Reject", "Nothing was executed")

    async def _kill(self) -> str:
        self.killed = await self.stage.until(
            f"the trail says who posted the card of {CRASHED}",
            lambda: self._named(CRASHED, Tag.SHOWN),
        )
        instance = self.stage.instances[self.killed]
        await instance.kill()
        return f"{self.killed} ended by signal {-(instance.process.returncode or 0)}"

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

    async def _named(self, customer: str, tag: Tag) -> str | None:
        """Whose worker did this: the trail says it."""
        trail = await self.stage.store.trail(self.threads[customer])
        named = [
            str(event.detail["instance"]).removesuffix("-worker")
            for event in trail
            if event.tag == tag
        ]
        return named[0] if named else None

    async def _survived(self) -> Check:
        resumed = await self._named(CRASHED, Tag.RUN_RESUMED)
        what = f"{CRASHED} was resumed by the instance that lived"
        held = resumed in self.stage.instances and resumed != self.killed
        return Check(what, held, f"{self.killed} was killed, {resumed} resumed")

    async def _story(self, customer: str) -> Check:
        def told() -> list[str] | None:
            card = self.stage.card(customer)
            replies = self.stage.person("mara").replies(card) if card else []
            lines = [re.split(r" on digest|, | by |: ", reply.text)[0] for reply in replies]
            return lines if lines and lines[-1] == "Workflow finished" else None

        lines = await self.stage.until(f"the thread of {customer} is told", told)
        run = await self.stage.store.run(self.threads[customer])
        card = self.stage.card(customer)
        return check_story(
            customer, lines, card.buttons if card else ["no card"], run.status if run else "gone"
        )
