"""The only door into graphs: start, resume, recover, and what a thread really has open.

Facts about LangGraph that this rests on are held by tests/workflows/test_contracts.py: a resume
names its interrupt and is strict, `finished` is never read off `next` alone, an answer that was
handed over is sticky, and a start looks first.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONFIG_KEY_STRICT_RESUME, RESUME  # private, pinned
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl
from langgraph.types import (
    Command,
    PregelTask,
    StateSnapshot,
    _interrupt_id,  # pyright: ignore[reportPrivateUsage] # the id of a task's n-th question
)

from workflows.catalog import Catalog, Context
from workflows.effects import EffectLedger
from workflows.lease import Lease


class NodeRemoved(Exception):
    """A thread waits at a node that the present code does not have: it is not resumed."""


@dataclass(frozen=True)
class Question:
    """An open interrupt. `key` is the same for the same question, in whichever process.

    answered: the graph has an answer that it keeps, and its node has not ended yet.
    """

    key: str
    interrupt_id: str
    value: Any
    node: str
    checkpoint_ns: str
    checkpoint_id: str
    answered: bool


@dataclass(frozen=True)
class ThreadState:
    """What a thread waits for. `stalled`: there is work that nobody is waiting on."""

    finished: bool
    stalled: bool
    checkpoint_id: str
    questions: tuple[Question, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def open(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if not question.answered)


class Runner:
    """Runs the graphs of a catalog on one saver, each thread under its lease."""

    def __init__(
        self, catalog: Catalog, saver: BaseCheckpointSaver[str], effects: EffectLedger
    ) -> None:
        self._saver = saver
        self._effects = effects
        self._graphs = {
            name: workflow.graph.compile(checkpointer=saver) for name, workflow in catalog.items()
        }

    async def look(self, workflow: str, thread_id: str) -> ThreadState | None:
        """What the thread has open; None where it was never started. Changes nothing."""
        graph = self._graphs[workflow]
        snapshot = await graph.aget_state(_config(thread_id), subgraphs=True)
        if not _where(snapshot).get("checkpoint_id"):
            return None
        return await self._read(snapshot, thread_id)

    async def advance(
        self,
        workflow: str,
        thread_id: str,
        graph_input: Mapping[str, Any],
        answers: Mapping[str, Any],
        *,
        lease: Lease,
        control: RunControl,
    ) -> ThreadState:
        """Start, resume or recover the thread, and say what it has open then.

        answers: by `Question.key`; those that are not open (any more) are left out. The thread
        runs until it asks, finishes, raises (what the node raised) or is drained by `control`.
        """
        graph = self._graphs[workflow]
        before = await self.look(workflow, thread_id)
        step = _next_step(before, graph_input, answers)
        if before is not None and step is not _NOTHING:
            _check_nodes(graph, before, thread_id)
        if step is not _NOTHING:
            await graph.ainvoke(
                step,
                _config(thread_id, strict=True),
                context=Context(thread_id, self._effects.of(lease, thread_id)),
                durability="sync",
                control=control,
            )
        after = await self.look(workflow, thread_id)
        if after is None:
            raise RuntimeError(f"{thread_id}: the graph ran and left no checkpoint")
        return after

    async def _read(self, snapshot: StateSnapshot, thread_id: str) -> ThreadState:
        questions = await self._questions(snapshot, thread_id)
        waiting = {question.interrupt_id for question in questions if not question.answered}
        idle = bool(waiting) and all(_settled(task, waiting) for task in snapshot.tasks)
        finished = not snapshot.tasks and not snapshot.next
        return ThreadState(
            finished=finished,
            stalled=not finished and not idle,
            checkpoint_id=_where(snapshot)["checkpoint_id"],
            questions=tuple(questions),
            values=snapshot.values,
        )

    async def _questions(self, snapshot: StateSnapshot, thread_id: str) -> list[Question]:
        found: list[Question] = []
        for task in snapshot.tasks:
            inner = task.state if isinstance(task.state, StateSnapshot) else None
            nested = await self._questions(inner, thread_id) if inner else []
            found += nested or [
                question
                for interrupt in task.interrupts
                for question in [await self._question(snapshot, task, interrupt, thread_id)]
            ]
        return found

    async def _question(
        self, snapshot: StateSnapshot, task: PregelTask, interrupt: Any, thread_id: str
    ) -> Question:
        where = _where(snapshot)
        namespace = where.get("checkpoint_ns", "")
        slot, answers = await self._slot(snapshot, task, interrupt.id)
        parts = (thread_id, namespace, interrupt.id, str(slot))
        digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
        return Question(
            key=f"ap_{digest}",
            interrupt_id=interrupt.id,
            value=interrupt.value,
            node=task.name,
            checkpoint_ns=namespace,
            checkpoint_id=where["checkpoint_id"],
            answered=slot < answers,
        )

    async def _slot(
        self, snapshot: StateSnapshot, task: PregelTask, interrupt_id: str
    ) -> tuple[int, int]:
        """Which question of its task this is, and how many of them are answered already."""
        stored = await self._saver.aget_tuple(snapshot.config)
        writes = stored.pending_writes if stored and stored.pending_writes else []
        resumes = [
            value for task_id, channel, value in writes if (task_id, channel) == (task.id, RESUME)
        ]
        answers: list[Any] = resumes[-1] if resumes and isinstance(resumes[-1], list) else resumes
        namespace = _where(snapshot).get("checkpoint_ns", "")
        task_ns = f"{namespace}|{task.name}:{task.id}" if namespace else f"{task.name}:{task.id}"
        slots = (n for n in range(len(answers) + 1) if _interrupt_id(task_ns, n) == interrupt_id)
        return next(slots, len(answers)), len(answers)


_NOTHING = object()


def _next_step(
    before: ThreadState | None, graph_input: Mapping[str, Any], answers: Mapping[str, Any]
) -> Any:
    """The input of the next invocation: the graph's own, a resume, None, or nothing at all."""
    if before is None:
        return dict(graph_input)
    resume = {q.interrupt_id: answers[q.key] for q in before.open if q.key in answers}
    if resume:
        return Command(resume=resume)
    return None if before.stalled else _NOTHING


def _check_nodes(graph: CompiledStateGraph[Any], before: ThreadState, thread_id: str) -> None:
    missing = {q.node for q in before.questions if not q.checkpoint_ns} - set(graph.nodes)
    if missing:
        raise NodeRemoved(f"{thread_id} waits at {', '.join(sorted(missing))}, which is gone")


def _settled(task: PregelTask, waiting: Collection[str]) -> bool:
    """Has this task ended, or does it wait for a person?"""
    if task.result is not None:
        return True
    inner = task.state if isinstance(task.state, StateSnapshot) else None
    if inner is not None and inner.tasks:
        return all(_settled(each, waiting) for each in inner.tasks)
    return any(interrupt.id in waiting for interrupt in task.interrupts)


def _where(snapshot: StateSnapshot) -> dict[str, Any]:
    return snapshot.config.get("configurable", {})


def _config(thread_id: str, *, strict: bool = False) -> RunnableConfig:
    configurable: dict[str, Any] = {"thread_id": thread_id}
    if strict:
        configurable[CONFIG_KEY_STRICT_RESUME] = True
    return {"configurable": configurable}
