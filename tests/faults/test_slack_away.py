"""Slack answers late, wrongly or not at all: one card, each reply once and in order."""

from collections.abc import AsyncGenerator, Callable

import pytest

from bot.local.faults import Faults
from bot.services import Services
from tests.clicks import click_as_drawn
from tests.deployment import Deployment

TITLE = "Refund $120.50 to Acme GmbH"
PATIENCE = 30.0  # seconds: a refused call is tried again after five

FAULTS: dict[str, Callable[[Faults, str], None]] = {
    "accepted, and the answer lost": lambda faults, method: faults.lose_answer(method),
    "the connection drops": lambda faults, method: faults.refuse_connection(method),
    "503": lambda faults, method: faults.server_error(method),
    "429": lambda faults, method: faults.rate_limit(method),
    "internal_error": lambda faults, method: faults.error(method, "internal_error"),
}


@pytest.fixture
async def bot(deployment: Deployment) -> AsyncGenerator[Services, None]:
    async with deployment.instance() as services:
        yield services


async def told_once(deployment: Deployment, thread_id: str) -> None:
    """One card; under it the whole story, each line once and in order."""
    cards = [m for m in deployment.person("mara").sees() if TITLE in m.words]
    assert len(cards) == 1
    story = await deployment.thread(cards[0], 5, within=PATIENCE)
    assert [line.split(" by ")[0].split(",")[0] for line in story] == [
        "Requested",
        "Approved",
        "Workflow resumed",
        "Refund done: $120.50",
        "Workflow finished",
    ]
    assert len(await deployment.payments.refunds()) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_card_is_posted_once(bot: Services, deployment: Deployment, fault: str) -> None:
    FAULTS[fault](deployment.slack.faults, "chat.postMessage")
    thread_id = await deployment.start()
    card = await deployment.card(TITLE, within=PATIENCE)
    await deployment.settled(thread_id, within=PATIENCE)
    await deployment.person("mara").click(card, "Approve")
    await deployment.reads(card, "Refund done")
    await told_once(deployment, thread_id)
    assert deployment.slack.faults.pending() == 0, "the fault was never met"


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_reply_is_posted_once(bot: Services, deployment: Deployment, fault: str) -> None:
    thread_id = await deployment.start()
    card = await deployment.card(TITLE)
    await deployment.settled(thread_id)
    FAULTS[fault](deployment.slack.faults, "chat.postMessage")
    await deployment.person("mara").click(card, "Approve")
    await deployment.reads(card, "Refund done")
    await told_once(deployment, thread_id)
    assert deployment.slack.faults.pending() == 0, "the fault was never met"


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_card_follows_its_record(
    bot: Services, deployment: Deployment, fault: str
) -> None:
    thread_id = await deployment.start()
    card = await deployment.card(TITLE)
    await deployment.settled(thread_id)
    FAULTS[fault](deployment.slack.faults, "chat.update")
    await deployment.person("mara").click(card, "Approve")
    await deployment.reads(card, "Refund done", within=PATIENCE)
    await told_once(deployment, thread_id)


async def test_a_card_that_was_deleted_by_hand_is_posted_again_when_it_changes(
    bot: Services, deployment: Deployment
) -> None:
    thread_id = await deployment.start()
    card = await deployment.card(TITLE)
    await deployment.settled(thread_id)
    deployment.person("mara").delete(card)
    await click_as_drawn(deployment, "mara", card, "Approve")
    again = await deployment.card(TITLE)
    assert again.ts != card.ts
    await deployment.reads(again, "Refund done")
    assert len(await deployment.thread(again, 5)) == 5


async def test_a_click_that_is_delivered_twice_counts_once(
    bot: Services, deployment: Deployment
) -> None:
    thread_id = await deployment.start()
    card = await deployment.card(TITLE)
    await deployment.settled(thread_id)
    deployment.slack.faults.double_deliveries()
    await deployment.person("mara").click(card, "Approve")
    await deployment.told("mara", "Already *approved* by <@U0000MARA>")
    await deployment.reads(card, "Refund done")
    await told_once(deployment, thread_id)
