"""A click that does not count: nothing is recorded, and the answer says which refusal it is."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from bot.approvals import Approval
from bot.local.person import Seen
from bot.services import Services
from tests.clicks import click_as_drawn
from tests.deployment import Deployment

TITLE = "Refund $120.50 to Acme GmbH"


@pytest.fixture
async def bot(deployment: Deployment) -> AsyncGenerator[Services, None]:
    async with deployment.instance() as services:
        yield services


async def asked(deployment: Deployment, **more: Any) -> tuple[str, Seen]:
    """A refund that waits for its decision: the thread_id and the card."""
    thread_id = await deployment.start(**more)
    return thread_id, await deployment.card(TITLE)


async def still_pending(deployment: Deployment, thread_id: str) -> Approval:
    (approval,) = await deployment.approvals_of(thread_id)
    assert approval.status == "pending"
    assert approval.votes == ()
    assert await deployment.payments.refunds() == []
    return approval


async def test_the_requester_may_not_decide(bot: Services, deployment: Deployment) -> None:
    thread_id, card = await asked(deployment, requester="U0000MARA")
    await deployment.person("mara").click(card, "Approve")
    await deployment.told("mara", "You asked for this, so someone else has to decide it.")
    await still_pending(deployment, thread_id)


async def test_who_is_not_an_approver_is_told_who_is(bot: Services, deployment: Deployment) -> None:
    thread_id, card = await asked(deployment)
    await deployment.person("tom").click(card, "Approve")
    answer = await deployment.told("tom", "You are not among those who may decide this")
    assert "<!subteam^S00FINANCE>" in answer.text
    await still_pending(deployment, thread_id)


@pytest.mark.parametrize(("who", "group"), [("lena", "S0PARTNERS"), ("piotr", "S00FINANCE")])
async def test_guests_and_deactivated_users_never_decide(
    deployment: Deployment, who: str, group: str
) -> None:
    person = deployment.person(who)
    async with deployment.instance(COUNTERSIGN_APPROVERS=f"{group},{person.id}"):
        thread_id, card = await asked(deployment)
        await click_as_drawn(deployment, who, card, "Approve")
        await deployment.told(who, "Only full members of this workspace decide")
        await still_pending(deployment, thread_id)


async def test_the_second_click_is_told_who_was_first(
    bot: Services, deployment: Deployment
) -> None:
    _, card = await asked(deployment)
    await deployment.person("mara").click(card, "Approve")
    await click_as_drawn(deployment, "jonas", card, "Reject")
    answer = await deployment.told("jonas", "Already *approved* by <@U0000MARA>")
    assert "Your click changed nothing" in answer.text
    await deployment.reads(card, "Refund done")
    assert len(await deployment.payments.refunds()) == 1


async def test_when_slack_cannot_tell_who_clicks_nothing_is_recorded(
    bot: Services, deployment: Deployment
) -> None:
    thread_id, card = await asked(deployment)
    deployment.slack.faults.server_error("usergroups.users.list")
    await deployment.person("mara").click(card, "Approve")
    await deployment.told("mara", "*nothing was recorded*")
    await still_pending(deployment, thread_id)

    await deployment.person("mara").click(card, "Approve")
    await deployment.reads(card, "Refund done")
