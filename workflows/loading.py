"""Workflows by name: `path.to:graph`, a langgraph.json, or an entry point of an installed package.

What is named may be a Workflow, a graph (compiled or not, a functional entrypoint too), or a
function that makes one; a graph needs to know nothing of Countersign.
"""

import enum
import importlib
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args, get_type_hints

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel
from pydantic import BaseModel, ConfigDict

from workflows.catalog import Workflow

GROUP = "countersign.workflows"  # of entry points
NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,59}$")
COMMON = ("graph", "app", "agent", "workflow", "compiled", "compiled_graph")  # say nothing
FORM = (
    "Name a Workflow, a graph (a StateGraph, compiled or not), or a function that returns one of "
    "these"
)


class BadTarget(Exception):
    """There is nothing to run by that name; the message says why."""


class AnyInput(BaseModel):
    """Of a bare graph: whatever it is given."""

    model_config = ConfigDict(extra="allow")


def named(targets: Iterable[str]) -> list[Workflow]:
    """The workflows that an operator names: `path.to:graph`, `name=path.to:graph`, or the path of
    a langgraph.json. BadTarget."""
    return [workflow for target in targets for workflow in _of_target(target)]


def installed() -> list[Workflow]:
    """Those of the entry points `countersign.workflows` of installed packages. BadTarget."""
    found: list[Workflow] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            loaded: Any = point.load()
        except Exception as error:
            raise BadTarget(f"The entry point {point.name} of {GROUP}: {_said(error)}") from error
        found.append(maker(f"{GROUP} {point.name}", loaded, point.name)())
    return found


def load(target: str, name: str = "") -> Callable[[], Workflow]:
    """A maker of the workflow at `path.to:graph`, anew each time where that is a function. name:
    of the workflow; else it is taken from the path. BadTarget."""
    module, _, attribute = target.partition(":")
    found = _attribute(_module(module), module, attribute)
    return maker(target, found, name or _name_of(module, attribute))


def maker(target: str, found: Any, name: str) -> Callable[[], Workflow]:
    """The same for what was found there."""
    if isinstance(found, Workflow | StateGraph | Pregel) or not callable(found):
        workflow = _workflow(target, found, name)
        return lambda: workflow
    make = _ready(target, found)
    _workflow(target, _called(target, make), name)  # said now, not after the first run
    return lambda: _workflow(target, make(), name)


def _of_target(target: str) -> Iterator[Workflow]:
    if target.endswith(".json"):
        yield from _of_file(Path(target))
        return
    name, equals, path = target.partition("=")
    if ":" not in target or (equals and not NAME.match(name)):
        raise BadTarget(
            f"{target!r}: write path.to:graph, name=path.to:graph, or the path of a langgraph.json"
        )
    yield load(path if equals else target, name if equals else "")()


def _of_file(file: Path) -> Iterator[Workflow]:
    """The graphs of a langgraph.json; their paths are relative to it."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadTarget(f"{file}: {error}") from None
    graphs: Any = told.get("graphs") if isinstance(told, dict) else None
    if not isinstance(graphs, Mapping) or not graphs:
        raise BadTarget(f'{file}: has no "graphs"')
    for local in told.get("dependencies") or []:
        if str(local).startswith("."):
            _importable(file.parent / local)
    for name, entry in graphs.items():
        path = entry.get("path", "") if isinstance(entry, Mapping) else str(entry)
        where, _, attribute = str(path).rpartition(":")
        if not where or not NAME.match(str(name)):
            raise BadTarget(f"{file}: {name!r}: {path!r}: write ./path/to/file.py:graph")
        module = _from_file(file.parent / where) if where.endswith(".py") else _module(where)
        yield maker(f"{file} {name}", _attribute(module, where, attribute), str(name))()


def _module(name: str) -> Any:
    _importable(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise BadTarget(f"There is no module {name} here or among what is installed") from None
        raise BadTarget(f"{name} cannot be imported: {error}") from None
    except Exception as error:
        raise BadTarget(f"{name} cannot be imported: {_said(error)}") from error


def _from_file(file: Path) -> Any:
    name = f"countersign_graph_{re.sub(r'[^a-zA-Z0-9]', '_', str(file.resolve()))}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise BadTarget(f"There is no file {file}")
    _importable(file.parent)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BadTarget(f"{file} cannot be imported: {_said(error)}") from error
    return module


def _importable(directory: Path) -> None:
    here = str(directory.resolve())
    if here not in sys.path:
        sys.path.insert(0, here)


def _attribute(module: Any, name: str, attribute: str) -> Any:
    found = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise BadTarget(f"{name} has no {attribute}. {FORM}.")
        found = getattr(found, part)
    return found


def _ready(target: str, make: Callable[..., Any]) -> Callable[[], Any]:
    """Without arguments, or with the config that LangGraph gives to such functions."""
    if inspect.iscoroutinefunction(make):
        raise BadTarget(f"{target} is an async function. {FORM}.")
    needed = [
        name
        for name, parameter in inspect.signature(make).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed == ["config"]:
        return lambda: make({"configurable": {}})
    if needed:
        raise BadTarget(f"{target} needs arguments ({', '.join(needed)}). {FORM}.")
    return make


def _called(target: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:
        raise BadTarget(f"{target}() raised {_said(error)}") from error


def _workflow(target: str, found: Any, name: str) -> Workflow:
    if isinstance(found, Workflow):
        return found
    if not isinstance(found, StateGraph | Pregel):
        raise BadTarget(f"{target} is a {type(found).__name__}. {FORM}.")
    if isinstance(found, Pregel) and found.interrupt_after_nodes:
        raise BadTarget(
            f"{target} is compiled with interrupt_after; use interrupt_before of the nodes that "
            "follow, which can be asked about"
        )
    graph: StateGraph[Any, Any, Any, Any] | Pregel[Any, Any, Any, Any] = found
    title = name.replace("_", " ").replace("-", " ").capitalize()
    bare = Workflow(name=name, title=title, input_model=AnyInput, graph=graph)
    return replace(bare, state_types=tuple(types_in_state(graph)))


def types_in_state(graph: Any) -> list[type]:
    """The Enum, pydantic and dataclass types that the graph's schemas name: the serializer makes
    objects of no others."""
    builder: Any = graph.builder if isinstance(graph, CompiledStateGraph) else graph
    found: dict[type, None] = {}
    for schema in getattr(builder, "schemas", {}):
        _collect(schema, found, is_state=True)
    return list(found)


def _collect(annotation: Any, found: dict[type, None], *, is_state: bool = False) -> None:
    for part in get_args(annotation):
        _collect(part, found)
    if not isinstance(annotation, type) or annotation in found:
        return
    own = issubclass(annotation, BaseModel | enum.Enum) or is_dataclass(annotation)
    if annotation.__module__.partition(".")[0] in ("langchain_core", "langgraph", "langchain"):
        return  # messages and the like: the saver knows them
    if own:
        found[annotation] = None
    if own or is_state:
        for hint in _hints(annotation):
            _collect(hint, found)


def _hints(annotated: type) -> list[Any]:
    try:
        return list(get_type_hints(annotated).values())
    except (NameError, TypeError):  # of names that only a type checker knows
        return []


def _name_of(module: str, attribute: str) -> str:
    last = attribute.rpartition(".")[2].lower()
    name = module.rpartition(".")[2].lower() if last in COMMON or last.startswith("make_") else last
    if not NAME.match(name):
        raise BadTarget(
            f"{name!r} cannot be the name of a workflow: write name={module}:{attribute}"
        )
    return name


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
