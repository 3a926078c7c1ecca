"""What all commands share: settings, the terminal, and errors in words instead of tracebacks."""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

import typer
from rich.console import Console

from bot.given import BadInput, given_input
from bot.redis_check import RedisNotSuitable
from bot.runs import NotFailed, OtherInput
from bot.serving import PortTaken
from bot.settings import BadSettings, StoreSettings, load
from bot.starting import BadStart
from bot.supervising import WorkerEnded
from bot.telemetry import configure_logging, reference
from bot.views.text import clean
from workflows.catalog import InvalidInput, UnknownWorkflow
from workflows.schema import Unreadable

UNWRAPPED = 10_000
# Into a pipe nothing is wrapped: ids stay whole, and lines are what they were.
out = Console(highlight=False, width=None if sys.stdout.isatty() else UNWRAPPED)
err = Console(stderr=True, highlight=False)

S = TypeVar("S", bound=StoreSettings)
T = TypeVar("T")


class Failed(Exception):
    """What the person at the terminal is told, before exit 1."""


EXPECTED = (
    BadSettings,
    BadStart,
    Failed,
    InvalidInput,
    NotFailed,
    OtherInput,
    PortTaken,
    RedisNotSuitable,
    UnknownWorkflow,
    Unreadable,
    WorkerEnded,
)


def loaded(kind: type[S]) -> S:
    try:
        settings = load(kind)
    except BadSettings as error:
        say(str(error))
        raise typer.Exit(1) from None
    configure_logging(settings.log_level)
    return settings


def given(as_json: str | None, fields: list[str]) -> dict[str, Any]:
    try:
        return given_input(as_json, fields)
    except BadInput as error:
        say(str(error))
        raise typer.Exit(2) from None


def result_of(work: Coroutine[Any, Any, T], expected: tuple[type[Exception], ...] = ()) -> T:
    """The outcome; or the words for what went wrong, and exit 1."""
    with in_words(expected):
        return asyncio.run(work)


@contextlib.contextmanager
def in_words(expected: tuple[type[Exception], ...] = (), code: int = 1) -> Generator[None]:
    """What goes wrong in the block is told in words, and ends with that exit code; no traceback
    reaches a user. expected: errors whose own words are for people, besides those of every
    command."""
    try:
        yield
    except (*EXPECTED, *expected) as error:
        say(str(error))
    except KeyboardInterrupt:
        err.print("Stopped.")
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001 - as it says
        number = reference(error, command=" ".join(sys.argv[1:2]))
        say(f"Something went wrong (reference {number}): {type(error).__name__}")
    else:
        return
    raise typer.Exit(code)


def say(problem: str) -> None:
    """To standard error, each line as it is: what wraps them is the terminal, never we."""
    err.print(clean(problem), markup=False, style="red", soft_wrap=True)
