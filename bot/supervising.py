"""The worker of a bot that also works: a process of its own, since what graphs and the saver do
between two awaits would delay clicks. Not started again when it ends: the bot ends too, and
whoever runs the bot (systemd, Kubernetes) starts both, with a backoff that they can see."""

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator

from bot.health import Health, worker_polls
from bot.services import Services

log = logging.getLogger(__name__)

# -P: a folder `bot` in the directory in which it is started is not ours.
COMMAND = (sys.executable, "-P", "-m", "bot.child", "worker", "--of")


class WorkerEnded(Exception):
    """The bot's worker has ended by itself; the message says how."""


@contextlib.asynccontextmanager
async def supervised(
    services: Services, health: Health, within: float
) -> AsyncGenerator[asyncio.Task[None], None]:
    """A worker with the settings of this process, and its standard error. Gives the task that
    fails when it ends by itself. When this stops, the worker is told to, waited for and, after
    `within` seconds, killed; where this process dies, it stops by itself."""
    name = f"{services.instance}-worker"
    process = await asyncio.create_subprocess_exec(*COMMAND, name, stdin=PIPE)
    log.info("%s is pid %s", name, process.pid)
    ended = asyncio.create_task(_ended(process, name))
    docket = services.changes.queue.docket
    health.live["worker"] = worker_polls(services.store.redis, docket, name, ended)
    try:
        yield ended
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait([ended], timeout=within)
        if not ended.done():
            log.error("%s did not stop within %g s, and is killed", name, within)
            process.kill()
        with contextlib.suppress(WorkerEnded):
            await ended


async def _ended(process: Process, name: str) -> None:
    code = await process.wait()
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    raise WorkerEnded(f"The worker of this bot ({name}) ended {how}; it says why above, if it can.")
