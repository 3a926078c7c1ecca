"""Two questions at once: each card tells what was executed on its own decision."""

from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from tests.deployment import Deployment
from tests.faults.test_advance import Input, nothing_found
from workflows.catalog import Catalog, Context, Workflow
from workflows.effects import Receipt
from workflows.protocol import ApprovalRequest, Decision, request_approval

PATIENCE = 30.0


class State(TypedDict, total=False):
    title: str
    a: Decision
    b: Decision


def workflow() -> Workflow:
    """a and b are asked at once; what follows each rests on its own answer."""
    graph = StateGraph(State, context_schema=Context)
    for name in ("a", "b"):
        graph.add_node(f"ask_{name}", asks(name))
        graph.add_node(f"pay_{name}", pays(name))
        graph.add_edge(START, f"ask_{name}")
        graph.add_edge(f"ask_{name}", f"pay_{name}")
        graph.add_edge(f"pay_{name}", END)
    return Workflow(name="two", title="Two", input_model=Input, graph=graph)


def asks(name: str) -> Any:
    def ask(state: State) -> dict[str, Any]:
        return {name: request_approval(ApprovalRequest(title=f"Pay {name}"))}

    return ask


def pays(name: str) -> Any:
    async def provider() -> Receipt:
        return Receipt(id=f"p_{name}", summary=f"Paid {name}")

    async def pay(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        key = f"{name}:{runtime.context.thread_id}"
        await runtime.context.effects.once(key, provider, nothing_found, on=state.get(name))
        return {}

    return pay


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
async def test_each_card_tells_its_own_effect(
    deployment: Deployment, order: tuple[str, str]
) -> None:
    """Decided one after the other: the first waits beside the second before anything is paid."""
    first, second = order
    mara = deployment.person("mara")
    async with deployment.instance("one", Catalog([workflow()])) as bot:
        await bot.starter.start_run("two", {})
        cards = {name: await deployment.card(f"Pay {name}", within=PATIENCE) for name in order}
        await mara.click(cards[first], "Approve")
        await deployment.reads(cards[first], "The workflow went on", within=PATIENCE)
        await mara.click(cards[second], "Approve")
        for name, other in (order, (second, first)):
            seen = await deployment.reads(cards[name], f"Paid {name}, p_{name}", within=PATIENCE)
            assert f"Paid {other}" not in seen.words
            told = await deployment.thread(cards[name], 4, within=PATIENCE)
            assert [line for line in told if "Paid" in line] == [f"Paid {name}, p_{name}"]
