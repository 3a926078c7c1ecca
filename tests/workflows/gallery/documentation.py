"""The examples of LangGraph's documentation on interrupts, written as its readers would write them
into a program of theirs, each with the verdict that it deserves.

The page: docs.langchain.com/oss/python/langgraph/interrupts (October 2025). Where the
documentation advises against something that is safe all the same, the verdict says so.
"""

from typing import Any, Literal, TypedDict

import httpx
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt

from tests.workflows.gallery.world import Gallery, World

DOCUMENTED = Gallery()
CRASH = "call-twice-after-crash"  # a warning
documented = DOCUMENTED.shows


class State(TypedDict, total=False):
    action_details: str
    status: Literal["pending", "approved", "rejected"] | None
    generated_text: str
    age: int | None
    name: str
    city: str
    approved: bool
    user_id: str
    needs_age: bool
    dynamic_list: list[str]
    results: list[Any]
    audit_id: str


def one(node: Any) -> Any:
    graph: Any = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    return graph.compile()


# --- common patterns


@documented()
def pause_using_interrupt(world: World) -> Any:
    def approval_node(state: State) -> State:
        approved = interrupt("Do you approve this action?")
        return {"approved": approved}

    return one(approval_node)


@documented()
def approve_or_reject(world: World) -> Any:
    def approval_node(state: State) -> Command[Literal["proceed", "cancel"]]:
        question = {"question": "Approve this?", "details": state.get("action_details")}
        return Command(goto="proceed" if interrupt(question) else "cancel")

    def proceed_node(state: State) -> State:
        return {"status": "approved"}

    def cancel_node(state: State) -> State:
        return {"status": "rejected"}

    builder: Any = StateGraph(State)
    builder.add_node("approval", approval_node)
    builder.add_node("proceed", proceed_node)
    builder.add_node("cancel", cancel_node)
    builder.add_edge(START, "approval")
    builder.add_edge("proceed", END)
    builder.add_edge("cancel", END)
    return builder.compile()


@documented(decisions=({"type": "respond", "text": "An improved draft"},))
def review_and_edit_state(world: World) -> Any:
    def review_node(state: State) -> State:
        updated = interrupt({"instruction": "Review it", "content": state.get("generated_text")})
        return {"generated_text": updated}

    return one(review_node)


def _agent(send_email: Any) -> Any:
    def agent(state: MessagesState) -> dict[str, Any]:
        if state["messages"] and isinstance(state["messages"][-1], AIMessage):
            return {}
        args = {"to": "alice@example.com", "subject": "Meeting", "body": "At noon?"}
        call: Any = {"name": "send_email", "args": args, "id": "call-1"}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    builder: Any = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_node("tools", ToolNode([send_email]))
    builder.add_edge(START, "agent")
    builder.add_edge("agent", "tools")
    return builder.compile()


@documented(CRASH, decisions=({"answer": {"action": "approve", "subject": "Lunch"}},))
def interrupts_in_tools(world: World) -> Any:
    """It sends once it was asked; where the process dies behind that, again."""

    @tool
    def send_email(to: str, subject: str, body: str) -> str:
        """Send an email to a recipient."""
        question = {"action": "send_email", "to": to, "subject": subject, "body": body}
        response = interrupt({**question, "message": "Approve sending this email?"})
        if response.get("action") != "approve":
            return "Email cancelled by user"
        httpx.post(f"{world.http}/mail", json={"to": to, "subject": response.get("subject")})
        return f"Email sent to {to}"

    return _agent(send_email)


@documented(decisions=({"answer": "thirty"}, {"answer": 30}))
def validating_human_input(world: World) -> Any:
    def get_age_node(state: State) -> State:
        prompt = "What is your age?"
        while True:
            answer = interrupt(prompt)
            if isinstance(answer, int) and answer > 0:
                return {"age": answer}
            prompt = f"'{answer}' is not a valid age. Please enter a positive number."

    return one(get_age_node)


# --- rules: try and except


@documented()
def good_separating_logic(world: World) -> Any:
    def node_a(state: State) -> State:
        name = interrupt("What's your name?")
        try:
            httpx.get(f"{world.http}/people/{name}").raise_for_status()
        except Exception as error:  # noqa: BLE001
            return {"name": f"unknown ({error})"}
        return {"name": str(name)}

    return one(node_a)


@documented()
def good_explicit_exceptions(world: World) -> Any:
    def node_a(state: State) -> State:
        try:
            name = interrupt("What's your name?")
            httpx.get(f"{world.http}/people/{name}").raise_for_status()
        except httpx.HTTPError:
            return {"name": "unknown"}
        return {"name": str(name)}

    return one(node_a)


@documented("interrupt-swallowed")
def bad_bare_try(world: World) -> Any:
    def node_a(state: State) -> State:
        try:
            return {"name": interrupt("What's your name?")}  # here
        except Exception:  # noqa: BLE001
            return {"name": "nobody"}

    return one(node_a)


# --- rules: the order of interrupts


@documented()
def good_the_same_order(world: World) -> Any:
    def node_a(state: State) -> State:
        name = interrupt("What's your name?")
        age = interrupt("What's your age?")
        city = interrupt("What's your city?")
        return {"name": name, "age": age, "city": city}

    return one(node_a)


@documented()
def skipping_by_the_state(world: World) -> Any:
    """Advised against, and safe: the state is the checkpoint's, the same each time it runs."""

    def node_a(state: State) -> State:
        name = interrupt("What's your name?")
        age = interrupt("What's your age?") if state.get("needs_age") else None
        return {"name": name, "age": age, "city": interrupt("What's your city?")}

    return one(node_a)


@documented("order-changes")
def bad_skipping_by_the_outside(world: World) -> Any:
    def node_a(state: State) -> State:
        name = interrupt("What's your name?")
        known = httpx.get(f"{world.http}/people/{name}").text
        if known == "{}":  # here
            interrupt("What's your age?")
        return {"name": name, "city": interrupt("What's your city?")}

    return one(node_a)


@documented()
def looping_over_the_state(world: World) -> Any:
    """Advised against, and safe for the same reason."""

    def node_a(state: State) -> State:
        return {"results": [interrupt(f"Approve {x}?") for x in state.get("dynamic_list", [])]}

    return one(node_a)


@documented("order-changes")
def bad_looping_over_the_outside(world: World) -> Any:
    def node_a(state: State) -> State:
        results = []
        for item in sorted(world.directory.iterdir()):  # here
            results.append(interrupt(f"Approve {item.name}?"))  # noqa: PERF401
        return {"results": [*results, interrupt("All?")]}

    return one(node_a)


# --- rules: simple values


@documented()
def good_simple_values(world: World) -> Any:
    def node_a(state: State) -> State:
        name = interrupt("What's your name?")
        count, approved = interrupt(42), interrupt(True)
        return {"name": name, "age": count, "approved": approved}

    return one(node_a)


@documented()
def good_structured_data(world: World) -> Any:
    def node_a(state: State) -> State:
        fields = ["name", "email", "age"]
        asked = {"question": "Enter user details", "fields": fields, "current": {}}
        return {"name": str(interrupt(asked))}

    return one(node_a)


@documented("question-unreadable")
def bad_functions_in_the_question(world: World) -> Any:
    def validate_input(value: str) -> bool:
        return len(value) > 0

    def node_a(state: State) -> State:
        asked = {"question": "What's your name?", "validator": validate_input}
        return {"name": interrupt(asked)}  # here

    return one(node_a)


@documented("question-unreadable")
def bad_instances_in_the_question(world: World) -> Any:
    class DataProcessor:
        def __init__(self, config: dict[str, str]) -> None:
            self.config = config

    def node_a(state: State) -> State:
        processor = DataProcessor({"mode": "strict"})
        return {"name": interrupt({"question": "Enter data", "processor": processor})}  # here

    return one(node_a)
