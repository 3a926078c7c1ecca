"""`countersign torture`: one workflow, crashed at every call, and a report."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bot.app import catalog
from bot.local.redis import EmbeddedRedisError
from bot.local.seeds import FINANCE_APPROVERS
from bot.local.stage import given_redis_url
from bot.local.torture import crashes, target
from bot.local.torture.calls import How
from bot.local.torture.crashes import Journey, NotRepeatable, Stand, Tortured
from bot.local.torture.life import Stuck
from bot.local.torture.report import report
from bot.settings import StoreSettings
from bot.trying import nowhere
from workflows.loading import BadTarget

EXPECTED = (BadTarget, EmbeddedRedisError, NotRepeatable, Stuck)  # their words are for people


@dataclass(frozen=True)
class Asked:
    """target: as it was typed. decide: what the reviewer clicks. every: at each K-th call, killed
    there or frozen, as `how` says."""

    target: str
    values: dict[str, Any]
    decide: str
    every: int
    how: How


async def torture(asked: Asked, console: Console) -> bool:
    """Whether every end was the same. Raises EXPECTED, InvalidInput."""
    # In a thread without a loop: each process of the kit has one of its own.
    tortured = await asyncio.to_thread(_torture, asked, console)
    console.print(report(tortured))
    return not tortured.deviations


def _torture(asked: Asked, console: Console) -> Tortured:
    with tempfile.TemporaryDirectory(prefix="countersign-") as name:
        directory = Path(name)
        given = {
            "REDIS_URL": "redis://unused",
            **nowhere(directory),
            # Who decides is the kit's reviewer, whatever stands here.
            "COUNTERSIGN_LEGAL": FINANCE_APPROVERS.id,
            "COUNTERSIGN_SIGNATORIES": FINANCE_APPROVERS.id,
        }
        make = target.load(asked.target, catalog(StoreSettings.model_validate(given)))
        make().read_input(asked.values)
        journey = Journey(asked.target, make, asked.values, asked.decide)
        with Stand.open(directory, given_redis_url()) as stand, Progress(console=console) as bar:
            row = bar.add_task("Freezing" if asked.how == "frozen" else "Killing", total=None)

            def progress(done: int, of: int) -> None:
                bar.update(row, completed=done, total=of)

            which = slice(None, None, asked.every)
            return crashes.torture(stand, journey, which, progress, asked.how)
