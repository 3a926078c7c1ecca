"""E-mail addresses as a person writes them, in the form in which they are shown and sent.

`Ada <ada@bücher.example>` becomes `Ada <ada@xn--bcher-kva.example>`: what is approved is what the
server gets, and a domain that only looks like another one does not look like it any more.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator

from workflows.hidden import one_line, visible

LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
WRITTEN = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")
BETWEEN = re.compile(r"[,;\n]")
NOT_IN_A_NAME = set('"<>@,;:\\()[]')
LOCAL_AT_MOST, AT_MOST = 64, 254  # RFC 5321
NAME_AT_MOST = 80
# Letters that the two versions of IDNA send to different domains.
DEVIATING = set("ßς\u200c\u200d")


@dataclass(frozen=True)
class Mailbox:
    """address: in ASCII, as it goes over the wire."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def mailbox(text: str) -> Mailbox:
    """`ada@acme.example`, or `Ada <ada@acme.example>`. ValueError says what is wrong."""
    written = WRITTEN.fullmatch(visible(one_line(text)).strip())
    if written is None:
        return Mailbox("", _address(text.strip()))
    return Mailbox(_name(written["name"].strip().strip('"')), _address(written["address"].strip()))


def _name(name: str) -> str:
    """A name that could be read as an address, or as several, is none."""
    wrong = sorted(NOT_IN_A_NAME & set(name))
    if wrong:
        raise ValueError(f"the name {name!r} has {' '.join(wrong)} in it; leave that out")
    if len(name) > NAME_AT_MOST:
        raise ValueError(f"the name is longer than {NAME_AT_MOST} characters")
    return name


def _address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (at and local and domain):
        raise ValueError(f"{text!r} is no e-mail address, such as ada@acme.example")
    if not LOCAL.fullmatch(local) or len(local) > LOCAL_AT_MOST:
        raise ValueError(
            f"{text!r}: before the @ there are at most {LOCAL_AT_MOST} letters and digits of "
            "ASCII, and single dots between them"
        )
    address = f"{local}@{_domain(text, domain)}"
    if len(address) > AT_MOST:
        raise ValueError(f"the address is longer than {AT_MOST} characters")
    return address


def _domain(text: str, domain: str) -> str:
    if DEVIATING & set(domain.lower()):
        raise ValueError(f"{text!r}: its domain means two; write it as xn--…")
    try:
        ascii_domain = domain.encode("idna").decode().lower()
    except UnicodeError:
        ascii_domain = ""
    labels = ascii_domain.split(".")
    if len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r}: {domain!r} is no domain, such as acme.example")
    return ascii_domain


def shown(one: Mailbox) -> str:
    """For a card: a domain that is not written in ASCII stands beside what it is."""
    domain = one.domain
    try:
        readable = domain.encode().decode("idna")
    except UnicodeError:
        readable = domain
    return str(one) if readable == domain else f"{one} ({readable})"


def several(given: object) -> object:
    """Texts in a list; a person may write them in one, by commas, semicolons or lines."""
    if not isinstance(given, str):
        return given
    return [part.strip() for part in BETWEEN.split(given) if part.strip()]


def distinct(boxes: Iterable[Mailbox]) -> list[str]:
    """The addresses, each once."""
    return list(dict.fromkeys(each.address for each in boxes))


def _canonical(text: str) -> str:
    return str(mailbox(text))


MailboxText = Annotated[str, AfterValidator(_canonical)]
"""An address in a model, in the form that `mailbox` gives it."""

BY_COMMAS = BeforeValidator(cast("Any", several))
