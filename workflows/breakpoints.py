"""Static breakpoints: a graph compiled with `interrupt_before` stops, and asks nothing by itself.
The stop becomes a question: may it go on? And the nodes at which a thread goes on."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph._internal._constants import TASKS  # private, pinned
from langgraph.checkpoint.base import Checkpoint
from langgraph.types import All, PregelTask, Send, StateSnapshot

from workflows.protocol import ApprovalRequest, Decision
from workflows.shapes import TITLE_AT_MOST, cut, field_of
from workflows.tools import AnyPregel, subgraph_of

BREAKPOINT = "countersign_breakpoint"  # the key by which the stop is told from any interrupt
EDGE = "branch:to:"  # the channel by which an edge makes its node due


MIXED = (
    "it stopped at a breakpoint inside a subgraph while something else of it asks: LangGraph would "
    "go on from both at any answer. Ask by `interrupt()` in the subgraph instead"
)


@dataclass(frozen=True)
class Stop:
    """values: of the state there."""

    nodes: tuple[str, ...]
    checkpoint_id: str
    values: Any


def stops_of(snapshot: StateSnapshot, graph: AnyPregel) -> Iterator[Stop]:
    """Where the graph stands still at a breakpoint: of its own, or of graphs inside of it."""
    nodes = stopped_before(snapshot, graph.interrupt_before_nodes)
    if nodes:
        checkpoint_id = snapshot.config.get("configurable", {})["checkpoint_id"]
        yield Stop(tuple(nodes), checkpoint_id, snapshot.values)
        return
    for task in snapshot.tasks:
        inner = subgraph_of(graph, task.name)
        if isinstance(task.state, StateSnapshot) and inner is not None:
            yield from stops_of(task.state, inner)


def stopped_before(snapshot: StateSnapshot, names: Sequence[str] | All) -> list[str]:
    """The nodes with a breakpoint that are the next to run. They may have been begun before: who
    goes on has to look whether that was allowed."""
    return [task.name for task in snapshot.tasks if _waits(task) and _is_in(task.name, names)]


def breakpoint_key(thread_id: str, stops: Sequence[Stop]) -> str:
    """The same for the same stop, also when some of its nodes have run meanwhile."""
    parts = (thread_id, *sorted(each.checkpoint_id for each in stops), "before")
    return f"ap_{hashlib.blake2b(chr(0).join(parts).encode(), digest_size=12).hexdigest()}"


def breakpoint_value(stops: Sequence[Stop]) -> dict[str, Any]:
    """What stands for the value of an interrupt."""
    nodes = sorted(node for each in stops for node in each.nodes)
    states = {", ".join(each.nodes): each.values for each in stops}
    return {BREAKPOINT: 1, "before": nodes, "state": states if len(stops) > 1 else stops[0].values}


def is_breakpoint(value: Any) -> bool:
    return isinstance(value, dict) and BREAKPOINT in value


def breakpoint_request(value: Mapping[str, Any]) -> ApprovalRequest:
    """What people are shown: where it stands, and the state as it is."""
    nodes = ", ".join(value["before"])
    state: Any = value["state"]
    named: Mapping[str, Any] = state if isinstance(state, Mapping) else {"State": state}
    return ApprovalRequest(
        title=cut(f"Go on to {nodes}?", TITLE_AT_MOST),
        fields=tuple(field_of(str(name), each) for name, each in named.items()),
        allowed_decisions=("approve", "reject"),
    )


def goes_on(decision: Decision) -> bool:
    """A graph cannot be told of a rejection here: it is not gone on with."""
    return decision.type == "approve"


def _waits(task: PregelTask) -> bool:
    return task.result is None and not task.interrupts and task.error is None


def _is_in(name: str, names: Sequence[str] | All) -> bool:
    return names == "*" or name in names


def due_nodes(checkpoint: Checkpoint) -> set[str]:
    """The nodes that the checkpoint runs next, also those that the present code does not have:
    LangGraph passes over them, and the thread would look finished."""
    channels = checkpoint["channel_values"]
    # A deferred node's channel holds a pair, and is due only when all the others are done.
    edges = {name for name, value in channels.items() if value is None}
    sends = {send.node for send in channels.get(TASKS, ()) if isinstance(send, Send)}
    return {name.removeprefix(EDGE) for name in edges if name.startswith(EDGE)} | sends


def settled(task: PregelTask, waiting: Collection[str]) -> bool:
    """Has this task ended, or does it wait for a person?"""
    if task.result is not None:
        return True
    inner = task.state if isinstance(task.state, StateSnapshot) else None
    if inner is not None and inner.tasks:
        return all(settled(each, waiting) for each in inner.tasks)
    return any(interrupt.id in waiting for interrupt in task.interrupts)
