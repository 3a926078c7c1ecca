"""Mail: the bytes of it, and what an SMTP server's answers mean for whether it was sent."""

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path

import pytest
from aiosmtplib import SMTPServerDisconnected

from tests.mail_server import PASSWORD, USER, Behaviour, MailServer, Received
from workflows.addresses import Mailbox, mailbox
from workflows.connectors.mail import Attached, Mail
from workflows.connectors.smtp import SmtpMailer, SmtpServer
from workflows.effects import EffectNotYet, EffectRefused, Receipt

ACME = mailbox("Acme Support <support@acme.example>")
ADA, BOB, EVE = (mailbox(f"{name}@customer.example") for name in ("ada", "bob", "eve"))
MAIL = Mail(
    key="outbound_email:t-1",
    sender=ACME,
    to=(mailbox("Ada Lovelace <ada@customer.example>"),),
    cc=(BOB,),
    bcc=(EVE,),
    subject="Your order",
    body="It is on its way.",
    at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
)


@pytest.fixture
def server() -> Generator[MailServer, None, None]:
    with MailServer() as server:
        yield server


async def send(server: MailServer, mail: Mail = MAIL) -> Receipt:
    return await SmtpMailer(SmtpServer.at(server.url), mail.sender).send(mail)


async def arrived(server: MailServer, mail: Mail = MAIL) -> Received:
    await send(server, mail)
    [received] = server.inbox
    return received


# --- what arrives


async def test_what_arrives_is_what_was_meant(server: MailServer) -> None:
    received = await arrived(server)

    assert received.sender == "support@acme.example"
    assert received.recipients == [each.address for each in (ADA, BOB, EVE)]
    assert str(received.message["From"]) == "Acme Support <support@acme.example>"
    assert str(received.message["To"]) == "Ada Lovelace <ada@customer.example>"
    assert str(received.message["Cc"]) == "bob@customer.example"
    assert received.message["Bcc"] is None
    assert b"eve@" not in received.content
    assert received.message["Message-ID"] == "<outbound_email+t-1@acme.example>"
    assert received.message["Date"] == "Sun, 01 Mar 2026 09:30:00 +0000"
    assert received.text == "It is on its way.\n"


async def test_the_receipt_is_the_message_id(server: MailServer) -> None:
    receipt = await send(server)

    assert receipt.id == "<outbound_email+t-1@acme.example>"
    assert receipt.summary == "Mail handed over for 3 recipients"
    assert receipt.data["answer"] == "250 OK queued"


BODIES = {
    "letters": "Grüße aus Köln – 5 €",
    "from right to left": "שלום עולם\nمرحبا",
    "dots at line starts": ".\n..\n.hidden\nend\n.",
    "lines over 998 characters": f"{'x' * 3000}\n{'ü' * 2000}",
    "emoji": "👩‍👩‍👧 ok",
    "what looks like mail": "From here on\n--=_boundary\nSubject: no\n\n=3D",
    "spaces at line ends": "one  \n\ntwo\t\nthree",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
async def test_every_body_arrives_as_it_is(server: MailServer, body: str) -> None:
    received = await arrived(server, replace(MAIL, body=body))

    assert received.text == f"{body}\n"
    assert max(map(len, received.content.splitlines())) <= 998


SUBJECTS = (
    "x" * 200,
    "Ihre Bestellung – größer" * 8,
    "שלום",
    "a  b",
    "=?utf-8?q?Invoice?=",
    "word " * 39 + "end",
    "Bcc: eve@evil.example",
    "🧾" * 50,
)


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_every_subject_arrives_as_it_is(server: MailServer, subject: str) -> None:
    received = await arrived(server, replace(MAIL, subject=subject))

    assert received.message["Subject"] == subject
    assert received.message["Bcc"] is None


@pytest.mark.parametrize(
    "name", ["J. Doe", "Jürgen Müller-Lüdenscheidt " * 2 + "jr", "=?utf-8?q?Boss?="]
)
async def test_every_name_arrives_as_it_is(server: MailServer, name: str) -> None:
    many = tuple(mailbox(f"{name} <x{number}@customer.example>") for number in range(50))
    received = await arrived(server, replace(MAIL, to=many))

    # Not by EmailMessage, which reads a space between two encoded words of a name.
    header = str(message_from_bytes(received.content)["To"])
    names = [parsed for parsed, _ in getaddresses([header])]
    assert [str(make_header(decode_header(each))) for each in names] == [name] * 50
    assert max(map(len, received.content.splitlines())) <= 998


async def test_names_and_domains_of_other_letters(server: MailServer) -> None:
    to = mailbox("Jürgen Müller <jm@bücher.example>")
    received = await arrived(server, replace(MAIL, to=(to,), cc=(), bcc=()))

    assert received.recipients == ["jm@xn--bcher-kva.example"]
    assert str(received.message["To"]) == "Jürgen Müller <jm@xn--bcher-kva.example>"


async def test_attachments_arrive_byte_by_byte(server: MailServer) -> None:
    files = {"offer.pdf": bytes(range(256)) * 40, "Größe.txt": b"a\r\nb\n.\n", "old.eml": b"Hi"}
    files |= {
        'a"b;c=d.txt': b"",
        "Angebot größer und länger " * 7 + ".pdf": b"x",
        "data.csv": b"1,2",
    }
    attached = [Attached(name, content) for name, content in files.items()]
    received = await arrived(server, MAIL.with_files(attached))

    assert received.files == files
    assert received.text == "It is on its way.\n"


def test_the_same_mail_is_the_same_bytes() -> None:
    mail = MAIL.with_files([Attached("offer.pdf", b"%PDF")])

    assert mail.as_bytes() == replace(mail).as_bytes()
    assert replace(mail, key="outbound_email:t-2").as_bytes() != mail.as_bytes()


def test_each_operation_has_a_message_id_of_its_own() -> None:
    keys = ["outbound_email:a.b", "outbound_email:a:b", "outbound_email:a-b", "outbound_email:a..b"]
    ids = {replace(MAIL, key=key).message_id for key in keys}

    assert len(ids) == len(keys)
    atom = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
    assert all(re.fullmatch(rf"<{atom}(\.{atom})*@acme\.example>", each) for each in ids)


def test_a_long_message_id_stays_in_one_piece() -> None:
    long = replace(MAIL, key=f"outbound_email:{'x' * 128}")

    assert f"Message-ID: {long.message_id}\r\n".encode() in long.as_bytes()


# --- what the server says


async def test_some_recipients_are_refused_and_the_receipt_says_which(server: MailServer) -> None:
    server.behaviour = Behaviour(answers={BOB.address: "550 5.1.1 no such user"})
    receipt = await send(server)

    assert receipt.summary == (
        "Mail handed over for 2 of 3 recipients; refused: bob@customer.example "
        "(550 5.1.1 no such user)"
    )
    assert [each.recipients for each in server.inbox] == [[ADA.address, EVE.address]]


async def test_all_recipients_are_refused(server: MailServer) -> None:
    server.behaviour = Behaviour(answers=dict.fromkeys((ADA.address, BOB.address, EVE.address),
                                                       "550 no"))  # fmt: skip
    with pytest.raises(EffectRefused, match=r"takes none of the recipients: ada@.* \(550 no\)"):
        await send(server)
    assert server.inbox == []


@pytest.mark.parametrize(
    ("behaviour", "error", "words"),
    [
        (
            Behaviour(answers={BOB.address: "451 greylisted"}),
            EffectNotYet,
            "451 greylisted for bob",
        ),
        (Behaviour(sender_answer="451 busy"), EffectNotYet, "451 busy"),
        (Behaviour(sender_answer="550 not you"), EffectRefused, "550 not you"),
        (Behaviour(sender_answer="552 too large"), EffectRefused, "552 too large"),
        (Behaviour(answer="451 later"), EffectNotYet, "try again later: 451 later"),
        (Behaviour(answer="554 looks like spam"), EffectRefused, "554 looks like spam"),
        (Behaviour(hangs_up="RCPT"), EffectNotYet, "was not reached"),
    ],
    ids=["rcpt 4xx", "mail 4xx", "mail 5xx", "too large", "data 4xx", "data 5xx", "hangs up"],
)
async def test_where_it_certainly_was_not_sent(
    server: MailServer, behaviour: Behaviour, error: type[Exception], words: str
) -> None:
    server.behaviour = behaviour
    with pytest.raises(error, match=words):
        await send(server)
    assert server.inbox == []


@pytest.mark.parametrize("when", ["DATA", "stored"])
async def test_where_nobody_knows(server: MailServer, when: str) -> None:
    server.behaviour = Behaviour(hangs_up=when)
    with pytest.raises(SMTPServerDisconnected):
        await send(server)
    assert len(server.inbox) == (1 if when == "stored" else 0)


async def test_no_server_at_all() -> None:
    with MailServer() as server:
        url = server.url
    with pytest.raises(EffectNotYet, match="was not reached"):
        await SmtpMailer(SmtpServer.at(url), ACME).send(MAIL)


async def test_what_is_too_large_is_refused_before_it_is_sent() -> None:
    with MailServer(size=1000) as server:
        large = replace(MAIL, body="x" * 1000)
        with pytest.raises(EffectRefused, match="The mail server refuses it: 552"):
            await SmtpMailer(SmtpServer.at(server.url), ACME).send(large)
        assert server.commands == []


# --- TLS, and who may


async def test_user_and_password() -> None:
    with MailServer(login=True) as server:
        right = server.url.replace("//", f"//{USER}:{PASSWORD}@")
        await SmtpMailer(SmtpServer.at(right), ACME).send(MAIL)
        wrong = server.url.replace("//", f"//{USER}:guess@")
        with pytest.raises(EffectRefused, match="does not take the user name and password"):
            await SmtpMailer(SmtpServer.at(wrong), ACME).send(MAIL)
        assert len(server.inbox) == 1


async def test_a_server_without_tls_gets_nothing_where_tls_is_asked_for(server: MailServer) -> None:
    asked = SmtpServer.at(f"{server.url}?tls=starttls")
    with pytest.raises(EffectRefused, match="STARTTLS"):
        await SmtpMailer(asked, ACME).send(MAIL)
    assert server.inbox == []


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of 127.0.0.1, by itself; trusted here."""
    openssl = shutil.which("openssl")
    if openssl is None and os.environ.get("CI") == "true":
        pytest.fail("CI has no openssl: install it")
    if openssl is None:
        pytest.skip("no openssl here")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    asked = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    alternative = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    command = [openssl, *asked.split(), *alternative]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


async def test_starttls(certificate: ssl.SSLContext) -> None:
    with MailServer(tls=certificate) as server:
        await SmtpMailer(SmtpServer.at(f"{server.url}?tls=starttls"), ACME).send(MAIL)
        assert len(server.inbox) == 1


async def test_a_certificate_that_nobody_vouches_for(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with MailServer(tls=certificate) as server:
        with pytest.raises(EffectNotYet, match="was not reached"):
            await SmtpMailer(SmtpServer.at(f"{server.url}?tls=starttls"), ACME).send(MAIL)
        assert server.inbox == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.acme.example", SmtpServer("mail.acme.example", 587, "starttls")),
        (
            "smtps://u:hunter2@mail.acme.example",
            SmtpServer("mail.acme.example", 465, "tls", "u", "hunter2"),
        ),
        ("smtp://relay.acme.example?tls=none", SmtpServer("relay.acme.example", 25, "none")),
        ("smtp://localhost:1025", SmtpServer("localhost", 1025, "none")),
        ("smtp://a%40b:p%2Fq@m.example:25", SmtpServer("m.example", 25, "starttls", "a@b", "p/q")),
    ],
)
def test_an_address_of_a_server(url: str, server: SmtpServer) -> None:
    assert SmtpServer.at(url) == server
    assert not server.password or server.password not in repr(server)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mail.acme.example", "is no address such as"),
        ("https://mail.acme.example", "is no address such as"),
        ("smtp://", "is no address such as"),
        ("smtp://m.example:many", "is no address such as"),
        ("smtp://m.example/inbox", "is no address such as"),
        ("smtp://user@m.example", "without a password"),
        ("smtp://m.example?tls=maybe", "takes .tls=starttls"),
        ("smtp://m.example?timeout=3", "takes .tls=starttls"),
        ("smtp://u:hunter2@m.example?tls=none", "would send the password"),
    ],
)
def test_an_address_of_no_server(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        SmtpServer.at(url)
    assert "hunter2" not in str(refused.value)


# --- addresses


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("ada@acme.example", Mailbox("", "ada@acme.example")),
        (" Ada Lovelace  <ada@ACME.example> ", Mailbox("Ada Lovelace", "ada@acme.example")),
        ('"Ada Lovelace" <ada@acme.example>', Mailbox("Ada Lovelace", "ada@acme.example")),
        ("o'neil+tag@mail.acme.example", Mailbox("", "o'neil+tag@mail.acme.example")),
    ],
)
def test_an_address(text: str, box: Mailbox) -> None:
    assert mailbox(text) == box
    assert mailbox(str(box)) == box


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ada", "is no e-mail address"),
        ("@acme.example", "is no e-mail address"),
        ("ada@localhost", "is no domain"),
        ("ada@acme..example", "is no domain"),
        ("ada@-acme.example", "is no domain"),
        ("ada..l@acme.example", "before the @"),
        ("ädä@acme.example", "before the @"),
        ("ada@evil@acme.example", "before the @"),
        (f"{'x' * 65}@acme.example", "before the @"),
        (f"a@{'.'.join(['x' * 63] * 4)}.example", "longer than 254|is no domain"),
        ("ada@straße.example", "means two"),
        ("ada@acme.example\nBcc: eve@evil.example", "line breaks"),
        ("Ada\r\nBcc: eve@evil.example <ada@acme.example>", "line breaks"),
        ("Ada\u202e <ada@acme.example>", "not seen"),
        ("boss@acme.example <eve@evil.example>", "has @ in it"),
        ("Ada, Bob <ada@acme.example>", "has , in it"),
        ("<ada@acme.example> <eve@evil.example>", "no e-mail address|before the @"),
    ],
)
def test_no_address(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        mailbox(text)
