"""Steps on docket: queued once while nothing changed, delivered again after a crash."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_args

from docket import Docket

from bot.steps import Step, StepKind


@dataclass(frozen=True)
class Queue:
    """Any process may add a step; the ones that `serve` carry them out."""

    docket: Docket

    @classmethod
    def on(cls, docket: Docket) -> "Queue":
        for kind in get_args(StepKind):
            docket.register(_served_elsewhere, names=[kind])
        return cls(docket)

    def serve(self, **tasks: Callable[..., Awaitable[None]]) -> None:
        """Carry out steps of this name here. Arguments are plain strings (a record's id)."""
        for name, task in tasks.items():
            self.docket.register(task, names=[name])

    async def add(self, step: Step, again: int = 0) -> None:
        """Have the step done; nothing happens where the same one is queued or running. again:
        another number is another task, where a worker took the first one and is gone."""
        key = f"{step.key}~{again}" if again else step.key
        await self.docket.add(step.kind, key=key)(step.subject)


async def _served_elsewhere(subject: str) -> Any:
    raise RuntimeError(f"no worker of this process serves steps ({subject})")
