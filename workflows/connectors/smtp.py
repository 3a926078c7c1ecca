"""Mail over SMTP. It has no idempotency keys, and nobody to ask afterwards: what matters is to know
up to which moment nothing can have been sent."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from workflows.addresses import Mailbox
from workflows.connectors.mail import Find, Mail
from workflows.effects import EffectNotYet, EffectRefused, Receipt

Tls = Literal["tls", "starttls", "none"]
PORTS: dict[Tls, int] = {"tls": 465, "starttls": 587, "none": 25}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
FORM = "smtp://user:password@mail.acme.example:587, or smtps:// where TLS comes first (465)"
NAMED_AT_MOST = 5
PATIENCE = 60.0  # seconds, for an answer
PATIENCE_AT_THE_END = 300.0  # while the server takes the mail in


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed over. tls: from the first byte, after STARTTLS, or not at all."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> "SmtpServer":
        """From COUNTERSIGN_SMTP_URL. ValueError says what is wrong, and no secret."""
        try:
            parts = urlsplit(url)
            given = parse_qs(parts.query, strict_parsing=bool(parts.query))
            port = parts.port
        except ValueError:
            raise ValueError(f"is no address such as {FORM}") from None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"is no address such as {FORM}")
        tls = _tls(parts.scheme, parts.hostname, given)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if bool(user) != bool(password):
            raise ValueError("names a user without a password, or the other way round")
        if user and tls == "none" and parts.hostname not in LOOPBACK:
            raise ValueError("would send the password where everybody can read it: tls=none")
        return cls(parts.hostname, port or PORTS[tls], tls, user, password)


def _tls(scheme: str, host: str, given: dict[str, list[str]]) -> Tls:
    asked = given.pop("tls", ["starttls"] if host not in LOOPBACK else ["none"])
    if given or asked not in (["starttls"], ["none"]):
        raise ValueError("takes ?tls=starttls or ?tls=none and nothing else behind the address")
    if scheme == "smtps":
        return "tls"
    return "starttls" if asked == ["starttls"] else "none"


class SmtpMailer:
    """One connection a mail."""

    trial = ""

    def __init__(self, server: SmtpServer, sender: Mailbox) -> None:
        self._server = server
        self._sender = sender

    @property
    def sender(self) -> Mailbox:
        return self._sender

    def finding(self, mail: Mail) -> Find | None:  # noqa: ARG002 - nobody can be asked
        return None

    async def send(self, mail: Mail) -> Receipt:
        """Up to DATA nothing was sent, whatever happens; from there on the server's answer says
        so, and without an answer nobody knows."""
        content = mail.as_bytes()
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            local_hostname=self._sender.domain,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            timeout=PATIENCE,
        )
        try:
            with _nothing_sent(server):
                await client.connect()
                if client.is_ehlo_or_helo_needed:  # what it says it can is asked for next
                    await client.ehlo()
                await client.mail(mail.sender.address, options=_size(client, content))
                refused = await _name_recipients(client, mail)
            answer = await _hand_over(client, content, server)
        finally:
            await _take_leave(client)
        return _receipt(mail, refused, answer)


def _size(client: SMTP, content: bytes) -> list[str]:
    """So that a mail which is too large is refused before it is sent."""
    return [f"SIZE={len(content)}"] if client.supports_extension("size") else []


async def _name_recipients(client: SMTP, mail: Mail) -> dict[str, str]:
    """Whom the server refuses, and why. EffectNotYet where one of them is to be named again
    later: all of them get it, or none yet."""
    refused: dict[str, str] = {}
    for address in mail.recipients:
        try:
            await client.rcpt(address)
        except SMTPRecipientRefused as error:
            if error.code < 500:
                raise EffectNotYet(f"{_where(error)} for {address}. Nothing was sent yet") from None
            refused[address] = f"{error.code} {error.message}"[:200]
    if len(refused) == len(mail.recipients):
        raise EffectRefused(f"The mail server takes none of the recipients: {_named(refused)}")
    return refused


async def _hand_over(client: SMTP, content: bytes, server: SmtpServer) -> str:
    try:
        response = await client.data(content, timeout=PATIENCE_AT_THE_END)
    except SMTPResponseException as error:
        if 200 <= error.code < 300:  # taken, with another number than most give
            return f"{error.code} {error.message}"
        raise _refusal(error, server) from None
    return f"{response.code} {response.message}"


@contextlib.contextmanager
def _nothing_sent(server: SmtpServer) -> Generator[None, None, None]:
    try:
        yield
    except SMTPResponseException as error:
        raise _refusal(error, server) from None
    except (SMTPException, OSError) as error:  # OSError: TimeoutError is one
        if type(error) in (SMTPException, SMTPNotSupported):  # no STARTTLS, or no AUTH that we know
            raise EffectRefused(
                f"The mail server {server.host}: {error} Nothing was sent; is "
                "COUNTERSIGN_SMTP_URL right?"
            ) from None
        why = f"{type(error).__name__}: {error}"[:200]
        raise EffectNotYet(
            f"The mail server {server.host}:{server.port} was not reached ({why}). "
            "Nothing was sent yet"
        ) from None


def _refusal(error: SMTPResponseException, server: SmtpServer) -> Exception:
    """4xx: later perhaps; 5xx: no."""
    if error.code < 500:
        return EffectNotYet(f"{_where(error)}. Nothing was sent yet")
    if isinstance(error, SMTPAuthenticationError):
        return EffectRefused(
            f"The mail server {server.host} does not take the user name and password of "
            f"COUNTERSIGN_SMTP_URL ({error.code}). Nothing was sent"
        )
    return EffectRefused(f"The mail server refuses it: {error.code} {error.message}"[:500])


def _where(error: SMTPResponseException) -> str:
    return f"The mail server asks to try again later: {error.code} {error.message}"[:300]


async def _take_leave(client: SMTP) -> None:
    """Whatever comes of that: the mail is taken already, or it is not."""
    with contextlib.suppress(SMTPException, OSError):
        if client.is_connected:
            await client.quit(timeout=5)
    client.close()


def _receipt(mail: Mail, refused: dict[str, str], answer: str) -> Receipt:
    taken = [each for each in mail.recipients if each not in refused]
    of = f"{len(taken)} of {len(mail.recipients)}" if refused else f"{len(taken)}"
    people = "recipient" if of == "1" else "recipients"
    but = f"; refused: {_named(refused)}" if refused else ""
    return Receipt(
        id=mail.message_id,
        summary=f"Mail handed over for {of} {people}{but}",
        data={"taken": [*taken], "refused": {**refused}, "answer": answer[:200]},
    )


def _named(refused: dict[str, str]) -> str:
    few = [f"{address} ({why})" for address, why in list(refused.items())[:NAMED_AT_MOST]]
    left = len(refused) - len(few)
    return "; ".join([*few, *([f"and {left} more"] if left else [])])
