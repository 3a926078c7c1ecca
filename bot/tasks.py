"""What workers do, in the order of an approval's life. Each task may run any number of times.

A task reads the record, does what is owed, commits, and asks `steps.due` again. Only what can be
mended by asking again escapes (Redis or the lease is gone); everything else is noted in the
record, with the time of the next try.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from langgraph.runtime import RunControl
from redis.exceptions import RedisError

from bot import steps
from bot.approvals import Approval, Closed, MessageRef
from bot.progress import Progress
from bot.queue import Queue
from bot.records import Change
from bot.runs import MAX_ATTEMPTS, Run
from bot.slack import SlackGateway, SlackRefused, SlackUnavailable
from bot.store import Conflict, Store
from bot.telemetry import reference
from bot.views.card import card
from bot.views.trail import reply
from workflows.clock import Clock, utc_now
from workflows.effects import EffectInDoubt, EffectLedger, EffectRefused
from workflows.lease import Lease, LeaseLost, Leases, LeaseTaken
from workflows.payloads import UnreadableQuestion, write_answer
from workflows.protocol import Policy
from workflows.runner import NodeRemoved, Runner, TookTooLong
from workflows.serializer import UnstorableState

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
# Trying again would end the same way.
FINAL = (EffectRefused, EffectInDoubt, UnreadableQuestion, UnstorableState)
GONE = ("message_not_found", "thread_not_found", "cannot_reply_to_message")
PLAIN = (NodeRemoved, TookTooLong)  # their words are ours, and safe to show


@dataclass(frozen=True)
class Tasks:
    """Its bound methods are the docket tasks. instance: names this process in the trail.
    policy: of each workflow, by name."""

    store: Store
    queue: Queue
    runner: Runner
    effects: EffectLedger
    leases: Leases
    slack: SlackGateway
    policies: dict[str, Policy]
    channel: str
    instance: str
    now: Clock = utc_now
    running: set[RunControl] = field(default_factory=set[RunControl])

    def drain(self) -> None:
        """Have each graph that runs here stop at its next step; another worker goes on."""
        for control in self.running:
            control.request_drain()

    def register(self) -> None:
        self.queue.serve(advance=self.advance, show=self.show, expire=self.expire)

    # --- advance: start, resume or recover a run, and note what came of it

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
            answers = await self._hand_over(run)
            state = await self.runner.advance(
                run.workflow, thread_id, run.input, answers, lease=lease, control=control
            )
            await self._note(run, lease, lambda progress: progress.note(state))
        except (LeaseLost, RedisError):
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
            if approval.decision and not approval.outcome:
                await self._change(approval.id, handed, queue=True)
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
                team=self.slack.team,
                now=self.now(),
            )
            try:
                await self.commit(*transition(progress))
            except Conflict:
                continue
            return

    # --- show: the card, and the replies that tell its trail, in order

    async def show(self, approval_id: str) -> None:
        try:
            async with self.leases.hold(f"card:{approval_id}", wait=WAIT_FOR_LEASE):
                while await self._show_next(approval_id):
                    pass
        except (LeaseTaken, LeaseLost):
            log.info("%s is being shown elsewhere", approval_id)
        except SlackRefused as refused:
            await self._undelivered(approval_id, refused.code, logging.ERROR)
        except SlackUnavailable as error:
            await self._undelivered(approval_id, str(error), logging.WARNING, error.retry_after)
        except RedisError:
            raise
        except Exception as error:  # noqa: BLE001 - a card that cannot be drawn must not come back at once
            number = reference(error, approval_id=approval_id)
            await self._undelivered(approval_id, f"error {number}", logging.ERROR)

    async def _show_next(self, approval_id: str) -> bool:
        """False where Slack has everything, or has to be left alone for a while."""
        approval = await self.store.approval(approval_id)
        if approval is None:
            return False
        if approval.delivery and approval.delivery.retry_at > self.now():
            return False
        if approval.message is None:
            await self._post(approval)
        elif approval.shown < approval.revision or approval.replied < approval.trail:
            await self._follow(approval, approval.message)
        else:
            return False
        return True

    async def _follow(self, approval: Approval, where: MessageRef) -> None:
        """Bring the message, then its thread, up to the record; a message that someone deleted
        is posted anew, with the whole trail under it."""
        try:
            if approval.shown < approval.revision:
                await self._update(approval, where)
            else:
                await self._reply(approval, where)
        except SlackRefused as refused:
            if refused.code not in GONE:
                raise
            await self._change(approval.id, lambda a: Change(a.lost()))

    async def _post(self, approval: Approval) -> None:
        """Look for our own message first, unless nobody can have posted it yet."""
        revision, now = approval.revision, self.now()
        found = None
        if approval.posting_since:
            since = approval.posting_since
            found = await self.slack.find_card(approval.channel, approval.id, since)
        else:
            await self._change(approval.id, lambda a: Change(a.posting(now)))
        where = found or await self._post_new(approval)
        shown = 0 if found else revision  # what was found may be older: it is drawn again
        await self._change(approval.id, lambda a: a.posted(where, shown, now, self.instance))

    async def _post_new(self, approval: Approval) -> MessageRef:
        drawn = card(approval, await self._names(approval))
        try:
            return await self.slack.post_card(approval.channel, approval.id, drawn)
        except SlackRefused:
            await self._change(approval.id, lambda a: Change(a.not_posted()))
            raise

    async def _update(self, approval: Approval, where: MessageRef) -> None:
        revision, now = approval.revision, self.now()
        await self.slack.update_card(where, card(approval, await self._names(approval)))
        await self._change(approval.id, lambda a: a.posted(where, revision, now))

    async def _reply(self, approval: Approval, where: MessageRef) -> None:
        number = approval.replied + 1
        events = [
            e for e in await self.store.trail(approval.thread_id) if e.approval_id == approval.id
        ]
        event = events[number - 1]
        drawn = reply(event, await self._names(approval))
        if drawn and not await self._stands(approval, where, number):
            await self.slack.reply(where, approval.id, number, drawn)
        await self._change(approval.id, lambda a: Change(a.replied_to(number)))

    async def _stands(self, approval: Approval, where: MessageRef, number: int) -> bool:
        """Has an earlier try, whose answer was lost, already posted this reply?"""
        if approval.reply_tried == number:
            return await self.slack.has_reply(where, approval.id, number)
        await self._change(approval.id, lambda a: Change(a.replying(number)))
        return False

    async def _undelivered(
        self, approval_id: str, code: str, level: int, retry_after: float = 0.0
    ) -> None:
        log.log(level, "%s: the card or a reply did not reach Slack: %s", approval_id, code)
        now = self.now()
        await self._change(approval_id, lambda a: Change(a.undelivered(code, now, retry_after)))

    async def _names(self, approval: Approval) -> dict[str, str]:
        named = [field.value for field in approval.request.fields if field.kind == "user"]
        voters = [vote.by.user for vote in approval.votes]
        return await self.slack.names([approval.requester, *named, *voters])

    # --- expire: the deadline of a question has passed

    async def expire(self, approval_id: str) -> None:
        now = self.now()

        def expired(approval: Approval) -> Change:
            past = approval.expires_at is not None and approval.expires_at <= now
            return approval.expire(now) if past else Change(approval)

        try:
            await self._change(approval_id, expired, queue=True)
        except Closed:
            log.info("%s was decided before it expired", approval_id)

    # --- reconcile: ask for every record what is still owed

    async def reconcile(self) -> None:
        now = self.now()
        async for record in self.store.owing(now):
            for step in steps.due(record, now):
                await self.queue.add(step)

    # --- what they share

    async def commit(self, *changes: Change) -> None:
        """Commit, and queue what is owed then. A crash in between is found by reconcile."""
        now = self.now()
        for record in await self.store.commit(*changes):
            for step in steps.due(record, now):
                await self.queue.add(step)

    async def _change(
        self, approval_id: str, transition: Callable[[Approval], Change], *, queue: bool = False
    ) -> None:
        """Commit a transition of the approval as it stands; again where it moved meanwhile.

        queue: what is owed then; `show` does not, it goes on itself until nothing is.
        """
        while True:
            approval = await self.store.approval(approval_id)
            if approval is None:
                return
            change = transition(approval)
            try:
                if change.record != approval:
                    await (self.commit if queue else self.store.commit)(change)
            except Conflict:
                continue
            return


def _words(error: Exception, thread_id: str) -> str:
    """What people are told of an error: of a strange one its kind only, and where to look."""
    number = reference(error, thread_id=thread_id)
    return (
        str(error) if isinstance(error, PLAIN) else f"{type(error).__name__} (reference {number})"
    )
