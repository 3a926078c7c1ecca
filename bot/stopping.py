"""How a process ends: when SIGTERM or SIGINT says so, also while it starts, and within a limit."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any

log = logging.getLogger(__name__)


class Stop:
    """told: set by the signals, or when the work ends by itself. starting: nothing has begun yet
    that would have to be finished. error: for which the work ends."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.starting = True
        self.error: BaseException | None = None

    @contextlib.contextmanager
    def ending(self) -> Generator[None, None, None]:
        """From the end of this block on, also by an error, the limit counts."""
        try:
            yield
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.told.set()


async def until_told(work: Callable[[Stop], Coroutine[Any, Any, None]], within: float) -> None:
    """Do this work, which ends when it is told so: cancelled at once while it is starting. Where
    it then needs longer than `within` (Redis sleeps, and so nothing can be closed) the process ends
    all the same: what it had begun is in the records, and others are handed it as after a crash."""
    stop = Stop()
    if threading.current_thread() is threading.main_thread():  # signals come to no other
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.told.set)
    working = asyncio.create_task(work(stop))
    told = asyncio.create_task(stop.told.wait())
    await asyncio.wait([working, told], return_when=asyncio.FIRST_COMPLETED)
    # A thread: what still waits for Redis or Slack may heed no cancel, also not of asyncio.run.
    timer = threading.Timer(within, _end, [within, stop])
    timer.daemon = True
    if stop.told.is_set():
        timer.start()
    while stop.starting and not working.done():
        working.cancel()  # again and again: a client of Redis that waits swallows one
        await asyncio.wait([working], timeout=1)
    await asyncio.wait([working])
    told.cancel()
    if stop.error is not None:  # whoever called this hears of it, and may live on
        timer.cancel()
    if not working.cancelled():
        working.result()


def _end(within: float, stop: Stop) -> None:
    log.warning("not stopped within %g s: ending; what was begun is left to others", within)
    if stop.error is not None:  # nobody else will say it
        log.error("%s", stop.error)
    os._exit(0 if stop.error is None else 1)
