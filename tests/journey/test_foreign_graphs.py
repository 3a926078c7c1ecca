"""A graph that knows nothing of Countersign, asked about in Slack and answered in its own form."""

import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from bot.records import Change
from bot.runs import Run
from bot.services import Services
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_command_line import run
from workflows.catalog import Catalog
from workflows.loading import named


class State(TypedDict):
    log: Annotated[list[str], operator.add]


asked = {"question": "Send it?", "draft": "Dear all"}  # a test changes it, as a deploy may


def gate(state: State) -> dict[str, Any]:
    return {"log": [f"answered {interrupt(dict(asked))}"]}


def send(state: State) -> dict[str, Any]:
    return {"log": ["sent"]}


builder: Any = StateGraph(State)
builder.add_node("gate", gate)
builder.add_node("send", send)
builder.add_edge(START, "gate")
builder.add_edge("gate", "send")
builder.add_edge("send", END)
graph = builder.compile()

only_send: Any = StateGraph(State)
only_send.add_node("send", send)
only_send.add_edge(START, "send")
stops = only_send.compile(interrupt_before=["send"])


async def begun(bot: Services, workflow: str, thread_id: str = "t-1") -> str:
    return (await bot.starter.start_run(workflow, {"log": []}, thread_id=thread_id)).thread_id


async def ended(deployment: Deployment, thread_id: str) -> Run:
    async def closed() -> Run | None:
        found = await deployment.run_of(thread_id)
        return found if found.closed else None

    return await eventually("the run ends", closed)


async def log_of(bot: Services, workflow: str, thread_id: str) -> list[str]:
    state = await bot.tasks.advancing.runner.look(workflow, thread_id)
    assert state is not None
    return state.values["log"]


def known() -> Catalog:
    return Catalog(named([f"mine={__name__}:graph", f"{__name__}:stops"]))


@pytest.mark.parametrize(("label", "answer"), [("Approve", "True"), ("Reject", "False")])
async def test_a_question_is_answered_as_the_graph_reads_it(
    deployment: Deployment, label: str, answer: str
) -> None:
    async with deployment.instance(known=known()) as bot:
        thread_id = await begun(bot, "mine")
        card = await deployment.card("Send it?")
        assert "Dear all" in card.words
        await deployment.person("mara").click(card, label)
        assert (await ended(deployment, thread_id)).status == "finished"
        assert await log_of(bot, "mine", thread_id) == [f"answered {answer}", "sent"]


async def test_a_breakpoint_is_gone_on_with_only_when_somebody_says_so(
    deployment: Deployment,
) -> None:
    async with deployment.instance(known=known()) as bot:
        yes = await begun(bot, "stops", "yes")
        await deployment.person("mara").click(await deployment.card("Go on to send?"), "Approve")
        assert (await ended(deployment, yes)).status == "finished"
        assert await log_of(bot, "stops", yes) == ["sent"]

        no = await begun(bot, "stops", "no")
        await eventually("it is asked", lambda: _waits(deployment, no))
        await deployment.person("mara").click(await deployment.card("Go on to send?"), "Reject")
        assert (await ended(deployment, no)).status == "cancelled"
        assert await log_of(bot, "stops", no) == []
        approval = await deployment.settled(no)
        assert approval.outcome is not None
        assert approval.outcome.text == "Nothing was executed"


async def _is(deployment: Deployment, thread_id: str, status: str) -> bool:
    return (await deployment.run_of(thread_id)).status == status


async def _waits(deployment: Deployment, thread_id: str) -> bool:
    return bool([a for a in await deployment.approvals_of(thread_id) if a.message])


async def test_what_the_graph_asks_otherwise_by_now_is_asked_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided while no worker ran; then the thread's question was another."""
    async with deployment.instance(known=known()) as bot:
        thread_id = await begun(bot, "mine")
        card = await deployment.card("Send it?")
        await deployment.settled(thread_id)
    async with deployment.instance("two", known=known(), works=False) as bot:
        await deployment.person("mara").click(card, "Approve")
        (approval,) = await deployment.approvals_of(thread_id)
        assert approval.status == "approved"
        # As if it had been opened for another question; its card is being drawn meanwhile.
        await bot.changes.change(approval.id, lambda a: Change(a.to(asked="0" * 64)))
    async with deployment.instance("three", known=known()) as bot:
        again = await deployment.reads(card, "The request changed after it was decided")
        await eventually("it waits again", lambda: _is(deployment, thread_id, "waiting"))
        assert await log_of(bot, "mine", thread_id) == []
        await deployment.person("mara").click(again, "Approve")
        assert (await ended(deployment, thread_id)).status == "finished"
        assert await log_of(bot, "mine", thread_id) == ["answered True", "sent"]


@pytest.mark.parametrize("started", [True, False])
async def test_the_command_line_takes_graphs_by_their_path(
    deployment: Deployment, started: bool
) -> None:
    path = f"mine={__name__}:{'graph' if started else 'nothing'}"
    environment = {**deployment.environment, "COUNTERSIGN_GRAPHS": None}
    words = ("start", "mine", "--graph", path, "--thread-id", "t-2", "--input", '{"log": []}')
    result = await run(environment, *words)
    if started:
        assert (result.exit_code, result.stdout) == (0, "t-2\n")
        assert (await deployment.run_of("t-2")).workflow == "mine"
    else:
        assert result.exit_code == 1
        assert f"(or --graph): {__name__} has no nothing." in result.output
        assert await deployment.started() == []
