"""One workflow in several versions of its code: what a deploy may change under paused threads."""

import operator
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from workflows.catalog import Catalog, Context, Workflow
from workflows.clock import Clock, utc_now
from workflows.effects import Receipt
from workflows.protocol import ApprovalRequest, request_approval


class Input(BaseModel):
    """It is always the same mail."""


@dataclass(frozen=True)
class Urgency:
    """A class in the state, which a later version may not know."""

    level: int


class State(TypedDict, total=False):
    urgency: Urgency
    sent: Annotated[list[str], operator.add]


def mail(
    *gates: str,
    name: str = "mail",
    types: tuple[type, ...] = (Urgency,),
    send: Callable[[], Awaitable[Receipt]] | None = None,
) -> Catalog:
    """Each gate asks, all at once; what is approved is sent. The gates are named by the version."""
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("prepare", _prepare)
    graph.add_edge(START, "prepare")
    for gate in gates or ("ask",):
        graph.add_node(gate, _gate(gate, send or _sent))
        graph.add_edge("prepare", gate)
    return Catalog([Workflow(name, "Mail", Input, graph, state_types=types)])


def _prepare(state: State) -> dict[str, Any]:
    return {"urgency": Urgency(1)}


def _gate(name: str, send: Callable[[], Awaitable[Receipt]]) -> Any:
    async def gate(_state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        title = f"Send it ({name})" if name != "ask" else "Send it"
        decision = request_approval(ApprovalRequest(title=title))
        if decision.type != "approve":
            return {"sent": []}
        effects = runtime.context.effects
        receipt = await effects.once(f"mail:{runtime.context.thread_id}:{name}", send)
        return {"sent": [receipt.id]}

    return gate


async def _sent() -> Receipt:
    return Receipt(id="m_1", summary="Sent")


def after(**time: float) -> Clock:
    """A clock that is ahead, so that what is owed later is owed now."""
    return lambda: utc_now() + timedelta(**time)
