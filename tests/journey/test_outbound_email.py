"""A mail, from its start in Slack to the inbox of a real SMTP server: what was approved arrives,
exactly, and once."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import pytest

from bot.local.person import Seen
from bot.services import Services
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_editing import edit
from tests.mail_server import Behaviour, MailServer
from workflows.connectors.outbox import TRIAL

TITLE = "Email to ada@customer.example and 1 more"
DOUBT = f"It may have happened: {TITLE}"
TO = 'to="Ada <ada@customer.example>" bcc=archive@acme.example'
PDF = b"%PDF-1.7 an offer"


@pytest.fixture
def server() -> Generator[MailServer, None, None]:
    with MailServer() as server:
        yield server


@asynccontextmanager
async def bot(
    deployment: Deployment, server: MailServer, name: str = "one"
) -> AsyncGenerator[Services, None]:
    sender = "Acme Support <support@acme.example>"
    async with deployment.instance(
        name, COUNTERSIGN_SMTP_URL=server.url, COUNTERSIGN_MAIL_FROM=sender
    ) as services:
        yield services


async def asked(deployment: Deployment, more: str = "") -> Seen:
    """Tom asks for it by a command; the card."""
    words = f'{TO} subject="Your order" body="It is on its way." {more}'.strip()
    await deployment.person("tom").command(f"/approvals start outbound_email {words}")
    return await deployment.card(TITLE)


async def test_what_the_reviewer_wrote_arrives(deployment: Deployment, server: MailServer) -> None:
    deployment.file("offers/offer.pdf", PDF)
    body = "Dear Ada,\n.\n..\nשלום, é 👩‍👩‍👧\n\nAcme"
    async with bot(deployment, server):
        card = await asked(deployment, "attachments=offers/offer.pdf")
        assert card.buttons == ["Approve", "Reject", "Edit"]
        assert "archive@acme.example" in card.words
        assert "offers/offer.pdf (17 bytes)" in card.words
        for wrong in ("  \n", "x" * 20_001):
            assert set(await edit(deployment, "mara", card, body=wrong)) == {"field.body"}
        assert await edit(deployment, "mara", card, subject="Shipped", body=body) == {}
        done = await deployment.reads(card, "Mail handed over for 2 recipients")
        assert "Approved with changes by Mara Okafor" in done.text

    [mail] = server.inbox
    assert mail.recipients == ["ada@customer.example", "archive@acme.example"]
    assert (mail.message["Subject"], mail.text) == ("Shipped", f"{body}\n")
    assert (mail.files, mail.message["Bcc"]) == ({"offer.pdf": PDF}, None)


async def test_clicks_on_two_instances_at_once_send_once(
    deployment: Deployment, server: MailServer
) -> None:
    """And the receipt says whom the server does not take."""
    server.behaviour = Behaviour(answers={"archive@acme.example": "550 no such user"})
    mara, jonas = deployment.person("mara"), deployment.person("jonas")
    async with bot(deployment, server), bot(deployment, server, "two"):
        card = await asked(deployment)
        clicks = [who.click(card, "Approve") for who in (mara, jonas, mara, jonas)]
        await asyncio.gather(*clicks)
        refused = "1 of 2 recipients; refused: archive@acme.example (550 no such user)"
        await deployment.reads(card, refused)
        await deployment.thread(card, 5)
    assert [each.recipients for each in server.inbox] == [["ada@customer.example"]]


async def test_a_server_that_is_busy_is_tried_again_by_itself(
    deployment: Deployment, server: MailServer
) -> None:
    server.behaviour = Behaviour(answer="451 greylisted, try again", times=1)
    async with bot(deployment, server):
        card = await asked(deployment)
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Mail handed over for 2 recipients", within=60)
    assert len(server.inbox) == 1


async def test_where_nobody_knows_a_person_is_asked(
    deployment: Deployment, server: MailServer
) -> None:
    server.behaviour = Behaviour(hangs_up="stored")
    async with bot(deployment, server):
        card = await asked(deployment)
        await deployment.person("mara").click(card, "Approve")
        doubt = await deployment.card(DOUBT, within=60)
        assert "outbound_email:outbound-email-" in doubt.words
        await deployment.person("jonas").click(doubt, "It happened")
        await deployment.reads(card, "Jonas Weber says that it happened", within=60)
    assert len(server.inbox) == 1


async def test_a_file_that_changed_is_not_sent_before_it_is_put_right(
    deployment: Deployment, server: MailServer
) -> None:
    file = deployment.file("offer.pdf", PDF)
    async with bot(deployment, server):
        card = await asked(deployment, "attachments=offer.pdf")
        file.write_bytes(b"%PDF-1.7 another")
        await deployment.person("mara").click(card, "Approve")
        failed = await deployment.reads(card, "offer.pdf was changed after it was shown", within=60)
        assert server.commands == []
        file.write_bytes(PDF)
        await deployment.person("jonas").click(failed, "Retry")
        await deployment.reads(card, "Mail handed over for 2 recipients", within=60)
    assert [each.files for each in server.inbox] == [{"offer.pdf": PDF}]


async def test_a_file_that_is_not_there_is_told_to_whoever_asked(
    deployment: Deployment, server: MailServer
) -> None:
    async with bot(deployment, server) as services:
        run = await services.starter.start_run(
            "outbound_email",
            {"to": "ada@b.example", "subject": "Hi", "body": "Hi", "attachments": "no.pdf"},
        )

        async def failed() -> bool:
            return (await deployment.run_of(run.thread_id)).status == "failed"

        await eventually("the run fails", failed, 60)
        assert "There is no file no.pdf" in (await deployment.run_of(run.thread_id)).error


async def test_bad_input_is_answered_by_its_field(
    deployment: Deployment, server: MailServer
) -> None:
    async with bot(deployment, server):
        tom = deployment.person("tom")
        await tom.command('/approvals start outbound_email to=ada subject="Hi" body="Hi"')
        await deployment.told("tom", "to.0: 'ada' is no e-mail address")
        assert await deployment.started() == []


async def test_without_a_server_the_card_says_that_nothing_is_sent(deployment: Deployment) -> None:
    async with deployment.instance():
        card = await asked(deployment)
        assert TRIAL in card.words
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Trial, nothing was sent")
    [file] = (deployment.directory / "outbox").iterdir()
    assert file.suffix == ".eml"
    assert b"Subject: Your order" in file.read_bytes()
