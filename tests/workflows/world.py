"""One effect, and a provider that counts, refuses, and dies at its call."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.workflows.rig import THREAD, Rig
from workflows.connectors.payments import SqlitePayments
from workflows.effects import EffectEntry, Receipt, ThreadEffects
from workflows.lease import Lease

KEY = "refund:t-1"


class Died(BaseException):
    """The process ended here."""


@dataclass
class Provider:
    """Payments whose calls are counted; `fails` happens before it pays, `dies` behind it."""

    payments: SqlitePayments
    calls: int = 0
    asked: int = 0
    fails: BaseException | None = None
    dies: BaseException | None = None

    async def call(self) -> Receipt:
        self.calls += 1
        if self.fails:
            raise self.fails
        receipt = await self.payments.refund(KEY, customer="A", amount_minor=5, currency="EUR")
        if self.dies:
            raise self.dies
        return receipt

    async def find(self) -> Receipt | None:
        self.asked += 1
        return await self.payments.find(KEY)

    async def rows(self) -> int:
        return len(await self.payments.refunds())


@dataclass(frozen=True)
class World:
    rig: Rig
    lease: Lease
    provider: Provider

    @property
    def effects(self) -> ThreadEffects:
        return self.rig.ledger.of(self.lease, THREAD)

    async def once(self, *, find: Callable[[], Awaitable[Receipt | None]] | None = None) -> Receipt:
        return await self.effects.once(KEY, self.provider.call, find or self.provider.find)

    async def entry(self) -> EffectEntry:
        [entry] = await self.rig.ledger.entries(THREAD)
        return entry

    async def crash(self, died: BaseException | None = None) -> None:
        """The provider did it, and the process died before it could write so."""
        self.provider.dies = died or Died()
        with pytest.raises(type(self.provider.dies)):
            await self.once()
        self.provider.dies = None
