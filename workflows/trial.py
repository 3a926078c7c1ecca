"""A workflow tried without Slack and without Redis: what it asks, and what comes of an answer.

For the tests of whoever writes one. State is kept as in production, so that what could not be
stored there is refused here; the ledger is a dict. Crashes are for `countersign torture`.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Interrupt

from workflows.catalog import Context, Workflow
from workflows.checkpointer import STATE_TYPES
from workflows.effects import Receipt
from workflows.payloads import Hints, read_question, write_answer
from workflows.protocol import (
    Actor,
    ApprovalRequest,
    Approve,
    Decision,
    Edit,
    Reject,
    Respond,
    require_allowed,
)
from workflows.serializer import TypedRedisSerializer
from workflows.tools import schemas_of_tools

REVIEWER = Actor(team="T00000001", user="U0REVIEWER", name="A reviewer")


class Trial:
    """One run of it. receipts: of the effects so far, by key."""

    def __init__(self, workflow: Workflow, thread_id: str = "trial-1") -> None:
        self._workflow = workflow
        serde = TypedRedisSerializer(*STATE_TYPES, *workflow.state_types)
        self._graph = workflow.compiled(InMemorySaver(serde=serde))
        self._config: RunnableConfig = {"configurable": {"thread_id": thread_id}}
        self.receipts: dict[str, Receipt] = {}
        self._context: Any = Context(thread_id, _InMemory(self.receipts))  # pyright: ignore[reportArgumentType]

    @classmethod
    async def start(cls, workflow: Workflow, **values: Any) -> Self:
        """Run it until it asks or ends. values: its input, as people give it; InvalidInput."""
        trial = cls(workflow)
        await trial._run(workflow.read_input(values))
        return trial

    @property
    def request(self) -> ApprovalRequest:
        """What it asks now."""
        return read_question(self._asks.value, self._hints).request

    @property
    def finished(self) -> bool:
        state = self._graph.get_state(self._config)
        return not (state.tasks or state.next)

    @property
    def values(self) -> dict[str, Any]:
        """Its state."""
        return self._graph.get_state(self._config).values

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

    async def _answer(self, decision: Decision) -> None:
        """ValueError where the request does not take it."""
        require_allowed(self.request, decision)
        asks = self._asks
        await self._run(Command(resume={asks.id: write_answer(decision, asks.value, self._hints)}))

    async def _run(self, step: Any) -> None:
        await self._graph.ainvoke(step, self._config, context=self._context, durability="sync")

    @property
    def _asks(self) -> Interrupt:
        found = [
            each for task in self._graph.get_state(self._config).tasks for each in task.interrupts
        ]
        if not found:
            raise LookupError(f"{self._workflow.name} asks nothing: it has ended")
        return found[0]

    @property
    def _hints(self) -> Hints:
        return Hints(tools=schemas_of_tools(self._graph))

    def _by(self) -> dict[str, Any]:
        return {"by": REVIEWER, "at": datetime.now(UTC), "digest": self.request.digest}


class _InMemory:
    """As ThreadEffects, without crashes."""

    def __init__(self, receipts: dict[str, Receipt]) -> None:
        self._receipts = receipts

    async def once(
        self,
        key: str,
        call: Callable[[], Awaitable[Receipt]],
        find: Callable[[], Awaitable[Receipt | None]] | None = None,  # noqa: ARG002 - of the ledger
        *,
        on: Decision | None = None,  # noqa: ARG002
    ) -> Receipt:
        if key not in self._receipts:
            self._receipts[key] = await call()
        return self._receipts[key]
