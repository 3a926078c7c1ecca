"""Types in a graph's state that the saver could not keep, as its schemas name them."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints, is_typeddict

from langgraph.channels import UntrackedValue

from workflows.findings import Finding, Place
from workflows.origin import is_users
from workflows.serializer import keeps


def unkept(graph: Any, state_types: Iterable[type] = ()) -> Iterator[Finding]:
    """state_types: of the workflow, which the saver knows besides those in the schemas."""
    builder: Any = graph.builder if hasattr(graph, "builder") else graph
    known = tuple(state_types)
    for schema in getattr(builder, "schemas", {}):
        for name, hint in _hints(schema).items():
            for part in _parts(hint):
                if part not in known and not keeps(part):
                    words = f"{schema.__name__}.{name}: {part.__module__}.{part.__qualname__}"
                    yield Finding("state-type", "", words, _place(schema, name))


def _parts(hint: Any) -> Iterator[type]:
    """The classes in an annotation, but for what is never saved."""
    if get_origin(hint) is Annotated:
        inner, *rest = get_args(hint)
        if not any(_is_unsaved(each) for each in rest):
            yield from _parts(inner)
        return
    origin = get_origin(hint)
    if isinstance(origin, type) and origin.__module__ not in ("typing", "types"):
        yield origin
    for each in get_args(hint):
        if not isinstance(each, str | int | bytes | bool | list):  # of a Literal, a Callable
            yield from _parts(each)
    if isinstance(hint, type) and origin is None and hint is not Any and not is_typeddict(hint):
        yield hint


def _is_unsaved(mark: Any) -> bool:
    """LangGraph's own values, and channels that are kept out of checkpoints."""
    channel = mark if isinstance(mark, type) else type(mark)
    return issubclass(channel, UntrackedValue) or channel.__module__.startswith("langgraph.managed")


def _hints(schema: Any) -> dict[str, Any]:
    try:
        return get_type_hints(schema, include_extras=True)
    except (NameError, TypeError):  # of names that only a type checker knows
        return {}


def _place(schema: Any, name: str) -> Place | None:
    try:
        file = inspect.getsourcefile(schema)
        lines, first = inspect.getsourcelines(schema)
    except (OSError, TypeError):
        return None
    own = (n for n, line in enumerate(lines, first) if line.strip().startswith(f"{name}:"))
    return Place(file, next(own, first)) if file and is_users(file) else None
