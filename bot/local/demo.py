"""`countersign demo`: everything running, sample requests, and the address of the page."""

import asyncio
import shlex
import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from bot.local.redis import EmbeddedRedisError
from bot.local.stage import Stage, StageFailed, open_stage

EXPECTED = (EmbeddedRedisError, StageFailed)  # their words are for people
SAMPLES = (
    ("Acme GmbH", "50000.00", "USD", "Contract cancelled within the notice period"),
    ("Nordlicht Versand", "86.40", "EUR", "Parcel arrived damaged; photos in the ticket"),
    ("Hanako Sato", "12000", "JPY", "Charged twice for the same order"),
)

MAIL = "to=ada@acme.example subject=Offer body=Attached. attachments=offer.txt"


async def demo(port: int, console: Console) -> None:
    """Serve until SIGINT or SIGTERM."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with open_stage(port) as stage:
        write_offer(stage.directory / "files")
        with console.status("Starting two bot instances …"):
            await asyncio.gather(*(stage.start_instance(name) for name in ("bot-1", "bot-2")))
            for customer, amount, currency, reason in SAMPLES:
                await stage.start_refund(customer, amount, reason, currency=currency)
            await stage.until("the first card is shown", lambda: stage.card(SAMPLES[0][0]))
        console.print(_welcome(stage))
        for line in commands(stage.environment()):  # outside the frame: to be copied
            console.print(line, markup=False, soft_wrap=True)
        await stopping.wait()
        console.print("Stopping …")


def write_offer(files: Path) -> None:
    """Something that can be attached."""
    files.mkdir()
    (files / "offer.txt").write_text("Ten apples for a Euro, until Friday.\n", encoding="utf-8")


def _welcome(stage: Stage) -> Panel:
    pids = ", ".join(f"{i.name} (pid {i.process.pid})" for i in stage.instances.values())
    lines = (
        f"Open [bold cyan]{stage.slack.url}[/]",
        "A local stand-in for Slack: nothing leaves this machine.",
        "",
        "[bold]Try[/]",
        "  1. Approve a refund, or Edit one to pay less: you are Mara, a reviewer. Watch the card",
        "     and its thread.",
        "  2. Switch to Tom, who asked for them, and click: he may not decide his own.",
        "  3. Type /approvals, or start one more:",
        '     [bold]/approvals start refund customer="Ada" amount=9.90 reason="Late"[/]',
        "     or a mail, whose text can be edited; it goes into an outbox, not into the world:",
        f"     [bold]/approvals start outbound_email {MAIL}[/]",
        f"  4. [bold]kill -9[/] an instance: {pids}.",
        "     The other one goes on with everything.",
        "  5. List what waits in a terminal, and count the refunds: the commands are below.",
        "",
        "Ctrl-C stops all of it and leaves nothing behind.",
    )
    return Panel("\n".join(lines), title="Countersign demo", border_style="cyan", expand=False)


def commands(environment: dict[str, str]) -> list[str]:
    """What can be typed in another terminal meanwhile."""
    chosen = ("REDIS_URL", "COUNTERSIGN_NAMESPACE", "COUNTERSIGN_PAYMENTS_DB")
    here = " ".join(f"{name}={shlex.quote(environment[name])}" for name in chosen)
    program = shlex.quote(str(Path(sys.executable).with_name("countersign")))
    ledger = shlex.quote(environment["COUNTERSIGN_PAYMENTS_DB"])
    count = (
        "import sqlite3, sys; "
        "print(*sqlite3.connect(sys.argv[1]).execute('SELECT * FROM refunds'), sep='\\n')"
    )
    return [f"{here} {program} list", f'python3 -c "{count}" {ledger}']
