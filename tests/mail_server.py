"""A mail server on loopback, which really speaks SMTP (aiosmtpd): its inbox is what was sent, and
it can be as unwilling as servers are."""

import asyncio
import ssl
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER, PASSWORD = "countersign", "hunter2"


@dataclass(frozen=True)
class Received:
    """sender, recipients: of the envelope."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=default)

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")

    @property
    def files(self) -> dict[str, bytes]:
        parts = self.message.iter_attachments()
        return {str(each.get_filename()): each.get_payload(decode=True) for each in parts}  # type: ignore[misc]


@dataclass
class Behaviour:
    """answers: to a recipient, by address; answer: to the mail itself, unless it is taken.
    hangs_up: at RCPT, at DATA before it is stored, or after that (stored). silent: it stores the
    mail and does not answer."""

    answers: dict[str, str] = field(default_factory=dict[str, str])
    answer: str = ""
    sender_answer: str = ""
    hangs_up: str = ""
    silent: bool = False
    times: int = 1  # for which it hangs up, or answers to the mail


class MailServer:
    """In a thread of its own, so that a blocked or killed client finds it alive."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, login: bool = False, size: int = 33_554_432
    ) -> None:
        self.inbox: list[Received] = []
        self.behaviour = Behaviour()
        self.commands: list[str] = []
        self._tls, self._login, self._size = tls, login, size
        self.port = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def _do(self, task: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(30)

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._protocol, "127.0.0.1", 0)

    async def _close(self) -> None:
        self._server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _protocol(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of passwords without TLS, which never leave here
            return SMTP(
                Handler(self),
                hostname="mail.test",
                data_size_limit=self._size,
                loop=self._loop,
                enable_SMTPUTF8=False,
                tls_context=self._tls,
                require_starttls=self._tls is not None,
                auth_required=self._login,
                auth_require_tls=False,
                authenticator=_login if self._login else None,
            )


def _login(_: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


class Handler:
    """What aiosmtpd calls; the names are its own."""

    def __init__(self, server: MailServer) -> None:
        self._mail = server

    @property
    def _behaves(self) -> Behaviour:
        return self._mail.behaviour

    def _now(self, is_meant: Callable[[Behaviour], bool]) -> bool:
        """Does it misbehave here, and is it not over?"""
        if not is_meant(self._behaves) or self._behaves.times <= 0:
            return False
        self._behaves.times -= 1
        return True

    async def handle_MAIL(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._mail.commands.append(f"MAIL {address} {' '.join(options)}".strip())
        if self._behaves.sender_answer:
            return self._behaves.sender_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        self._mail.commands.append(f"RCPT {address}")
        if self._now(lambda behaves: behaves.hangs_up == "RCPT"):
            _hang_up(server)
        answer = self._behaves.answers.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        self._mail.commands.append("DATA")
        if self._now(lambda behaves: behaves.hangs_up == "DATA"):
            _hang_up(server)
            return "250 OK"
        if self._now(lambda behaves: bool(behaves.answer)):
            return self._behaves.answer
        content = envelope.content
        assert isinstance(content, bytes)
        received = Received(str(envelope.mail_from), list(envelope.rcpt_tos), content)
        self._mail.inbox.append(received)
        if self._now(lambda behaves: behaves.hangs_up == "stored"):
            _hang_up(server)
        if self._now(lambda behaves: behaves.silent):
            await asyncio.Event().wait()  # for whoever is killed meanwhile
        return "250 OK queued"


def _hang_up(server: SMTP) -> None:
    transport = server.transport
    assert transport is not None
    transport.abort()  # type: ignore[attr-defined]
