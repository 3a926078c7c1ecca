"""advance: start, resume or recover a run under its lease, and note what came of it.

Only what can be mended by asking again escapes (Redis or the lease is gone); everything else is
noted in the record, with the time of the next try.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from langgraph.runtime import RunControl

from bot import steps
from bot.approvals import Approval
from bot.changes import Changes
from bot.doubts import answered, in_doubt
from bot.progress import Progress
from bot.records import Change
from bot.runs import MAX_ATTEMPTS, Run
from bot.store import Conflict, Store
from bot.telemetry import reference
from workflows.clock import Clock
from workflows.effects import EffectInDoubt, EffectKeyTaken, EffectLedger, EffectRefused
from workflows.lease import Lease, LeaseLost, Leases, LeaseTaken
from workflows.payloads import UnreadableQuestion, write_answer
from workflows.protocol import Policy
from workflows.runner import NodeRemoved, Runner, ThreadState, TookTooLong
from workflows.serializer import UnstorableState

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
# Trying again would end the same way.
FINAL = (EffectRefused, EffectInDoubt, EffectKeyTaken, UnreadableQuestion, UnstorableState)
PLAIN = (NodeRemoved, TookTooLong)  # their words are ours, and safe to show


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
                while await self._advance_once(thread_id, lease, control):
                    pass
        except LeaseTaken:
            log.info("%s is being advanced elsewhere", thread_id)
        except LeaseLost:
            log.warning("%s: the lease was lost; whoever holds it goes on", thread_id)
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
            state, doubted = await self._run_graph(run, lease, control)
            drained = control.drain_requested
            await self._note(run, lease, lambda p: p.note(state, drained=drained, doubted=doubted))
        except LeaseLost:
            raise
        except FINAL as error:
            words = str(error)
            log.error("%s failed: %s: %s", thread_id, type(error).__name__, words)  # noqa: TRY400 - expected
            await self._note(run, lease, lambda progress: progress.fail(words))
        except Exception as error:  # noqa: BLE001 - whatever the graph raised is the run's to tell
            words = _words(error, thread_id)
            await self._note(run, lease, lambda progress: progress.stumble(words))
        return not control.drain_requested

    async def _begin(self, thread_id: str, lease: Lease) -> Run | None:
        """The run with its attempt counted; None where it owes nothing now."""
        run = await self.store.run(thread_id)
        if run is None or run.closed or not await self._owes_advance(run):
            return None
        if run.workflow not in self.policies:
            log.warning("%s: the workflow %s is not known here", thread_id, run.workflow)
            left = run.leave(f"The workflow {run.workflow} is not known here", self.now())
            await self.store.commit(Change(left))
            return None
        if run.attempts >= MAX_ATTEMPTS:
            words = f"Gave up: {run.attempts} attempts did not come back."
            await self._note(run, lease, lambda progress: progress.fail(words))
            return None
        if run.retried_at:
            await self.effects.of(lease, thread_id).release()
        (begun,) = await self.store.commit(Change(run.begin(self.now())))
        return begun

    async def _owes_advance(self, run: Run) -> bool:
        now = self.now()
        if run.retry_at is not None and run.retry_at > now:
            return False  # whatever else is owed waits with it
        if run.status == "running" and run.retry_at is None:
            return True  # we hold its lease, so whoever ran it is gone
        records = [run, *await self.store.approvals_of(run.thread_id)]
        owed = [step for record in records for step in steps.due(record, now)]
        return any(step.kind == "advance" for step in owed)

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
        try:
            state = await self.runner.advance(
                run.workflow, run.thread_id, run.input, answers, lease=lease, control=control
            )
        except EffectInDoubt:
            state = await self.runner.look(run.workflow, run.thread_id)
            if state is None or not in_doubt(await self.effects.entries(run.thread_id)):
                raise
            return state, True
        return state, False

    async def _hand_over(self, run: Run) -> dict[str, object]:
        """Every decision whose outcome is open; recorded as handed over before it is."""
        state = await self.runner.look(run.workflow, run.thread_id)
        checkpoint = state.checkpoint_id if state else ""
        now = self.now()

        def handed(approval: Approval) -> Change:
            if approval.handed_over_at:
                return Change(approval)
            return approval.hand_over(now, self.instance, checkpoint)

        answers: dict[str, object] = {}
        for approval in await self.store.approvals_of(run.thread_id):
            if approval.decision and not approval.outcome and not approval.doubt:
                await self.changes.change(approval.id, handed, queue=True)
                answers[approval.id] = write_answer(approval.decision)
        return answers

    async def _note(
        self, run: Run, lease: Lease, transition: Callable[[Progress], list[Change]]
    ) -> None:
        """Write what came of an attempt at the run as it was begun; read again where someone
        decided meanwhile. Only the holder of the lease changes a run: one that was changed has
        another holder, and what this one saw of the graph is no longer so."""
        entries = await self.effects.entries(run.thread_id)
        while True:
            await lease.check()
            present = await self.store.run(run.thread_id)
            if present is None or present.version != run.version:
                raise LeaseLost(lease.key)
            progress = Progress(
                run,
                await self.store.approvals_of(run.thread_id),
                entries,
                policy=self.policies[run.workflow],
                channel=run.channel or self.channel,
                team=self.team,
                now=self.now(),
            )
            try:
                await self.changes.commit(*transition(progress))
            except Conflict:
                continue
            return


def _words(error: Exception, thread_id: str) -> str:
    """What people are told of an error: of a strange one its kind only, and where to look."""
    number = reference(error, thread_id=thread_id)
    return (
        str(error) if isinstance(error, PLAIN) else f"{type(error).__name__} (reference {number})"
    )
