"""The second half of LangGraph's page on interrupts: side effects, subgraphs, breakpoints."""

from typing import Any

import httpx
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from tests.workflows.gallery.documentation import CRASH, State, one
from tests.workflows.gallery.world import Gallery, World

EFFECTS = Gallery()
documented = EFFECTS.shows


class Db:
    """A client of a service of one's own, as one writes it: everything is a request."""

    def __init__(self, address: str) -> None:
        self.address = address

    def upsert_user(self, user_id: str, status: str) -> None:
        httpx.put(f"{self.address}/users/{user_id}", json={"status": status})

    def create_audit_log(self, entry: dict[str, Any]) -> str:
        return str(httpx.post(f"{self.address}/audit", json=entry).status_code)

    def append_to_history(self, user_id: str, what: str) -> None:
        httpx.post(f"{self.address}/users/{user_id}/history", json={"what": what})


# --- rules: side effects


@documented()
def good_idempotent_operations(world: World) -> Any:
    db = Db(world.http)

    def node_a(state: State) -> State:
        db.upsert_user(user_id="u1", status="pending_approval")
        return {"approved": interrupt("Approve this change?")}

    return one(node_a)


@documented(CRASH)
def good_side_effects_after(world: World) -> Any:
    """Once for each answer; where the process dies in the middle of it, again."""
    db = Db(world.http)

    def node_a(state: State) -> State:
        approved = interrupt("Approve this change?")
        if approved:
            db.create_audit_log({"user_id": "u1", "action": "approved"})
        return {"approved": approved}

    return one(node_a)


@documented(CRASH)
def good_in_different_nodes(world: World) -> Any:
    db = Db(world.http)

    def approval_node(state: State) -> State:
        return {"approved": interrupt("Approve this change?")}

    def notification_node(state: State) -> State:
        if state.get("approved"):
            db.create_audit_log({"user_id": "u1", "status": "approved"})
        return {}

    builder: Any = StateGraph(State)
    builder.add_node("approval", approval_node)
    builder.add_node("notification", notification_node)
    builder.add_edge(START, "approval")
    builder.add_edge("approval", "notification")
    return builder.compile()


@documented("call-twice")
def bad_creating_records(world: World) -> Any:
    db = Db(world.http)

    def node_a(state: State) -> State:
        audit_id = db.create_audit_log({"user_id": "u1", "action": "pending_approval"})  # here
        return {"approved": interrupt("Approve this change?"), "audit_id": audit_id}

    return one(node_a)


@documented("call-twice")
def bad_appending_to_lists(world: World) -> Any:
    db = Db(world.http)

    def node_a(state: State) -> State:
        db.append_to_history("u1", "approval_requested")  # here
        return {"approved": interrupt("Approve this change?")}

    return one(node_a)


# --- subgraphs called as functions, and breakpoints


@documented("call-twice")
def a_subgraph_called_as_a_function(world: World) -> Any:
    """What both nodes do before the question runs again."""
    db = Db(world.http)

    def node_in_subgraph(state: State) -> State:
        db.append_to_history("u1", "asked")  # here
        return {"name": interrupt("What's your name?")}

    subgraph = one(node_in_subgraph)

    def node_in_parent_graph(state: State) -> State:
        db.create_audit_log({"user_id": "u1"})  # here
        return {"name": subgraph.invoke(state)["name"]}

    return one(node_in_parent_graph)


@documented(CRASH)
def breakpoints(world: World) -> Any:
    db = Db(world.http)

    def node_a(state: State) -> State:
        return {"audit_id": db.create_audit_log({"user_id": "u1"})}

    builder: Any = StateGraph(State)
    builder.add_node("node_a", node_a)
    builder.add_edge(START, "node_a")
    return builder.compile(interrupt_before=["node_a"])
