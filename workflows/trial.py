"""A workflow tried without Slack and without Redis: what it asks, and what comes of an answer.

For the tests of whoever writes one. The runner is the product's own, and state is kept as in
production, so that what could not be stored there is refused here. What a request rests on is
looked at when it is decided and again right before the effect; the ledger is a dict. Crashes are
for `countersign torture`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self, cast

from langgraph.runtime import RunControl

from workflows.catalog import Catalog, Workflow
from workflows.clock import utc_now
from workflows.effects import EffectLedger, Receipt, ThreadEffects, require_receipt
from workflows.payloads import read_question, write_answer
from workflows.preconditions import Precondition, PreconditionFailed
from workflows.protocol import (
    Actor,
    ApprovalRequest,
    Approve,
    Decision,
    Edit,
    Expired,
    Outdated,
    Reject,
    Respond,
    require_allowed,
)
from workflows.rehearsal import NOTHING, HeldLease, MemorySaver
from workflows.runner import Question, Runner, ThreadState

REVIEWER = Actor(team="T00000001", user="U0REVIEWER", name="A reviewer")
NOBODY = Actor(team="T00000001", user=None)


class Trial:
    """One run of it. receipts: of the effects so far, by key."""

    def __init__(self, workflow: Workflow, thread_id: str = "trial-1") -> None:
        self.receipts: dict[str, Receipt] = {}
        self._workflow, self._thread_id = workflow, thread_id
        self._ahead = timedelta()  # of the clock, by what it has waited
        ledger = _Ledger(NOTHING, "", self._now, receipts=self.receipts)
        saver = MemorySaver(workflow.state_types, before_write=lambda: None)
        self._runner = Runner(Catalog([workflow]), saver, ledger)
        self._lease = HeldLease(NOTHING, "", "", timedelta(days=1))
        self._given: Mapping[str, Any] = {}
        self._state: ThreadState | None = None
        self._decided: dict[str, Decision] = {}
        self._declared: dict[str, tuple[Precondition, ...]] = {}

    @classmethod
    async def start(cls, workflow: Workflow, **values: Any) -> Self:
        """Run it until it asks or ends. values: its input, as people give it; InvalidInput."""
        trial = cls(workflow)
        trial._given = workflow.read_input(values)
        await trial._run({})
        return trial

    @property
    def request(self) -> ApprovalRequest:
        """What it asks now."""
        asks = self._asks
        return read_question(asks.value, asks.hints).request

    @property
    def finished(self) -> bool:
        return self._state is not None and self._state.finished

    @property
    def values(self) -> Mapping[str, Any]:
        """Its state."""
        return self._state.values if self._state else {}

    async def approve(self) -> None:
        await self._answer(Approve(**self._by()))

    async def edit(self, **changed: Any) -> None:
        """Approve it with other values; those that are not named stay."""
        editable = self.request.editable
        values = {**(editable.values if editable else {}), **changed}
        await self._answer(Edit(**self._by(), values=values))

    async def reject(self, reason: str = "") -> None:
        await self._answer(Reject(**self._by(), reason=reason))

    async def respond(self, text: str) -> None:
        await self._answer(Respond(**self._by(), text=text))

    async def expire(self) -> None:
        """Nobody decides in time."""
        await self._hand_over(Expired(**self._by(NOBODY)))

    @property
    def waits_until(self) -> datetime | None:
        """For which time it waits (workflows.waits)."""
        return self._state.wakes_at if self._state else None

    async def wake(self) -> None:
        """That time comes."""
        until = self.waits_until
        if until is None:
            raise LookupError(f"{self._workflow.name} waits for no time")
        self._ahead = max(self._ahead, until - utc_now())
        await self._run({})

    async def _answer(self, decision: Decision) -> None:
        """ValueError where the request does not take it."""
        asks, request = self._asks, self.request
        require_allowed(request, decision)
        if isinstance(decision, Approve | Edit):
            declared = request.preconditions
            changes = await self._runner.unmet(self._workflow.name, declared, decision.at)
            if changes:
                decision = Outdated(**self._by(NOBODY), changes=changes)
            else:
                self._declared[asks.key] = declared
        await self._hand_over(decision)

    async def _hand_over(self, decision: Decision) -> None:
        asks = self._asks
        answer = write_answer(decision, asks.value, asks.hints)
        self._decided[asks.key] = decision
        await self._run({asks.key: answer})

    async def _run(self, answers: Mapping[str, Any]) -> None:
        name, thread_id = self._workflow.name, self._thread_id
        try:
            await self._runner.advance(
                name,
                thread_id,
                self._given,
                answers,
                lease=self._lease,
                control=RunControl(),
                now=self._now(),
                decided=self._decided,
                declared=self._declared,
            )
        finally:
            self._state = await self._runner.look(name, thread_id)

    @property
    def _asks(self) -> Question:
        found = self._state.open if self._state else ()
        if not found:
            raise LookupError(f"{self._workflow.name} asks nothing: it has ended, or failed")
        if found[0].problem:
            raise LookupError(f"{self._workflow.name} cannot ask this: {found[0].problem}")
        return found[0]

    def _now(self) -> datetime:
        return utc_now() + self._ahead

    def _by(self, actor: Actor = REVIEWER) -> dict[str, Any]:
        return {"by": actor, "at": self._now(), "digest": self.request.digest}


@dataclass(frozen=True, kw_only=True)
class _Ledger(EffectLedger):
    """decisions: those on which something was done."""

    receipts: dict[str, Receipt]
    decisions: set[str] = field(default_factory=set[str])

    @property
    def bound(self) -> type[ThreadEffects]:
        return _InMemory


class _InMemory(ThreadEffects):
    """As ThreadEffects, without crashes."""

    @property
    def memory(self) -> _Ledger:
        return cast("_Ledger", self.ledger)

    async def once(
        self,
        key: str,
        call: Callable[[], Awaitable[Receipt]],
        find: Callable[[], Awaitable[Receipt | None]] | None = None,  # noqa: ARG002 - of the ledger
        *,
        on: Decision | None = None,
    ) -> Receipt:
        async with self._locks[key]:
            if key not in self.memory.receipts:
                resting = self._resting(on)
                await self._require_as_it_was(resting)
                receipt = await call()
                require_receipt(receipt, "call", key)
                self.memory.receipts[key] = receipt
                self.memory.decisions.update(resting)
            return self.memory.receipts[key]

    async def _require_as_it_was(self, resting: tuple[str, ...]) -> None:
        """What was done on the same decision may have changed it."""
        if not self.memory.decisions.intersection(resting):
            changes = await self.conditions.unmet(resting)
            if changes:
                raise PreconditionFailed(changes)
