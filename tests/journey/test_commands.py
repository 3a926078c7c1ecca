"""`/approvals`: what is pending, page by page; one thread; start; help."""

import re
from collections.abc import AsyncGenerator

import pytest

from bot.local.person import Seen
from bot.services import Services
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually


@pytest.fixture
async def bot(deployment: Deployment) -> AsyncGenerator[Services, None]:
    async with deployment.instance() as services:
        yield services


async def types(deployment: Deployment, text: str, answer: str, who: str = "mara") -> Seen:
    """Type a command; the private answer that has these words."""
    await deployment.person(who).command(text)
    return await deployment.told(who, answer)


async def test_nothing_is_pending(bot: Services, deployment: Deployment) -> None:
    answer = await types(deployment, "/approvals", "Nothing is waiting for a decision.")
    assert answer.is_ephemeral
    assert "/approvals start" in answer.words


async def test_a_pending_approval_is_listed_with_a_link_to_its_card(
    bot: Services, deployment: Deployment
) -> None:
    thread_id = await deployment.start(requester="U00000TOM", amount="50000")
    card = await deployment.card("Refund $50,000.00 to Acme GmbH")
    await deployment.settled(thread_id)
    answer = await types(deployment, "/approvals list", "1 waiting for a decision")
    words = answer.words
    assert "Refund $50,000.00 to Acme GmbH" in words
    assert "refund · requested by <@U00000TOM> · just now" in words
    assert "high risk" in words
    link = re.search(r"<(http[^|]+)\|Open the card>", words)
    assert link is not None
    assert card.ts.replace(".", "") in link.group(1)


async def test_show_tells_one_thread(bot: Services, deployment: Deployment) -> None:
    thread_id = await deployment.start()
    card = await deployment.card("Refund $120.50 to Acme GmbH")
    await deployment.person("mara").click(card, "Approve")
    await deployment.reads(card, "Refund done")
    answer = await types(deployment, f"/approvals show {thread_id}", "is *finished*")
    assert (
        "Approved by Mara Okafor: Refund $120.50 to Acme GmbH – Refund done: $120.50, re_"
        in answer.words
    )
    await types(deployment, "/approvals show nobody", "There is no run 'nobody'.")


async def test_start_in_ones_own_name(bot: Services, deployment: Deployment) -> None:
    typed = '/approvals start refund customer="Ada & Söhne" amount=9.90 reason=“Too late”'
    answer = await types(deployment, typed, ":rocket: Started", who="tom")
    assert f"<#{CHANNEL}>" in answer.text
    card = await deployment.card("Refund $9.90 to Ada & Söhne")
    assert "Too late" in card.words
    assert "Requested by <@U00000TOM>" in card.words


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("start refnd amount=1", "There is no workflow 'refnd'. There is: "),
        ("start refund amount=-5 customer=A", "- amount: Input should be greater than 0"),
        ("start refund amount=-5 customer=A", "- reason: Field required"),
        ("start refund amount=1 customer=A reason=x colour=red", "- colour: Extra inputs"),
        (
            "start refund amount=1.005 customer=A reason=x",
            "- amount: USD has 2 decimals, and 1.005 has more",
        ),
        ("start refund amount=1 currency=ABC customer=A reason=x", "'ABC' is not an ISO 4217"),
        ("start refund amount=1e-100000000 customer=A reason=x", "- amount: "),
        ("start refund amount=1e100000000 customer=A reason=x", "- amount: "),
        ("start refund amount=NaN customer=A reason=x", "- amount: "),
        ("start refund customer=A customer=B amount=1 reason=x", "customer: given more than once"),
        ("start refund 50 EUR", "'50': write each value as field=value"),
        ('start refund customer="Ada', "A quotation mark is not closed."),
        ("show", "`/approvals show` is followed by one thread id"),
        ("show a b", "`/approvals show` is followed by one thread id"),
        ("list 2", "There is no '2' to list by."),
        ("approve everything", "There is no `/approvals approve`."),
        ("overdeu", "There is no `/approvals overdeu`. Did you mean `/approvals overdue`?"),
        ("hlep", "Did you mean `/approvals help`?"),
        ("mine refund", "To see one workflow, type workflow:refund."),
        ("mine overdeu", 'Did you mean overdue? To look for a text, quote it: "overdeu".'),
        ("workflow:refnd", "There is no workflow 'refnd'. Try workflow:refund."),
        ('""', "A text to look for has 1 to 100 characters."),
        ('"Acme" "Beta"', "Look for one text at a time"),
        ("help", "*What you can type*"),
    ],
)
async def test_a_command_that_does_not_fit_teaches(
    bot: Services, deployment: Deployment, typed: str, answer: str
) -> None:
    await types(deployment, f"/approvals {typed}", answer)
    assert await deployment.started() == []


async def test_a_start_that_is_delivered_twice_is_one_run(
    bot: Services, deployment: Deployment
) -> None:
    deployment.slack.faults.double_deliveries()
    typed = "/approvals start refund customer=Ada amount=9.90 reason=late"
    await types(deployment, typed, ":rocket: Started", who="tom")
    await deployment.card("Refund $9.90 to Ada")
    assert len(await deployment.started()) == 1


async def test_a_guest_starts_nothing(bot: Services, deployment: Deployment) -> None:
    typed = "/approvals start refund customer=A amount=1 reason=x"
    await types(deployment, typed, "Only full members of this workspace use", who="lena")
    await types(deployment, "/approvals", "Only full members of this workspace use", who="lena")
    assert await deployment.started() == []


async def test_app_home_shows_what_is_pending(bot: Services, deployment: Deployment) -> None:
    await deployment.start()
    await deployment.card("Refund $120.50 to Acme GmbH")
    mara = deployment.person("mara")
    await mara.home()
    await eventually(
        "App Home lists it", lambda: "Refund $120.50 to Acme GmbH" in str(mara.home_view)
    )


async def test_a_guest_is_told_who_uses_it(bot: Services, deployment: Deployment) -> None:
    await deployment.start()
    await deployment.card("Refund $120.50 to Acme GmbH")
    lena = deployment.person("lena")
    await lena.home()
    await eventually("App Home says so", lambda: "Only full members" in str(lena.home_view))
    assert "Acme" not in str(lena.home_view)
    told = await types(deployment, "/approvals", "Only full members", who="lena")
    assert "help" not in told.words
