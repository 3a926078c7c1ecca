"""Outbound email: what it takes, what it shows, and when it sends; each mail counted at a real SMTP
server."""

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.mail_server import Behaviour, MailServer, Received
from tests.workflows.rig import MARA, NOW, Rig, Threads, answer, approved, reject
from workflows.addresses import mailbox
from workflows.catalog import InvalidInput, Workflow
from workflows.connectors.files import Files, StoredFile
from workflows.connectors.mail import Mailer
from workflows.connectors.outbox import TRIAL, Outbox, TrialMailer
from workflows.connectors.smtp import SmtpMailer, SmtpServer
from workflows.effects import EffectInDoubt, EffectNotYet, EffectRefused
from workflows.graphs.outbound_email import outbound_email
from workflows.payloads import read_question
from workflows.protocol import ApprovalRequest, Edit, Expired
from workflows.runner import ThreadState

INPUT = {
    "to": "Ada Lovelace <ada@customer.example>, bob@customer.example",
    "bcc": ["archive@acme.example"],
    "subject": "Your order",
    "body": "It is on its way.\n\nAcme",
    "attachments": "offers/offer.pdf",
}
PDF = b"%PDF-1.7 an offer"
SHA256 = hashlib.sha256(PDF).hexdigest()
ACME = mailbox("Acme Support <support@acme.example>")


@dataclass(frozen=True)
class World:
    threads: Threads
    server: MailServer
    directory: Path
    workflow: Workflow

    async def start(self, **values: Any) -> ThreadState:
        given = self.workflow.read_input({**INPUT, **values})
        return await self.threads.advance(given=given)

    @property
    def inbox(self) -> list[Received]:
        return self.server.inbox

    @property
    def offer(self) -> Path:
        return self.directory / "files" / "offers" / "offer.pdf"


@pytest.fixture
async def world(rig: Rig, tmp_path: Path) -> AsyncGenerator[World, None]:
    with MailServer() as server:
        yield await open_world(rig, tmp_path, server, _smtp(server))


async def open_world(rig: Rig, directory: Path, server: MailServer, mailer: Mailer) -> World:
    workflow = outbound_email(mailer, Files(directory / "files"))
    graph: Any = workflow.graph
    world = World(await rig.threads(graph, *workflow.state_types), server, directory, workflow)
    world.offer.parent.mkdir(parents=True, exist_ok=True)
    world.offer.write_bytes(PDF)
    return world


def _smtp(server: MailServer) -> SmtpMailer:
    return SmtpMailer(SmtpServer.at(server.url), ACME)


def read(**values: Any) -> dict[str, Any]:
    unused = outbound_email(TrialMailer(Outbox(Path("unused"))), Files(Path("unused")))
    return unused.read_input({**INPUT, **values})


def asked(state: ThreadState) -> ApprovalRequest:
    return read_question(state.open[0].value).request


def shown(state: ThreadState) -> list[tuple[str, str]]:
    return [(each.label, getattr(each, "value", "")) for each in asked(state).fields]


# --- what it takes


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"to": ""}, "- to: List should have at least 1 item"),
        ({"to": "ada"}, "- to.0: 'ada' is no e-mail address"),
        ({"to": "ada@acme.example, bob"}, "- to.1: 'bob' is no e-mail address"),
        ({"cc": ["ada@nowhere"]}, "- cc.0: 'ada@nowhere': 'nowhere' is no domain"),
        ({"bcc": "a@b.c\nBcc: eve"}, "- bcc.1: 'Bcc: eve' is no e-mail address"),
        ({"to": ["a@b.example\r\nBcc: eve@evil.example"]}, "- to.0: has line breaks or tabs"),
        ({"to": ["Boss\r\nBcc: x <a@b.example>"]}, "- to.0: has line breaks or tabs"),
        ({"to": [f"a{n}@b.example" for n in range(51)]}, "- to: List should have at most 50 items"),
        ({"subject": " "}, "- subject: String should have at least 1 character"),
        ({"subject": "x" * 201}, "- subject: String should have at most 200 characters"),
        ({"subject": "Hi\r\nBcc: eve@evil.example"}, "- subject: has line breaks or tabs"),
        ({"subject": "Hi\u202e"}, "- subject: has characters that are not seen"),
        ({"body": "\n"}, "- body: String should have at least 1 character"),
        ({"body": "x" * 20_001}, "- body: String should have at most 20000 characters"),
        ({"body": "a\u202eb"}, "- body: has characters that are not seen"),
        ({"body": "a\x00b"}, "- body: has characters that are not seen"),
        ({"attachments": "../secret"}, "- attachments.0: name a file below COUNTERSIGN_FILES"),
        ({"attachments": "/etc/passwd"}, "- attachments.0: name a file below COUNTERSIGN_FILES"),
        ({"attachments": ["a\\b"]}, "- attachments.0: name a file below COUNTERSIGN_FILES"),
        ({"attachments": [""]}, "- attachments.0: String should have at least 1 character"),
        (
            {"attachments": [f"{n}" for n in range(11)]},
            "- attachments: List should have at most 10",
        ),
        ({"reply_to": "a@b.example"}, "- reply_to: Extra inputs are not permitted"),
        ({"subject": None}, "- subject: Input should be a valid string"),
    ],
)
def test_input_that_does_not_fit_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(**values)
    assert words in str(refused.value)


def test_what_is_read_is_what_will_be_sent() -> None:
    given = read(to="Jürgen <JM@Bücher.example>; ada@acme.example", body="a\r\nb", cc="")

    assert given["to"] == ["Jürgen <JM@xn--bcher-kva.example>", "ada@acme.example"]
    assert (given["cc"], given["body"]) == ([], "a\nb")
    assert read(**given) == given


@pytest.mark.parametrize("body", ["می‌خواهم", "שלום\u200f!", "👩‍👩‍👧"])
def test_a_body_has_what_its_script_needs(body: str) -> None:
    assert read(body=body)["body"] == body


# --- what it shows


async def test_the_request_shows_all_that_the_mail_is_made_of(world: World) -> None:
    state = await world.start()

    assert asked(state).title == "Email to ada@customer.example and 2 more"
    assert shown(state) == [
        ("To", "Ada Lovelace <ada@customer.example>\nbob@customer.example"),
        ("Bcc, hidden from the others", "archive@acme.example"),
        ("From", "Acme Support <support@acme.example>"),
        ("Subject", "Your order"),
        ("Body", "It is on its way.\n\nAcme"),
        ("Attachment", f"offers/offer.pdf (17 bytes)\nSHA-256 {SHA256}"),
    ]
    assert asked(state).allowed_decisions == ("approve", "reject", "edit")
    assert asked(state).risk == "medium"


async def test_a_domain_in_other_letters_stands_beside_what_it_is(world: World) -> None:
    state = await world.start(to="jm@bücher.example", bcc=[])

    assert shown(state)[0] == ("To", "jm@xn--bcher-kva.example (bücher.example)")


async def test_many_recipients_are_a_high_risk(world: World) -> None:
    state = await world.start(to=[f"a{n}@b.example" for n in range(9)])

    assert asked(state).risk == "high"


async def test_a_file_that_is_not_there_is_told_before_anyone_is_asked(world: World) -> None:
    with pytest.raises(EffectRefused, match=r"There is no file offers/none\.pdf among those"):
        await world.start(attachments="offers/none.pdf")


async def test_a_link_that_leads_out_of_the_directory_is_no_file(world: World) -> None:
    secret = world.directory / "secret.txt"
    secret.write_bytes(b"secret")
    (world.offer.parent / "link.txt").symlink_to(secret)
    with pytest.raises(EffectRefused, match=r"There is no file offers/link\.txt"):
        await world.start(attachments="offers/link.txt")
    with pytest.raises(EffectRefused, match="There is no file offers "):
        await world.threads.advance(thread_id="t-2", given=read(attachments="offers"))


async def test_files_that_are_too_large_together(world: World) -> None:
    names = [f"part{number}.bin" for number in range(3)]
    for name in names:
        with (world.offer.parent / name).open("wb") as file:
            file.truncate(9_000_000)
    with pytest.raises(EffectRefused, match=r"larger than 25\.0 MB together"):
        await world.start(attachments=[f"offers/{name}" for name in names])


# --- when it sends


async def test_an_approval_sends_once(world: World) -> None:
    paused = await world.start()
    assert world.inbox == []

    finished = await world.threads.advance(approved(paused))
    await world.threads.advance(approved(paused))

    [mail] = world.inbox
    assert mail.recipients == [
        "ada@customer.example", "bob@customer.example", "archive@acme.example",
    ]  # fmt: skip
    assert (mail.message["Subject"], mail.text) == ("Your order", f"{INPUT['body']}\n")
    assert mail.files == {"offer.pdf": PDF}
    assert mail.message["Date"].datetime == NOW
    assert finished.values["outcome"] == (
        "Mail handed over for 3 recipients, <outbound_email+t-1@acme.example>"
    )
    assert finished.values["files"] == [StoredFile(path="offers/offer.pdf", size=17, sha256=SHA256)]


async def test_neither_a_rejection_nor_a_passed_deadline_sends(world: World) -> None:
    paused = await world.start()
    finished = await world.threads.advance({paused.open[0].key: reject(paused.open[0])})
    assert finished.values["outcome"] == "not sent: reject"

    other = await world.threads.advance(given=read(), thread_id="t-2")
    nobody = MARA.model_copy(update={"user": None})
    expired = answer(Expired(by=nobody, at=NOW, digest=asked(other).digest))
    answers = {other.open[0].key: expired}
    finished = await world.threads.advance(answers, thread_id="t-2")
    assert finished.values["outcome"] == "not sent: expired"
    assert (world.inbox, world.server.commands) == ([], [])


def edited(paused: ThreadState, **values: Any) -> dict[str, Any]:
    edit = Edit(by=MARA, at=NOW, digest=asked(paused).digest, values=values)
    return {paused.open[0].key: answer(edit)}


async def test_what_the_reviewer_wrote_is_what_is_sent(world: World) -> None:
    paused = await world.start()
    body = "Dear Ada,\n.\nשלום\n\nAcme"

    await world.threads.advance(edited(paused, subject="Your order, shipped", body=body))

    [mail] = world.inbox
    assert (mail.message["Subject"], mail.text) == ("Your order, shipped", f"{body}\n")
    assert mail.files == {"offer.pdf": PDF}


@pytest.mark.parametrize(
    "values",
    [
        {"subject": "Hi\nBcc: eve@evil.example"},
        {"subject": "Hi\n"},
        {"subject": "Hi\tthere"},
        {"subject": " "},
        {"subject": "x" * 201},
        {"subject": "a\u202eb"},
        {"body": "\n \n"},
        {"body": "x" * 20_001},
        {"body": "a\x07b"},
        {"body": "a\u2066b"},
        {"to": ["eve@evil.example"]},
    ],
)
async def test_an_edit_beyond_what_may_be_edited_sends_nothing(
    world: World, values: dict[str, Any]
) -> None:
    paused = await world.start()
    state = await world.threads.advance(
        edited(paused, **{"subject": "Hi", "body": "Hello", **values})
    )

    assert read_question(state.open[0].value).note
    assert world.inbox == []


async def test_a_file_that_changed_after_it_was_approved_is_never_sent(world: World) -> None:
    paused = await world.start()
    world.offer.write_bytes(b"%PDF-1.7 another offer")
    with pytest.raises(EffectRefused, match=r"offers/offer\.pdf was changed after it was shown"):
        await world.threads.advance(approved(paused))
    assert (world.inbox, world.server.commands) == ([], [])

    world.offer.write_bytes(PDF)
    await world.threads.advance()  # a retry, once it is the approved one again
    assert [each.files for each in world.inbox] == [{"offer.pdf": PDF}]


async def test_a_server_that_is_busy_gets_it_later_and_once(world: World) -> None:
    world.server.behaviour = Behaviour(answer="451 busy", times=2)
    paused = await world.start()
    for answers in (approved(paused), {}):
        with pytest.raises(EffectNotYet, match="451 busy"):
            await world.threads.advance(answers)
    finished = await world.threads.advance()

    assert finished.finished
    assert len(world.inbox) == 1


@pytest.mark.parametrize("when", ["DATA", "stored"])
async def test_a_connection_that_is_lost_during_the_mail_is_a_question_for_people(
    world: World, when: str
) -> None:
    """Nobody can ask an SMTP server what became of it, so nothing is sent again by itself."""
    world.server.behaviour = Behaviour(hangs_up=when)
    paused = await world.start()
    with pytest.raises(ConnectionError):
        await world.threads.advance(approved(paused))
    for _ in range(2):
        with pytest.raises(EffectInDoubt, match="outbound_email:t-1 was begun"):
            await world.threads.advance()

    assert len(world.inbox) == (1 if when == "stored" else 0)


async def test_a_connection_that_is_lost_before_the_mail_is_none(world: World) -> None:
    world.server.behaviour = Behaviour(hangs_up="RCPT")
    paused = await world.start()
    with pytest.raises(EffectNotYet, match="Nothing was sent yet"):
        await world.threads.advance(approved(paused))
    finished = await world.threads.advance()

    assert finished.finished
    assert len(world.inbox) == 1


# --- the trial outbox


async def test_without_a_server_it_goes_into_the_outbox_and_says_so(
    rig: Rig, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"
    world = await open_world(rig, tmp_path, MailServer(), TrialMailer(Outbox(outbox)))
    paused = await world.start()
    assert shown(paused)[0] == ("Trial", TRIAL)
    finished = await world.threads.advance(approved(paused))

    [file] = outbox.iterdir()
    assert finished.values["receipt"].summary == (
        f"Trial, nothing was sent: the mail lies in the outbox as {file.name}"
    )
    mail = Received("", [], file.read_bytes())
    assert (mail.text, mail.files) == (f"{INPUT['body']}\n", {"offer.pdf": PDF})


async def test_what_was_approved_for_the_outbox_is_not_sent(rig: Rig, tmp_path: Path) -> None:
    """Someone has set the mail server meanwhile."""
    with MailServer() as server:
        trial = await open_world(rig, tmp_path, server, TrialMailer(Outbox(tmp_path / "outbox")))
        paused = await trial.start()
        world = await open_world(rig, tmp_path, server, _smtp(server))
        with pytest.raises(EffectRefused, match="approved for another way of sending"):
            await world.threads.advance(approved(paused))
        assert server.inbox == []


async def test_the_outbox_keeps_the_first_of_an_operation(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    await outbox.put("a.eml", b"first")
    await outbox.put("a.eml", b"second")

    assert {each.name: each.read_bytes() for each in (tmp_path / "outbox").iterdir()} == {
        "a.eml": b"first"
    }
