"""Every call that a process makes to the outside, counted; at one of them the process dies, or is
frozen.

The doors stand where a process gets its clients (bot.app.Doors): the product has no trigger
points. Whatever the dead process tries afterwards, in a `finally` too, reaches nobody.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from redis.asyncio.connection import Connection
from redis.exceptions import ResponseError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.torture.masks import passing

Side = Literal["before", "after"]
How = Literal["killed", "frozen"]
T = TypeVar("T")


class Died(BaseException):
    """The process was killed here. No `except Exception` sees it."""


@dataclass(frozen=True)
class Crash:
    """Where the process dies, or is frozen: right before this call, or right after it. The call is
    told by what it is and the how-manieth of its kind: parallel calls come in this order or that,
    and a transaction that was disturbed is made again."""

    call: str
    side: Side
    how: How = "killed"

    def __str__(self) -> str:
        return f"{self.how.capitalize()} right {self.side} {self.call}"

    @property
    def at_an_effect(self) -> bool:
        """Frozen behind the ledger's last look, and before the call itself."""
        frozen_before = (self.side, self.how) == ("before", "frozen")
        return frozen_before and self.call.startswith("effect ") and ": its call #" in self.call


@dataclass
class Calls:
    """The outside calls of one process. names: what is another in each run, in a call's name.
    meanwhile: what the others do while the process is frozen.

    made: the calls, in order. struck: its crash has come. death: set as soon as it is dead.
    """

    crash: Crash | None = None
    names: dict[str, str] = field(default_factory=dict[str, str])
    meanwhile: Callable[[], None] = lambda: None
    made: list[str] = field(default_factory=list[str])
    struck: bool = False
    dead: bool = False
    counting: bool = False
    death: asyncio.Event = field(default_factory=asyncio.Event)
    _kinds: Counter[str] = field(default_factory=Counter[str])

    def begin(self, what: str) -> str:
        """About to call: answers the call's name, "" where it is not counted."""
        self.refuse_the_dead()
        if not self.counting:
            return ""
        kind = passing(what, self.names)
        self._kinds[kind] += 1
        name = f"{kind} #{self._kinds[kind]}"
        self.made.append(name)
        self._strike_at(name, "before")
        return name

    def end(self, name: str) -> None:
        """The answer is there."""
        self.refuse_the_dead()
        if name:
            self._strike_at(name, "after")

    async def around(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        name = self.begin(what)
        try:
            answer = await call()
        except Exception:
            self.end(name)
            raise
        self.end(name)
        return answer

    @contextlib.contextmanager
    def looking(self) -> Generator[None, None, None]:
        """What the kit looks up meanwhile is none of the process's calls."""
        before, self.counting = self.counting, False
        try:
            yield
        finally:
            self.counting = before

    def refuse_the_dead(self) -> None:
        if self.dead:
            raise Died

    def _strike_at(self, name: str, side: Side) -> None:
        crash = self.crash
        if crash is None or (crash.call, crash.side) != (name, side):
            return
        self.struck = True
        if crash.how == "frozen":
            self.meanwhile()  # nothing of the process moves before that is over
            return
        self.dead = True
        self.death.set()
        raise Died


class CountedConnection(Connection):
    """One command, or one pipeline, is one call; it is over when its last answer was read."""

    def __init__(self, *, calls: Calls, **options: Any) -> None:
        super().__init__(**options)
        self._calls = calls
        self._what = ""
        self._name = ""
        self._answers_due = 0
        self._greeting = False

    async def connect(self) -> None:
        """What a connection says of itself first is no call of the process."""
        self._calls.refuse_the_dead()
        self._greeting = True
        try:
            await super().connect()
        finally:
            self._greeting = False

    def pack_command(self, *args: Any) -> list[bytes]:
        self._what, self._answers_due = f"redis {_command(args)}", 1
        return super().pack_command(*args)

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        all_of_them = [tuple(command) for command in commands]
        packed = super().pack_commands(all_of_them)
        inner = [args for args in all_of_them if args[0] not in ("MULTI", "EXEC")]
        more = f" and {len(inner) - 1} more" if len(inner) > 1 else ""
        what = f"redis MULTI {_command(inner[0])}{more}" if inner else "redis MULTI"
        self._what, self._answers_due = what, len(all_of_them)
        return packed

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if not self._greeting:
            due = self._answers_due  # to connect first, where it has to, says other things
            what = self._what
            if not self.is_connected:
                await self.connect()
            self._name, self._answers_due = self._calls.begin(what), due
        await super().send_packed_command(command, check_health)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            answer = await super().read_response(*args, **options)
        except ResponseError:
            self._answered()
            raise
        self._answered()
        return answer

    def _answered(self) -> None:
        if self._greeting:
            return
        self._answers_due -= 1
        if self._answers_due == 0:
            self._calls.end(self._name)


class CountedSlack(AsyncWebClient):
    """One method of the Web API is one call."""

    def __init__(self, *, calls: Calls, **options: Any) -> None:
        super().__init__(**options)
        self._calls = calls

    async def api_call(self, api_method: str, **options: Any) -> Any:
        call = super().api_call
        return await self._calls.around(f"slack {api_method}", lambda: call(api_method, **options))


def _command(args: tuple[Any, ...]) -> str:
    """`HMGET {countersign}:t:run:t-1`, `EVALSHA {countersign}:t:trail:t-1`"""
    name = str(args[0])
    key = args[3:4] if name.startswith("EVAL") else args[1:2]
    return " ".join([name, *(_text(part) for part in key)])


def _text(part: Any) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else str(part)
