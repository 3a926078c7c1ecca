"""advance: start, resume or recover a run under its lease, and note what came of it.

Only what can be mended by asking again escapes (Redis or the lease is gone); everything else is
noted in the record, with the time of the next try.
"""

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from langgraph.runtime import RunControl

from bot import steps
from bot.approvals import Approval
from bot.changes import LOOKS, Changes
from bot.doubts import answered, in_doubt
from bot.outcomes import GAVE_UP, STOPPED, STRANGE
from bot.outdating import outdated, rests_on_preconditions, to_be_checked
from bot.progress import Progress
from bot.records import Change
from bot.runs import MAX_ATTEMPTS, Run
from bot.store import Conflict, Store
from bot.telemetry import reference
from workflows.clock import Clock
from workflows.effects import (
    EffectInDoubt,
    EffectKeyTaken,
    EffectLedger,
    EffectNotYet,
    EffectRefused,
    ProviderAway,
)
from workflows.lease import Lease, LeaseLost, Leases, LeaseTaken
from workflows.payloads import NO_HINTS, OURS, UnreadableQuestion, read_question, write_answer
from workflows.policy import Policy
from workflows.preconditions import PreconditionFailed
from workflows.runner import CannotGoOn, Question, Runner, ThreadState, TookTooLong
from workflows.schema import Unreadable
from workflows.serializer import UnstorableState

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
# Trying again would end the same way.
FINAL = (
    EffectRefused,
    EffectInDoubt,
    EffectKeyTaken,
    PreconditionFailed,
    UnreadableQuestion,
    UnstorableState,
)
PLAIN = (TookTooLong, EffectNotYet, ProviderAway)  # their words are ours, or meant for people
NOBODY = Policy(approvers=())  # of a workflow that is not known here: it opens no question


@dataclass(frozen=True)
class Advancing:
    """policies: of each workflow, by name. channel, team: of new questions. instance: names this
    process in the trail."""

    changes: Changes
    runner: Runner
    effects: EffectLedger
    leases: Leases
    policies: dict[str, Policy]
    channel: str
    team: str
    instance: str
    running: set[RunControl] = field(default_factory=set[RunControl])

    @property
    def store(self) -> Store:
        return self.changes.store

    @property
    def now(self) -> Clock:
        return self.changes.now

    def drain(self) -> None:
        """Have each graph that runs here stop at its next step; another worker goes on."""
        for control in self.running:
            control.request_drain()

    async def advance(self, thread_id: str) -> None:
        control = RunControl()
        self.running.add(control)
        try:
            async with self.leases.hold(
                thread_id, wait=WAIT_FOR_LEASE, on_lost=control.request_drain
            ) as lease:
                for _ in range(LOOKS):  # where that is not enough, reconcile asks again
                    if not await self._advance_once(thread_id, lease, control):
                        break
        except LeaseTaken:
            log.info("%s is being advanced elsewhere", thread_id)
        except LeaseLost:
            log.warning("%s: the lease was lost; whoever holds it goes on", thread_id)
        except Conflict:
            log.warning("%s: its records never rest; reconcile asks again", thread_id)
        except Unreadable as error:
            await self._leave(thread_id, error)
        finally:
            self.running.discard(control)

    async def _advance_once(self, thread_id: str, lease: Lease, control: RunControl) -> bool:
        """False where nothing is owed."""
        try:
            run = await self._begin(thread_id, lease)
        except Conflict:
            return True  # the trail moved: look again
        if run is None:
            return False
        try:
            await self._settle(run, lease)
            if any(each.stops for each in await self.store.approvals_of(thread_id)):
                await self._note(run, lease, lambda progress: progress.stop(STOPPED))
                return False
            state, doubted = await self._run_graph(run, lease, control)
            drained = control.drain_requested
            await self._note(run, lease, lambda p: p.note(state, drained=drained, doubted=doubted))
        except (LeaseLost, Conflict, Unreadable):
            raise
        except CannotGoOn as error:
            words = str(error)
            log.warning("%s is blocked: %s", thread_id, words)
            await self._note(run, lease, lambda progress: progress.block(words))
        except FINAL as error:
            words = str(error)
            told = "its request is restricted" if await self._hides(thread_id) else words
            log.error("%s failed: %s: %s", thread_id, type(error).__name__, told)  # noqa: TRY400 - expected
            await self._note(run, lease, lambda progress: progress.fail(words))
        except Exception as error:  # noqa: BLE001 - whatever the graph raised is the run's to tell
            words = _words(error, thread_id, hides=await self._hides(thread_id))
            await self._note(run, lease, lambda progress: progress.stumble(words))
        return not control.drain_requested

    async def _hides(self, thread_id: str) -> bool:
        """Could an error of this run tell what no log may?"""
        return any(a.restricted for a in await self.store.approvals_of(thread_id))

    async def _begin(self, thread_id: str, lease: Lease) -> Run | None:
        """The run with its attempt counted; None where it owes nothing now."""
        run = await self.store.run(thread_id)
        if run is None or run.closed or not await self._owes_advance(run):
            return None
        if run.attempts >= MAX_ATTEMPTS:
            words = GAVE_UP.format(count=run.attempts)
            await self._note(run, lease, lambda progress: progress.fail(words))
            return None
        if run.retried_at:
            await self.effects.of(lease, thread_id).release()
        (begun,) = await self.store.commit(Change(run.begin(self.now())))
        return begun

    async def _owes_advance(self, run: Run) -> bool:
        """All its records are read before anything is begun: Unreadable where one is not."""
        now = self.now()
        approvals = await self.store.approvals_of(run.thread_id)
        decided = any(_advances(approval, now) for approval in approvals)
        if run.retry_at is not None and run.retry_at > now:
            # Whatever is owed waits with it; but what is decided on hold is told so at once.
            return run.status == "blocked" and decided
        if run.status == "running" and run.retry_at is None:
            return True  # we hold its lease, so whoever ran it is gone
        return decided or _advances(run, now)

    async def _leave(self, thread_id: str, why: Unreadable) -> None:
        """For a worker with newer code; this one asks in a minute, unless it cannot read the run
        itself: then it is never asked."""
        self.store.pass_over(why)
        with contextlib.suppress(Unreadable, Conflict):  # someone else goes on with it already
            run = await self.store.run(thread_id)
            if run is not None and (run.status == "running" or _advances(run, self.now())):
                await self.store.commit(Change(run.leave(str(why), self.now())))

    async def _settle(self, run: Run, lease: Lease) -> None:
        """What people said of effects in doubt: into the ledger first, then into the record; a
        crash in between writes the same again."""
        entries = {entry.key: entry for entry in await self.effects.entries(run.thread_id)}
        for approval in await self.store.approvals_of(run.thread_id):
            if approval.doubt is None or approval.decision is None or approval.outcome:
                continue
            now = self.now()
            entry, said = answered(approval, entries.get(approval.doubt.key), now)
            if entry is not None:
                await self.effects.of(lease, run.thread_id).settle(entry)
            await self.changes.change(
                approval.id, lambda a, said=said, now=now: a.settled(said, now), queue=True
            )

    async def _run_graph(
        self, run: Run, lease: Lease, control: RunControl
    ) -> tuple[ThreadState, bool]:
        """The thread as it stands after an attempt; True where it stopped because of an effect
        that only a person can clear up. The ledger has noted that, not only the exception."""
        answers = await self._hand_over(run)
        approvals = await self.store.approvals_of(run.thread_id)
        decided = {each.id: each.decision for each in approvals if each.decision}
        approved = [each for each in approvals if rests_on_preconditions(each)]
        try:
            state = await self.runner.advance(
                run.workflow,
                run.thread_id,
                run.input,
                answers,
                decided=decided,
                declared={each.id: each.request.preconditions for each in approved},
                now=self.now(),
                lease=lease,
                control=control,
            )
        except EffectInDoubt:
            state = await self.runner.look(run.workflow, run.thread_id)
            if state is None or not in_doubt(await self.effects.entries(run.thread_id)):
                raise
            return state, True
        return state, False

    async def _hand_over(self, run: Run) -> dict[str, object]:
        """Every decision whose outcome is open; recorded as handed over before it is."""
        state = await self.runner.ready(run.workflow, run.thread_id)
        checkpoint = state.checkpoint_id if state else ""
        asking = {question.key: question for question in state.open} if state else {}
        now = self.now()

        def handed(approval: Approval) -> Change:
            if approval.handed_over_at and not approval.held:
                return Change(approval)
            return approval.hand_over(now, self.instance, checkpoint)

        await self._outdate(run, asking)
        answers: dict[str, object] = {}
        for approval in await self.store.approvals_of(run.thread_id):
            if not approval.decision or approval.outcome or approval.doubt:
                continue
            question = asking.get(approval.id)
            if question is not None and approval.asks_otherwise(question):
                await self._void(run, approval, question)
                continue
            await self.changes.change(approval.id, handed, queue=True)
            value, hints = (question.value, question.hints) if question else (OURS, NO_HINTS)
            answers[approval.id] = write_answer(approval.decision, value, hints)
        return answers

    async def _outdate(self, run: Run, asking: Mapping[str, Question]) -> None:
        """Void what was approved and rests on what has changed since: the graph is told that, and
        prepares anew. Once something was handed over, it is the effect that looks."""
        for approval in await self.store.approvals_of(run.thread_id):
            question = asking.get(approval.id)
            if question is None or not to_be_checked(approval) or approval.asks_otherwise(question):
                continue
            now, declared = self.now(), approval.request.preconditions
            changes = await self.runner.unmet(run.workflow, declared, now)
            if changes:
                change = partial(outdated, changes=changes, now=now)
                await self.changes.change(approval.id, change, queue=True)

    async def _void(self, run: Run, approval: Approval, question: Question) -> None:
        """What would be answered is not what was decided: nothing is handed over."""
        asked, now = read_question(question.value, question.hints), self.now()
        policy = self.policies.get(run.workflow, NOBODY)
        await self.changes.change(approval.id, lambda a: a.void(asked, policy, now), queue=True)

    async def _note(
        self, run: Run, lease: Lease, transition: Callable[[Progress], list[Change]]
    ) -> None:
        """Write what came of an attempt at the run as it was begun; read again where someone
        decided meanwhile. Only the holder of the lease changes a run: one that was changed has
        another holder, and what this one saw of the graph is no longer so."""
        entries = await self.effects.entries(run.thread_id)
        for _ in range(LOOKS):
            await lease.check()
            present = await self.store.run(run.thread_id)
            if present is None or present.version != run.version:
                raise LeaseLost(lease.key)
            progress = Progress(
                run,
                await self.store.approvals_of(run.thread_id),
                entries,
                policy=self.policies.get(run.workflow, NOBODY),
                channel=run.channel or self.channel,
                team=self.team,
                now=self.now(),
                in_ledger=self.runner.keeps_ledger(run.workflow),
            )
            try:
                await self.changes.commit(*transition(progress))
            except Conflict:
                continue
            return
        raise Conflict(run.thread_id)


def _advances(record: Run | Approval, now: datetime) -> bool:
    return any(step.kind == "advance" for step in steps.due(record, now))


def _words(error: Exception, thread_id: str, *, hides: bool) -> str:
    """What people are told of an error: of a strange one its kind only, and where to look."""
    number = reference(error, hides=hides, thread_id=thread_id)
    strange = STRANGE.format(kind=type(error).__name__, number=number)
    return str(error) if isinstance(error, PLAIN) else strange
