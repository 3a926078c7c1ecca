"""A request whose content no channel may show: who may decide reviews it, and decides there."""

import json
from typing import Any

from bot.audit import Tag
from bot.local.person import Seen, texts_in
from bot.services import Services
from tests.asking import Asking
from tests.clicks import click_as_drawn, deliver, drawn_click
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from tests.journey.test_deciding import form, says
from workflows.fields import TextField
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

TITLE = "Answer to a patient"
SECRET = "Ibuprofen 400"
REASON = "Too high for her age"
FINANCE = Policy(approvers=("S00FINANCE",))


def asks() -> Asking:
    request = ApprovalRequest(
        title=TITLE,
        summary=f"{SECRET}, twice a day",
        fields=(TextField(label="Patient", value=f"Kim, {SECRET}"),),
        details=SECRET,
        sensitivity="restricted",
    )
    return Asking(request, FINANCE)


async def viewers(bot: Services, thread_id: str) -> list[str]:
    trail = await bot.store.trail(thread_id)
    return [event.actor.user or "" for event in trail if event.tag == Tag.VIEWED and event.actor]


async def decide(deployment: Deployment, who: str, label: str) -> None:
    """In the modal that is open."""
    await deployment.person(who).click_in(deployment.person(who).modal, label)


def said_in_slack(deployment: Deployment, card: Seen) -> str:
    """All that Slack was given: messages, replies and private answers, whole."""
    workspace = deployment.slack.workspace
    people = workspace.users.values()
    whispers = [workspace.whispers(CHANNEL, each.id) for each in people]
    replies = [each.json for each in deployment.person("mara").replies(card)]
    seen = [each.json for each in deployment.person("mara").sees()]
    return json.dumps([seen, replies, whispers], ensure_ascii=False)


async def test_it_is_reviewed_and_approved_in_the_modal(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE)
        assert card.buttons == ["Review"]
        modal = await form(deployment, "mara", card, "Review")
        assert SECRET in "\n".join(texts_in(modal["blocks"]))
        assert SECRET not in modal["private_metadata"]
        assert await viewers(bot, thread_id) == ["U0000MARA"]
        await decide(deployment, "mara", "Approve")
        await says(deployment, "mara", "Recorded.")
        await deployment.reads(card, "Carried out")
        await deployment.settled(thread_id)
        card = deployment.person("mara").again(card)
        assert card.buttons == ["Review"]
        await form(deployment, "jonas", card, "Review")
        assert await viewers(bot, thread_id) == ["U0000MARA", "U000JONAS"]
        assert SECRET not in said_in_slack(deployment, card)
    assert len(known.done) == 1


async def test_a_reason_stays_out_of_the_channel(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE)
        await form(deployment, "mara", card, "Review")
        mara = deployment.person("mara")
        await decide(deployment, "mara", "Reject with a reason")
        await eventually("the reason is asked for", lambda: mara.modal and mara.modal["submit"])
        assert await mara.submit({"reason": REASON}) == {}
        assert mara.modal is None
        card = await deployment.reads(card, "Rejected by Mara Okafor")
        approval = await deployment.settled(thread_id)
        assert getattr(approval.decision, "reason", "") == REASON
        said = said_in_slack(deployment, card)
        assert SECRET not in said
        assert REASON not in said
        card = deployment.person("jonas").again(card)
        modal = await form(deployment, "jonas", card, "Review")
        assert REASON in texts_in(modal["blocks"])


async def test_only_who_may_decide_looks(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot, requester="U0000MARA")
        card = await deployment.card(TITLE)
        for who, words in (
            ("tom", "You are not among those who may decide this"),
            ("mara", "You asked for this, so someone else has to decide it."),
            ("lena", "Only full members of this workspace decide"),
        ):
            await click_as_drawn(deployment, who, card, "Review")
            await deployment.told(who, words)
            assert deployment.person(who).modal is None
        assert await viewers(bot, thread_id) == []


def forged(deployment: Deployment, card: Seen, action: str) -> dict[str, Any]:
    click = drawn_click(deployment, "mara", card, "Review")
    click["actions"][0]["action_id"] = action
    return click


async def test_nobody_decides_unseen(deployment: Deployment) -> None:
    """A button that no card has; and what another has looked at does not count for her."""
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE)
        await form(deployment, "jonas", card, "Review")
        for action in ("countersign_approve", "countersign_reject_saying"):
            await deliver(deployment, forged(deployment, card, action))
            await deployment.told("mara", "Look at it first")
            deployment.slack.workspace.whispers(CHANNEL, "U0000MARA").clear()
        [approval] = await deployment.approvals_of(thread_id)
        assert approval.status == "pending"
        assert deployment.person("mara").modal is None
