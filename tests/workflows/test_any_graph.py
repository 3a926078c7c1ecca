"""Graphs as people write them who know nothing of Countersign, on the product's own runner."""

import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Send, interrupt

from tests.workflows.rig import Rig, Threads
from tests.workflows.state_types import Address, Color, Customer
from workflows.loading import BadTarget, load, named
from workflows.payloads import read_question, write_answer
from workflows.protocol import Actor, Approve, Decision, Reject
from workflows.runner import Question, ThreadState


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def decided(question: Question, *, yes: bool = True) -> Any:
    asked = read_question(question.value, question.hints).request
    who: dict[str, Any] = {
        "by": Actor(team="T1", user="U000MARA"),
        "at": "2026-03-02T09:30:00Z",
        "digest": asked.digest,
    }
    decision: Decision = Approve(**who) if yes else Reject(**who)
    return write_answer(decision, question.value, question.hints)


async def answered(threads: Threads, state: ThreadState, *, yes: bool = True) -> ThreadState:
    return await threads.advance({q.key: decided(q, yes=yes) for q in state.open})


def gives(**update: Any) -> Any:
    """A node that changes the state so."""

    def node(state: Any) -> dict[str, Any]:
        return update

    return node


def ask(state: State) -> dict[str, Any]:
    """As LangGraph's documentation asks; a plain function."""
    first = interrupt("Do you approve?")
    second = interrupt({"question": "Really?", "first": first})
    return {"log": [f"{first} {second}"]}


def simple() -> Any:
    graph: Any = StateGraph(State)
    graph.add_node("prepare", gives(log=["prepared"]))
    graph.add_node("ask", ask)
    graph.add_edge(START, "prepare")
    graph.add_edge("prepare", "ask")
    graph.add_edge("ask", END)
    return graph


async def test_two_questions_of_one_node_get_their_own_answers(rig: Rig) -> None:
    threads = await rig.threads(simple())
    state = await threads.advance(given={"log": []})
    state = await answered(threads, state)
    [question] = state.open
    assert read_question(question.value).request.title == "Really?"
    state = await answered(threads, state, yes=False)
    assert state.finished
    assert state.values["log"] == ["prepared", "True False"]


async def test_a_compiled_graph_keeps_its_breakpoint_and_is_asked_about_it(rig: Rig) -> None:
    graph: Any = StateGraph(State)
    graph.add_node("prepare", gives(log=["prepared"]))
    graph.add_node("pay", gives(log=["paid"]))
    graph.add_edge(START, "prepare")
    graph.add_edge("prepare", "pay")
    compiled: Any = graph.compile(interrupt_before=["pay"])
    threads = await rig.threads(compiled)
    state = await threads.advance(given={"log": []})
    assert (state.finished, state.stalled) == (False, False)
    [question] = state.open
    request = read_question(question.value).request
    assert (request.title, request.allowed_decisions) == ("Go on to pay?", ("approve", "reject"))
    again = await threads.advance()  # nobody has decided: it does not go on by itself
    assert [each.key for each in again.open] == [question.key]
    state = await answered(threads, again)
    assert state.finished
    assert state.values["log"] == ["prepared", "paid"]


async def test_each_task_of_a_send_has_its_own_question(rig: Rig) -> None:
    def one(state: Any) -> dict[str, Any]:
        return {"log": [f"{state['name']}: {interrupt({'question': state['name']})}"]}

    graph: Any = StateGraph(State)
    graph.add_node("one", one)

    def both(state: State) -> list[Send]:
        return [Send("one", {"name": name}) for name in ("a", "b")]

    graph.add_conditional_edges(START, both, ["one"])
    threads = await rig.threads(graph)
    state = await threads.advance(given={"log": []})
    questions = {read_question(q.value).request.title: q for q in state.open}
    state = await threads.advance({questions["b"].key: decided(questions["b"], yes=False)})
    state = await threads.advance({questions["a"].key: decided(questions["a"])})
    assert state.finished
    assert sorted(state.values["log"]) == ["a: True", "b: False"]


class Messages(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@tool
def pay(amount: int) -> str:
    """Pay it, where a person allows it."""
    return f"paid {amount}" if interrupt({"question": f"Pay {amount}?"}) else "not paid"


def agent(*amounts: int) -> Any:
    calls: Any = [{"name": "pay", "args": {"amount": a}, "id": f"c{a}"} for a in amounts]
    graph: Any = StateGraph(Messages)
    graph.add_node("model", gives(messages=[AIMessage(content="", tool_calls=calls)]))
    graph.add_node("tools", ToolNode([pay]))
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    return graph


async def test_several_calls_in_one_task_of_a_tool_node_are_not_put_to_people(rig: Rig) -> None:
    """LangGraph would give the first answer to whichever asks first."""
    threads = await rig.threads(agent(1, 2))
    state = await threads.advance(given={"messages": [HumanMessage(content="hi")]})
    assert state.open
    assert all("give the answer to whichever asks first" in q.problem for q in state.open)

    alone = await rig.threads(agent(1))
    state = await alone.advance(given={"messages": [HumanMessage(content="hi")]}, thread_id="t-2")
    [question] = state.open
    assert question.problem == ""
    assert question.hints.tools["pay"]["properties"]["amount"]["type"] == "integer"


# --- by name


class Typed(TypedDict):
    customers: list[Customer | None]
    messages: Annotated[list[AnyMessage], add_messages]


typed: Any = StateGraph(Typed)
graph = simple()
compiled = graph.compile()
after = graph.compile(interrupt_after="*")


def make_graph(config: Any) -> Any:
    """As langgraph.json may name it."""
    assert config == {"configurable": {}}
    return graph


async def make_later() -> Any:
    return graph


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (f"{__name__}:compiled", "test_any_graph"),
        (f"{__name__}:make_graph", "test_any_graph"),
        (f"mine={__name__}:graph", "mine"),
    ],
)
def test_a_graph_is_named_by_its_path(target: str, name: str) -> None:
    [workflow] = named([target])
    assert workflow.name == name
    assert workflow.read_input({"log": ["a"]}) == {"log": ["a"]}


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nowhere", "write path.to:graph"),
        ("A B=x.y:z", "write path.to:graph"),
        ("no_such_module_here:graph", "There is no module no_such_module_here"),
        (f"{__name__}:nothing", "has no nothing"),
        (f"{__name__}:after", "interrupt_after"),
        (f"{__name__}:make_later", "is an async function"),
        (f"{__name__}:decided", "needs arguments (question)"),
        ("no_such_langgraph.json", "No such file"),
    ],
)
def test_what_cannot_be_named_so_is_said(target: str, words: str) -> None:
    with pytest.raises(BadTarget) as refused:
        named([target])
    assert words in str(refused.value)


def test_a_langgraph_json_names_its_graphs(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "mine.py").write_text(f"from {__name__} import graph, compiled\n")
    file = tmp_path / "langgraph.json"
    file.write_text(
        '{"dependencies": ["."], "graphs": {"first": "./src/mine.py:graph", '
        '"second": {"path": "./src/mine.py:compiled"}}}'
    )
    assert [workflow.name for workflow in named([str(file)])] == ["first", "second"]
    file.write_text('{"graphs": {"first": "./src/mine.py"}}')
    with pytest.raises(BadTarget, match="first"):
        named([str(file)])


def test_the_types_in_a_state_are_found() -> None:
    assert set(load(f"{__name__}:typed")().state_types) == {Customer, Address, Color}
