"""What a graph's ToolNodes tell: the schemas of their tools, and where an answer goes astray."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables.utils import get_function_nonlocals
from langchain_core.tools import BaseTool
from langgraph._internal._constants import PUSH, TASKS  # private, pinned
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel
from langgraph.types import Interrupt, PregelTask, StateSnapshot, interrupt
from pydantic import BaseModel

AnyPregel = Pregel[Any, Any, Any, Any]
ASTRAY = (
    "its node {node} runs {count} calls of tools in one task, and one of them asks: LangGraph "
    "would give the answer to whichever asks first. Ask before the tools run (LangChain's "
    "HumanInTheLoopMiddleware), or run each call in a task of its own (`Send`, as create_agent "
    "does)"
)


def subgraph_of(graph: AnyPregel, node: str) -> AnyPregel | None:
    """The graph that runs inside of this node, as LangGraph finds it."""
    found = graph.nodes[node].subgraphs if node in graph.nodes else ()
    return next((each for each in found if isinstance(each, Pregel)), None)


def schemas_of_tools(graph: AnyPregel) -> dict[str, Mapping[str, Any]]:
    """The JSON Schema of the arguments of each tool, by its name, as a model is told it."""
    found: dict[str, Mapping[str, Any]] = {}
    for node in graph.nodes.values():
        for each in _tool_nodes(node.bound):
            found |= {name: _schema(tool) for name, tool in each.tools_by_name.items()}
    return found


def given(task: PregelTask, snapshot: StateSnapshot, stored: CheckpointTuple | None) -> Any:
    """What the task reads: the state, or what it was sent."""
    sent = stored.checkpoint["channel_values"].get(TASKS, ()) if stored else ()
    kind, *place = task.path
    if kind == PUSH and place and isinstance(place[0], int) and place[0] < len(sent):
        return sent[place[0]].arg
    return snapshot.values


def astray(graph: AnyPregel, node: str, reads: Any) -> str:
    """Why what this node asks must not be answered; "" where it may. reads: what its task reads:
    the state, or what it was sent."""
    bound = graph.nodes[node].bound if node in graph.nodes else None
    if isinstance(bound, ToolNode) or any(map(_may_ask, _tool_nodes(bound))):
        count = _calls(reads)
        return ASTRAY.format(node=node, count=count) if count > 1 else ""
    return ""


def _calls(reads: Any) -> int:
    """How many calls of tools the last message of a model has, under whatever key."""
    values: list[Any] = [reads, *(reads.values() if isinstance(reads, Mapping) else ())]
    lists = [each for each in values if isinstance(each, list)]
    last = [next((m for m in reversed(each) if isinstance(m, AIMessage)), None) for each in lists]
    return max((len(message.tool_calls) for message in last if message), default=0)


def _tool_nodes(bound: Any) -> Iterator[ToolNode]:
    """The node itself, one of its steps, or what its function calls."""
    for each in getattr(bound, "steps", [bound]):
        if isinstance(each, ToolNode):
            yield each
            continue
        for name in ("func", "afunc"):
            for used in _used(getattr(each, name, None)):
                owner = getattr(used, "__self__", used)
                if isinstance(owner, ToolNode):
                    yield owner


def _may_ask(node: ToolNode) -> bool:
    """Does a tool of it call `interrupt`? Else a question of the function around it is its own."""
    tools = node.tools_by_name.values()
    functions = [getattr(tool, name, None) for tool in tools for name in ("func", "coroutine")]
    return any(used is interrupt for function in functions for used in _used(function))


def _used(function: Callable[..., Any] | None) -> list[Any]:
    return get_function_nonlocals(function) if callable(function) else []


def _schema(tool: BaseTool) -> Mapping[str, Any]:
    schema = tool.tool_call_schema
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema.model_json_schema()
    return schema if isinstance(schema, dict) else {"type": "object"}


def schema_of(interrupt: Interrupt) -> Mapping[str, Any] | None:
    """Of the answer that it wants, where it says so."""
    schema = interrupt.response_schema
    return schema if isinstance(schema, Mapping) else None
