"""The replay check by running: the workflow is run from question to question, each of its nodes
again as a resume or a crash would have it, and compared with the first time."""

import contextlib
import inspect
import re
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from workflows import clients, origin
from workflows.catalog import Workflow
from workflows.comparing import calls_again, keys_again
from workflows.effects import EffectInDoubt
from workflows.findings import Finding, Place
from workflows.origin import replaced
from workflows.payloads import UnreadableQuestion, asked_digest, read_question
from workflows.rehearsal import BadDecision, Given, Moment, Rehearsal, Unstored, answered
from workflows.runner import CannotGoOn, Question, ThreadState, TookTooLong
from workflows.sources import sources_of
from workflows.watching import CallRefused, Watch, watching

QUESTIONS_AT_MOST = 50  # of a run; a node that asks until it likes the answer is told to stop
NODE = re.compile(r"During task with name '(.+?)'")


@dataclass(frozen=True)
class Raised:
    """A question that a node asked, where the pause began."""

    life: int
    node: str
    task: str
    place: Place | None

    @property
    def task_id(self) -> str:
        return self.task.rpartition(":")[2]


@dataclass
class Ran:
    """What came of it. unchecked: why not all could be checked, if so. questions: how many were
    asked. crashes: how many were tried."""

    findings: list[Finding] = field(default_factory=list[Finding])
    unchecked: str = ""
    questions: int = 0
    crashes: int = 0


@dataclass(frozen=True)
class Life:
    """From one resume to the next: what it was given, and what it asked at its end. ahead: of the
    clock, by what it had waited."""

    number: int
    answers: Mapping[str, Any]
    asked: tuple[Question, ...]
    ahead: timedelta


class Stopped(Exception):
    """It cannot go on; the message says why."""


async def rerun(
    workflow: Workflow,
    given: Mapping[str, Any],
    decisions: Sequence[Given],
    allowed: Iterable[str],
    *,
    calls: bool,
) -> Ran:
    """given: the graph's input, as it is. decisions: in the order of the questions; approvals
    behind them. allowed: what may leave this machine. calls: whether the ledger's effects are
    called."""
    watch = Watch(frozenset(allowed))
    with watching(watch), clients.seen(), _interrupts_seen(watch) as raised:
        running = _Running(workflow, given, decisions, calls, watch, raised)
        return await running.all()


class _Running:
    def __init__(
        self,
        workflow: Workflow,
        given: Mapping[str, Any],
        decisions: Sequence[Given],
        calls: bool,
        watch: Watch,
        raised: list[Raised],
    ) -> None:
        self._workflow = workflow
        self._given = given
        self._decisions = decisions
        self._calls = calls
        self._watch = watch
        self._raised = raised
        self._lives: list[Life] = []
        self._waits = 0
        self._ran = Ran()

    async def all(self) -> Ran:
        clean = self._rehearsal()
        try:
            await self._live(clean)
        except Stopped as why:
            if not (clean.saver.unstored or self._ran.findings):
                self._ran.unchecked = str(why)
        self._tell(self._unstored(clean))
        self._tell(calls_again(self._watch.calls, "call-twice"))
        self._tell(keys_again(clean.ledger.uses))
        for moment in clean.moments[1:]:  # before the first there is nothing to go on from
            await self._crash(clean, moment)
        if self._watch.refused and not self._ran.unchecked:  # the node made do without it
            self._ran.unchecked = _refused_words(self._watch)
        return self._ran

    def _rehearsal(self) -> Rehearsal:
        return Rehearsal(self._workflow, self._watch, calls=self._calls)

    def _tell(self, found: Iterable[Finding]) -> None:
        self._ran.findings.extend(found)

    # --- without a crash

    async def _live(self, clean: Rehearsal) -> None:
        """To the end, one answer at a time: what else is open is asked again meanwhile."""
        answers: dict[str, Any] = {}
        known: dict[str, Question] = {}
        while True:
            self._watch.life += 1
            state = await self._advance(clean, answers)
            self._lives.append(Life(self._watch.life, dict(answers), state.open, clean.ahead))
            self._tell(self._swallowed(clean))
            self._tell(self._changed(known, state.open))
            new = [question for question in state.open if question.key not in known]
            self._asked_again(known, new)
            known |= {question.key: question for question in new}
            if not state.open:
                if state.wakes_at is None:
                    return
                self._sleep(clean, state.wakes_at)
                continue
            self._ran.questions = len(known)
            if len(known) > QUESTIONS_AT_MOST:
                raise Stopped(
                    f"it has asked {QUESTIONS_AT_MOST} questions and does not end: "
                    "give decisions that it takes"
                )
            first = state.open[0]
            answers[first.key] = self._answer(first, len(answers))

    def _sleep(self, clean: Rehearsal, until: datetime) -> None:
        """What comes after a wait is checked, too."""
        self._waits += 1
        if self._waits > QUESTIONS_AT_MOST:
            raise Stopped(f"it has waited {QUESTIONS_AT_MOST} times and does not end")
        clean.sleep_until(until)

    def _asked_again(self, known: Mapping[str, Question], new: Iterable[Question]) -> None:
        """A request of ours says by its note that it is asked again; then it was another one."""
        before = {question.node: question for question in known.values()}
        for question in new:
            first = before.get(question.node)
            if first and _note(question) and _digest(first) != _digest(question):
                self._tell([self._change(first, question)])
                raise Stopped(_note(question))

    async def _advance(self, rehearsal: Rehearsal, answers: Mapping[str, Any]) -> ThreadState:
        try:
            return await rehearsal.advance(self._given, answers)
        except CallRefused as refused:
            raise Stopped(_refused_words(self._watch)) from refused
        except (CannotGoOn, TookTooLong) as error:
            raise Stopped(str(error)) from error
        except Exception as error:
            if self._watch.refused:
                raise Stopped(_refused_words(self._watch)) from error
            raise Stopped(raised_words(error)) from error

    def _answer(self, question: Question, number: int) -> Any:
        if question.problem:
            self._tell([self._unreadable(question, question.problem)])
            raise Stopped(question.problem)
        given = self._decisions[number] if number < len(self._decisions) else None
        try:
            return answered(question, given)
        except UnreadableQuestion as error:
            self._tell([self._unreadable(question, str(error))])
            raise Stopped(str(error)) from error
        except BadDecision as error:
            raise Stopped(str(error)) from error

    def _unreadable(self, question: Question, words: str) -> Finding:
        return Finding("question-unreadable", question.node, words, self._asked_at(question.node))

    def _swallowed(self, clean: Rehearsal) -> Iterator[Finding]:
        for each in self._raised:
            if each.life == self._watch.life and each.task_id not in clean.saver.paused:
                words = "the node asked, caught the pause itself and went on"
                yield Finding("interrupt-swallowed", each.node, words, each.place)

    def _unstored(self, clean: Rehearsal) -> Iterator[Finding]:
        for each in clean.saver.unstored:
            node = _node_of(each)
            if each.channel == "__interrupt__":
                yield Finding("question-unreadable", node, each.why, self._asked_at(node))
            elif not each.channel.startswith("__"):
                words = f"{each.channel}: {each.why}"
                yield Finding("state-not-stored", node, words, self._written_at(node))

    def _written_at(self, node: str) -> Place | None:
        """Where the node's function begins."""
        sources = sources_of(self._workflow.graph)
        spots = (Place(each.file, each.tree.lineno) for each in sources if each.node == node)
        return next(spots, None)

    def _asked_at(self, node: str) -> Place | None:
        return next((each.place for each in reversed(self._raised) if each.node == node), None)

    # --- with a crash

    async def _crash(self, clean: Rehearsal, moment: Moment) -> None:
        """Go on from what a crash right there would have left: what was under way is done again."""
        life = next((each for each in self._lives if each.number == moment.life), None)
        if life is None:
            return  # the run failed here anyway
        self._ran.crashes += 1
        self._watch.life += 1
        before, began = self._watch.calls[: moment.calls], len(self._watch.calls)
        again = self._rehearsal()
        again.restore(moment)
        again.ahead = life.ahead
        try:
            state = await again.advance(self._given, life.answers, one_step=True)
        except (EffectInDoubt, CallRefused):
            return  # a person is asked; it was told before
        except Exception as error:  # noqa: BLE001 - whatever a node raises
            self._tell([Finding("fails-on-replay", *_where(error))])
            return
        calls = [*before, *self._watch.calls[began:]]
        self._tell(calls_again(calls, "call-twice-after-crash", self._watch.life))
        uses = [each for each in clean.ledger.uses if each.life == life.number]
        self._tell(keys_again([*uses, *again.ledger.uses]))
        asked = {q.key: q for q in life.asked if q.checkpoint_id in moment.checkpoints}
        self._tell(self._changed(asked, state.open))
        self._tell(self._unasked(asked, state.questions))

    def _changed(self, first: Mapping[str, Question], now: Iterable[Question]) -> Iterator[Finding]:
        for question in now:
            before = first.get(question.key)
            if before is not None and _digest(before) != _digest(question):
                yield self._change(before, question)

    def _change(self, first: Question, now: Question) -> Finding:
        words = f"at first {_cut(first.value)}, then {_cut(now.value)}"
        return Finding("question-changes", now.node, words, self._asked_at(now.node))

    def _unasked(self, first: Mapping[str, Question], now: Iterable[Question]) -> Iterator[Finding]:
        there = {question.key for question in now}
        for key, question in first.items():
            if key not in there:
                words = f"at first it asked {_cut(question.value)}, then it did not"
                place = self._asked_at(question.node)
                yield Finding("question-changes", question.node, words, place)


@contextlib.contextmanager
def _interrupts_seen(watch: Watch) -> Generator[list[Raised], None, None]:
    """Each question of a node, whether or not the graph comes to hear of it."""
    raised: list[Raised] = []

    def make(original: Callable[..., None]) -> Callable[..., None]:
        def init(self: GraphInterrupt, *args: Any) -> None:
            frame = inspect.currentframe()
            above = frame.f_back if frame else None
            if above is not None and above.f_code is interrupt.__code__:
                raised.append(Raised(watch.life, *origin.node(), origin.place()))
            original(self, *args)

        return init

    with replaced(GraphInterrupt, "__init__", make):
        yield raised


def _digest(question: Question) -> str:
    """Of what people are shown; what they are not shown may differ."""
    with contextlib.suppress(UnreadableQuestion):
        return read_question(question.value, question.hints).request.digest
    return asked_digest(question.value)


def _note(question: Question) -> str:
    """Why it is asked again; "" where it is not, or is no request of ours."""
    with contextlib.suppress(UnreadableQuestion):
        return read_question(question.value, question.hints).note
    return ""


def _node_of(unstored: Unstored) -> str:
    return unstored.path.rpartition(", ")[2] if ", " in unstored.path else ""


def _refused_words(watch: Watch) -> str:
    places = ", ".join(watch.refused)
    return (
        f"it needs {places}, and nothing leaves this machine: point its settings at a stand-in, "
        "or name what may be called (--allow HOST, --allow subprocess)"
    )


def raised_words(error: BaseException) -> str:
    """What a node raised, and where, without a traceback."""
    node, words, place = _where(error)
    at = f" ({place.file}:{place.line})" if place else ""
    return f"{f'the node {node}' if node else 'the graph'} raised {words}{at}"


def _where(error: BaseException) -> tuple[str, str, Place | None]:
    notes = " ".join(getattr(error, "__notes__", ()))
    named = NODE.search(notes)
    frames = traceback.extract_tb(error.__traceback__)
    mine = [each for each in frames if origin.is_users(each.filename)]
    place = Place(mine[-1].filename, mine[-1].lineno or 1) if mine else None
    said = " ".join(str(error).split())
    return named[1] if named else "", f"{type(error).__name__}: {_cut(said, 300)}", place


def _cut(value: Any, limit: int = 120) -> str:
    text = value if isinstance(value, str) else repr(_shown(value))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _shown(value: Any) -> Any:
    """Of a request of ours: what it says; of a restricted one the title alone."""
    if not isinstance(value, Mapping) or not isinstance(value.get("request"), Mapping):
        return value
    request = value["request"]
    shown = ("title",) if request.get("sensitivity") == "restricted" else tuple(request)
    return {name: request[name] for name in shown if request[name]}
