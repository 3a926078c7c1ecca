"""The workflow that a person names on the command line: `refund`, or `path.to:graph`."""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel, ConfigDict

from workflows.catalog import Catalog, Workflow

FORM = (
    "Name a Workflow, a StateGraph that is not compiled, or a function without arguments that "
    "returns one of these"
)


class BadTarget(Exception):
    """There is nothing to run by that name; the message says why."""


class AnyInput(BaseModel):
    """Of a bare graph: whatever it is given."""

    model_config = ConfigDict(extra="allow")


def load(target: str, known: Catalog) -> Callable[[], Workflow]:
    """A maker of the workflow, anew each time where the target is a function. BadTarget."""
    if ":" not in target:
        if target not in known:
            names = ", ".join(sorted(known))
            raise BadTarget(f"There is no workflow {target!r} (there is: {names}). {FORM}: a.b:c.")
        return lambda: known[target]
    found = _found(target)
    if isinstance(found, Workflow | StateGraph | CompiledStateGraph) or not callable(found):
        workflow = _workflow(target, found)
        return lambda: workflow
    make: Callable[[], Any] = found
    _without_arguments(target, make)
    _workflow(target, _called(target, make))  # said now, not after the first run
    return lambda: _workflow(target, make())


def _found(target: str) -> Any:
    name, _, attribute = target.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise BadTarget(f"There is no module {name} here or among what is installed") from None
        raise BadTarget(f"{name} cannot be imported: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever the module does when it is imported
        raise BadTarget(f"{name} cannot be imported: {type(error).__name__}: {error}") from None
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise BadTarget(f"{name} has no {attribute}. {FORM}.")
        found = getattr(found, part)
    return found


def _without_arguments(target: str, make: Callable[[], Any]) -> None:
    needed = [
        name
        for name, parameter in inspect.signature(make).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        raise BadTarget(f"{target} needs arguments ({', '.join(needed)}). {FORM}.")


def _called(target: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever it does
        raise BadTarget(f"{target}() raised {type(error).__name__}: {error}") from None


def _workflow(target: str, found: Any) -> Workflow:
    if isinstance(found, Workflow):
        return found
    if isinstance(found, CompiledStateGraph):
        raise BadTarget(
            f"{target} is compiled already. Name the StateGraph itself: the saver is ours."
        )
    if not isinstance(found, StateGraph):
        raise BadTarget(f"{target} is a {type(found).__name__}. {FORM}.")
    graph: StateGraph[Any, Any, Any, Any] = found
    return Workflow(name="graph", title=target, input_model=AnyInput, graph=graph)
