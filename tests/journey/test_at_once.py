"""What a click means is seen at once, also while no worker has come to it."""

from tests.asking import Asking
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

MARA = "U0000MARA"
TITLE = "Pay the supplier"
WITHIN = 30.0


async def test_deciding_then_resuming_then_done(deployment: Deployment) -> None:
    known = Asking(ApprovalRequest(title=TITLE), Policy(approvers=(MARA,)))
    async with deployment.instance("one", known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE, within=WITHIN)
        await deployment.settled(thread_id, within=WITHIN)
    async with deployment.instance("listener", known=known, works=False):
        await deployment.person("mara").click(card, "Approve")
        seen = await deployment.reads(card, "Approved by", within=WITHIN)
        assert "Resuming …" in seen.words
        assert seen.buttons == []
        assert known.done == []
    async with deployment.instance("worker", known=known, listens=False):
        await deployment.reads(card, "Carried out", within=WITHIN)
        await eventually("it is carried out", lambda: known.done or None, WITHIN)


async def test_a_card_that_slack_does_not_take_then_is_left_to_the_worker(
    deployment: Deployment,
) -> None:
    known = Asking(ApprovalRequest(title=TITLE), Policy(approvers=(MARA,)))
    async with deployment.instance("one", known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE, within=WITHIN)
        await deployment.settled(thread_id, within=WITHIN)
    async with deployment.instance("listener", known=known, works=False):
        deployment.slack.faults.server_error("chat.update")
        await deployment.person("mara").click(card, "Approve")
        await eventually(
            "the fault strikes", lambda: deployment.slack.faults.pending() == 0, WITHIN
        )
    async with deployment.instance("worker", known=known, listens=False):
        await deployment.reads(card, "Carried out", within=WITHIN)
        await deployment.settled(thread_id, within=WITHIN)
    assert not [m for m in deployment.person("mara").sees() if m.is_ephemeral]
