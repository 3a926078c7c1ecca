"""A directory instead of the world, for trying out: what would be sent lies there as files, one set
for each operation, however often it is called."""

import asyncio
import os
import re
import secrets
from pathlib import Path

from workflows.addresses import Mailbox
from workflows.connectors.mail import Find, Mail
from workflows.effects import EffectRefused, Receipt
from workflows.fields import TextField

SENDER = Mailbox("Countersign trial", "trial@countersign.example")
TRIAL = "nothing is sent; it is put into a directory of this deployment (COUNTERSIGN_OUTBOX)"


class Outbox:
    """A file appears whole or not at all, and the first one under a name stays."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, name: str, content: bytes) -> None:
        await asyncio.to_thread(self._put, name, content)

    async def has(self, name: str) -> bool:
        return await asyncio.to_thread((self._directory / name).exists)

    def _put(self, name: str, content: bytes) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        draft = self._directory / f".{secrets.token_hex(8)}"
        try:
            draft.write_bytes(content)
            os.link(draft, self._directory / name)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)


class TrialMailer:
    """Each mail an .eml file, which a mail program opens."""

    trial = TRIAL

    def __init__(self, outbox: Outbox, sender: Mailbox = SENDER) -> None:
        self._outbox = outbox
        self._sender = sender

    @property
    def sender(self) -> Mailbox:
        return self._sender

    async def send(self, mail: Mail) -> Receipt:
        await self._outbox.put(_name(mail), mail.as_bytes())
        return _receipt(mail)

    def finding(self, mail: Mail) -> Find | None:
        async def find() -> Receipt | None:
            return _receipt(mail) if await self._outbox.has(_name(mail)) else None

        return find


def trial_field(trial: str) -> list[TextField]:
    """First on a card, so that nobody takes it for the real thing."""
    return [TextField(label="Trial", value=trial)] if trial else []


def require_same_way(approved: str, present: str) -> None:
    """EffectRefused where a mail server or a provider was set, or taken away, after someone was
    told where it goes."""
    if approved != present:
        raise EffectRefused(
            "It was approved for another way of sending than this deployment has by now. "
            "Nothing was sent; start it again"
        )


def file_name(key: str, ending: str) -> str:
    """Of an operation: its key, where that may be a file's name."""
    return f"{re.sub(r'[^a-z0-9_.-]', '+', key)}.{ending}"


def _name(mail: Mail) -> str:
    return file_name(mail.key, "eml")


def _receipt(mail: Mail) -> Receipt:
    return Receipt(
        id=mail.message_id,
        summary=f"Trial, nothing was sent: the mail lies in the outbox as {_name(mail)}",
        data={"file": _name(mail)},
    )
