"""Where in the user's code something happens: the node, and the line of its own code.

A call that a node makes may be carried out elsewhere: in a task, a thread, an executor. Each of
these is told by which line it was begun.
"""

import asyncio
import contextlib
import contextvars
import functools
import inspect
import os
import sysconfig
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from langchain_core.runnables.config import var_child_runnable_config

from workflows.findings import Place

HERE = Path(__file__).parent
GRAPHS = tuple(
    str(HERE / name) + os.sep for name in ("graphs", "connectors")
)  # ours, to be checked
OURS = tuple(str(HERE.parent / name) + os.sep for name in ("workflows", "bot"))
RUNNING = tuple(f"{os.sep}langgraph{os.sep}{part}{os.sep}" for part in ("pregel", "_internal"))
LOOP = f"{os.sep}asyncio{os.sep}events.py"
NOT_THE_USERS = ("langchain", "langchain_core", "langgraph", "langsmith")

_carried: ContextVar[Place | None] = ContextVar("countersign_place", default=None)
_thread = threading.local()
_nodes: set[CodeType] = set()
_theirs: set[str] = set()  # directories of nodes that are installed as a package


def node() -> tuple[str, str]:
    """The node that runs here, and its task: the same when the node runs again; "" outside."""
    metadata = (var_child_runnable_config.get() or {}).get("metadata") or {}
    return metadata.get("langgraph_node") or "", metadata.get("langgraph_checkpoint_ns") or ""


def place() -> Place | None:
    """The line of the node that this is done by; None where no code of the user's is seen."""
    own, whole = _walked(inspect.currentframe())
    return own if whole else _carried.get() or getattr(_thread, "place", None) or own


def passes(modules: Iterable[str]) -> bool:
    """Does the way to here lead through one of these modules, or what is in them?"""
    frame = inspect.currentframe()
    names = tuple(modules)
    within = tuple(f"{name}." for name in names)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in names or name.startswith(within):
            return True
        frame = frame.f_back
    return False


def is_users(file: str) -> bool:
    """Is it code that whoever wrote the graph can change?"""
    if file.startswith("<"):
        return False
    if file.startswith(OURS):
        return file.startswith(GRAPHS)
    return not file.startswith(_installed()) or file.startswith(tuple(_theirs))


def is_of_a_node(code: CodeType) -> None:
    """What it does is told at its own lines; where it is installed, its package is the user's."""
    file = code.co_filename
    root = max((each for each in _installed() if file.startswith(each)), key=len, default="")
    top = Path(file).relative_to(root).parts[0] if root else ""
    if top and top not in NOT_THE_USERS and not file.startswith(str(HERE)):
        _theirs.add(root + top)
    if is_users(file):
        _nodes.add(code)


@functools.cache
def _installed() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({sysconfig.get_path(name) + os.sep for name in names})


def _walked(frame: FrameType | None) -> tuple[Place | None, bool]:
    """The node's own line, or the outermost of the user's on the way up to what runs the node; was
    that reached?"""
    found: Place | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        if any(part in file for part in RUNNING):
            return found, found is not None
        if file.endswith(LOOP):
            break  # what stands above it began something else
        if is_users(file):
            found = Place(file, frame.f_lineno)
        if frame.f_code in _nodes:
            return found, True
        frame = frame.f_back
    return found, False


@contextlib.contextmanager
def carried() -> Generator[None, None, None]:
    """While this is on, tasks of the running loop, threads and executors know where they were
    begun, and in which node."""
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()
    loop.set_task_factory(_tasks(factory))
    with (
        replaced(ThreadPoolExecutor, "submit", _submit),
        replaced(threading.Thread, "start", _start),
    ):
        try:
            yield
        finally:
            loop.set_task_factory(factory)


@contextlib.contextmanager
def replaced(
    owner: type, name: str, make: Callable[[Any], Callable[..., Any]]
) -> Generator[None, None, None]:
    """The method, made over by `make`, until the end of the block."""
    original = getattr(owner, name)
    own = name in vars(owner)
    setattr(owner, name, make(original))
    try:
        yield
    finally:
        if own:
            setattr(owner, name, original)
        else:
            delattr(owner, name)


def _tasks(before: Any) -> Any:
    def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Any:
        begun = place() if node()[0] else None
        if begun is not None:
            context = options.get("context") or contextvars.copy_context()
            context.run(_carried.set, begun)
            options["context"] = context
        return before(loop, work, **options) if before else asyncio.Task(work, loop=loop, **options)

    return make


def _submit(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, work: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
        return (
            original(self, _begun_here(work), *args, **options)
            if node()[0]
            else original(self, work, *args, **options)
        )

    return submit


def _start(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: Any) -> Any:
        if node()[0]:
            self.run = _begun_here(self.run)
        return original(self)

    return start


def _begun_here(work: Callable[..., Any]) -> Callable[..., Any]:
    context, begun = contextvars.copy_context(), place()

    def run(*args: Any, **options: Any) -> Any:
        before = getattr(_thread, "place", None)
        _thread.place = begun
        try:
            return context.run(work, *args, **options)
        finally:
            _thread.place = before

    return run
