"""A run of a workflow in memory, for the replay check: its saver, its ledger and its answers.

The runner is the product's own, and so is the serializer; only Redis is not there. At each write
of the saver it is kept what there was right before: that is what a crash would have left.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import ERROR, INTERRUPT  # private, pinned
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.runtime import RunControl

from workflows import origin, watching
from workflows.catalog import Catalog, Workflow
from workflows.checkpointer import STATE_TYPES
from workflows.clock import utc_now
from workflows.effects import EffectLedger, Receipt, ThreadEffects
from workflows.findings import Place
from workflows.lease import Lease
from workflows.payloads import read_question, write_answer
from workflows.protocol import BY_NOBODY, DECISION, Actor, Decision, Editable
from workflows.runner import Question, Runner, ThreadState
from workflows.serializer import TypedRedisSerializer, UnstorableState

THREAD = "replay-check"
CHECKER = Actor(team="T0CHECK", user="U0CHECK", name="the replay check")
TIME_LIMIT = timedelta(minutes=2)  # from question to question; a workflow's own may be shorter
MOMENTS_AT_MOST = 200
NOTHING: Any = None  # in place of a Redis that is never asked

# `approve`, a decision as JSON, {"answer": ...} as the graph wants it, or one that was recorded.
Given = str | Mapping[str, Any] | Decision


class BadDecision(Exception):
    """A decision that was given cannot be made on the question; the message says why."""


@dataclass(frozen=True)
class Unstored:
    """What the saver could not keep. task: of the node whose it is; path: as LangGraph calls it."""

    channel: str
    task: str
    path: str
    why: str


@dataclass(frozen=True)
class Moment:
    """All that is left when the process dies right now. calls: how many were made by then."""

    storage: dict[str, dict[str, dict[str, Any]]]
    writes: dict[Any, dict[Any, Any]]
    blobs: dict[Any, Any]
    receipts: dict[str, Receipt]
    calls: int
    life: int

    @property
    def checkpoints(self) -> set[str]:
        """The ids of the checkpoints that are saved."""
        return {each for spaces in self.storage.values() for ids in spaces.values() for each in ids}


class MemorySaver(InMemorySaver):
    """Keeps what the Redis saver would, and refuses what that refuses."""

    def __init__(self, types: Sequence[type], before_write: Callable[[], None]) -> None:
        super().__init__(serde=TypedRedisSerializer(*STATE_TYPES, *types))
        self._before_write = before_write
        self.after_step: Callable[[], None] = lambda: None
        self.paused: set[str] = set()  # tasks that have asked
        self.unstored: list[Unstored] = []

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        self._before_write()
        told = {each.channel for each in self.unstored}  # with the node that wrote it
        for name in set(new_versions) - told:
            self._look(name, checkpoint["channel_values"].get(name), "", "")
        saved = super().put(config, checkpoint, metadata, new_versions)
        if not saved.get("configurable", {}).get(
            "checkpoint_ns"
        ):  # of the graph itself, no subgraph's
            self.after_step()
        return saved

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        self._before_write()
        texts = [(name, repr(value) if name == ERROR else value) for name, value in writes]
        for name, value in texts:
            if name == INTERRUPT:
                self.paused.add(task_id)
            self._look(name, value, task_id, task_path)
        super().put_writes(config, texts, task_id, task_path)

    def _look(self, channel: str, value: Any, task_id: str, path: str) -> None:
        try:
            self.serde.dumps_typed(value)
        except (UnstorableState, TypeError, ValueError) as error:
            self.unstored.append(Unstored(channel, task_id, path, str(error)))

    def restore(self, moment: Moment) -> None:
        for thread, spaces in moment.storage.items():
            for space, saved in spaces.items():
                self.storage[thread][space] = dict(saved)
        for key, writes in moment.writes.items():
            self.writes[key] = dict(writes)
        self.blobs.update(moment.blobs)


@dataclass(frozen=True)
class Use:
    """One use of the ledger."""

    life: int
    node: str
    task: str
    place: Place | None
    key: str


@dataclass(frozen=True, kw_only=True)
class MemoryLedger(EffectLedger):
    """once() as it is without a crash in the middle of a call: that is the ledger's own matter.

    calls: whether effects are called; else each has a receipt that says it was not.
    """

    watch: watching.Watch
    calls: bool
    receipts: dict[str, Receipt] = field(default_factory=dict[str, Receipt])
    uses: list[Use] = field(default_factory=list[Use])

    @property
    def bound(self) -> type[ThreadEffects]:
        return MemoryEffects


class MemoryEffects(ThreadEffects):
    """Preconditions are not looked at: this is a matter of replays, not of the world."""

    @property
    def memory(self) -> MemoryLedger:
        return cast("MemoryLedger", self.ledger)

    async def once(
        self,
        key: str,
        call: Callable[[], Awaitable[Receipt]],
        find: Callable[[], Awaitable[Receipt | None]] | None = None,  # noqa: ARG002 - as the ledger's
        *,
        on: Decision | None = None,  # noqa: ARG002
    ) -> Receipt:
        memory, (node, task) = self.memory, origin.node()
        memory.uses.append(Use(memory.watch.life, node, task, origin.place(), key))
        async with self._locks[key]:
            if key not in memory.receipts:
                memory.receipts[key] = await self._receipt(key, call)
            return memory.receipts[key]

    async def _receipt(self, key: str, call: Callable[[], Awaitable[Receipt]]) -> Receipt:
        if not self.memory.calls:
            return Receipt(id=f"not-called:{key}", summary="Not called: this is a replay check")
        return await call()


class HeldLease(Lease):
    """Nobody else is here."""

    async def check(self) -> None:
        pass


class Rehearsal:
    """A thread of one workflow, which may begin where another was when it died."""

    def __init__(self, workflow: Workflow, watch: watching.Watch, *, calls: bool) -> None:
        limit = min(workflow.time_limit, TIME_LIMIT)
        self.workflow = replace(workflow, time_limit=limit)
        self.watch = watch
        self.moments: list[Moment] = []
        self._writes, self._every = 0, 1
        self.ahead = timedelta()  # of our clock: a wait is over at once
        self.ledger = MemoryLedger(NOTHING, "", self.now, watch=watch, calls=calls)
        self.saver = MemorySaver(workflow.state_types, self._before_write)
        self._runner = Runner(Catalog([workflow]), self.saver, self.ledger)
        self._lease = HeldLease(NOTHING, "", "", timedelta(days=1))

    async def advance(
        self, given: Mapping[str, Any], answers: Mapping[str, Any], *, one_step: bool = False
    ) -> ThreadState:
        """From question to question, as a worker does it. one_step: no further than what was
        under way."""
        control = RunControl()
        self.saver.after_step = control.request_drain if one_step else lambda: None
        self.saver.paused.clear()
        return await self._runner.advance(
            self.workflow.name,
            THREAD,
            given,
            answers,
            lease=self._lease,
            control=control,
            now=self.now(),
            decided=MappingProxyType({}),
        )

    def now(self) -> datetime:
        return utc_now() + self.ahead

    def sleep_until(self, moment: datetime) -> None:
        self.ahead = max(self.ahead, moment - utc_now())

    def restore(self, moment: Moment) -> None:
        """What a new process finds after a crash."""
        self.saver.restore(moment)
        self.ledger.receipts.update(moment.receipts)

    def _before_write(self) -> None:
        """Of a long run not each moment is kept: they all hold what there was before them."""
        self._writes += 1
        if self._writes % self._every:
            return
        if len(self.moments) >= MOMENTS_AT_MOST:
            self.moments, self._every = self.moments[::2], 2 * self._every
        self._keep_moment()

    def _keep_moment(self) -> None:
        saver = self.saver
        spaces = {
            thread: {space: dict(saved) for space, saved in each.items()}
            for thread, each in saver.storage.items()
        }
        self.moments.append(
            Moment(
                storage=spaces,
                writes={key: dict(each) for key, each in saver.writes.items()},
                blobs=dict(saver.blobs),
                receipts=dict(self.ledger.receipts),
                calls=len(self.watch.calls),
                life=self.watch.life,
            )
        )


def answered(question: Question, given: Given | None) -> Any:
    """What the graph is resumed with. None: approved, or what comes nearest to it. BadDecision;
    UnreadableQuestion."""
    if isinstance(given, Mapping) and "answer" in given:
        return given["answer"]
    asked = read_question(question.value, question.hints).request
    usual = "approve" if "approve" in asked.allowed_decisions else asked.allowed_decisions[0]
    wanted = _as_mapping(usual if given is None else given)
    kind = str(wanted.get("type", ""))
    if kind not in (*BY_NOBODY, *asked.allowed_decisions):
        allowed = ", ".join(asked.allowed_decisions)
        raise BadDecision(f"{asked.title!r} takes {allowed}, and not {kind!r}")
    filled = _filled(wanted, asked.editable, asked.digest)
    try:
        decision = DECISION.validate_python(filled)
        if asked.editable is not None and decision.type == "edit":
            asked.editable.check(decision.values)
    except ValueError as error:
        raise BadDecision(f"{asked.title!r} cannot be decided by {kind!r}: {error}") from None
    return write_answer(decision, question.value, question.hints)


def _as_mapping(given: Given) -> Mapping[str, Any]:
    if isinstance(given, str):
        return {"type": given}
    return given if isinstance(given, Mapping) else given.model_dump()


def _filled(wanted: Mapping[str, Any], editable: Editable | None, digest: str) -> dict[str, Any]:
    usual: dict[str, Any] = {"by": CHECKER, "at": utc_now()}
    if wanted.get("type") == "edit" and editable is not None:
        usual["values"] = dict(editable.values)
    if wanted.get("type") == "respond":
        usual["text"] = "Yes"
    return {**usual, **wanted, "digest": digest}
