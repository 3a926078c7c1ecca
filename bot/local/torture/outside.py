"""What a node does to the outside without the ledger: seen by Python's own audit events.

A node runs again from its top after a crash; what it does besides `effects.once` happens again.
Seen are files that are written, sockets that are connected, SQLite files and child processes.
"""

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Generator, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from langchain_core.runnables.config import var_child_runnable_config
from pydantic import JsonValue

from workflows.preconditions import Check, Finding, Precondition

WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
NOT_MEANT = ("__pycache__", os.devnull)
ON_FILES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate")

_allowed: ContextVar[bool] = ContextVar("countersign_torture_allowed", default=False)


@contextlib.contextmanager
def allowed() -> Generator[None, None, None]:
    """In here the ledger is the caller, and counts for itself."""
    before = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(before)


def unwatched(checks: Mapping[str, Check]) -> dict[str, Check]:
    """The ledger makes them, as often as it has to: they only look."""

    def wrapped(check: Check) -> Check:
        async def looks(declared: Precondition, now: datetime) -> JsonValue | Finding:
            with allowed():
                return await check(declared, now)

        return looks

    return {name: wrapped(check) for name, check in checks.items()}


class Watch:
    """Counts what nodes do outside while it is on; one at a time in a process.

    ours: ports of the kit's own servers, which the saver connects to inside a subgraph's node.
    """

    _installed = False
    _on: "Watch | None" = None

    def __init__(self, seen: Counter[str], ours: frozenset[int]) -> None:
        self._seen = seen
        self._ours = ours

    @contextlib.contextmanager
    def on(self) -> Generator[None, None, None]:
        if not Watch._installed:  # an audit hook stays for as long as the process lives
            sys.addaudithook(_heard)
            Watch._installed = True
        Watch._on = self
        try:
            yield
        finally:
            Watch._on = None

    @classmethod
    def present(cls) -> "Watch | None":
        return cls._on

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        what = self._told(event, args)
        if what is None or _allowed.get():
            return
        node = ((var_child_runnable_config.get() or {}).get("metadata") or {}).get("langgraph_node")
        if node:
            self._seen[f"the node {node} {what}"] += 1

    def _told(self, event: str, args: tuple[Any, ...]) -> str | None:
        """What was done, in words; None for what changes nothing."""
        match event:
            case "open":
                path, mode, flags = args
                writes = any(c in mode for c in "wax+") if mode else bool(flags & WRITES)
                meant = not any(part in str(path) for part in NOT_MEANT)
                return f"wrote to {path}" if writes and meant else None
            case "socket.connect":
                address: Any = args[1]
                port = address[1] if isinstance(address, tuple) else 0
                return None if port in self._ours else f"connected to {_place(address)}"
            case "subprocess.Popen" | "os.system":
                return f"started {args[0]!s}"
            case "sqlite3.connect":
                return f"opened the database {args[0]!s}"
            case _ if event in ON_FILES:
                return f"called {event} on {args[0]!s}"
            case _:
                return None


def _place(address: Any) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)


def _heard(event: str, args: tuple[Any, ...]) -> None:
    watch = Watch.present()
    if watch is not None:
        watch.hear(event, args)
