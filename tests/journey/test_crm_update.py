"""A contact in HubSpot, changed as approved in Slack; counted is what HubSpot was told to write."""

import contextlib
from collections.abc import AsyncGenerator

import pytest

from bot.local.person import Seen
from bot.services import Services
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_editing import edit
from tests.workflows.hubspot import MARK, TOKEN, HubSpotStandIn, failing

TITLE = "Update phone of Lena Vogt"
WRITTEN = ["contacts 101 phone=+49 30 2"]
DONE = "Contact updated: phone, contact 101"


@pytest.fixture
async def hubspot() -> AsyncGenerator[HubSpotStandIn, None]:
    async with HubSpotStandIn.open() as standin:
        yield standin


@contextlib.asynccontextmanager
async def asked(
    deployment: Deployment, hubspot: HubSpotStandIn, *, mark: str = ""
) -> AsyncGenerator[Services, None]:
    """A bot as it is deployed with HubSpot, which was asked to change a phone number."""
    async with deployment.instance(
        COUNTERSIGN_HUBSPOT_TOKEN=TOKEN,
        COUNTERSIGN_HUBSPOT_URL=hubspot.url,
        COUNTERSIGN_HUBSPOT_MARK=mark,
    ) as bot:
        given = {"kind": "contact", "record": "101", "changes": '{"phone": "+49 30 2"}'}
        await bot.starter.start_run("crm_update", given, thread_id="crm-1")
        yield bot


def another(deployment: Deployment, first: Seen) -> Seen | None:
    cards = [m for m in deployment.person("mara").sees() if TITLE in m.words and m.blocks]
    return next((card for card in cards if card.ts != first.ts), None)


async def test_the_difference_is_shown_and_written_once(
    deployment: Deployment, hubspot: HubSpotStandIn
) -> None:
    async with asked(deployment, hubspot):
        card = await deployment.card(TITLE)
        for words in ("Lena Vogt (101)", "lena@acme.example", "+49 30 1", "+49 30 2"):
            assert words in card.words
        assert "only if unchanged until then: The contact, as it is shown" in card.words
        await click_as_drawn(deployment, "mara", card, "Approve")
        await click_as_drawn(deployment, "jonas", card, "Approve")
        await deployment.reads(card, DONE)
        assert hubspot.log == WRITTEN
        assert hubspot.value("contacts", "101", "phone") == "+49 30 2"


async def test_changed_meanwhile_it_is_void_and_the_new_difference_is_asked(
    deployment: Deployment, hubspot: HubSpotStandIn
) -> None:
    async with asked(deployment, hubspot):
        first = await deployment.card(TITLE)
        hubspot.change("contacts", "101", phone="+49 30 9")
        await deployment.person("mara").click(first, "Approve")
        void = await deployment.reads(first, "Nothing was executed")
        assert 'phone: "+49 30 1" is now "+49 30 9"' in void.words
        assert "Version of the record: " in void.words

        anew = await eventually("another card", lambda: another(deployment, first))
        assert "Asked again: this was approved, and changed" in anew.words
        assert "+49 30 9" in anew.words
        assert hubspot.log == []
        await deployment.person("mara").click(anew, "Approve")
        await click_as_drawn(deployment, "mara", first, "Approve")
        await deployment.reads(anew, DONE)
        assert hubspot.log == WRITTEN


async def test_edited_in_slack_it_is_written_as_edited(
    deployment: Deployment, hubspot: HubSpotStandIn
) -> None:
    async with asked(deployment, hubspot):
        card = await deployment.card(TITLE)
        assert await edit(deployment, "mara", card, phone="+49 30 7") == {}
        await deployment.reads(card, DONE)
        assert hubspot.log == ["contacts 101 phone=+49 30 7"]


@pytest.mark.parametrize("mark", ["", MARK])
async def test_a_lost_answer_is_no_second_write(
    deployment: Deployment, hubspot: HubSpotStandIn, mark: str
) -> None:
    """HubSpot wrote it, and the connection was gone; then somebody else went on with it."""
    async with asked(deployment, hubspot, mark=mark):
        card = await deployment.card(TITLE)
        await deployment.settled("crm-1")
        hubspot.writes = [None]
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, DONE, within=60)
        assert hubspot.log == WRITTEN


async def test_hubspot_is_away_when_it_is_decided(
    deployment: Deployment, hubspot: HubSpotStandIn
) -> None:
    """Not looked at is not unchanged: it is looked at when HubSpot is back."""
    async with asked(deployment, hubspot):
        card = await deployment.card(TITLE)
        await deployment.settled("crm-1")
        hubspot.answers = [failing(429, "RATE_LIMITS", Retry_After="1"), failing(503)]
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, DONE, within=60)
        assert hubspot.log == WRITTEN


async def test_what_hubspot_refuses_is_said_on_the_card(
    deployment: Deployment, hubspot: HubSpotStandIn
) -> None:
    async with asked(deployment, hubspot):
        card = await deployment.card(TITLE)
        await deployment.settled("crm-1")
        refused = failing(400, "VALIDATION_ERROR", "Property values were not valid: phone")
        hubspot.writes = [refused]
        await deployment.person("mara").click(card, "Approve")
        words = "Not executed: HubSpot refuses it (400): Property values were not valid: phone"
        await deployment.reads(card, words)
        assert hubspot.log == []
