"""LangChain's agent in Slack: its calls of tools are decided on a card, together or each on its
own, and what its tools would not take is refused there."""

from typing import Any

import pytest

from bot.local.person import texts_in
from bot.services import Services
from tests.clicks import click_as_drawn, value_of
from tests.deployment import Deployment
from tests.journey.test_deciding import form
from tests.journey.test_foreign_graphs import ended
from tests.workflows.agents import ASKS, LOOK, MAIL, PAY, agent, told
from workflows.catalog import Catalog
from workflows.loading import maker

SEVERAL = "2 tool calls: send_mail, pay"


def known(graph: Any) -> Catalog:
    return Catalog([maker("tests:helper", graph, "helper")()])


async def begun(bot: Services, thread_id: str = "h-1") -> str:
    return (await bot.starter.start_run("helper", ASKS, thread_id=thread_id)).thread_id


async def model_was_told(bot: Services, thread_id: str) -> list[str]:
    state = await bot.tasks.advancing.runner.look("helper", thread_id)
    assert state is not None
    return told(state.values)


async def test_one_call_is_approved_and_the_other_rejected_on_one_card(
    deployment: Deployment,
) -> None:
    done: list[Any] = []
    async with deployment.instance(known=known(agent(done, "batched", [MAIL, PAY, LOOK]))) as bot:
        thread_id = await begun(bot)
        card = await deployment.card(SEVERAL)
        assert card.buttons == ["Approve all", "Reject all", "Decide each"]
        assert 'to: "ada@example.com"\nsubject: "Your order"' in card.words
        assert "2. pay: Money leaves us" in card.words
        modal = await form(deployment, "mara", card, "Decide each", "Decide each")
        assert "Respond instead of the tool" in texts_in(modal["blocks"])
        mara = deployment.person("mara")
        assert set(await mara.submit()) == {"field.decision_1", "field.decision_2"}
        chosen = {"field.decision_1": "Approve", "field.decision_2": "Reject"}
        bad = {"field.args_1.to": "nobody"}
        assert set(await mara.submit({**chosen, **bad})) == set(bad)
        assert done == []
        why = {"field.message_2": "Too much", "field.args_1.subject": "Order A-7"}
        assert await mara.submit({**chosen, **why, "field.args_1.to": MAIL[1]["to"]}) == {}
        card = await deployment.reads(card, "The workflow ended")
        assert card.text.startswith(f"Decided individually by Mara Okafor: {SEVERAL}")
        words = card.words
        assert " 1. send_mail: \napproved with changes" in words
        assert "Your order\n → \nOrder A-7" in words
        assert " 2. pay: \nrejected" in words
        assert "Too much" in words
        assert (await ended(deployment, thread_id)).status == "finished"
        assert sorted(done) == [
            ("look_up", "A-7"),
            ("send_mail", "ada@example.com", "Order A-7", 0),
        ]
        replies = await deployment.thread(card, 3)
        assert any("Decided individually by Mara" in each for each in replies)
        assert "with reason: Too much" in (await model_was_told(bot, thread_id))[0]


@pytest.mark.parametrize(("label", "count"), [("Approve all", 2), ("Reject all", 0)])
async def test_all_are_decided_by_one_click(deployment: Deployment, label: str, count: int) -> None:
    done: list[Any] = []
    async with deployment.instance(known=known(agent(done, "batched", [MAIL, PAY]))) as bot:
        thread_id = await begun(bot)
        await deployment.person("mara").click(await deployment.card(SEVERAL), label)
        assert (await ended(deployment, thread_id)).status == "finished"
        assert len(done) == count
        assert len(await model_was_told(bot, thread_id)) == 2


async def test_each_call_has_a_card_of_its_own_and_none_waits_for_the_other(
    deployment: Deployment,
) -> None:
    done: list[Any] = []
    async with deployment.instance(known=known(agent(done, "per_call", [MAIL, PAY]))) as bot:
        thread_id = await begun(bot)
        mail, pay = await deployment.card("Call send_mail"), await deployment.card("Call pay")
        assert pay.buttons == ["Approve", "Reject"]
        mara = deployment.person("mara")
        await form(deployment, "mara", pay, "Reject with a reason")
        assert await mara.submit({"reason": "Ask finance"}) == {}
        await deployment.reads(pay, "The workflow went on")
        await form(deployment, "mara", mail, "Edit", "Edit")
        assert set(await mara.submit({"field.to": "nobody"})) == {"field.to"}
        assert done == []
        assert await mara.submit({"field.to": "grace@example.com"}) == {}
        assert (await ended(deployment, thread_id)).status == "finished"
        assert done == [("send_mail", "grace@example.com", "Your order", 0)]
        sent, refused = await model_was_told(bot, thread_id)
        assert sent.endswith("sent to grace@example.com")
        assert "Ask finance" in refused


async def test_a_decision_that_the_tool_does_not_allow_is_refused(deployment: Deployment) -> None:
    """The click of a button that the card does not have."""
    done: list[Any] = []
    async with deployment.instance(known=known(agent(done, "per_call", [MAIL, PAY]))) as bot:
        thread_id = await begun(bot)
        mail, pay = await deployment.card("Call send_mail"), await deployment.card("Call pay")
        for label in ("Edit", "Respond"):
            await click_as_drawn(deployment, "mara", mail, label, value=value_of(pay, "Approve"))
            await deployment.told("mara", f"does not allow to {label.lower()}")
            assert deployment.person("mara").modal is None
        approvals = await deployment.approvals_of(thread_id)
        assert [each.status for each in approvals] == ["pending", "pending"]
        assert done == []
