"""A request that is too long for a card: nothing of it is hidden, and the buttons stay."""

import json
import re
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from bot.local.person import texts_in
from bot.views.details import details_view
from tests.bot.samples import approval, request
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.catalog import Catalog, Workflow
from workflows.fields import CodeField, TextField
from workflows.protocol import ApprovalRequest, request_approval

LONG = ApprovalRequest(
    title="Send the contract",
    fields=(
        *(TextField(label=f"Clause {n}", value=f"clause {n} says " * 30) for n in range(40)),
        CodeField(label="Payload", value="x" * 9000 + " the very end"),
    ),
    details="word " * 2000 + "the last word",
)


class Nothing(BaseModel):
    pass


class State(TypedDict, total=False):
    decision: str


def workflow() -> Workflow:
    def ask(state: State) -> dict[str, Any]:
        return {"decision": request_approval(LONG).type}

    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", END)
    return Workflow(name="contract", title="Contract", input_model=Nothing, graph=graph)


async def test_everything_that_was_cut_is_shown_on_demand(deployment: Deployment) -> None:
    async with deployment.instance("one", Catalog([workflow()])) as bot:
        await bot.starter.start_run("contract", {})
        card = await deployment.card("Send the contract")
        assert card.buttons == ["Show everything", "Approve", "Reject"]
        assert "[cut:" in card.words
        mara = deployment.person("mara")
        await mara.click(card, "Show everything")
        modal = await eventually("the modal opens", lambda: mara.modal)
    shown = "".join(texts_in(modal["blocks"]))
    for words in ("clause 39 says", "the very end", "the last word"):
        assert words in shown
    assert "[cut:" not in shown


async def test_a_guest_is_shown_nothing(deployment: Deployment) -> None:
    async with deployment.instance("one", Catalog([workflow()])) as bot:
        await bot.starter.start_run("contract", {})
        card = await deployment.card("Send the contract")
        await deployment.person("lena").click(card, "Show everything")
        await deployment.told("lena", "Only full members of this workspace decide")
        assert deployment.person("lena").modal is None


LETTERS = {"CJK": "退款", "emoji": "🦆", "short lines": "a\n", "quotes": '"\\', "plain": "x"}


@pytest.mark.parametrize("name", LETTERS)
def test_the_modal_fits_into_slack_by_bytes(name: str) -> None:
    """As the SDK sends it; what is left out is counted."""
    value = LETTERS[name] * 1000
    fields = [{"kind": "text", "label": f"Clause {n}", "value": value} for n in range(100)]
    view = details_view(approval(request(title="Contract", fields=fields)), {})
    words = "\n".join(texts_in(view["blocks"]))
    left = re.search(r"([\d,]+) more characters do not fit", words)

    assert len(json.dumps(view)) < 250_000
    assert left
    if name in ("CJK", "emoji"):  # letters that stand in no label
        shown = sum(words.count(letter) for letter in LETTERS[name])
        assert shown + int(left[1].replace(",", "")) == 100 * len(value)
    assert "Clause 5" in words
