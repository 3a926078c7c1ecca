"""Edit, then approve: what a reviewer changes is what is carried out, and everybody sees what."""

from decimal import Decimal

import pytest
from pydantic import JsonValue

from bot.local.person import Seen, texts_in
from tests.asking import Asking
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_deciding import form, says
from workflows.fields import MoneyField, TextField
from workflows.policy import Policy, Tier
from workflows.protocol import ApprovalRequest, Edit, Editable

REFUND = "Refund $120.50 to Acme GmbH"
TITLE = "Mail to the customer"
SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"subject": {"type": "string", "title": "Subject", "maxLength": 80}},
}


def asks(quorum: int = 1, **more: str) -> Asking:
    request = ApprovalRequest(
        title=TITLE,
        fields=(TextField(label="Subject", value="Hello"),),
        allowed_decisions=("approve", "edit", "reject"),
        editable=Editable(json_schema=SCHEMA, values={"subject": "Hello"}),
        **more,  # type: ignore[arg-type]
    )
    return Asking(request, Policy(approvers=("S00FINANCE",), quorum=quorum))


async def edit(deployment: Deployment, who: str, card: Seen, **entered: str) -> dict[str, str]:
    """What is wrong with it, by block."""
    await form(deployment, who, card, "Edit", "Edit")
    return await again(deployment, who, **entered)


async def again(deployment: Deployment, who: str, **entered: str) -> dict[str, str]:
    fields = {f"field.{name}": value for name, value in entered.items()}
    return await deployment.person(who).submit(fields)


async def test_less_is_refunded_than_was_asked_for(deployment: Deployment) -> None:
    async with deployment.instance():
        thread_id = await deployment.start(requester="U00000TOM")
        card = await deployment.card(REFUND)
        assert card.buttons == ["Approve", "Reject", "Edit"]
        for wrong in ("0", "-1", "120.51", "1.005", "much"):
            errors = await edit(deployment, "mara", card, amount=wrong)
            assert set(errors) == {"field.amount"}, wrong
        assert set(await again(deployment, "mara", amount="120.50")) == {"field.amount"}
        assert await deployment.payments.refunds() == []
        assert await again(deployment, "mara", amount="100") == {}
        card = await deployment.reads(card, "Refund done: $100.00, re_", within=30)
        assert "Approved with changes by Mara Okafor" in card.text
        assert "$120.50 USD\n → \n$100.00 USD" in card.words
        approval = await deployment.settled(thread_id)
        trail = (await deployment.shown(thread_id))["trail"]
        [told] = [event for event in trail if event["tag"] == "approval:edited"]
        assert told["detail"]["before"]["amount"] == 12050
        assert told["detail"]["values"]["amount"] == 10000
        assert told["detail"]["edited_by"] == "U0000MARA"
    assert approval.status == "edited"
    refunds = await deployment.payments.refunds()
    assert refunds == [(f"refund:{thread_id}", "Acme GmbH", 10000, "USD")]


async def test_what_one_changes_the_other_approves(deployment: Deployment) -> None:
    known = asks(quorum=2)
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        first = await deployment.card(TITLE)
        await deployment.person("jonas").click(first, "Approve")
        card = await deployment.reads(first, "1 of 2")
        assert await edit(deployment, "mara", card, subject="Good morning") == {}
        card = await deployment.reads(card, "Changes proposed by")
        assert "Hello\n → \nGood morning" in card.words
        assert "1 of 2" in card.words  # what jonas approved was something else
        assert known.done == []
        modal = await form(deployment, "jonas", card, "Edit", "Edit")
        assert "Good morning" in str(modal["blocks"])
        await deployment.person("jonas").close()
        await deployment.person("jonas").click(card, "Approve")
        card = await deployment.reads(card, "Carried out")
        assert "Changed:" in card.words
        assert "Hello\n → \nGood morning" in card.words
        [decision] = known.done
        assert isinstance(decision, Edit)
        assert decision.values == {"subject": "Good morning"}
        assert (decision.by.user, [each.user for each in decision.also]) == (
            "U0000MARA",
            ["U000JONAS"],
        )


async def test_an_edit_of_high_risk_is_looked_at_twice(deployment: Deployment) -> None:
    known = asks(risk="high")
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        card = await deployment.card(TITLE)
        assert await edit(deployment, "mara", card, subject="Hi") == {}
        mara = deployment.person("mara")
        assert mara.modal is not None
        assert mara.modal["title"]["text"] == "Check the changes"
        assert "Hello\n → \nHi" in "\n".join(texts_in(mara.modal["blocks"]))
        assert "Hi" not in mara.modal["private_metadata"]
        assert await again(deployment, "mara", subject="Hi there") == {}  # another: shown again
        assert mara.modal is not None
        assert "Hello\n → \nHi there" in "\n".join(texts_in(mara.modal["blocks"]))
        assert known.done == []
        assert await again(deployment, "mara") == {}
        await deployment.reads(card, "Carried out")
        assert mara.modal is None
        [decision] = known.done
        assert isinstance(decision, Edit)
        assert decision.values == {"subject": "Hi there"}


async def test_a_form_of_values_that_another_changed_is_refused(deployment: Deployment) -> None:
    known = asks(quorum=2)
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        card = await deployment.card(TITLE)
        await form(deployment, "jonas", card, "Edit", "Edit")
        assert await edit(deployment, "mara", card, subject="Good morning") == {}
        await deployment.reads(card, "Changes proposed by")
        assert await again(deployment, "jonas", subject="Good evening") == {}
        await says(deployment, "jonas", "drawn for another version of the request")
        assert known.done == []


async def test_an_edit_is_no_way_round_a_tier(deployment: Deployment) -> None:
    amount: JsonValue = {"type": "integer", "title": "Amount", "countersign": {"money": "USD"}}
    request = ApprovalRequest(
        title=TITLE,
        fields=(MoneyField(label="Amount", amount_minor=50_000, currency="USD"),),
        allowed_decisions=("approve", "edit", "reject"),
        editable=Editable(
            json_schema={"type": "object", "properties": {"amount": amount}},
            values={"amount": 50_000},
        ),
    )
    over = Tier(field="Amount", over=Decimal(1000), currency="USD", quorum=2)
    known = Asking(request, Policy(approvers=("S00FINANCE",), tiers=(over,)))
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        card = await deployment.card(TITLE)
        assert await edit(deployment, "mara", card, amount="1000.01") == {}
        await says(deployment, "mara", "reject it, and say in the reason what should be asked")
        assert known.done == []
        trail = (await deployment.shown(thread_id))["trail"]
        assert "raised" in [event["detail"].get("why") for event in trail]
        await deployment.person("mara").close()
        assert await edit(deployment, "mara", card, amount="1000") == {}
        await deployment.reads(card, "Carried out")
        [decision] = known.done
        assert isinstance(decision, Edit)
        assert decision.values == {"amount": 100_000}


@pytest.mark.parametrize("risk", ["medium", "high"])
async def test_a_restricted_edit_stays_out_of_the_channel(
    deployment: Deployment, risk: str
) -> None:
    known = asks(quorum=2, sensitivity="restricted", risk=risk)
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        card = await deployment.card(TITLE)
        await form(deployment, "mara", card, "Review", "Restricted")
        mara = deployment.person("mara")
        await mara.click_in(mara.modal, "Edit")
        await eventually("the form", lambda: (mara.modal or {}).get("submit"), 30)
        assert await again(deployment, "mara", subject="Good morning") == {}
        if risk == "high":
            assert await again(deployment, "mara") == {}
        card = await deployment.reads(card, "1 of 2")
        replies = await deployment.thread(card, 2)
        assert "Good morning" not in card.words + "".join(replies)
        modal = await form(deployment, "jonas", card, "Review", "Restricted")
        assert "Good morning" in texts_in(modal["blocks"])
        await deployment.person("jonas").click_in(modal, "Approve")
        await deployment.reads(card, "Carried out")
        assert [decision.type for decision in known.done] == ["edit"]
