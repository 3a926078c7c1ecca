"""A contract: legal approves, then a signatory, and it is delivered once, the very document."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.local.person import Seen
from bot.services import Services
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.dropbox_sign import KEY, Behaviour, DropboxSignServer
from tests.eventually import eventually
from tests.journey.test_command_line import run as command
from tests.journey.test_deciding import form
from workflows.connectors.outbox import TRIAL

TITLE = "Contract: MSA 2027"
PDF = b"%PDF-1.7 a contract"
DELIVERED = "Contract sent to 2 people for signature"
PARTIES = "Ada Lovelace <ada@customer.example> Buyer; Jo <jo@acme.example> Seller"
START = f'/approvals start contract_delivery title="MSA 2027" document=msa.pdf parties="{PARTIES}"'
GROUPS: dict[str, Any] = {"COUNTERSIGN_LEGAL": "U0000MARA", "COUNTERSIGN_SIGNATORIES": "S00FINANCE"}


@pytest.fixture
async def server() -> AsyncGenerator[DropboxSignServer, None]:
    async with DropboxSignServer() as server:
        yield server


@asynccontextmanager
async def bot(
    deployment: Deployment, server: DropboxSignServer, name: str = "one"
) -> AsyncGenerator[Services, None]:
    provider: dict[str, Any] = {
        "COUNTERSIGN_DROPBOX_SIGN_KEY": KEY,
        "COUNTERSIGN_DROPBOX_SIGN_URL": server.url,
    }
    async with deployment.instance(name, **GROUPS, **provider) as services:
        yield services


async def asked(deployment: Deployment) -> Seen:
    """Tom asks for it by a command; the card."""
    await deployment.person("tom").command(START)
    return await deployment.card(TITLE)


async def test_legal_approves_a_signatory_approves_delivered_once(
    deployment: Deployment, server: DropboxSignServer
) -> None:
    deployment.file("msa.pdf", PDF)
    mara, jonas = deployment.person("mara"), deployment.person("jonas")
    async with bot(deployment, server), bot(deployment, server, "two"):
        card = await asked(deployment)
        assert card.buttons == ["Approve", "Reject"]
        assert "msa.pdf (19 bytes)" in card.words
        assert "Buyer: Ada Lovelace <ada@customer.example>" in card.words
        await jonas.click(card, "Approve")
        await deployment.told("jonas", "not your turn")
        await mara.click(card, "Approve")
        card = await deployment.reads(card, "legal")
        await mara.click(card, "Approve")  # she is in both, and has one vote
        await deployment.told("mara", "Your vote is counted already")
        assert server.requests == []
        clicks = [click_as_drawn(deployment, "jonas", card, "Approve") for _ in range(2)]
        await asyncio.gather(*clicks)
        await deployment.reads(card, DELIVERED)
    [sent] = server.requests
    assert sent["files"] == {"msa.pdf": PDF}
    assert [email for _, email in sent["signers"]] == ["ada@customer.example", "jo@acme.example"]


async def test_a_rejection_says_why_and_nothing_is_delivered(
    deployment: Deployment, server: DropboxSignServer
) -> None:
    deployment.file("msa.pdf", PDF)
    async with bot(deployment, server):
        card = await asked(deployment)
        await form(deployment, "mara", card, "Reject")
        mara = deployment.person("mara")
        assert await mara.submit({"reason": ""}) != {}
        assert await mara.submit({"reason": "Clause 7 is missing"}) == {}
        await deployment.reads(card, "Clause 7 is missing")
        await deployment.reads(card, "Nothing was executed")
    assert server.calls == []


async def test_a_lost_answer_is_looked_for_and_nothing_is_delivered_twice(
    deployment: Deployment, server: DropboxSignServer
) -> None:
    deployment.file("msa.pdf", PDF)
    server.behaviour = Behaviour(lost=True)
    async with bot(deployment, server):
        card = await asked(deployment)
        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "legal")
        await deployment.person("jonas").click(card, "Approve")
        await deployment.reads(card, DELIVERED, within=60)
    assert len(server.requests) == 1


async def test_without_those_who_decide_the_bot_starts_and_says_what_to_set(
    deployment: Deployment,
) -> None:
    async with deployment.instance():
        await deployment.person("tom").command(START)
        await deployment.told(
            "tom", "COUNTERSIGN_LEGAL and COUNTERSIGN_SIGNATORIES not set: nobody could decide it"
        )
        assert await deployment.started() == []


async def test_a_run_waits_for_a_deployment_that_has_what_it_needs(
    deployment: Deployment, server: DropboxSignServer
) -> None:
    """Approved, and then the setting is gone: it is on hold, and says why."""
    deployment.file("msa.pdf", PDF)
    async with bot(deployment, server):
        card = await asked(deployment)
        [thread_id] = await deployment.started()
    async with deployment.instance("two"):
        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "legal")
        await deployment.person("jonas").click(card, "Approve")
        await deployment.reads(card, "contract_delivery cannot go on here: COUNTERSIGN_LEGAL")
    assert server.calls == []
    later = await deployment.run_of(thread_id)
    assert later.status == "blocked"
    told = (await command(deployment.environment, "doctor")).stdout
    assert "COUNTERSIGN_LEGAL and COUNTERSIGN_SIGNATORIES not set" in told
    assert "Set it for every worker" in told


async def test_without_a_provider_the_card_says_that_nothing_is_sent(
    deployment: Deployment,
) -> None:
    deployment.file("msa.pdf", PDF)
    async with deployment.instance(**GROUPS):
        card = await asked(deployment)
        assert TRIAL in card.words
        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "legal")
        await deployment.person("jonas").click(card, "Approve")
        await deployment.reads(card, "Trial, nothing was sent")
    found = await eventually(
        "the outbox", lambda: list((deployment.directory / "outbox").iterdir())
    )
    assert {each.suffix for each in found} == {".json", ".document"}
