"""Steps on docket: queued once while nothing changed, delivered again after a crash."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_args

from docket import CurrentExecution, Docket, Execution

from bot.steps import Step, StepKind

log = logging.getLogger(__name__)


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


def passing_over() -> Callable[..., Awaitable[None]]:
    """What a worker does with a step of a kind that only newer code knows: say so once, and let
    go. Whoever owes the step is asked again by the reconcile of a worker that knows it."""
    told = set[str]()

    async def pass_over(
        *_given: Any,
        execution: Execution = CurrentExecution(),  # noqa: B008 - docket's way to be given it
        **_more: Any,
    ) -> None:
        if execution.function_name not in told:
            told.add(execution.function_name)
            log.warning(
                "steps of the kind %s are for newer code; passed over", execution.function_name
            )

    return pass_over
