"""The code of a graph's nodes as it is written: their functions, and what names mean in them."""

import ast
import builtins
import functools
import inspect
import linecache
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.tools import BaseTool
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel

from workflows import origin

Tree = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
UNKNOWN: Any = object()  # what a name means cannot be said before it runs
PARTS = ("func", "afunc", "bound", "steps")  # of the runnables that LangGraph wraps functions in


@dataclass(frozen=True)
class Source:
    """One function. node: whose it is. names: of its module, and of what it is enclosed by."""

    node: str
    file: str
    tree: Tree
    names: Mapping[str, Any] = field(compare=False, repr=False)

    @property
    def body(self) -> list[ast.stmt]:
        if isinstance(self.tree, ast.Lambda):
            return [ast.copy_location(ast.Return(self.tree.body), self.tree.body)]
        return self.tree.body


def sources_of(graph: Any) -> list[Source]:
    """Of each node, subgraphs' and tools' included, that whoever wrote the graph can change."""
    found = [
        source
        for name, runnable in _nodes(graph)
        for function in _functions(runnable)
        if (source := source_of(function, name))
    ]
    return list({(each.file, each.tree): each for each in found}.values())


def source_of(function: Any, node: str) -> Source | None:
    """None where it is not the user's, or is not written in Python."""
    plain = _plain(function)
    if not inspect.isfunction(plain):
        return None
    file = plain.__code__.co_filename
    if not origin.is_users(file):
        return None
    trees = _trees(file, _text(file))
    tree = trees.get((plain.__name__, plain.__code__.co_firstlineno))
    return Source(node, file, tree, _names(plain)) if tree else None


def learn(graph: Any) -> None:
    """Nodes may be installed as a package: their code is the user's, too."""
    for _, runnable in _nodes(graph):
        for function in _functions(runnable):
            plain = _plain(function)
            if inspect.isfunction(plain):
                origin.is_of_a_node(plain.__code__)


def _nodes(graph: Any) -> Iterator[tuple[str, Any]]:
    inner: Any = graph.builder if hasattr(graph, "builder") else graph
    for name, spec in inner.nodes.items():
        runnable = getattr(spec, "runnable", None) or getattr(spec, "bound", None)
        if isinstance(runnable, Pregel | StateGraph):
            yield from _nodes(runnable)
        elif name != "__start__":
            yield name, runnable


def _functions(runnable: Any) -> Iterator[Any]:
    if isinstance(runnable, ToolNode):
        for tool in runnable.tools_by_name.values():
            yield from _of_tool(tool)
        return
    parts = [part for name in PARTS if (part := getattr(runnable, name, None)) is not None]
    for part in parts:
        for each in part if isinstance(part, list) else [part]:
            if callable(each) and not hasattr(each, "invoke"):
                yield each
            else:
                yield from _functions(each)


def _of_tool(tool: BaseTool) -> Iterator[Any]:
    own = [getattr(tool, name, None) for name in ("func", "coroutine")]
    yield from [each for each in own if each] or [
        getattr(type(tool), name) for name in ("_run", "_arun")
    ]


def _plain(function: Any) -> Any:
    """Without what is wrapped around it: partials, decorators, methods, objects that are called."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and callable(function):
        function = type(function).__call__
    function = getattr(function, "__func__", function)
    return inspect.unwrap(function) if callable(function) else function


def _names(function: Any) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    enclosed = {name: _content(cell) for name, cell in cells}
    return {**vars(builtins), **function.__globals__, **enclosed}


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return UNKNOWN


def _text(file: str) -> str:
    return "".join(linecache.getlines(file))


def read_text(file: str) -> str:
    """The text of a source file; "" where it is not to be had."""
    return _text(file)


@functools.lru_cache(maxsize=256)
def _trees(file: str, text: str) -> dict[tuple[str, int], Tree]:
    """Every function of the file, by name and by the first line that Python counts it from."""
    try:
        module = ast.parse(text, file)
    except SyntaxError:
        return {}
    found: dict[tuple[str, int], Tree] = {}
    for each in ast.walk(module):
        if isinstance(each, ast.Lambda):
            found.setdefault(("<lambda>", each.lineno), each)
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min(each.lineno, *(d.lineno for d in each.decorator_list), each.lineno)
            found[each.name, first] = each
    return found


def module_tree(file: str) -> ast.Module | None:
    """The whole file, parsed."""
    try:
        return ast.parse(_text(file), file)
    except SyntaxError:
        return None


def meaning(expression: ast.expr, names: Mapping[str, Any], local: set[str]) -> Any:
    """The object that a name, or an attribute of one, stands for; UNKNOWN for what is local, or
    is known only when it runs. Nothing is called, properties neither."""
    if isinstance(expression, ast.Name):
        return UNKNOWN if expression.id in local else names.get(expression.id, UNKNOWN)
    if not isinstance(expression, ast.Attribute):
        return UNKNOWN
    owner = meaning(expression.value, names, local)
    if owner is UNKNOWN:
        return UNKNOWN
    if inspect.ismodule(owner):
        return vars(owner).get(expression.attr, UNKNOWN)
    found = inspect.getattr_static(owner, expression.attr, UNKNOWN)
    return getattr(found, "__func__", found)  # of a static or class method


def imported_here(tree: Tree) -> dict[str, Any]:
    """What the function imports itself, as far as it is loaded."""
    found: dict[str, Any] = {}
    for each in ast.walk(tree):
        if isinstance(each, ast.Import):
            for alias in each.names:
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or top] = sys.modules.get(top, UNKNOWN)
        elif isinstance(each, ast.ImportFrom) and each.module:
            module = sys.modules.get(each.module)
            for alias in each.names:
                known = getattr(module, alias.name, UNKNOWN) if module else UNKNOWN
                found[alias.asname or alias.name] = known
    return found
