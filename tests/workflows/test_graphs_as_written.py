"""Every kind of graph that interrupts, as one writes it who follows LangGraph's documentation, on
the product's own runner: what is asked, and that each answer reaches the one who asked."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from tests.workflows.rig import Rig
from tests.workflows.test_any_graph import State, answered, decided, gives
from workflows.payloads import read_question
from workflows.protocol import ApprovalRequest
from workflows.runner import Question
from workflows.serializer import UnstorableState


def asked(question: Question) -> ApprovalRequest:
    return read_question(question.value, question.hints).request


def chain(*nodes: tuple[str, Any], **compiled: Any) -> Any:
    graph: Any = StateGraph(State)
    for before, (name, node) in zip([START, *(name for name, _ in nodes)], nodes, strict=False):
        graph.add_node(name, node)
        graph.add_edge(before, name)
    return graph.compile(**compiled)


def says(words: str) -> Any:
    """A plain function that asks, and logs the answer."""

    def node(state: State) -> dict[str, Any]:
        return {"log": [f"{words} {interrupt(words)}"]}

    return node


# --- loops, parallel nodes, subgraphs


async def test_a_loop_asks_anew_in_each_round(rig: Rig) -> None:
    """As in "validating human input": until the answer is a good one."""

    def age(state: State) -> dict[str, Any]:
        said = interrupt({"question": "How old?", "round": len(state["log"])})
        return {"log": [str(said)]}

    def again(state: State) -> str:
        return END if state["log"][-1] == "True" else "age"

    graph: Any = StateGraph(State)
    graph.add_node("age", age)
    graph.add_edge(START, "age")
    graph.add_conditional_edges("age", again)
    threads = await rig.threads(graph)
    state = await threads.advance(given={"log": []})
    keys: list[str] = []
    for yes in (False, False, True):
        [question] = state.open
        keys.append(question.key)
        state = await threads.advance({question.key: decided(question, yes=yes)})
    assert state.finished
    assert state.values["log"] == ["False", "False", "True"]
    assert len(set(keys)) == 3
    late = await threads.advance({keys[0]: False})
    assert late.values["log"] == state.values["log"]


async def test_a_node_that_asks_until_the_answer_is_good_asks_each_time(rig: Rig) -> None:
    """The documentation's `while True` inside one node."""

    def age(state: State) -> dict[str, Any]:
        said: list[str] = []
        while not said or said[-1] != "True":
            said.append(str(interrupt(f"How old? ({len(said)})")))
        return {"log": said}

    threads = await rig.threads(chain(("age", age)))
    state = await threads.advance(given={"log": []})
    for n, yes in enumerate((False, False, True)):
        [question] = state.open
        assert asked(question).title == f"How old? ({n})"
        state = await threads.advance({question.key: decided(question, yes=yes)})
    assert state.values["log"] == ["False", "False", "True"]


async def test_parallel_nodes_ask_at_once_and_are_answered_one_by_one(rig: Rig) -> None:
    graph: Any = StateGraph(State)
    for name in ("legal", "finance"):
        graph.add_node(name, says(name))
        graph.add_edge(START, name)
        graph.add_edge(name, "end")
    graph.add_node("end", gives(log=["end"]), defer=True)
    threads = await rig.threads(graph)
    state = await threads.advance(given={"log": []})
    questions = {asked(question).title: question for question in state.open}
    assert questions.keys() == {"legal", "finance"}
    state = await threads.advance({questions["finance"].key: decided(questions["finance"])})
    assert [question.key for question in state.open] == [questions["legal"].key]
    legal = questions["legal"]
    state = await threads.advance({legal.key: decided(legal, yes=False)})
    assert state.finished
    assert sorted(state.values["log"]) == ["end", "finance True", "legal False"]


@pytest.mark.parametrize("depth", [1, 3])
async def test_a_subgraph_asks_at_any_depth(rig: Rig, depth: int) -> None:
    graph = chain(("ask", says("Deep?")), ("after", gives(log=["after"])))
    for level in range(depth):
        graph = chain((f"level_{level}", graph))
    threads = await rig.threads(graph)
    state = await threads.advance(given={"log": []})
    [question] = state.open
    elsewhere = await rig.threads(graph)
    state = await elsewhere.advance({question.key: decided(question)})
    assert state.finished
    assert state.values["log"] == ["Deep? True", "after"]


async def test_a_graph_that_a_node_calls_asks_too(rig: Rig) -> None:
    inner = chain(("ask", says("Inside?")))

    def call(state: State) -> dict[str, Any]:
        return {"log": inner.invoke({"log": []})["log"]}

    threads = await rig.threads(chain(("call", call)))
    state = await answered(threads, await threads.advance(given={"log": []}))
    assert state.finished
    assert state.values["log"] == ["Inside? True"]


async def test_a_node_goes_where_the_answer_says(rig: Rig) -> None:
    """`Command(goto=...)`, as in "approve or reject"."""

    def gate(state: State) -> Command[Any]:
        return Command(goto="yes" if interrupt({"question": "Go?"}) else "no")

    graph: Any = StateGraph(State)
    graph.add_node("gate", gate, destinations=("yes", "no"))
    graph.add_node("yes", gives(log=["yes"]))
    graph.add_node("no", gives(log=["no"]))
    graph.add_edge(START, "gate")
    threads = await rig.threads(graph)
    state = await answered(threads, await threads.advance(given={"log": []}), yes=False)
    assert (state.finished, state.values["log"]) == (True, ["no"])


@task
def draft(topic: str) -> str:
    return f"about {topic}"


@entrypoint()
def essay(given: dict[str, Any]) -> dict[str, Any]:
    """The functional API, synchronous."""
    text = draft(given["topic"]).result()
    return {"text": text, "approved": interrupt({"question": "Publish?", "draft": text})}


async def test_the_functional_api_asks(rig: Rig) -> None:
    graph: Any = essay
    threads = await rig.threads(graph)
    state = await threads.advance(given={"topic": "cats"})
    [question] = state.open
    assert (asked(question).title, asked(question).fields[0].label) == ("Publish?", "draft")
    state = await (await rig.threads(graph)).advance({question.key: decided(question)})
    assert state.finished
    assert state.values == {"text": "about cats", "approved": True}


# --- breakpoints


async def test_every_node_may_have_a_breakpoint(rig: Rig) -> None:
    graph = chain(("a", gives(log=["a"])), ("b", says("b")), interrupt_before="*")
    threads = await rig.threads(graph)
    state = await threads.advance(given={"log": []})
    titles: list[str] = []
    while state.open:
        [question] = state.open
        titles.append(asked(question).title)
        state = await answered(threads, state)
    assert titles == ["Go on to a?", "Go on to b?", "b"]
    assert state.finished
    assert state.values["log"] == ["a", "b True"]


async def test_a_breakpoint_inside_a_subgraph_is_no_open_door(rig: Rig) -> None:
    inner = chain(("pay", gives(log=["paid"])), interrupt_before=["pay"])
    threads = await rig.threads(chain(("agent", inner)))
    state = await threads.advance(given={"log": []})
    [question] = state.open
    assert asked(question).title == "Go on to pay?"
    again = await threads.advance()
    assert [each.key for each in again.open] == [question.key]
    assert again.values["log"] == []
    state = await answered(threads, again)
    assert state.finished
    assert state.values["log"] == ["paid"]


# --- tools


@tool
def pay(amount: int) -> str:
    """Pay it, where a person allows it."""
    return f"paid {amount}" if interrupt({"question": f"Pay {amount}?"}) else "not paid"


class Said(TypedDict):
    said: Annotated[list[Any], operator.add]


def agent(*amounts: int, node: Any = None, key: str = "messages") -> Any:
    calls: Any = [{"name": "pay", "args": {"amount": a}, "id": f"c{a}"} for a in amounts]
    graph: Any = StateGraph(MessagesState if key == "messages" else Said)
    graph.add_node("model", gives(**{key: [AIMessage(content="", tool_calls=calls)]}))
    graph.add_node("tools", node or ToolNode([pay], messages_key=key))
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    return graph.compile()


tools = ToolNode([pay])


def calls_tools(state: MessagesState) -> dict[str, Any]:
    """A node of one's own around it."""
    return {"messages": tools.invoke(state["messages"])}


def inside(graph: Any) -> Any:
    outer: Any = StateGraph(MessagesState)
    outer.add_node("agent", graph)
    outer.add_edge(START, "agent")
    return outer


ASTRAY: dict[str, tuple[Any, str]] = {
    "plain": (agent(1, 2), "messages"),
    "in a subgraph": (inside(agent(1, 2)), "messages"),
    "in two": (inside(inside(agent(1, 2)).compile()), "messages"),
    "under another key": (agent(1, 2, key="said"), "said"),
    "in a function": (agent(1, 2, node=calls_tools), "messages"),
}


@pytest.mark.parametrize("name", ASTRAY)
async def test_calls_whose_answers_would_go_astray_are_not_put_to_people(
    rig: Rig, name: str
) -> None:
    graph, key = ASTRAY[name]
    threads = await rig.threads(graph)
    state = await threads.advance(given={key: [HumanMessage("hi")]})
    assert state.open
    assert all("give the answer to whichever asks first" in q.problem for q in state.open)


@pytest.mark.parametrize("graph", [agent(1), inside(agent(1)), agent(1, node=calls_tools)])
async def test_a_call_alone_is_asked_about(rig: Rig, graph: Any) -> None:
    threads = await rig.threads(graph)
    state = await threads.advance(given={"messages": [HumanMessage("hi")]})
    assert [question.problem for question in state.open] == [""]
    state = await answered(threads, state)
    assert state.finished
    assert state.values["messages"][-1].content == "paid 1"


# --- what is asked


@dataclass
class Draft:
    to: str
    lines: list[str]


class Mail(BaseModel):
    subject: str


VALUES: list[tuple[Any, str]] = [
    ("Do you approve?", "Do you approve?"),
    ({"question": "Send?", "draft": "Dear all"}, "Send?"),
    ({"task": "Review the output", "llm_output": "text"}, "Review the output"),
    ({"a": {"b": [1, None, True]}}, "The workflow asks"),
    (["one", 2], "The workflow asks"),
    (42, "The workflow asks"),
    (False, "The workflow asks"),
    ("", "The workflow asks"),
    ({}, "The workflow asks"),
    ([], "The workflow asks"),
    (None, "The workflow asks"),
    ({"question": "x" * 5000}, "x" * 149 + "…"),
    ({f"field {n}": n for n in range(200)}, "The workflow asks"),
    ({"question": "Sure?", "countersigned": 1}, "Sure?"),
]


@pytest.mark.parametrize(("value", "title"), VALUES, ids=lambda value: str(value)[:30])
async def test_whatever_is_asked_is_put_to_people(rig: Rig, value: Any, title: str) -> None:
    def ask(state: State) -> dict[str, Any]:
        return {"log": [str(interrupt(value))]}

    threads = await rig.threads(chain(("ask", ask)))
    state = await threads.advance(given={"log": []})
    [question] = state.open
    assert asked(question).title == title
    state = await answered(threads, state)
    assert (state.finished, state.values["log"]) == (True, ["True"])


INBOX: dict[str, Any] = {
    "action_request": {"action": "send_email", "args": {"to": "ada@example.com"}},
    "config": {
        "allow_accept": True,
        "allow_edit": True,
        "allow_respond": True,
        "allow_ignore": True,
    },
    "description": "Please look",
}


@pytest.mark.parametrize("listed", [True, False])
async def test_agent_inbox_asks_and_reads_a_list_of_one(rig: Rig, listed: bool) -> None:
    """As its README shows: `interrupt([request])[0]`, and without the list."""

    def ask(state: State) -> dict[str, Any]:
        [answer] = interrupt([INBOX] if listed else INBOX)
        return {"log": [answer["type"]]}

    threads = await rig.threads(chain(("ask", ask)))
    state = await threads.advance(given={"log": []})
    [question] = state.open
    assert (asked(question).title, asked(question).details) == ("Call send_email", "Please look")
    state = await answered(threads, state)
    assert (state.finished, state.values["log"]) == (True, ["accept"])


async def test_what_is_no_json_is_refused_by_name(rig: Rig) -> None:
    def ask(state: State) -> dict[str, Any]:
        return {"log": [str(interrupt({1: "a"}))]}

    threads = await rig.threads(chain(("ask", ask)))
    with pytest.raises(UnstorableState, match="key must be str"):
        await threads.advance(given={"log": []})


async def test_a_breakpoint_beside_another_question_is_refused(rig: Rig) -> None:
    """An answer to either would go on from both."""
    inner = chain(("pay", gives(log=["paid"])), interrupt_before=["pay"])
    graph: Any = StateGraph(State)
    graph.add_node("agent", inner)
    graph.add_node("ask", says("Ok?"))
    graph.add_edge(START, "agent")
    graph.add_edge(START, "ask")
    threads = await rig.threads(graph)
    state = await threads.advance(given={"log": []})
    assert [bool(question.problem) for question in state.open] == [False, True]
    assert "at a breakpoint inside a subgraph" in state.open[-1].problem


async def test_breakpoints_of_two_subgraphs_are_one_question(rig: Rig) -> None:
    graph: Any = StateGraph(State)
    for name in ("a", "b"):
        inner = chain((f"pay_{name}", gives(log=[name])), interrupt_before=[f"pay_{name}"])
        graph.add_node(name, inner)
        graph.add_edge(START, name)
    threads = await rig.threads(graph)
    state = await threads.advance(given={"log": []})
    [question] = state.open
    assert asked(question).title == "Go on to pay_a, pay_b?"
    state = await answered(threads, state)
    assert (state.finished, state.values["log"]) == (True, ["a", "b"])


async def test_each_stop_of_a_subgraph_is_asked_about(rig: Rig) -> None:
    """The graph around it stands at the same checkpoint all the while."""
    inner = chain(("a", gives(log=["a"])), ("b", gives(log=["b"])), interrupt_before=["a", "b"])
    threads = await rig.threads(chain(("agent", inner)))
    state = await threads.advance(given={"log": []})
    keys: list[str] = []
    while state.open:
        [question] = state.open
        keys.append(question.key)
        state = await answered(threads, state)
    assert len(set(keys)) == len(keys) == 2
    assert (state.finished, state.values["log"]) == (True, ["a", "b"])
