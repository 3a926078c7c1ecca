"""Steps on docket: queued once while nothing changed, delivered again after a crash."""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

from docket import CurrentExecution, Docket, Execution
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.steps import Step, StepKind

log = logging.getLogger(__name__)

GONE_FOR = timedelta(hours=1)
# KEYS 1 stream   ARGV 1 group of its workers  2 milliseconds of silence
FORGET_WORKERS = """for _, worker in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local about = {}
  for at = 1, #worker, 2 do about[worker[at]] = worker[at + 1] end
  if about.pending == 0 and about.idle >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
  end
end"""


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

    async def forget_workers(self, redis: Redis, gone_for: timedelta = GONE_FOR) -> None:
        """Docket keeps the name of each worker that there ever was. One that has been silent for
        so long, and has nothing in hand, is dropped; if it speaks again, it is known again."""
        stream, group = self.docket.stream_key, self.docket.worker_group_name
        idle = int(gone_for.total_seconds() * 1000)
        with contextlib.suppress(ResponseError):  # no worker was ever here, or we may not
            await redis.eval(FORGET_WORKERS, 1, stream, group, str(idle))

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
