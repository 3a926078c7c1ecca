"""Two of anything at once: one outcome, one effect, and both are answered."""

import asyncio

import pytest

from tests.deployment import Deployment

TITLE = "Refund $120.50 to Acme GmbH"


@pytest.mark.parametrize("attempt", range(5))
async def test_opposite_clicks_at_once_on_two_instances(
    deployment: Deployment, attempt: int
) -> None:
    mara, jonas = deployment.person("mara"), deployment.person("jonas")
    async with deployment.instance("one"), deployment.instance("two"):
        thread_id = await deployment.start()
        card = await deployment.card(TITLE)
        await deployment.settled(thread_id)
        await asyncio.gather(mara.click(card, "Approve"), jonas.click(card, "Reject"))
        (approval,) = await deployment.approvals_of(thread_id)
        assert len(approval.votes) == 1
        winner = approval.votes[0].by.user
        loser = "jonas" if winner == mara.id else "mara"
        await deployment.told(loser, f"Already *{approval.status}* by <@{winner}>")
        paid = approval.status == "approved"
        await deployment.reads(card, "Refund done" if paid else "Nothing was executed")
    assert len(await deployment.payments.refunds()) == (1 if paid else 0)


async def test_the_same_start_at_once_is_one_run(deployment: Deployment) -> None:
    async with deployment.instance("one"), deployment.instance("two"):
        starts = [deployment.start(thread_id="order-77") for _ in range(8)]
        assert set(await asyncio.gather(*starts)) == {"order-77"}
        card = await deployment.card(TITLE)
        await deployment.settled("order-77")
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done")
        assert len([m for m in deployment.person("mara").sees() if m.blocks]) == 1
    assert len(await deployment.payments.refunds()) == 1


async def test_two_instances_share_a_burst(deployment: Deployment) -> None:
    customers = [f"Customer {number}" for number in range(20)]
    mara = deployment.person("mara")
    async with deployment.instance("one"), deployment.instance("two"):
        await asyncio.gather(*(deployment.start(customer=name) for name in customers))
        for name in customers:
            await mara.click(await deployment.card(f"Refund $120.50 to {name}"), "Approve")
        for name in customers:
            card = await deployment.card(f"Refund $120.50 to {name}")
            await deployment.reads(card, "Refund done", within=30)
            await deployment.thread(card, 5, within=30)
    refunds = await deployment.payments.refunds()
    assert sorted(who for _, who, _, _ in refunds) == sorted(customers)
    assert len([m for m in mara.sees() if m.blocks]) == len(customers)
