"""Small graphs, as users write them, that log what they did."""

import operator
from collections.abc import Mapping
from typing import Annotated, Any, Protocol, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.types import Send, interrupt

from tests.workflows.rig import THREAD, AnyGraph
from workflows.catalog import Context
from workflows.protocol import ApprovalRequest, Decision, request_approval


class Log(TypedDict, total=False):
    """log: what the nodes did, in order. value: whatever a test wants to keep."""

    log: Annotated[list[str], operator.add]
    value: Any
    decision: Decision


class Node(Protocol):
    def __call__(self, state: Log) -> Log: ...


def thread(name: str = THREAD, *, strict: bool = False, **more: str) -> RunnableConfig:
    """The config of a run; strict by the key itself, since its name is what is held here."""
    configurable: dict[str, Any] = {"thread_id": name, **more}
    if strict:
        configurable["__pregel_strict_resume"] = True
    return {"configurable": configurable}


def asks(*questions: str) -> Node:
    """A node that interrupts with each question in turn, by LangGraph's own means."""

    def node(state: Log) -> Log:
        return {"log": [f"{question}={interrupt(question)}" for question in questions]}

    return node


def gate(*titles: str) -> Node:
    """A node that asks for one approval after the other, as our protocol has it."""

    def node(state: Log) -> Log:
        decisions = [request_approval(ApprovalRequest(title=title)) for title in titles]
        return {"log": [f"{t}:{d.type}" for t, d in zip(titles, decisions, strict=True)]}

    return node


def does(word: str) -> Node:
    def node(state: Log) -> Log:
        return {"log": [word]}

    return node


class Fails:
    """A node that raises until it is mended, and counts how often it ran."""

    def __init__(self, inner: Node) -> None:
        self.inner = inner
        self.broken = True
        self.runs = 0

    def __call__(self, state: Log) -> Log:
        self.runs += 1
        done = self.inner(state)
        if self.broken:
            raise RuntimeError("the node broke")
        return done


class Counted:
    """A node that counts how often it ran."""

    def __init__(self, inner: Node) -> None:
        self.inner = inner
        self.runs = 0

    def __call__(self, state: Log) -> Log:
        self.runs += 1
        return self.inner(state)


def empty() -> AnyGraph:
    return StateGraph(Log, context_schema=Context)


def line(**nodes: Any) -> AnyGraph:
    """One node after the other."""
    graph, before = empty(), START
    for name, node in nodes.items():
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    return graph


def beside(**nodes: Any) -> AnyGraph:
    """All nodes at once."""
    graph = empty()
    for name, node in nodes.items():
        graph.add_node(name, node)
        graph.add_edge(START, name)
    return graph


def spread(node: Any, *given: Mapping[str, Any]) -> AnyGraph:
    """A node that is sent once for each of `given`."""
    graph = empty()
    graph.add_node("plan", does("planned"))
    graph.add_node("each", node)
    graph.add_edge(START, "plan")

    def fan(state: Log) -> list[Send]:
        return [Send("each", one) for one in given]

    graph.add_conditional_edges("plan", fan, ["each"])
    return graph


def loop(node: Any, rounds: int) -> AnyGraph:
    """A node that comes again until there are so many lines in the log."""
    graph = empty()
    graph.add_node("again", node)
    graph.add_edge(START, "again")

    def more(state: Log) -> str:
        return "again" if len(state.get("log", [])) < rounds else "__end__"

    graph.add_conditional_edges("again", more, ["again", "__end__"])
    return graph
