"""The journeys that are broken at every call: graphs as people write them, and their reviewers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from workflows.catalog import Context, Workflow
from workflows.connectors.payments import SqlitePayments
from workflows.protocol import ApprovalRequest, request_approval


class Input(BaseModel):
    name: str


def joined(left: list[str], right: list[str]) -> list[str]:
    return sorted({*left, *right})


class State(TypedDict):
    name: str
    said: Annotated[list[str], joined]


@dataclass(frozen=True)
class Journey:
    """decisions: by a word of the title, what the reviewer clicks. paid: refunds at the end."""

    build: Callable[[SqlitePayments], Workflow]
    decisions: dict[str, str]
    paid: int


def ask(title: str) -> list[str]:
    return [f"{title}: {request_approval(ApprovalRequest(title=title)).type}"]


def one(state: State) -> dict[str, Any]:
    return {"said": ask(f"First of {state['name']}")}


def other(state: State) -> dict[str, Any]:
    return {"said": ask(f"Second of {state['name']}")}


def two_in_one_node(state: State) -> dict[str, Any]:
    return {"said": ask(f"First of {state['name']}") + ask(f"Second of {state['name']}")}


def until_approved(state: State) -> dict[str, Any]:
    first = ask(f"First of {state['name']}")
    if first[0].endswith("reject"):
        return {"said": first + ask(f"Second of {state['name']}")}
    return {"said": first}


def paying(payments: SqlitePayments) -> Any:
    async def pay(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        if not any(line.endswith("approve") for line in state["said"]):
            return {}
        key = f"pay:{runtime.context.thread_id}"
        receipt = await runtime.context.effects.once(
            key,
            lambda: payments.refund(key, customer="Ada", amount_minor=100, currency="USD"),
            find=lambda: payments.find(key),
        )
        return {"said": [receipt.summary]}

    return pay


def graph_of(payments: SqlitePayments, *nodes: Any, parallel: bool = False) -> Any:
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("pay", paying(payments))
    names = [f"ask_{number}" for number in range(len(nodes))]
    for name, node in zip(names, nodes, strict=True):
        graph.add_node(name, node)
    if parallel:
        for name in names:
            graph.add_edge(START, name)
        graph.add_edge(names, "pay")
    else:
        for before, after in zip([START, *names], [*names, "pay"], strict=True):
            graph.add_edge(before, after)
    graph.add_edge("pay", END)
    return graph


def workflow(graph: Any) -> Workflow:
    return Workflow(name="journey", title="Journey", input_model=Input, graph=graph)


def subgraph(payments: SqlitePayments) -> Workflow:
    inner = StateGraph(State)
    inner.add_node("inner", one)
    inner.add_edge(START, "inner")
    inner.add_edge("inner", END)
    return workflow(graph_of(payments, inner.compile()))


JOURNEYS = {
    "approve": Journey(lambda p: workflow(graph_of(p, one)), {"First": "approve"}, 1),
    "reject": Journey(lambda p: workflow(graph_of(p, one)), {"First": "reject"}, 0),
    "two questions in one node": Journey(
        lambda p: workflow(graph_of(p, two_in_one_node)),
        {"First": "approve", "Second": "approve"},
        1,
    ),
    "a validation loop": Journey(
        lambda p: workflow(graph_of(p, until_approved)), {"First": "reject", "Second": "approve"}, 1
    ),
    "two parallel questions": Journey(
        lambda p: workflow(graph_of(p, one, other, parallel=True)),
        {"First": "approve", "Second": "reject"},
        1,
    ),
    "a question in a subgraph": Journey(subgraph, {"First": "approve"}, 1),
}
