"""A vote that was taken back stays so, also where Slack, or someone else, delivers once more what
cast it; and nobody else's click on an older card suffers by that."""

from typing import Any

from bot.local.person import Seen
from bot.services import Services
from tests.asking import Asking
from tests.deployment import Deployment
from tests.journey.test_tampering import (
    FORMS,
    JONAS,
    MARA,
    TITLE,
    WITHIN,
    Attack,
    clicked_and_answered,
    deliver,
    kept,
    opened,
    says_no,
    submission,
    submitted,
    the_one,
)
from tests.journey.test_tampering import click as drawn
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest, Editable

EDITABLE = Editable(
    json_schema={"type": "object", "properties": {"note": {"type": "string"}}},
    values={"note": "as agreed"},
)
CHANGED = "The card has changed since this was drawn"


def asks(quorum: int = 2) -> Asking:
    allowed = ("approve", "edit", "reject")
    request = ApprovalRequest(title=TITLE, allowed_decisions=allowed, editable=EDITABLE)
    return Asking(request, Policy(approvers=(MARA, JONAS, "U00000TOM"), quorum=quorum))


async def votes(bot: Services) -> list[str | None]:
    return [vote.by.user for vote in (await the_one(bot)).votes]


async def acted(deployment: Deployment, who: str, card: Seen, label: str, then: str) -> Any:
    """A click that counts; answers its payload, to be delivered once more, and the card then."""
    payload = drawn(deployment, who, card, label)
    assert (await deliver(deployment, payload)).ok
    return payload, await deployment.reads(card, then, within=WITHIN)


async def test_a_click_that_comes_again_after_the_withdrawal(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        first = await deployment.card(TITLE)
        approved, card = await acted(deployment, "mara", first, "Approve", "1 of 2")
        withdrawn, card = await acted(deployment, "mara", card, "Withdraw my vote", "0 of 2")
        await clicked_and_answered(deployment, "mara", approved)
        await deployment.told("mara", CHANGED)
        await kept(bot, deployment, Attack("mara", "taken_back"), approved)
        assert await votes(bot) == []

        await deliver(deployment, drawn(deployment, "jonas", first, "Approve"))
        card = await deployment.reads(card, "1 of 2", within=WITHIN)
        assert await votes(bot) == [JONAS], "another's honest click on the card as it was"
        await deliver(deployment, approved)
        assert await votes(bot) == [JONAS]

        await acted(deployment, "jonas", card, "Withdraw my vote", "0 of 2")
        card = deployment.person("mara").again(card)
        _, card = await acted(deployment, "mara", card, "Approve", "1 of 2")
        await clicked_and_answered(deployment, "mara", withdrawn)
        assert await votes(bot) == [MARA], "nor is a withdrawal carried out twice"
        assert known.done == []
        await deployment.person("jonas").click(card, "Approve")
        await deployment.reads(card, "Carried out", within=WITHIN)
        assert len(known.done) == 1


async def test_an_edit_that_comes_again_and_votes_that_fell_with_one(
    deployment: Deployment,
) -> None:
    known = asks(3)
    async with deployment.instance(known=known) as bot:
        await known.start(bot)
        card = await deployment.card(TITLE)
        approved, card = await acted(deployment, "jonas", card, "Approve", "1 of 3")
        view = await opened(deployment, "mara", card, "Edit")
        edited = submission(deployment, "mara", view, FORMS["Edit"])
        assert not says_no(await submitted(deployment, edited))
        card = await deployment.reads(card, "changed it", within=WITHIN)
        assert await votes(bot) == [MARA]
        _, card = await acted(deployment, "mara", card, "Withdraw my vote", "0 of 3")

        await clicked_and_answered(deployment, "jonas", approved)
        assert says_no(await submitted(deployment, edited))
        await kept(bot, deployment, Attack("jonas", "taken_back"), approved)
        await kept(bot, deployment, Attack("mara", "taken_back"), edited)
        assert await votes(bot) == []
        await acted(
            deployment, "jonas", deployment.person("jonas").again(card), "Approve", "1 of 3"
        )
        assert await votes(bot) == [JONAS]
