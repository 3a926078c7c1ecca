"""One approval, from the start of a refund to the receipt in the thread."""

from tests.deployment import Deployment

TITLE = "Refund $120.50 to Acme GmbH"


async def test_a_refund_is_asked_about_approved_and_paid_once(deployment: Deployment) -> None:
    mara = deployment.person("mara")
    async with deployment.instance():
        thread_id = await deployment.start(requester="U00000TOM")

        card = await deployment.card(TITLE)
        assert card.buttons == ["Approve", "Reject", "Edit"]
        assert "$120.50 USD" in card.words
        assert card.text == f"Approval needed: {TITLE}"

        await mara.click(card, "Approve")

        decided = await deployment.reads(card, "Refund done: $120.50, re_")
        assert decided.buttons == []
        assert "Approved by Mara Okafor" in decided.text
        told = await deployment.thread(card, 5)

    assert [line.split(" on digest")[0].split(",")[0].split(":")[0] for line in told] == [
        "Requested by Tom Ferreira",
        "Approved by Mara Okafor",
        "Workflow resumed by one",
        "Refund done",
        "Workflow finished",
    ]
    refunds = await deployment.payments.refunds()
    assert refunds == [(f"refund:{thread_id}", "Acme GmbH", 12050, "USD")]


async def test_a_rejected_refund_is_not_paid(deployment: Deployment) -> None:
    async with deployment.instance():
        await deployment.start()
        card = await deployment.card(TITLE)
        await deployment.person("jonas").click(card, "Reject")
        decided = await deployment.reads(card, "Nothing was executed")

    assert decided.buttons == []
    assert "Rejected by Jonas Weber" in decided.text
    assert await deployment.payments.refunds() == []
