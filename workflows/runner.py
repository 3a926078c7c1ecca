"""The only door into graphs: start, resume, recover, and what a thread really has open.

Facts about LangGraph that this rests on are held by tests/workflows/test_contracts.py: a resume
names its interrupt and is strict, `finished` is never read off `next` alone, an answer that was
handed over is sticky, and a start looks first.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import (  # private, pinned
    CONFIG_KEY_STRICT_RESUME,
    RESUME,
)
from langgraph.checkpoint.base import BaseCheckpointSaver, PendingWrite
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import (
    Command,
    Interrupt,
    PregelTask,
    StateSnapshot,
    _interrupt_id,  # pyright: ignore[reportPrivateUsage] # the id of a task's n-th question
)

from workflows.breakpoints import (
    MIXED,
    breakpoint_key,
    breakpoint_value,
    due_nodes,
    settled,
    stops_of,
)
from workflows.catalog import Catalog, Context
from workflows.effects import EffectLedger
from workflows.lease import Lease
from workflows.payloads import NO_HINTS, Hints, preconditions_of
from workflows.preconditions import Check, Conditions, Precondition, UnknownCheck, unknown, unmet
from workflows.protocol import Decision
from workflows.serializer import UnstorableState
from workflows.tools import AnyPregel, astray, given, schema_of, schemas_of_tools, subgraph_of
from workflows.waits import WOKEN, read_wait

MOST_QUESTIONS = 100  # of a node that runs a subgraph as well; one is what we advise


class TookTooLong(Exception):
    """An attempt did not end within the workflow's time limit, and was cancelled."""


class CannotGoOn(Exception):
    """The present code is not the one to go on with a thread, which is left exactly as it is; the
    code that it was paused by can. The message is shown to people; node: where that is known."""

    def __init__(self, message: str, node: str = "") -> None:
        super().__init__(message)
        self.node = node


class WorkflowUnknown(CannotGoOn):
    """The catalog has no workflow of that name."""


class SettingMissing(CannotGoOn):
    """This deployment has not set what the workflow needs."""


class NodeRemoved(CannotGoOn):
    """The thread is to go on at a node that the present code does not have."""


class StateUnreadable(CannotGoOn):
    """The thread's state holds what the present code cannot read."""


@dataclass(frozen=True)
class Question:
    """An open interrupt. `key` is the same for the same question, in whichever process.

    answered: the graph has an answer that it keeps, and its node has not ended yet. hints: what is
    known besides the value. problem: why it must not be put to people. until: it is no question,
    and waits for this time.
    """

    key: str
    interrupt_id: str
    value: Any
    node: str
    checkpoint_ns: str
    checkpoint_id: str
    answered: bool
    hints: Hints = NO_HINTS
    problem: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class ThreadState:
    """What a thread waits for. `stalled`: there is work that nobody is waiting on.

    gone: nodes that are due, and that the present code does not have.
    """

    finished: bool
    stalled: bool
    checkpoint_id: str
    questions: tuple[Question, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    gone: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Question, ...]:
        return tuple(each for each in self.questions if not (each.answered or each.until))

    @property
    def wakes_at(self) -> datetime | None:
        """When it goes on by itself; None: it waits for no time."""
        return min((q.until for q in self.questions if q.until and not q.answered), default=None)


class Runner:
    """Runs the graphs of a catalog on one saver, each thread under its lease."""

    def __init__(
        self, catalog: Catalog, saver: BaseCheckpointSaver[str], effects: EffectLedger
    ) -> None:
        self._catalog = catalog
        self._saver = saver
        self._effects = effects
        self._graphs = {name: workflow.compiled(saver) for name, workflow in catalog.items()}

    async def ready(self, workflow: str, thread_id: str) -> ThreadState | None:
        """What `look` sees, where the present code can go on from there; else CannotGoOn."""
        if workflow not in self._graphs:
            raise WorkflowUnknown(f"The workflow {workflow} is not known here")
        lacks = self._catalog[workflow].lacks
        if lacks:
            raise SettingMissing(f"The workflow {workflow} cannot go on here: {lacks}")
        try:
            state = await self.look(workflow, thread_id)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # Only our own words are shown: those of a model may quote the state.
            what = str(error) if isinstance(error, UnstorableState) else type(error).__name__
            raise StateUnreadable(
                f"This code of {workflow} cannot read its state: {what}"
            ) from error
        if state is not None and state.gone:
            nodes = ", ".join(state.gone)
            words = f"It is to go on at {nodes}, which this code of {workflow} lacks"
            raise NodeRemoved(words, nodes)
        return state

    def keeps_ledger(self, workflow: str) -> bool:
        """Does what is not in the ledger count as not executed? Of a graph that says nothing of
        our Context nobody knows; of one that is not known here nothing was executed here."""
        graph = self._graphs.get(workflow)
        return graph is None or graph.context_schema is Context

    async def look(self, workflow: str, thread_id: str) -> ThreadState | None:
        """What the thread has open; None where it was never started. Changes nothing."""
        graph = self._graphs[workflow]
        snapshot = await graph.aget_state(_config(thread_id), subgraphs=True)
        if not _where(snapshot).get("checkpoint_id"):
            return None
        return await self._read(workflow, snapshot, thread_id)

    async def advance(
        self,
        workflow: str,
        thread_id: str,
        graph_input: Mapping[str, Any],
        answers: Mapping[str, Any],
        *,
        lease: Lease,
        control: RunControl,
        now: datetime | None = None,
        decided: Mapping[str, Decision] | None = None,
        declared: Mapping[str, tuple[Precondition, ...]] | None = None,
    ) -> ThreadState:
        """Start, resume or recover the thread, and say what it has open then.

        decided: all decisions of the thread, by `Question.key`, for effects that name theirs;
        declared: what those that approve rest on, checked right before an effect. answers: by
        key, too; those that are not open (any more) are left out. now: waits up to it are over. It
        runs until it asks, finishes, raises (what the node raised) or is drained by `control`.
        CannotGoOn where it is not this code's to run: nothing has happened then.
        """
        before = await self.ready(workflow, thread_id)
        step = _next_step(before, graph_input, answers, now)
        if step is not _NOTHING:
            conditions = Conditions(declared or {}, self._checks(workflow), self._effects.now)
            effects = self._effects.of(lease, thread_id, tuple(answers), decided, conditions)
            context = Context(thread_id, effects, self._effects.now)
            running = self._graphs[workflow].ainvoke(
                step,
                _config(thread_id, strict=True),
                context=_context(self._graphs[workflow], context),
                durability="sync",
                control=control,
            )
            await self._within_limit(workflow, running)
            await lease.check()  # drained because it was lost? then another holder tells
        after = await self.look(workflow, thread_id)
        if after is None:
            raise RuntimeError(f"{thread_id}: the graph ran and left no checkpoint")
        return after

    async def unmet(
        self, workflow: str, declared: Collection[Precondition], now: datetime
    ) -> tuple[str, ...]:
        """What has changed since it was declared, in words; empty where all is as it was. Raises
        what a check raises, and CannotGoOn where this code has no such check."""
        try:
            return await unmet(self._checks(workflow), declared, now)
        except UnknownCheck as error:
            raise CannotGoOn(f"In this code of {workflow} {error}") from None

    async def forget(self, thread_id: str) -> None:
        """Delete all that the saver holds of the thread, under the lease that the caller holds."""
        await self._saver.adelete_thread(thread_id)

    def _checks(self, workflow: str) -> Mapping[str, Check]:
        return self._catalog[workflow].checks

    def _unchecked(self, workflow: str, value: Any) -> str:
        missing = unknown(self._checks(workflow), preconditions_of(value))
        return f"its precondition {missing[0]!r} is no check of {workflow}" if missing else ""

    async def _within_limit(self, workflow: str, running: Awaitable[Any]) -> None:
        limit = self._catalog[workflow].time_limit
        clock = asyncio.timeout(limit.total_seconds())
        try:
            async with clock:
                await running
        except GraphDrained:
            return  # what is left is for the next attempt
        except TimeoutError:
            if clock.expired():
                raise TookTooLong(f"No end within {limit}") from None
            raise  # a node's own

    async def _read(self, workflow: str, snapshot: StateSnapshot, thread_id: str) -> ThreadState:
        graph = self._graphs[workflow]
        questions, gone = await self._survey(graph, snapshot, thread_id)
        questions = [
            replace(each, problem=each.problem or self._unchecked(workflow, each.value))
            for each in questions
        ]
        waiting = {question.interrupt_id for question in questions if not question.answered}
        idle = bool(waiting) and all(settled(task, waiting) for task in snapshot.tasks)
        stop = _stop(graph, snapshot, thread_id)
        if stop is not None:
            problem = MIXED if waiting else ""
            questions, idle = [*questions, replace(stop, problem=problem)], True
        finished = not (snapshot.tasks or snapshot.next or gone)
        return ThreadState(
            finished=finished,
            stalled=not finished and not idle,
            checkpoint_id=_where(snapshot)["checkpoint_id"],
            questions=tuple(questions),
            values=snapshot.values,
            gone=tuple(sorted(gone)),
        )

    async def _survey(
        self, graph: AnyPregel, snapshot: StateSnapshot, thread_id: str
    ) -> tuple[list[Question], set[str]]:
        """The open questions, and the nodes that are due and gone, subgraphs included."""
        stored = await self._saver.aget_tuple(snapshot.config)
        writes = (stored.pending_writes if stored else None) or []
        gone = (
            due_nodes(stored.checkpoint) - {t.name for t in snapshot.tasks}
            if stored
            else set[str]()
        )
        found: list[Question] = []
        for task in snapshot.tasks:
            inner = task.state if isinstance(task.state, StateSnapshot) else None
            nested: list[Question] = []
            if inner is not None:
                deeper = subgraph_of(graph, task.name) or graph
                nested, missing = await self._survey(deeper, inner, thread_id)
                gone |= missing
            # Until its own writes are saved, a parent names what its subgraph asked: also while
            # that has work, and when it has ended.
            begun = inner is not None and "checkpoint_id" in _where(inner)
            own = [each for each in task.interrupts if not begun or _asks(snapshot, task, each)]
            # What it asks is open once its parent knows, too: until then no resume by id finds it,
            # and the parent has to run its node again.
            known = {interrupt.id for interrupt in task.interrupts}
            found += [each for each in nested if each.answered or each.interrupt_id in known]
            problem = astray(graph, task.name, given(task, snapshot, stored)) if own else ""
            for each in own:
                hints = Hints(schema_of(each), schemas_of_tools(graph))
                asks = _question(snapshot, task, each, thread_id, writes)
                found.append(replace(asks, hints=hints, problem=problem))
        return found, gone


def _stop(graph: AnyPregel, snapshot: StateSnapshot, thread_id: str) -> Question | None:
    """The question whether to go on, where the graph stopped at a static breakpoint."""
    stops = list(stops_of(snapshot, graph))
    if not stops:
        return None
    key, value = breakpoint_key(thread_id, stops), breakpoint_value(stops)
    nodes, checkpoint_id = ", ".join(value["before"]), _where(snapshot)["checkpoint_id"]
    return Question(key, "", value, nodes, "", checkpoint_id, answered=False)


def _asks(snapshot: StateSnapshot, task: PregelTask, interrupt: Interrupt) -> bool:
    """Is it the node's own question? The ids of those are made from the node's place alone."""
    task_ns = _task_ns(_where(snapshot).get("checkpoint_ns", ""), task)
    return any(_interrupt_id(task_ns, n) == interrupt.id for n in range(MOST_QUESTIONS))


def _task_ns(namespace: str, task: PregelTask) -> str:
    return f"{namespace}|{task.name}:{task.id}" if namespace else f"{task.name}:{task.id}"


def _question(
    snapshot: StateSnapshot,
    task: PregelTask,
    interrupt: Interrupt,
    thread_id: str,
    writes: Sequence[PendingWrite],
) -> Question:
    where = _where(snapshot)
    namespace = where.get("checkpoint_ns", "")
    slot, answers = _slot(namespace, task, interrupt.id, writes)
    parts = (thread_id, namespace, interrupt.id, str(slot))
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
    return Question(
        key=f"ap_{digest}",
        interrupt_id=interrupt.id,
        value=interrupt.value,
        until=read_wait(interrupt.value),
        node=task.name,
        checkpoint_ns=namespace,
        checkpoint_id=where["checkpoint_id"],
        answered=slot < answers,
    )


def _slot(
    namespace: str, task: PregelTask, interrupt_id: str, writes: Sequence[PendingWrite]
) -> tuple[int, int]:
    """Which question of its task this is, and how many of them are answered already."""
    resumes = [
        value for task_id, channel, value in writes if (task_id, channel) == (task.id, RESUME)
    ]
    answers: list[Any] = resumes[-1] if resumes and isinstance(resumes[-1], list) else resumes
    task_ns = _task_ns(namespace, task)
    slots = (n for n in range(len(answers) + 1) if _interrupt_id(task_ns, n) == interrupt_id)
    return next(slots, len(answers)), len(answers)


_NOTHING = object()


def _next_step(
    before: ThreadState | None,
    graph_input: Mapping[str, Any],
    answers: Mapping[str, Any],
    now: datetime | None,
) -> Any:
    """The input of the next invocation: the graph's own, a resume, None, or nothing at all."""
    if before is None:
        return dict(graph_input)
    answered = [question for question in before.open if question.key in answers]
    resume = {q.interrupt_id: answers[q.key] for q in answered if q.interrupt_id}
    waits = [q for q in before.questions if q.until and not q.answered]
    resume |= {q.interrupt_id: WOKEN for q in waits if q.until and now and q.until <= now}
    if resume:
        return Command(resume=resume)
    if answered:  # only of the stop at a breakpoint: it goes on with nothing
        return None
    return None if before.stalled else _NOTHING


def _context(graph: AnyPregel, ours: Context) -> Context | None:
    """Ours, unless the graph has a context of its own, of which we know nothing."""
    return ours if graph.context_schema in (None, Context) else None


def _where(snapshot: StateSnapshot) -> dict[str, Any]:
    return snapshot.config.get("configurable", {})


def _config(thread_id: str, *, strict: bool = False) -> RunnableConfig:
    configurable: dict[str, Any] = {"thread_id": thread_id}
    if strict:
        configurable[CONFIG_KEY_STRICT_RESUME] = True
    return {"configurable": configurable}
