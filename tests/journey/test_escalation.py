"""Nobody decides: after a time, or when an approver says so, others may, too."""

from datetime import timedelta

from bot.approvals import Approval
from bot.audit import Tag
from bot.local.person import Seen
from tests.asking import Asking
from tests.clicks import deliver
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_tampering import Attack, kept
from tests.journey.test_tampering import click as drawn
from tests.waiting import PATIENCE, direct, waiting
from workflows.policy import Policy, Stage
from workflows.protocol import ApprovalRequest

MARA, JONAS, TOM = "U0000MARA", "U000JONAS", "U00000TOM"
TITLE = "Pay the supplier"


def asks(policy: Policy) -> Asking:
    return Asking(ApprovalRequest(title=TITLE), policy)


async def test_after_its_time_others_may_decide_too(deployment: Deployment) -> None:
    policy = Policy(
        approvers=(MARA, JONAS),
        quorum=2,
        escalate_to=(TOM,),
        escalate_after=timedelta(hours=4),
    )
    known = asks(policy)
    async with waiting(deployment, known) as time:
        thread_id = await known.start(time.bot)
        card = await deployment.card(TITLE)
        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "1 of 2")
        await deployment.person("tom").click(card, "Approve")
        await deployment.told("tom", "You are not among those who may decide this")

        await time.pass_by(hours=4)
        card = await deployment.reads(card, "may decide this too")
        assert [message.split(":")[0] for message in await time.direct("tom", 1)] == ["Escalated"]
        replies = await deployment.thread(card, 3)
        assert (
            replies[2] == "Nobody decided yet: escalated to Tom Ferreira, who may decide this too"
        )
        assert TOM in deployment.person("mara").replies(card)[2].notifies

        await deployment.person("tom").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        await time.pass_by(days=3)
        await time.quiet()
        trail = await time.bot.store.trail(thread_id)
        assert [event.tag for event in trail].count(Tag.ESCALATED) == 1
        assert len(direct(deployment, "tom")) == 1
        [decision] = known.done
        assert (decision.by.user, [who.user for who in decision.also]) == (TOM, [MARA])


async def escalate(deployment: Deployment, who: str, thread_id: str, answer: str) -> Seen:
    await deployment.person(who).command(f"/approvals escalate {thread_id}")
    return await deployment.told(who, answer)


async def test_by_hand_by_an_approver_and_once(deployment: Deployment) -> None:
    finance, legal = Stage(name="finance", approvers=("S00FINANCE",)), Stage(approvers=(MARA,))
    known = asks(Policy(stages=(finance, legal), escalate_to=(TOM,)))
    async with waiting(deployment, known) as time:
        thread_id = await known.start(time.bot)
        card = await deployment.card(TITLE)
        await escalate(deployment, "tom", thread_id, "You are not among those who may decide this")
        await escalate(deployment, "lena", thread_id, "Only full members")
        assert (await deployment.approvals_of(thread_id))[0].escalated_at is None
        await escalate(deployment, "jonas", thread_id, "Escalated to")
        await time.direct("tom", 1)
        await escalate(deployment, "mara", thread_id, "It was escalated already")
        card = await deployment.reads(card, "may decide this too")
        replies = await deployment.thread(card, 2)
        assert replies[1] == "Escalated by Jonas Weber to Tom Ferreira, who may decide this too"
        await deployment.person("tom").click(card, "Approve")
        card = await deployment.reads(card, "approved")
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        await escalate(deployment, "mara", thread_id, "waits for no decision")


WHY = {"tom": "not_an_approver", "jonas": "requester", "lena": "not_a_member"}


async def test_by_the_menu_of_the_card_with_the_same_guards(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA, JONAS), escalate_to=(TOM,)))
    async with waiting(deployment, known) as time:
        await known.start(time.bot, requester=JONAS)
        card = await deployment.card(TITLE)
        for who, answer in {
            "tom": "You are not among those who may decide this",
            "jonas": "You asked for this",
            "lena": "Only full members",
        }.items():
            payload = drawn(deployment, who, card, "Escalate")
            await deliver(deployment, payload)
            await deployment.told(who, answer)
            attack = Attack(who, WHY[who])
            await kept(time.bot, deployment, attack, payload)
        await deployment.person("mara").click(card, "Escalate")
        await deployment.told("mara", "Escalated to <@U00000TOM>")
        after = await deployment.reads(card, "may decide this too")
        assert "Escalate" not in str(after.blocks[-1]), "once only"
        await deliver(deployment, drawn(deployment, "mara", card, "Escalate"))
        await deployment.told("mara", "It was escalated already")
        await time.direct("tom", 1)
        await deployment.person("tom").click(after, "Approve")
        await deployment.reads(after, "Carried out")


async def test_those_who_may_reassign_may_escalate(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,), escalate_to=("S00FINANCE",), reassign=(TOM,)))
    async with waiting(deployment, known) as time:
        thread_id = await known.start(time.bot)
        card = await deployment.card(TITLE)
        await escalate(deployment, "jonas", thread_id, "You are not among those who may decide")
        answer = await escalate(deployment, "tom", thread_id, "Escalated to")
        assert "<!subteam^S00FINANCE>" in answer.text
        await time.direct("jonas", 1)
        card = await deployment.reads(card, "may decide this too")
        await deployment.person("jonas").click(card, "Approve")
        await deployment.reads(card, "Carried out")


async def test_who_asked_for_it_cannot_be_let_in_by_an_escalation(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,), escalate_to=(TOM, JONAS), reassign=(TOM,)))
    async with waiting(deployment, known) as time:
        thread_id = await known.start(time.bot, requester=TOM)
        card = await deployment.card(TITLE)
        await escalate(deployment, "tom", thread_id, "You asked for this")
        await escalate(deployment, "mara", thread_id, "Escalated to")
        card = await deployment.reads(card, "may decide this too")
        await time.direct("jonas", 1)
        await deployment.person("tom").click(card, "Approve")
        await deployment.told("tom", "You asked for this")
        assert [text for text in await time.direct("tom", 1) if "Escalated" in text] == []


async def test_a_policy_without_it_says_so(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,)))
    async with waiting(deployment, known) as time:
        thread_id = await known.start(time.bot)
        await deployment.card(TITLE)
        await escalate(deployment, "mara", thread_id, "names nobody to whom it could be escalated")
        await escalate(deployment, "mara", "nowhere", "is not known here")


async def test_it_expires_by_itself_with_votes_on_it(deployment: Deployment) -> None:
    """Expired is no rejection: the graph is told so, the card and the thread say so."""
    known = Asking(
        ApprovalRequest(title=TITLE, expires_in=timedelta(days=1)),
        Policy(approvers=("S00FINANCE",), quorum=2),
    )
    async with waiting(deployment, known) as time:
        thread_id = await known.start(time.bot, requester=TOM)
        card = await deployment.card(TITLE)
        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "1 of 2")
        await time.pass_by(days=1)
        card = await deployment.reads(card, "Expired: nobody decided in time")
        approval = await eventually(
            "the graph is told", lambda: _applied(deployment, thread_id), PATIENCE
        )
        assert (approval.status, approval.decision and approval.decision.type) == (
            "expired",
            "expired",
        )
        assert known.done == []
        assert "Approve" not in deployment.person("mara").again(card).buttons
        assert "Expired: nobody decided in time" in await deployment.thread(card, 3)
        told = await time.direct("tom", 2)
        assert told[1] == f"Expired: nobody decided in time: {TITLE}"


async def _applied(deployment: Deployment, thread_id: str) -> Approval | None:
    approvals = await deployment.approvals_of(thread_id)
    return approvals[0] if approvals and approvals[0].applied_at else None
