"""Several decided together from the list: each as the modal showed it, through its own guards."""

from typing import Any

import pytest

from bot.audit import Tag
from bot.local.person import texts_in
from bot.records import Change
from bot.services import Services
from tests.asking import Asking
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.fields import TextField
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

MARA, JONAS, TOM = "U0000MARA", "U000JONAS", "U00000TOM"
TOGETHER = Policy(approvers=(MARA, JONAS), bulk=True)
WITHIN = 30.0


def asks(policy: Policy = TOGETHER, **changes: Any) -> Asking:
    fields = (TextField(label="Invoice", value="R-2026-117"),)
    made: dict[str, Any] = {"title": "Pay the supplier", "fields": fields, "risk": "low", **changes}
    return Asking(ApprovalRequest(**made), policy)


async def waiting(deployment: Deployment, bot: Services, known: Asking, count: int) -> None:
    for number in range(count):
        await known.start(bot, f"ask-{number}", requester=TOM)
        await deployment.settled(f"ask-{number}", within=WITHIN)


async def opened(deployment: Deployment, who: str = "mara") -> dict[str, Any]:
    person = deployment.person(who)
    await person.command("/approvals")
    page = await deployment.told(who, "of them for you")
    await person.click(page, "Decide several …")
    return await eventually("the modal is open", lambda: person.modal, WITHIN)


def marked(view: dict[str, Any], *numbers: int) -> dict[str, Any]:
    """What one enters to mark these."""
    boxes = {b["block_id"]: b["element"] for b in view["blocks"] if b["type"] == "input"}
    return {f"pick.{n}": [boxes[f"pick.{n}"]["options"][0]["value"]] for n in numbers}


async def status(deployment: Deployment, number: int) -> str:
    (approval,) = await deployment.approvals_of(f"ask-{number}")
    return approval.status


def told(deployment: Deployment, who: str = "mara") -> list[str]:
    return texts_in((deployment.person(who).modal or {}).get("blocks", []))


async def test_several_are_approved_and_the_answer_tells_what_happened_to_each(
    deployment: Deployment,
) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        await waiting(deployment, bot, known, 4)
        view = await opened(deployment)
        assert "\n".join(texts_in(view["blocks"])).count("R-2026-117") == 4, "each is shown"
        card = (await deployment.approvals_of("ask-1"))[0]
        jonas = [
            m for m in deployment.person("jonas").sees() if card.message and m.ts == card.message.ts
        ]
        await deployment.person("jonas").click(jonas[0], "Reject")
        await deployment.reads(jonas[0], "Nothing was executed", within=WITHIN)
        errors = await deployment.person("mara").submit({"decision": "approve"})
        assert errors == {"pick.0": "Mark at least one of them."}
        entered = marked(view, 0, 1, 3) | {"decision": "approve"}
        assert await deployment.person("mara").submit(entered) == {}
        words = "\n".join(told(deployment))
        assert "*2 of 3 approved*" in words
        assert words.count(":white_check_mark:") == 2
        assert "Already *rejected* by <@U000JONAS>" in words
        await eventually("two are carried out", lambda: len(known.done) == 2 or None, WITHIN)
        assert [await status(deployment, n) for n in range(4)] == [
            "approved", "rejected", "pending", "approved",
        ]  # fmt: skip
        assert {decision.by.user for decision in known.done} == {MARA}


async def test_one_reason_for_all_that_are_rejected(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA, JONAS), bulk=True, reason_required=("reject",)))
    async with deployment.instance(known=known) as bot:
        await waiting(deployment, bot, known, 2)
        view = await opened(deployment)
        for blank in ({}, {"reason": "  "}):
            entered = {"decision": "reject", **blank, **marked(view, 0, 1)}
            errors = await deployment.person("mara").submit(entered)
            said = "2 of 2 want a reason to reject. It is given to each of them."
            assert errors == {"reason": said}
        assert [await status(deployment, n) for n in range(2)] == ["pending", "pending"]
        assert not [e for e in await bot.store.trail("ask-0") if e.tag == Tag.REFUSED]
        entered = {"decision": "reject", "reason": "Not this month", **marked(view, 0, 1)}
        assert await deployment.person("mara").submit(entered) == {}
        assert "*2 of 2 rejected*" in told(deployment)
        for number in range(2):
            (approval,) = await deployment.approvals_of(f"ask-{number}")
            assert getattr(approval.decision, "reason", "") == "Not this month"
        assert known.done == []


async def test_an_approval_that_wants_a_reason_gets_it_together_too(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA, JONAS), bulk=True, reason_required=("approve",)))
    async with deployment.instance(known=known) as bot:
        await waiting(deployment, bot, known, 2)
        view = await opened(deployment)
        entered = {"decision": "approve", **marked(view, 0)}
        errors = await deployment.person("mara").submit(entered)
        assert errors["reason"].startswith("1 of 1 wants a reason to approve.")
        assert await deployment.person("mara").submit({**entered, "reason": "As agreed"}) == {}
        assert "*1 of 1 approved*" in told(deployment)
        await eventually("it is carried out", lambda: known.done or None, WITHIN)
        assert [getattr(each, "reason", "") for each in known.done] == ["As agreed"]


async def test_votes_of_several_count_where_more_are_needed(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA, JONAS), quorum=2, bulk=True))
    async with deployment.instance(known=known) as bot:
        await waiting(deployment, bot, known, 2)
        for who in ("mara", "jonas"):
            view = await opened(deployment, who)
            entered = {"decision": "approve", **marked(view, 0, 1)}
            assert await deployment.person(who).submit(entered) == {}
            assert ("others are still to vote" in str(told(deployment, who))) == (who == "mara")
        await eventually("both are carried out", lambda: len(known.done) == 2 or None, WITHIN)


@pytest.mark.parametrize(
    "known",
    [
        asks(Policy(approvers=(MARA,))),
        asks(risk="medium"),
        asks(sensitivity="restricted"),
        asks(Policy(approvers=(JONAS,), bulk=True)),
    ],
    ids=["policy", "risk", "restricted", "not mine"],
)
async def test_others_are_not_offered_together(deployment: Deployment, known: Asking) -> None:
    async with deployment.instance(known=known) as bot:
        await waiting(deployment, bot, known, 2)
        await deployment.person("mara").command("/approvals")
        page = await deployment.told("mara", "2 waiting for a decision")
        assert page.buttons == []


async def test_what_the_modal_did_not_show_is_not_decided(deployment: Deployment) -> None:
    """An approval that must be decided by itself, put into the box of another; an old digest."""
    known = asks()
    async with deployment.instance(known=known) as bot:
        await waiting(deployment, bot, known, 3)
        view = await opened(deployment)
        (approval,) = await deployment.approvals_of("ask-0")
        risky = approval.request.model_copy(update={"risk": "high"})
        await bot.changes.change(approval.id, lambda a: Change(a.to(request=risky)))
        (other,) = await deployment.approvals_of("ask-1")
        await bot.changes.change(other.id, lambda a: Change(a.to(digest="f" * 64)))
        entered = {"decision": "approve", **marked(view, 0, 1)}
        assert await deployment.person("mara").submit(entered) == {}
        words = "\n".join(told(deployment))
        assert "*0 of 2 approved*" in words
        assert "to be decided by itself, on its card" in words
        assert "drawn for another version" in words
        assert known.done == []
        # A record must be the sum of its trail: as it was.
        await bot.changes.change(approval.id, lambda a: Change(a.to(request=approval.request)))
        await bot.changes.change(other.id, lambda a: Change(a.to(digest=other.digest)))
