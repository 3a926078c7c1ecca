"""A graph that waits for a time: no worker holds on, any of them goes on, once, and not before."""

from datetime import datetime, timedelta
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from bot import steps
from bot.audit import Tag
from bot.local.torture.crashes import Journey, Stand, torture
from bot.runs import Run
from tests.bot.samples import NOW, after, run
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.waiting import MONDAY, HandClock
from workflows.catalog import Catalog, Context, Workflow
from workflows.effects import Receipt
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest, Decision, request_approval
from workflows.waits import MARKER, read_wait, wait_until

WITHIN = 60.0
LATER = timedelta(hours=9)


class Input(BaseModel):
    pass


class State(TypedDict, total=False):
    decision: Decision


def gate(state: State) -> dict[str, Any]:
    return {"decision": request_approval(ApprovalRequest(title="Send it later"))}


def wait(state: State) -> None:
    wait_until(state["decision"].at + LATER)  # pyright: ignore[reportTypedDictNotRequiredAccess]


class Sender:
    """Knows its keys. times: when it sent, by the clock of the workers."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.times: list[datetime] = []

    async def node(self, state: State, runtime: Runtime[Context]) -> dict[str, Any]:  # noqa: ARG002
        key, now = f"send:{runtime.context.thread_id}", runtime.context.now()

        async def send() -> Receipt:
            if key not in self.sent:
                self.sent.append(key)
                self.times.append(now)
            return Receipt(id="m_1", summary="Sent")

        async def find() -> Receipt | None:
            return Receipt(id="m_1", summary="Sent") if key in self.sent else None

        await runtime.context.effects.once(key, send, find)
        return {}


def later(sender: Sender) -> Workflow:
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("gate", gate)
    graph.add_node("wait", wait)
    graph.add_node("send", sender.node)
    graph.add_edge(START, "gate")
    graph.add_edge("gate", "wait")
    graph.add_edge("wait", "send")
    graph.add_edge("send", END)
    return Workflow("later", "Later", Input, graph, policy=Policy(approvers=("S00FINANCE",)))


def test_a_run_that_waits_for_a_time_is_owed_then() -> None:
    waits = run().begin(NOW).wait(NOW, after(60))
    assert steps.due(waits, after(59)) == []
    assert [step.kind for step in steps.due(waits, after(60))] == ["advance"]
    assert steps.next_at(run().begin(NOW).wait(NOW)) is None
    assert waits.begin(after(60)).wakes_at is None


@pytest.mark.parametrize("value", [{MARKER: "soon"}, {MARKER: "2026-03-02T09:00:00"}, {}, "x"])
def test_only_a_moment_with_its_zone_is_waited_for(value: Any) -> None:
    assert read_wait(value) is None
    assert read_wait({MARKER: "2026-03-02T09:00:00+01:00"}) is not None


def test_a_time_without_a_zone_is_refused_where_it_is_asked_for() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        wait_until(datetime(2026, 3, 2))  # noqa: DTZ001 - that is what is refused


async def asked_and_approved(deployment: Deployment, known: Catalog, clock: HandClock) -> Run:
    """By an instance that ends then."""
    async with deployment.instance(known=known, now=clock) as bot:
        run = await bot.starter.start_run("later", {}, thread_id="later-1")
        card = await deployment.card("Send it later", within=WITHIN)
        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "To be carried out ", within=WITHIN)
        assert "went on" not in card.words

        async def waits() -> Run | None:
            found = await bot.store.run(run.thread_id)
            return found if found and found.wakes_at else None

        return await eventually("it waits", waits, WITHIN)


async def test_it_goes_on_by_itself_on_another_instance(deployment: Deployment) -> None:
    sender, clock = Sender(), HandClock()
    known = Catalog([later(sender)])
    run = await asked_and_approved(deployment, known, clock)
    assert (run.status, run.wakes_at) == ("waiting", MONDAY + LATER)

    clock.at = MONDAY + LATER - timedelta(seconds=1)
    async with deployment.instance("two", known=known, now=clock) as bot:
        await bot.tasks.reconcile()
        await bot.tasks.advance(run.thread_id)
        assert sender.sent == []
        assert await bot.store.run(run.thread_id) == run, "nothing is tried before it is time"
        clock.at = MONDAY + LATER
        await eventually("it is sent", lambda: sender.sent, WITHIN)
        card = await deployment.card("Send it later")
        card = await deployment.reads(card, "Sent, m_1", within=WITHIN)
        assert "To be carried out" not in card.words
        await deployment.settled(run.thread_id, within=WITHIN)
        trail = await bot.store.trail(run.thread_id)
    assert sender.times == [MONDAY + LATER]
    assert [event.tag for event in trail].count(Tag.RUN_SCHEDULED) == 1
    told = deployment.person("mara").replies(card)
    assert any("The workflow waits, and goes on 2026-03-02 18:00 UTC" in r.text for r in told)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Stand.open(tmp_path_factory.mktemp("stand")) as stand:
        yield stand


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_killed_or_frozen_while_it_waits_it_is_sent_once(stand: Stand, how: Any) -> None:
    sender = Sender()

    def make() -> Workflow:
        sender.sent.clear()
        return later(sender)

    journey = Journey("later", make, tally=lambda: sender.sent)
    tortured = torture(stand, journey, slice(3, None, 89), how=how)
    assert tortured.deviations == []
    assert tortured.crashes > 0
