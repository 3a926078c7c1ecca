"""Mail and contracts, killed and frozen around the call that sends: counted where they arrive."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from bot.local.torture.calls import Crash
from bot.local.torture.crashes import Journey, Stand, run_once
from tests.deployment import Deployment
from tests.dropbox_sign import KEY, DropboxSignServer
from tests.eventually import eventually
from tests.faults.test_processes import PATIENCE, process
from tests.mail_server import Behaviour, MailServer
from workflows.addresses import mailbox
from workflows.connectors.dropbox_sign import DropboxSign
from workflows.connectors.files import Files
from workflows.connectors.smtp import SmtpMailer, SmtpServer
from workflows.graphs.contract_delivery import contract_delivery
from workflows.graphs.outbound_email import outbound_email

MAIL = {"to": "ada@customer.example", "subject": "Your order", "body": "On its way."}
CONTRACT = {"title": "MSA", "document": "msa.pdf", "parties": "Ada <ada@b.example> Buyer"}
ACME = "Acme Support <support@acme.example>"


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stand, None, None]:
    with Stand.open(tmp_path_factory.mktemp("stand")) as stand:
        yield stand


@pytest.fixture
def server() -> Generator[MailServer, None, None]:
    with MailServer() as server:
        yield server


def mails(server: MailServer, directory: Path) -> Journey:
    mailer = SmtpMailer(SmtpServer.at(server.url), mailbox(ACME))

    def arrived() -> list[str]:
        return [f"{each.recipients} {each.text}" for each in server.inbox]

    def make() -> object:
        server.inbox.clear()
        return outbound_email(mailer, Files(directory))

    return Journey("mail", make, {**MAIL, "attachments": "msa.pdf"}, tally=arrived)  # type: ignore[arg-type]


def contracts(server: DropboxSignServer, directory: Path) -> Journey:
    signing = DropboxSign(KEY, server.url, looks=(0.0,))
    who = {"legal": ("S00FINANCE",), "signatories": ("S00FINANCE",)}

    def arrived() -> list[str]:
        return [str(each["metadata"]["countersign_operation"]) for each in server.requests]

    def make() -> object:
        server.requests.clear()
        return contract_delivery(signing, Files(directory), **who)

    return Journey("contract", make, CONTRACT, tally=arrived)  # type: ignore[arg-type]


def ends_as_unharmed(
    stand: Stand, journey: Journey, inbox: Callable[[], int], *crashes: Crash, asks: bool
) -> None:
    """asks: is a person asked whether it happened?"""
    clean = run_once(stand, journey, None)
    assert inbox() == 1
    for crash in crashes:
        ran = run_once(stand, journey, crash)
        assert ran.struck, crash
        assert ran.end.differs(clean.end) == [], crash
        assert inbox() == 1, crash
        assert bool(ran.end.asked) == asks, crash


def test_a_mail_arrives_once(stand: Stand, server: MailServer, tmp_path: Path) -> None:
    """A person is asked, and says what is so: after the call that it happened."""
    (tmp_path / "msa.pdf").write_bytes(b"%PDF")
    call = "effect outbound_email:THREAD: its call #1"
    crashes = Crash(call, "before"), Crash(call, "after")
    ends_as_unharmed(stand, mails(server, tmp_path), lambda: len(server.inbox), *crashes, asks=True)


def test_a_contract_arrives_once(stand: Stand, tmp_path: Path) -> None:
    """Nobody is asked: the provider is."""
    (tmp_path / "msa.pdf").write_bytes(b"%PDF")
    server = DropboxSignServer()
    stand.elsewhere.do(server.__aenter__())
    try:
        call = "effect contract_delivery:THREAD: its call #1"
        journey = contracts(server, tmp_path)
        ends_as_unharmed(
            stand, journey, lambda: len(server.requests), Crash(call, "after"), asks=False
        )
    finally:
        stand.elsewhere.do(server.__aexit__(None, None, None))


async def test_a_worker_that_is_killed_while_it_sends_leaves_the_question(
    deployment: Deployment, server: MailServer, tmp_path: Path
) -> None:
    """SIGKILL, when the server has the mail and has not answered: nobody sends it again."""
    server.behaviour = Behaviour(silent=True)
    settings: dict[str, Any] = {"COUNTERSIGN_SMTP_URL": server.url, "COUNTERSIGN_MAIL_FROM": ACME}
    async with deployment.instance("listener", works=False, **settings) as bot:
        run = await bot.starter.start_run("outbound_email", MAIL, requester="U00000TOM")
        async with process(deployment, tmp_path, "doomed", "worker", **settings) as doomed:
            card = await deployment.card("Email to ada@customer.example", within=PATIENCE)
            await deployment.person("mara").click(card, "Approve")
            await eventually("the server has it", lambda: server.inbox, PATIENCE)
            await doomed.kill()
    async with deployment.instance("next", listens=False, works=False, **settings) as bot:
        # Its lease has run out.
        await bot.store.redis.delete(f"{bot.store.keys.prefix}lease:{run.thread_id}")
        await bot.tasks.advance(run.thread_id)
    async with deployment.instance("last", **settings):
        title = "It may have happened: Email to ada@customer.example"
        doubt = await deployment.card(title, within=PATIENCE)
        await deployment.person("mara").click(doubt, "It happened")
        await deployment.reads(card, "Mara Okafor says that it happened", within=PATIENCE)
    assert len(server.inbox) == 1
