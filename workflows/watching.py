"""What nodes do to the outside while the replay check runs them, seen by Python's audit events
and at the clients that people use (workflows/clients.py).

What would leave this machine is refused unless it is named: a check must not pay anyone. What is
let through happens as often as the nodes do it.
"""

import contextlib
import gc
import ipaddress
import os
import socket
import sqlite3
import ssl
import sys
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

from workflows import origin, sql
from workflows.findings import Place

WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
ON_FILES = ("os.remove", "os.rename", "os.rmdir", "os.truncate", "os.link", "os.symlink")
PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
SOCKETS = ("socket.connect", "socket.getaddrinfo", "socket.sendto")
EVENTS = frozenset((*ON_FILES, *PROCESSES, *SOCKETS, "open"))
SUBPROCESS = "subprocess"  # how processes are named among what is allowed
# Whoever writes these files writes no effect; whoever sends by these was seen at its own door.
SCRATCH = ("logging", "tempfile", "importlib", "zipimport", "linecache")
ASKING_THE_SYSTEM = ("platform", "uuid", "ctypes")  # what it is, by `uname` and the like
TRACING = ("langsmith",)  # reports on the run, and is no part of it
SPOKEN = (
    "httpx",
    "httpcore",
    "aiohttp",
    "http.client",
    "smtplib",
    "aiosmtplib",
    "redis",
    "urllib3",
)


class CallRefused(ConnectionError):
    """The check lets nothing out of this machine that was not named."""


@dataclass(frozen=True)
class Call:
    """One outside call. life: of the run, from resume to resume. task: the same when the node runs
    again. key: by which the receiver knows it again; named: given by the caller as that."""

    life: int
    node: str
    task: str
    kind: str
    what: str
    place: Place | None
    key: str = ""
    named: bool = False

    @property
    def spot(self) -> tuple[str, str, Place | None]:
        return (self.task, self.kind, self.place)


@dataclass
class Watch:
    """What is seen, in order. allowed: hosts, host:port, or `subprocess`; `*` is everything.
    refused: what was not let through."""

    allowed: frozenset[str] = frozenset()
    life: int = 0
    calls: list[Call] = field(default_factory=list[Call])
    refused: dict[str, None] = field(default_factory=dict[str, None])
    _looked_up: dict[int, str] = field(default_factory=dict[int, str])

    def note(self, kind: str, what: str, key: str = "", *, named: bool = False) -> None:
        """The node that runs here does this."""
        name, task = origin.node()
        if name:
            call = Call(self.life, name, task, kind, what, origin.place(), key, named)
            self.calls.append(call)

    def refuse(self, what: str, names: Iterable[str]) -> None:
        """CallRefused, unless one of the names is allowed."""
        if not self.allowed.intersection((*names, "*")):
            if not origin.passes(TRACING):
                self.refused[what] = None
            raise CallRefused(f"countersign check refuses {what}: nothing leaves this machine")

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not origin.node()[0]:
            return
        match event:
            case "open":
                self._opened(*args)
            case "socket.getaddrinfo":
                self._looks_up(args[0], args[1])
            case "socket.connect" | "socket.sendto":
                self._reaches(args[1])
            case _ if event in PROCESSES:
                if origin.passes(ASKING_THE_SYSTEM):
                    return
                self.refuse(f"the process {_command(args)!r}", [SUBPROCESS])
                self.note("process", f"started {_command(args)}")
            case _:
                self.note("file", f"called {event} on {args[0]!s}")

    def _opened(self, path: Any, mode: str | None, flags: int) -> None:
        writes = any(c in mode for c in "wax+") if mode else bool(flags & WRITES)
        if not writes or isinstance(path, int) or os.fsdecode(path).startswith(os.devnull):
            return
        if not origin.passes(SCRATCH):
            self.note("file", f"wrote to {os.fsdecode(path)}")

    def _looks_up(self, host: Any, port: Any) -> None:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if name and not _is_local(name) and not _is_address(name):
            self.refuse(f"{name}:{port}", [name, f"{name}:{port}"])
            if isinstance(port, int):
                self._looked_up[port] = name

    def _reaches(self, address: Any) -> None:
        if not isinstance(address, tuple):
            return  # a Unix socket stays on this machine
        host, port = str(address[0]), address[1]
        if not _is_local(host) and port not in self._looked_up:
            self.refuse(f"{host}:{port}", [host, f"{host}:{port}"])

    def sent(self, to: socket.socket) -> None:
        """Bytes of a protocol that no client we know speaks."""
        if to.family not in (socket.AF_INET, socket.AF_INET6) or origin.passes(SPOKEN):
            return
        try:
            host, port = to.getpeername()[:2]
        except OSError:
            return
        self.note("socket", f"sent to {self._looked_up.get(port, host)}:{port}")


_on: Watch | None = None
_installed = False


def present() -> Watch | None:
    """The watch that is on, if there is one."""
    return _on


def listen() -> None:
    """From now on audit events are heard, for as long as the process lives."""
    global _installed  # noqa: PLW0603 - hooks cannot be taken out again
    if not _installed:
        sys.addaudithook(_heard)
        _installed = True


@contextlib.contextmanager
def watching(watch: Watch) -> Generator[None, None, None]:
    """One watch at a time in a process, on the running loop and all that it starts."""
    global _on  # noqa: PLW0603 - audit events come to the whole process
    if _on is not None:
        raise RuntimeError("one replay check at a time in a process")
    listen()
    sends = [(owner, name) for owner in (socket.socket, ssl.SSLSocket) for name in SENDS]
    with contextlib.ExitStack() as stack:
        for owner, name in sends:
            stack.enter_context(origin.replaced(owner, name, _sends))
        stack.enter_context(origin.carried())
        stack.enter_context(_statements_seen())
        _on = watch
        try:
            yield
        finally:
            _on = None


SENDS = ("send", "sendall")


def _sends(original: Callable[..., Any]) -> Callable[..., Any]:
    def send(self: socket.socket, *args: Any) -> Any:
        if _on is not None and origin.node()[0]:
            _on.sent(self)
        return original(self, *args)

    return send


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if event in EVENTS and _on is not None:
        _on.hear(event, args)


@contextlib.contextmanager
def _statements_seen() -> Generator[None, None, None]:
    """Of the connections that are open, and of those to come, under whichever name a module has
    `sqlite3.connect`: it is written in C, and has no place of its own to be seen at."""
    connect = sqlite3.connect

    def connect_seen(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(_stated)
        return connection

    for each in gc.get_objects():
        if isinstance(each, sqlite3.Connection):
            with contextlib.suppress(sqlite3.Error):  # closed, or of another thread
                each.set_trace_callback(_stated)
    holders: list[Any] = [each for each in gc.get_referrers(connect) if isinstance(each, dict)]
    known = [(each, name) for each in holders for name, value in each.items() if value is connect]
    for names, name in known:
        names[name] = connect_seen
    try:
        yield
    finally:
        for names, name in known:
            names[name] = connect


def _stated(statement: str) -> None:
    if _on is not None and sql.writes(statement):
        words = " ".join(statement.split())
        _on.note("sql", f"ran {words[:120]}", key=words if sql.is_same_again(statement) else "")


def _is_local(host: str) -> bool:
    if host in ("localhost", "localhost.localdomain", ""):
        return True
    return _is_address(host) and ipaddress.ip_address(host.partition("%")[0]).is_loopback


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _command(args: tuple[Any, ...]) -> str:
    """Of subprocess.Popen: (executable, args, ...); of the others: what is run comes first."""
    given: Any = args[1:2] or args[:1]
    parts: Any = given[0] if isinstance(given[0], list | tuple) else given
    return " ".join(os.fsdecode(part) for part in parts if isinstance(part, str | bytes))[:120]
