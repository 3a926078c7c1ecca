"""Sending a contract to those who sign it: the Protocol, and an outbox for trying out."""

import json
from dataclasses import asdict, dataclass
from typing import Protocol

from workflows.connectors.outbox import TRIAL, Outbox, file_name
from workflows.effects import Receipt


@dataclass(frozen=True)
class Party:
    """Someone who signs. role: what they sign as, such as Buyer."""

    name: str
    email: str
    role: str


@dataclass(frozen=True)
class Contract:
    """What is sent for signature. sha256: of the document that was approved."""

    title: str
    message: str
    parties: tuple[Party, ...]
    file_name: str
    sha256: str


class Signing(Protocol):
    """A provider that has people sign documents, and that can be asked what it has sent."""

    @property
    def trial(self) -> str:
        """What a card says where nothing is sent, or nothing that binds; "" where it is."""
        ...

    async def send(self, key: str, contract: Contract, document: bytes) -> Receipt:
        """Send it once for `key`. EffectRefused, EffectNotYet where it certainly was not sent."""
        ...

    async def find(self, key: str) -> Receipt | None:
        """What was sent under `key`, if there is something."""
        ...


class TrialSigning:
    """Puts the document and who would get it into the outbox."""

    trial = TRIAL

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send(self, key: str, contract: Contract, document: bytes) -> Receipt:
        name = file_name(key, "document")
        await self._outbox.put(name, document)
        told = json.dumps({"document": name, **asdict(contract)}, indent=1, ensure_ascii=False)
        await self._outbox.put(file_name(key, "json"), told.encode())
        return _receipt(key)

    async def find(self, key: str) -> Receipt | None:
        return _receipt(key) if await self._outbox.has(file_name(key, "json")) else None


def _receipt(key: str) -> Receipt:
    name = file_name(key, "json")
    return Receipt(
        id=name,
        summary="Trial, nothing was sent: the contract lies in the outbox",
        data={"file": name},
    )
