"""What a graph's ToolNodes tell: the schemas of their tools, and where an answer goes astray."""

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel
from langgraph.types import PregelTask
from pydantic import BaseModel

AnyPregel = Pregel[Any, Any, Any, Any]
PULLED = "__pregel_pull"  # a task that reads the state; one of Send is pushed, with its own call
ASTRAY = (
    "its node {node} runs {count} calls of tools in one task, and one of them asks: LangGraph "
    "would give the answer to whichever asks first. Ask before the tools run (LangChain's "
    "HumanInTheLoopMiddleware), or run each call in a task of its own (`Send`, as create_agent "
    "does)"
)


def schemas_of_tools(graph: AnyPregel) -> dict[str, Mapping[str, Any]]:
    """The JSON Schema of the arguments of each tool, by its name, as a model is told it."""
    found: dict[str, Mapping[str, Any]] = {}
    for node in graph.nodes.values():
        if isinstance(node.bound, ToolNode):
            found |= {name: _schema(tool) for name, tool in node.bound.tools_by_name.items()}
    return found


def astray(graph: AnyPregel, task: PregelTask, values: Any) -> str:
    """Why what this task asks must not be answered; "" where it may."""
    node = graph.nodes.get(task.name)
    if node is None or not isinstance(node.bound, ToolNode) or task.path[:1] != (PULLED,):
        return ""
    messages: Any = values.get("messages") if isinstance(values, Mapping) else values
    said = messages if isinstance(messages, list) else []
    last = next((each for each in reversed(said) if isinstance(each, AIMessage)), None)
    count = len(last.tool_calls) if last else 0
    return ASTRAY.format(node=task.name, count=count) if count > 1 else ""


def _schema(tool: BaseTool) -> Mapping[str, Any]:
    schema = tool.tool_call_schema
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema.model_json_schema()
    return schema if isinstance(schema, dict) else {"type": "object"}
