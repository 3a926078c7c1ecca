"""`make faults`: every journey, killed at every call; a table, and exit 1 unless it is all zeros.

make faults                              every journey, at every call
make faults ARGS="--every 10 parallel"   every tenth call of those with the word in their name
make faults ARGS=--freeze                frozen at every call, while another process goes on
"""

import argparse
import logging
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console

from bot.local.torture.calls import How
from bot.local.torture.crashes import Stand, Tortured, torture
from bot.local.torture.report import report, table
from tests.faults.journeys import journeys


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--every", type=int, default=1, help="crash at each K-th call only")
    parser.add_argument("--freeze", action="store_true", help="freeze the process, not kill it")
    parser.add_argument("words", nargs="*", help="only journeys with one of these in their name")
    given = parser.parse_args()
    how: How = "frozen" if given.freeze else "killed"
    names = [n for n in journeys(Path()) if not given.words or any(w in n for w in given.words)]
    out = Console()
    done: list[Tortured] = []
    # Each journey has a process and a Redis of its own.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawn) as pool:
        waiting = [pool.submit(crash_everywhere, name, given.every, how) for name in names]
        for each in as_completed(waiting):
            done.append(each.result())
            bad = len({d.crash for d in done[-1].deviations})
            out.print(f"{done[-1].journey}: {done[-1].crashes} crashes, {bad} with another end")
    for each in done:
        if each.deviations:
            out.print(report(each))
    out.print(table(sorted(done, key=lambda each: names.index(each.journey))))
    return 1 if any(each.deviations for each in done) else 0


def crash_everywhere(name: str, every: int, how: How) -> Tortured:
    logging.disable()
    with (
        tempfile.TemporaryDirectory(prefix="countersign-") as directory,
        Stand.open(Path(directory)) as stand,
    ):
        journey = journeys(Path(directory))[name]
        return torture(stand, journey, slice(None, None, every), how=how)
