"""`make soak`: N threads, SECONDS of chaos; exit 1 unless every count is zero."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.soak.soak import Result, soak


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--threads", type=int, default=300, help="N=: how many refunds are asked")
    parser.add_argument("--seconds", type=float, default=300, help="SECONDS=: how long chaos lasts")
    parser.add_argument("--seed", type=int, default=None, help="SEED=: draws the same troubles")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)  # noqa: S311 - to be drawn again, not to be secret
    console = Console(highlight=False)
    console.print(f"{given.threads} threads, {given.seconds:.0f} s of chaos, seed {seed}")
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        begun = time.monotonic()
        result = asyncio.run(soak(Path(directory), given.threads, given.seconds, dice, console))
    show(result, console, time.monotonic() - begun)
    sys.exit(0 if result.held else 1)


def show(result: Result, console: Console, took: float) -> None:
    table = Table("What", "Count", box=None)
    for what, many in result.done.items():
        table.add_row(what, str(many))
    table.add_section()
    for kind, many in result.wrong.items():
        table.add_row(f"[bold]{kind}[/]", f"[{'red' if many else 'green'}]{many}[/]")
    console.print(table)
    for line in result.words:
        console.print(line, style="red", markup=False)
    console.print(f"{'All of it held' if result.held else 'Not all of it held'}, {took:.0f} s.")


if __name__ == "__main__":
    main()
