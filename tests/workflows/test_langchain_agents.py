"""LangChain's create_agent with HumanInTheLoopMiddleware, in both modes, on the product's runner:
what is asked, what the tools do, and what the model is told."""

from typing import Any

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph

from tests.workflows.agents import ASK, ASKS, LOOK, MAIL, PAY, Call, Mode, agent, told
from tests.workflows.rig import MARA, NOW, Rig, Threads
from workflows.payloads import UnreadableQuestion, read_question, write_answer
from workflows.protocol import ApprovalRequest, Approve, Decision, Edit, Reject, Respond
from workflows.runner import Question, ThreadState

MODES: list[Mode] = ["batched", "per_call"]
both = pytest.mark.parametrize("mode", MODES)


async def begun(rig: Rig, graph: Any) -> tuple[Threads, ThreadState]:
    threads = await rig.threads(graph)
    return threads, await threads.advance(given=ASKS)


def asked(question: Question) -> ApprovalRequest:
    assert question.problem == ""
    return read_question(question.value, question.hints).request


def decision(question: Question, kind: type[Decision], **said: Any) -> Any:
    made: Any = kind(by=MARA, at=NOW, digest=asked(question).digest, **said)
    return write_answer(made, question.value, question.hints)


@both
async def test_an_approved_call_is_made_once_and_the_model_told(rig: Rig, mode: Mode) -> None:
    done: list[Any] = []
    graph = agent(done, mode, [PAY])
    _, state = await begun(rig, graph)
    [question] = state.open
    request = asked(question)
    assert (request.title, request.details) == ("Call pay", "Money leaves us")
    assert [(f.label, f.model_dump()["value"]) for f in request.fields] == [
        ("to", "Acme GmbH"),
        ("amount", "12050"),
    ]
    assert request.allowed_decisions == ("approve", "reject")
    assert done == []

    elsewhere = await rig.threads(graph)  # another process
    state = await elsewhere.advance({question.key: decision(question, Approve)})
    assert state.finished
    assert done == [("pay", "Acme GmbH", 12050)]
    assert told(state.values) == ["paid 12050 to Acme GmbH"]
    assert state.values["messages"][-1].content == "Done."


@both
async def test_an_edited_call_is_made_as_it_was_edited(rig: Rig, mode: Mode) -> None:
    done: list[Any] = []
    threads, state = await begun(rig, agent(done, mode, [MAIL]))
    [question] = state.open
    request = asked(question)
    assert request.allowed_decisions == ("approve", "edit", "reject", "respond")
    assert request.details == ""  # LangChain's own words say no more than the card
    assert request.editable is not None
    values = {**request.editable.values, "to": "grace@example.com", "copies": 2}
    state = await threads.advance({question.key: decision(question, Edit, values=values)})
    assert state.finished
    assert done == [("send_mail", "grace@example.com", "Your order", 2)]
    [message] = told(state.values)
    assert message.startswith("Note: a human reviewer replaced this tool call before it ran.")
    assert message.endswith("sent to grace@example.com")


@both
async def test_a_rejected_call_is_not_made_and_the_model_is_told_why(rig: Rig, mode: Mode) -> None:
    done: list[Any] = []
    threads, state = await begun(rig, agent(done, mode, [PAY], [LOOK]))
    [question] = state.open
    state = await threads.advance({question.key: decision(question, Reject, reason="Too much")})
    assert state.finished
    assert done == [("look_up", "A-7")]
    assert "with reason: Too much" in told(state.values)[0]


@both
async def test_a_person_answers_instead_of_the_tool(rig: Rig, mode: Mode) -> None:
    threads, state = await begun(rig, agent([], mode, [ASK]))
    [question] = state.open
    assert asked(question).allowed_decisions == ("respond",)
    state = await threads.advance({question.key: decision(question, Respond, text="On Monday")})
    assert state.finished
    assert told(state.values) == ["On Monday"]


async def test_several_calls_of_a_turn_are_one_question_with_a_decision_each(rig: Rig) -> None:
    done: list[Any] = []
    threads, state = await begun(rig, agent(done, "batched", [MAIL, LOOK, PAY, ASK]))
    [question] = state.open
    request = asked(question)
    assert request.title == "3 tool calls: send_mail, pay, ask_customer"
    assert [field.label for field in request.fields] == [
        "1. send_mail",
        "2. pay",
        "3. ask_customer",
    ]
    assert request.fields[0].model_dump()["value"] == 'to: "ada@example.com"\nsubject: "Your order"'
    assert request.details == "2. pay: Money leaves us"
    assert request.allowed_decisions == ("edit",)  # no one decision is allowed for all of them
    assert request.editable is not None
    values = {
        **request.editable.values,
        "decision_1": "approve",
        "args_1.subject": "Your order A-7",
        "decision_2": "reject",
        "message_2": "Too much",
        "decision_3": "respond",
        "message_3": "On Monday",
    }
    state = await threads.advance({question.key: decision(question, Edit, values=values)})
    assert state.finished
    assert sorted(done) == [
        ("look_up", "A-7"),  # nobody is asked about it
        ("send_mail", "ada@example.com", "Your order A-7", 0),
    ]
    assert len(told(state.values)) == 4
    for words in ("sent to ada@example.com", "A-7: shipped", "reason: Too much", "On Monday"):
        assert any(words in each for each in told(state.values)), words


async def test_calls_that_ask_one_by_one_are_decided_in_any_order(rig: Rig) -> None:
    done: list[Any] = []
    graph = agent(done, "per_call", [PAY, LOOK, ("pay", {"to": "Beta", "amount": 5})])
    threads, state = await begun(rig, graph)
    by_payee = {question.value["args"]["to"]: question for question in state.open}
    assert by_payee.keys() == {"Acme GmbH", "Beta"}
    beta = by_payee["Beta"]
    state = await threads.advance({beta.key: decision(beta, Reject, reason="No")})
    [acme] = state.open
    assert (acme.key, done) == (by_payee["Acme GmbH"].key, [("look_up", "A-7")])
    state = await (await rig.threads(graph)).advance({acme.key: decision(acme, Approve)})
    assert state.finished
    assert done == [("look_up", "A-7"), ("pay", "Acme GmbH", 12050)]
    assert "paid 12050 to Acme GmbH" in told(state.values)[0]
    assert "with reason: No" in told(state.values)[2]


@both
async def test_each_turn_of_the_model_asks_anew(rig: Rig, mode: Mode) -> None:
    done: list[Any] = []
    threads, state = await begun(rig, agent(done, mode, [PAY], [PAY]))
    keys: set[str] = set()
    for _ in range(2):
        [question] = state.open
        keys.add(question.key)
        state = await threads.advance({question.key: decision(question, Approve)})
    assert state.finished
    assert len(keys) == 2
    assert done == [("pay", "Acme GmbH", 12050)] * 2


BAD_EDITS: list[dict[str, Any]] = [
    {"to": "nobody"},
    {"subject": "x" * 41},
    {"copies": 6},
    {"copies": "two"},
    {"to": None},
]


@both
@pytest.mark.parametrize("bad", BAD_EDITS, ids=str)
async def test_an_edit_that_the_tool_would_not_take_is_not_handed_over(
    rig: Rig, mode: Mode, bad: dict[str, Any]
) -> None:
    done: list[Any] = []
    _, state = await begun(rig, agent(done, mode, [MAIL]))
    [question] = state.open
    with pytest.raises(UnreadableQuestion, match=next(iter(bad))):
        decision(question, Edit, values={**MAIL[1], **bad})


@both
async def test_what_is_not_allowed_is_not_handed_over(rig: Rig, mode: Mode) -> None:
    _, state = await begun(rig, agent([], mode, [PAY]))
    [question] = state.open
    with pytest.raises(UnreadableQuestion, match="'edit' is not among"):
        decision(question, Edit, values=PAY[1])
    with pytest.raises(UnreadableQuestion, match="'respond' is not among"):
        decision(question, Respond, text="No")


def several(**said: Any) -> dict[str, Any]:
    args = {f"args_1.{name}": value for name, value in MAIL[1].items()}
    decided = {"decision_1": "approve", "message_1": "", "decision_2": "approve", "message_2": ""}
    return {**args, **decided, **said}


BAD_TOGETHER: list[tuple[dict[str, Any], str]] = [
    ({"decision_2": "edit"}, "decision_2"),  # of a tool that may not be edited
    ({"args_2.amount": 1}, "args_2.amount"),
    ({"args_1.to": "nobody"}, "args_1.to"),
    ({"decision_1": "respond"}, "message_1"),
    ({"decision_3": "approve"}, "decision_3"),  # one decision too many
    ({"decision_2": ...}, "decision_2"),  # one too few
    ({"name_1": "pay"}, "name_1"),  # the tool is not to be chosen
    ({"args_1.name": "pay"}, "args_1.name"),
]


@pytest.mark.parametrize(("said", "words"), BAD_TOGETHER, ids=str)
async def test_several_decisions_are_handed_over_together_or_not_at_all(
    rig: Rig, said: dict[str, Any], words: str
) -> None:
    _, state = await begun(rig, agent([], "batched", [MAIL, PAY]))
    [question] = state.open
    values = {key: value for key, value in several(**said).items() if value is not ...}
    with pytest.raises(UnreadableQuestion, match=words):
        decision(question, Edit, values=values)
    given = decision(question, Edit, values=several())
    assert given == {"decisions": [{"type": "approve"}] * 2}


WRONG: list[Call] = [
    ("send_mail", {"to": 7, "subject": "Your order"}),
    ("send_mail", {"subject": "Your order", "cc": "x"}),
]


@both
@pytest.mark.parametrize("call", WRONG, ids=str)
async def test_a_call_that_does_not_fit_its_tool_is_asked_about_and_can_be_mended(
    rig: Rig, mode: Mode, call: Call
) -> None:
    """Models make such calls; LangChain asks about them like about any other."""
    done: list[Any] = []
    threads, state = await begun(rig, agent(done, mode, [call]))
    [question] = state.open
    request = asked(question)
    assert request.editable is not None
    with pytest.raises(ValueError, match="to"):
        request.editable.check(request.editable.values)
    values = {"to": "ada@example.com", "subject": "Your order"}
    state = await threads.advance({question.key: decision(question, Edit, values=values)})
    assert done == [("send_mail", "ada@example.com", "Your order", 0)]


@both
async def test_an_agent_inside_a_graph_is_asked_about_like_any_other(rig: Rig, mode: Mode) -> None:
    """Its tools are those of a subgraph, whose schemas hold for an edit all the same."""
    done: list[Any] = []
    graph: Any = nested(agent(done, mode, [MAIL]))
    threads, state = await begun(rig, graph)
    [question] = state.open
    with pytest.raises(UnreadableQuestion, match="to"):
        decision(question, Edit, values={**MAIL[1], "to": "nobody"})
    state = await threads.advance({question.key: decision(question, Approve)})
    assert state.finished
    assert done == [("send_mail", "ada@example.com", "Your order", 0)]


def nested(inner: Any) -> Any:
    graph: Any = StateGraph(MessagesState)
    graph.add_node("agent", inner)
    graph.add_edge(START, "agent")
    graph.add_edge("agent", END)
    return graph
