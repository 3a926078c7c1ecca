"""More than a click: a reason, a response; who may not decide is asked for neither."""

from typing import Any

import pytest

from bot.local.person import Seen, texts_in
from tests.asking import Asking
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

FINANCE = Policy(approvers=("S00FINANCE",))
WANTS = Policy(approvers=("S00FINANCE",), reason_required=("approve", "reject"))
TITLE = "Pay the supplier"


def asks(policy: Policy = FINANCE, **more: Any) -> Asking:
    return Asking(ApprovalRequest(title=TITLE, **more), policy)


async def form(
    deployment: Deployment, who: str, card: Seen, label: str, title: str = ""
) -> dict[str, Any]:
    """What opens on a click, as this person sees it."""
    person = deployment.person(who)
    await person.click(card, label)

    def opened() -> dict[str, Any] | None:
        modal = person.modal
        return modal if modal and (not title or modal["title"]["text"] == title) else None

    return await eventually(f"the modal {title!r}", opened, 30)


async def says(deployment: Deployment, who: str, words: str) -> None:
    """The modal in which the refusal stands."""

    def there() -> bool:
        modal = deployment.person(who).modal
        return modal is not None and words in "\n".join(texts_in(modal["blocks"]))

    await eventually(f"a modal {words!r}", there, 30)


async def test_a_reviewer_may_say_why_not(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE)
        assert card.buttons == ["Approve", "Reject"]
        modal = await form(deployment, "mara", card, "Reject with a reason")
        assert TITLE in texts_in(modal["blocks"])
        mara = deployment.person("mara")
        assert await mara.submit({"reason": "  \n"}) != {}
        assert await mara.submit({"reason": "Twice\nthis month"}) == {}
        card = await deployment.reads(card, "Twice\nthis month")
        assert mara.modal is None
        assert "Rejected by Mara Okafor" in card.text
        approval = await deployment.settled(thread_id)
        assert getattr(approval.decision, "reason", "") == "Twice\nthis month"
        replies = await deployment.thread(card, 3)
        assert any("Rejected by Mara" in each and "Twice this month" in each for each in replies)
    assert known.done == []


async def test_reasons_that_the_policy_wants_are_asked_for(deployment: Deployment) -> None:
    known = asks(WANTS)
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        card = await deployment.card(TITLE)
        assert card.buttons == ["Approve", "Reject"]
        await form(deployment, "jonas", card, "Reject", "Reject with a reason")
        await deployment.person("jonas").close()
        await form(deployment, "jonas", card, "Approve", "Approve with a reason")
        assert await deployment.person("jonas").submit({"reason": "Agreed by phone"}) == {}
        card = await deployment.reads(card, "Carried out")
        assert "Agreed by phone" in card.words
        [decision] = known.done
        assert decision.model_dump()["reason"] == "Agreed by phone"


async def test_a_response_goes_back_to_the_workflow(deployment: Deployment) -> None:
    known = asks(allowed_decisions=("respond",))
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE)
        assert card.buttons == ["Respond"]
        await form(deployment, "mara", card, "Respond")
        assert await deployment.person("mara").submit({"text": "Only on Monday"}) == {}
        card = await deployment.reads(card, "Answered by")
        assert "Only on Monday" in card.words
        approval = await deployment.settled(thread_id)
        assert approval.decision is not None
        assert approval.decision.type == "respond"
        assert approval.decision.text == "Only on Monday"


@pytest.mark.parametrize("label", ["Reject with a reason", "Respond"])
async def test_who_may_not_decide_is_asked_for_no_words(deployment: Deployment, label: str) -> None:
    known = asks(allowed_decisions=("approve", "reject", "respond"))
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot, requester="U0000MARA")
        card = await deployment.card(TITLE)
        for who, words in (
            ("tom", "You are not among those who may decide this"),
            ("mara", "You asked for this, so someone else has to decide it."),
        ):
            await deployment.person(who).click(card, label)
            await deployment.told(who, words)
            assert deployment.person(who).modal is None
        [approval] = await deployment.approvals_of(thread_id)
        assert approval.status == "pending"


async def test_who_was_slower_is_told_in_the_modal(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        card = await deployment.card(TITLE)
        await form(deployment, "mara", card, "Reject with a reason")
        await deployment.person("jonas").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        assert await deployment.person("mara").submit({"reason": "Too late"}) == {}
        await says(deployment, "mara", "Already *approved* by <@U000JONAS>")
    assert len(known.done) == 1
