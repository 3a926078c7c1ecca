"""Waiting for what another process or task does, without sleeping longer than it takes."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

Result = TypeVar("Result")

PAUSE = 0.01  # seconds between two looks


async def eventually(
    what: str, check: Callable[[], Result | Awaitable[Result | None] | None], within: float = 45.0
) -> Result:
    """Ask `check` until its answer is truthy, and return that; fail saying what never came."""
    deadline = time.monotonic() + within
    while True:
        answer = check()
        result = cast("Result", await answer if inspect.isawaitable(answer) else answer)
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"never became true: {what} (last answer: {result!r})")
        await asyncio.sleep(PAUSE)
