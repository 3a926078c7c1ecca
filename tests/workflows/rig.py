"""What these tests run graphs with: the product's own saver, leases, ledger and runner."""

import contextlib
import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from workflows.catalog import Catalog, Workflow
from workflows.checkpointer import FencedRedisSaver
from workflows.effects import EffectLedger
from workflows.lease import Lease, Leases
from workflows.payloads import read_question
from workflows.protocol import Actor, Approve, Decision, Reject
from workflows.runner import Question, Runner, ThreadState

MARA = Actor(team="T00000001", user="U000MARA", name="Mara")
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
THREAD = "t-1"

AnyGraph = StateGraph[Any, Any, Any, Any]
Compiled = CompiledStateGraph[Any, Any, Any, Any]


class NoInput(BaseModel):
    """For graphs that are given their input as it is."""


@dataclass(frozen=True)
class Threads:
    """The threads of one graph, as one process runs them."""

    runner: Runner
    leases: Leases
    saver: FencedRedisSaver
    graph: Compiled

    async def advance(
        self,
        answers: Mapping[str, Any] | None = None,
        *,
        given: Mapping[str, Any] | None = None,
        thread_id: str = THREAD,
        control: RunControl | None = None,
    ) -> ThreadState:
        """What a worker does once: under the lease, with the answers by question."""
        async with self.leases.hold(thread_id) as lease:
            return await self.runner.advance(
                "graph",
                thread_id,
                given or {},
                answers or {},
                lease=lease,
                control=control or RunControl(),
            )

    async def look(self, thread_id: str = THREAD) -> ThreadState:
        state = await self.runner.look("graph", thread_id)
        assert state is not None, f"{thread_id} was never started"
        return state


@dataclass(frozen=True)
class Rig:
    """One Redis under a namespace of its own."""

    redis: Redis
    namespace: str

    @property
    def prefix(self) -> str:
        return f"{{countersign}}:{self.namespace}:"

    @property
    def ledger(self) -> EffectLedger:
        return EffectLedger(self.redis, self.prefix)

    def leases(self, ttl: timedelta = timedelta(seconds=15)) -> Leases:
        return Leases(self.redis, self.prefix, ttl)

    async def saver(self, *types: type) -> FencedRedisSaver:
        saver = FencedRedisSaver(self.redis, namespace=self.namespace, state_types=types)
        await saver.asetup()
        return saver

    async def plain_saver(self) -> AsyncRedisSaver:
        """The saver as it comes, with its own serializer and without a fence."""
        saver = AsyncRedisSaver(
            redis_client=self.redis,
            checkpoint_prefix=f"{self.namespace}:checkpoint",
            checkpoint_write_prefix=f"{self.namespace}:checkpoint_write",
        )
        await saver.asetup()
        return saver

    async def threads(self, graph: AnyGraph, *types: type) -> Threads:
        """As a new process: nothing but Redis is shared with what ran before."""
        saver = await self.saver(*types)
        workflow = Workflow("graph", "Graph", NoInput, graph, state_types=types)
        runner = Runner(Catalog([workflow]), saver, self.ledger)
        compiled: Any = workflow.compiled(saver)
        return Threads(runner, self.leases(), saver, compiled)

    async def count(self, pattern: str = "*") -> int:
        """How many keys of this namespace there are."""
        return len([key async for key in self.redis.scan_iter(f"*{self.namespace}*{pattern}")])


@contextlib.asynccontextmanager
async def rig_on(url: str, namespace: str = "") -> AsyncGenerator[Rig, None]:
    client = Redis.from_url(url, protocol=2, retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 3))
    try:
        yield Rig(client, namespace or f"w{secrets.token_hex(5)}")
    finally:
        await client.aclose()


@contextlib.asynccontextmanager
async def another_holder(lease: Lease, name: str, leases: Leases) -> AsyncGenerator[Lease, None]:
    """Someone else took the lease, as if its first holder had been away for too long."""
    await lease.redis.delete(lease.key)
    async with leases.hold(name) as other:
        yield other


def approve(question: Question) -> dict[str, Any]:
    """Approved by a person, on what the question shows."""
    digest = read_question(question.value).request.digest
    return answer(Approve(by=MARA, at=NOW, digest=digest))


def reject(question: Question) -> dict[str, Any]:
    digest = read_question(question.value).request.digest
    return answer(Reject(by=MARA, at=NOW, digest=digest, reason="no"))


def answer(decision: Decision) -> dict[str, Any]:
    return decision.model_dump(mode="json")


def approved(state: ThreadState) -> dict[str, dict[str, Any]]:
    """An approval of everything that is open."""
    return {question.key: approve(question) for question in state.open}
