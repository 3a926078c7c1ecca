"""It goes to other people: from the card's menu, or by command."""

from typing import Any

import pytest

from bot.audit import Tag
from bot.local.person import Seen
from bot.services import Services
from bot.views.modals import Carried
from tests.asking import Asking
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.journey.test_absence import WITHIN, message_to
from tests.journey.test_ask_back import form
from tests.journey.test_together import JONAS, MARA, TITLE, TOM, asks
from workflows.policy import Policy

GROUP = Policy(approvers=("S00FINANCE",))
NAMED = Policy(approvers=("S00FINANCE",), reassign=(TOM,), quorum=2)


async def asked(deployment: Deployment, bot: Services, known: Asking, **more: Any) -> Seen:
    await known.start(bot, **more)
    return await deployment.card(TITLE)


async def test_an_approver_hands_their_place_over(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        mara, tom = deployment.person("mara"), deployment.person("tom")
        await mara.click(card, "Reassign …")
        assert "Your place goes to the one whom you choose" in await form(deployment, "mara")
        assert await mara.submit({"Who decides instead": [TOM], "note": "He knows them"}) == {}
        assert mara.modal is None
        replies = await deployment.thread(card, 2, within=WITHIN)
        told = "Place handed over by Mara Okafor to Tom Ferreira: He knows them"
        assert any(told in reply for reply in replies)
        thread = deployment.person("mara").replies(card)
        assert any(TOM in reply.notifies for reply in thread)
        told = (await message_to(deployment, "tom", "You are asked to decide")).words
        assert TITLE in told
        assert "He knows them" in told
        assert "|Open the card>" in told
        card = mara.again(card)
        await mara.click(card, "Approve")
        await deployment.told("mara", "You are not among those who may decide this")
        await tom.click(card, "Approve")
        await deployment.reads(card, "Carried out", within=WITHIN)
        [decision] = known.done
        assert (decision.by.user, decision.on_behalf_of) == (TOM, None)


async def test_whom_the_policy_names_chooses_all_of_them(deployment: Deployment) -> None:
    known = asks(NAMED)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        tom, mara = deployment.person("tom"), deployment.person("mara")
        await tom.click(card, "Reassign …")
        assert "2 must approve" in await form(deployment, "tom")
        assert await tom.submit({"people": []}) != {}
        await tom.submit({"people": [JONAS]})
        assert "2 more have to approve" in str(tom.modal)
        await tom.close()
        await tom.command("/approvals reassign ask-1 @mara @jonas please")
        await deployment.told("tom", "is handed to <@U0000MARA> and <@U000JONAS>")
        for who in ("mara", "jonas"):
            await message_to(deployment, who, "You are asked to decide")
            await click_as_drawn(deployment, who, card, "Approve")
        await deployment.reads(card, "Carried out", within=WITHIN)
        assert len([m for m in mara.direct() if "You are asked" in m.words]) == 1


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("ask-1 @tom", "may not decide this"),  # who asked for it
        ("ask-1 @lena", "may not decide this"),  # a guest
        ("ask-1 @countersign", "may not decide this"),
        ("ask-1 @jonas", "is asked already"),
        ("ask-1 @mara", "someone else than yourself"),
        ("ask-1 jonas", "/approvals reassign THREAD_ID @name"),
        ("nothing @jonas", "is not known"),
    ],
)
async def test_a_place_that_cannot_be_given_is_kept(
    deployment: Deployment, typed: str, answer: str
) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        await asked(deployment, bot, known, requester=TOM)
        await deployment.person("mara").command(f"/approvals reassign {typed}")
        refused = await deployment.told("mara", answer)
        assert "Nothing was reassigned" in refused.words
        [approval] = await bot.store.approvals_of("ask-1")
        assert approval.policy == GROUP


async def test_who_may_not_decide_cannot_choose_who_does(deployment: Deployment) -> None:
    """Not by the menu, nor by a form that someone else opened; and the trail keeps the try."""
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known, requester=JONAS)
        await deployment.person("jonas").click(card, "Reassign …")
        await deployment.told("jonas", "You asked for this, so someone else has to decide it.")
        await deployment.person("tom").command("/approvals reassign ask-1 @mara")
        await deployment.told("tom", "Only its approvers hand their place to others")
        assert deployment.person("jonas").modal is None
        mara = deployment.person("mara")
        await mara.click(card, "Reassign …")
        await form(deployment, "mara")
        view = mara.modal or {}
        payloads = deployment.slack.acts.payloads
        values = {"people": {"people": {"type": "x", "selected_users": [TOM]}}}
        nothing = Carried(opener=JONAS, approval="x")
        [waits] = await bot.store.approvals_of("ask-1")
        own = [each.model_dump_json() for each in (nothing, Carried.of(waits, JONAS))]
        for carried in (view["private_metadata"], *own):
            forged = {**view, "private_metadata": carried}
            person = deployment.person("jonas").user
            payload = payloads.view_submission(person, forged, values)
            ack = await deployment.slack.delivery.send("interactive", payload, answerable=True)
            assert "Not recorded" in str(ack.body)
        [approval] = await bot.store.approvals_of("ask-1")
        assert approval.policy == GROUP
        kept = [e for e in await bot.store.trail("ask-1") if e.tag == Tag.REFUSED]
        whom = {(e.actor.user if e.actor else "", e.detail["why"]) for e in kept}
        opened = (JONAS, "other_opener")
        assert whom == {(JONAS, "requester"), (TOM, "may_not_reassign"), opened}


async def test_a_card_that_was_handed_over_while_someone_looked_is_refused_then(
    deployment: Deployment,
) -> None:
    known = asks(Policy(approvers=(MARA,), reassign=(TOM,)))
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        mara = deployment.person("mara")
        await mara.click(card, "Reassign …")
        await form(deployment, "mara")
        await deployment.person("tom").command("/approvals reassign ask-1 @jonas")
        await deployment.told("tom", "is handed to")
        await mara.submit({"people": [TOM]})
        assert "Only its approvers hand their place" in str(mara.modal)
        [approval] = await bot.store.approvals_of("ask-1")
        assert approval.stages[0].approvers == (JONAS,)
