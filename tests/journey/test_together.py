"""Several people decide: two of a group, finance before legal, someone in another's place."""

from datetime import timedelta

from bot.absences import Absence, Absences
from bot.services import Services
from tests.asking import Asking
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.clock import utc_now
from workflows.policy import Policy, Stage
from workflows.protocol import ApprovalRequest

MARA, JONAS, TOM = "U0000MARA", "U000JONAS", "U00000TOM"
TWO = Policy(approvers=("S00FINANCE",), quorum=2)
ORDER = Policy(
    stages=(
        Stage(name="finance", approvers=("S00FINANCE",)),
        Stage(name="legal", approvers=("C0000SALES", TOM)),
    )
)
TITLE = "Pay the supplier"


def asks(policy: Policy) -> Asking:
    return Asking(ApprovalRequest(title=TITLE), policy)


async def carried_out(known: Asking) -> None:
    await eventually("it is carried out", lambda: known.done or None)


async def test_a_large_refund_wants_two_and_a_small_one_does_not(deployment: Deployment) -> None:
    async with deployment.instance(COUNTERSIGN_REFUND_TIERS="1000:2"):
        small = await deployment.start(customer="Small", amount="1000")
        large = await deployment.start(customer="Large", amount="1000.01")
        for title in ("Refund $1,000.00 to Small", "Refund $1,000.01 to Large"):
            card = await deployment.card(title)
            await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "1 of 2")
        await eventually("the small one is paid", lambda: paid(deployment, small), 60)
        assert await paid(deployment, large) is None
        await deployment.person("jonas").click(card, "Approve")
        await eventually("the large one is paid", lambda: paid(deployment, large), 60)


async def paid(deployment: Deployment, thread_id: str) -> object:
    return await deployment.payments.find(f"refund:{thread_id}")


async def test_two_of_a_group_decide_together(deployment: Deployment) -> None:
    known = asks(TWO)
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE)
        assert "0 of 2" in card.words
        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "1 of 2")
        await deployment.person("mara").click(card, "Approve")
        await deployment.told("mara", "Your vote is counted already")
        assert known.done == []

        await deployment.person("mara").click(card, "Withdraw my vote")
        card = await deployment.reads(card, "0 of 2")
        await deployment.person("jonas").click(card, "Approve")
        card = await deployment.reads(card, "1 of 2")
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        await carried_out(known)
        [decision] = known.done
        assert (decision.by.user, [who.user for who in decision.also]) == (MARA, [JONAS])
        approval = await deployment.settled(thread_id)
        assert approval.status == "approved"
        replies = await deployment.thread(card, 6)
        assert [line.split(" by ")[0] for line in replies[1:5]] == [
            "One approval",
            "Vote withdrawn",
            "One approval",
            "Approved",
        ]


async def test_legal_is_asked_after_finance(deployment: Deployment) -> None:
    known = asks(ORDER)
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        card = await deployment.card(TITLE)
        await deployment.person("tom").click(card, "Approve")
        answer = await deployment.told("tom", "It is not your turn yet: first it needs *finance*")
        assert "<!subteam^S00FINANCE>" in answer.text
        await deployment.person("jonas").click(card, "Approve")
        card = await deployment.reads(card, " 1 of 1")
        told = (await deployment.thread(card, 2))[1]
        assert "now it waits for " in told
        assert "Tom Ferreira" in told
        await click_as_drawn(deployment, "jonas", card, "Approve")
        await deployment.told("jonas", "Your vote is counted already")
        assert known.done == []
        await deployment.person("tom").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        assert len(known.done) == 1


async def absent(bot: Services, user: str, deputy: str) -> None:
    now = utc_now()
    away = Absence(user=user, deputy=deputy, since=now, until=now + timedelta(days=1))
    await Absences(bot.store.redis, bot.store.keys).put(away)


async def test_a_deputy_decides_and_both_names_are_told(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,)))
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE)
        await deployment.person("tom").click(card, "Approve")
        await deployment.told("tom", "You are not among those who may decide this")
        await absent(bot, MARA, TOM)
        await deployment.person("tom").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        [decision] = known.done
        assert (decision.by.user, decision.on_behalf_of) == (TOM, MARA)
        await deployment.settled(thread_id)
        replies = await deployment.thread(card, 3)
        assert any("Approved by Tom Ferreira for Mara Okafor" in line for line in replies)
