"""Mail: what is sent, as bytes that are the same each time, and the Protocol of what sends it."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Protocol

from workflows.addresses import Mailbox, distinct
from workflows.effects import Receipt

Find = Callable[[], Awaitable[Receipt | None]]
KINDS = mimetypes.MimeTypes()  # of Python itself: the same on every machine
# A thread_id's characters that no message id may have, or not everywhere: each by one that it may.
IN_AN_ID = str.maketrans({":": "+", ".": "*"})


@dataclass(frozen=True)
class Attached:
    name: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """key: the operation; its Message-ID is made of it, so that a resend is recognised. at: its
    Date."""

    key: str
    sender: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    subject: str
    body: str
    at: datetime
    attached: tuple[Attached, ...] = ()

    def with_files(self, attached: Iterable[Attached]) -> "Mail":
        return replace(self, attached=tuple(attached))

    @property
    def message_id(self) -> str:
        return message_id(self.key, self.sender)

    @property
    def recipients(self) -> list[str]:
        """Whom the server is told; bcc stands nowhere else."""
        return distinct((*self.to, *self.cc, *self.bcc))

    def as_bytes(self) -> bytes:
        """The same for the same mail, in whichever process."""
        message = EmailMessage(policy=SMTP)
        # Quoted: no line is too long, begins with a dot, or is changed on its way.
        message.set_content(self.body, cte="quoted-printable")
        for each in self.attached:
            main, sub = _kind(each.name)
            message.add_attachment(each.content, maintype=main, subtype=sub, filename=each.name)
        if self.attached:  # "=_" stands neither in base64 nor in what is quoted
            message.set_boundary(f"=_{hashlib.sha256(self.key.encode()).hexdigest()[:32]}")
        return self._headers() + message.as_bytes()

    def _headers(self) -> bytes:
        """Written here: where EmailMessage folds letters of other alphabets it loses spaces."""
        cc = {"Cc": _listed(self.cc)} if self.cc else {}
        headers = {
            "From": _listed([self.sender]),
            "To": _listed(self.to),
            **cc,
            "Subject": _encoded(self.subject) or self.subject,
            "Date": format_datetime(self.at),
            "Message-ID": self.message_id,
        }
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")


def _listed(boxes: Iterable[Mailbox]) -> str:
    return ",\r\n ".join(_written(each) for each in boxes)


def _written(box: Mailbox) -> str:
    name = _encoded(box.name) or f'"{box.name}"'
    return f"{name} <{box.address}>" if box.name else box.address


def _encoded(text: str) -> str:
    """As encoded words; "" where it goes as it is. What only looks encoded would be read."""
    plain = text.isascii() and "=?" not in text
    return "" if plain else Header(text, "utf-8").encode(linesep="\r\n")


def _kind(name: str) -> tuple[str, str]:
    kind = KINDS.guess_type(name)[0] or "application/octet-stream"
    main, _, sub = kind.partition("/")
    # Mail in mail would have to be whole, and nobody says that the file is.
    return ("application", "octet-stream") if main in ("message", "multipart") else (main, sub)


def message_id(key: str, sender: Mailbox) -> str:
    """Of an operation; readable, so that it is found in a server's log."""
    return f"<{key.translate(IN_AN_ID)}@{sender.domain}>"


class Mailer(Protocol):
    """What sends mail."""

    @property
    def sender(self) -> Mailbox:
        """In whose name."""
        ...

    @property
    def trial(self) -> str:
        """What a card says where nothing is sent; "" where it is."""
        ...

    async def send(self, mail: Mail) -> Receipt:
        """EffectRefused, EffectNotYet where it certainly was not sent; any other error: nobody
        knows."""
        ...

    def finding(self, mail: Mail) -> Find | None:
        """What tells whether it was sent; None: nobody can be asked, as over SMTP."""
        ...
