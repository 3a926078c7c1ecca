"""What an attempt at a run means for its records: one pure step from before to after."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from bot.approvals import Approval
from bot.audit import Draft, Tag
from bot.doubts import ask, asked, in_doubt
from bot.outcomes import (
    CARRIED_OUT,
    CHANGED_SINCE,
    DONE_AND_FAILED,
    DOUBT_ASKED,
    ELSEWHERE,
    ENDED,
    FAILED,
    IN_DOUBT,
    IN_DOUBT_AND_FAILED,
    NOT_EXECUTED,
    NOT_TAKEN,
    NOTHING_EXECUTED,
    NOTHING_YET,
    ON_HOLD,
    TOO_LATE,
    WENT_ON,
)
from bot.outdating import asked_before, changes_of, not_executed
from bot.records import Change
from bot.runs import Run
from workflows.effects import EffectEntry
from workflows.payloads import UnreadableQuestion, read_question
from workflows.policy import Policy, PolicyError
from workflows.protocol import ApprovalRequest
from workflows.runner import Question, ThreadState


class Progress:
    """Collects what one attempt changed; it is committed together or not at all.

    approvals: of the thread, oldest first. effects: all that its ledger holds. policy, channel,
    team: for the questions that are new. in_ledger: what the ledger does not hold did not happen.
    """

    def __init__(
        self,
        run: Run,
        approvals: Sequence[Approval],
        effects: Sequence[EffectEntry],
        *,
        policy: Policy,
        channel: str,
        team: str,
        now: datetime,
        in_ledger: bool = True,
    ) -> None:
        self._run = run.to(team=run.team or team)
        self._before = {approval.id: approval for approval in approvals}
        self._after = dict(self._before)
        self._effects = effects
        self._policy = policy
        self._channel = channel
        self._now = now
        self._in_ledger = in_ledger
        self._events: list[Draft] = []

    def note(
        self, state: ThreadState, *, drained: bool = False, doubted: bool = False
    ) -> list[Change]:
        """The graph stopped by itself: it asks, it is finished, or it was drained. doubted: it
        stopped because a person has to say whether an effect happened."""
        self._note_effects()
        still_open = {question.key: question for question in state.open}
        self._apply(still_open)
        self._supersede(still_open)
        self._open(still_open.values())
        self._doubt()
        unsettled = any(_unsettled(approval) for approval in self._after.values())
        self._schedule(still_open, state.wakes_at)
        if not (state.stalled or unsettled or state.wakes_at):  # else the outcome is still to come
            self._conclude(still_open, finished=state.finished)
        if state.finished and not unsettled:
            self._tell(Tag.RUN_FINISHED)
            return self._all(self._run.finish(self._now))
        if doubted:  # all the rest is for the attempt after the answer
            return self._all(self._run.wait(self._now, state.wakes_at))
        return self._all(self._stopped(state, still_open, drained=drained))

    def _stopped(
        self, state: ThreadState, still_open: Mapping[str, Question], *, drained: bool
    ) -> Run:
        """Waiting, but where something is left to do: steps, or a decision that was handed over
        and not taken, since the graph was drained before its first step."""
        untaken = any(self._after[key].handed_over_at for key in still_open if key in self._before)
        if state.stalled or (untaken and drained):
            return self._run.drained(self._now)
        if untaken:
            return self._run.stumble(NOT_TAKEN, self._now)
        return self._run.wait(self._now, state.wakes_at)

    def stumble(self, error: str) -> list[Change]:
        """The attempt raised; the last of them fails the run."""
        after = self._run.stumble(error, self._now)
        if after.status == "failed":
            return self.fail(error)
        self._note_effects()
        self._doubt()
        return self._all(self._run.stumble(error, self._now))

    def fail(self, error: str) -> list[Change]:
        """The run is given up, and each of its cards says so."""
        self._note_effects()
        doubt = self._in_doubt()
        if doubt:
            self._tell(Tag.EFFECT_IN_DOUBT, {"text": doubt})
        cause = {"refused": True} if self._refused_for(error) else {}
        self._tell(Tag.RUN_FAILED, {"error": error, **cause})
        for approval in list(self._after.values()):
            why = ELSEWHERE if self._hides(approval) else error
            if approval.status == "pending":
                self._take(approval.supersede(self._now))
                self._give_up(approval.id, FAILED.format(why=why))
            elif approval.by_failure and not approval.outcome:
                self._give_up(approval.id, FAILED.format(why=why))
            elif approval.decision and not approval.outcome:
                self._give_up(approval.id, self._failed_on(approval, why))
        return self._all(self._run.fail(error, self._now))

    def _refused_for(self, error: str) -> bool:
        """Is it told already, by the effect that was refused just now?"""
        refused = [event for event in self._events if event.tag == Tag.EFFECT_REFUSED]
        return any(event.detail.get("text") == error for event in refused)

    def stop(self, why: str) -> list[Change]:
        """A person said no where the graph cannot be told so: it is not gone on with."""
        self._note_effects()
        self._tell(Tag.RUN_CANCELLED, {"why": why})
        for approval in list(self._after.values()):
            if approval.status == "pending":
                self._take(approval.supersede(self._now))
            elif approval.decision and not approval.outcome:
                done = self._executed_on(approval) or NOTHING_EXECUTED
                self._take(Change(approval.concluded("done", done, self._now)))
        return self._all(self._run.cancel(self._now))

    def block(self, reason: str) -> list[Change]:
        """This code cannot go on, and did nothing: told once, and on each card whose decision
        waits for it."""
        decided = [a for a in self._after.values() if a.decision and not a.outcome]
        if self._run.blocked_at is None:
            last = decided[-1].id if decided else None
            self._tell(Tag.RUN_BLOCKED, {"reason": reason}, last)
        for approval in decided:
            done = self._executed_on(approval) or self._in_doubt() or NOTHING_YET
            self._take(Change(approval.hold(ON_HOLD.format(reason=reason, done=done))))
        return self._all(self._run.block(reason, self._now))

    def _failed_on(self, approval: Approval, why: str) -> str:
        """What became of this decision, in words, where the run failed after it."""
        doubts, done = self._doubted_keys(), self._executed_on(approval)
        if doubts:
            return IN_DOUBT_AND_FAILED.format(keys=doubts, why=why)
        if done:
            return DONE_AND_FAILED.format(done=done, why=why)
        return (NOT_EXECUTED if self._in_ledger else FAILED).format(why=why)

    def _give_up(self, approval_id: str, text: str) -> None:
        self._take(Change(self._after[approval_id].given_up(text, self._now)))

    def _note_effects(self) -> None:
        """Tell the effects that the trail does not tell yet."""
        settled = [entry for entry in self._effects if entry.state in ("done", "refused")]
        news = [entry for entry in settled if _mark(entry) not in self._run.effects_noted]
        for entry in news:
            tag = Tag.EFFECT_OUTDATED if entry.changes else Tag.EFFECT_REFUSED
            tag = Tag.EFFECT_DONE if entry.state == "done" else tag
            known = [key for key in entry.decisions if key in self._before]
            hidden = [key for key in known if self._before[key].restricted]
            on = next(iter([*hidden, *known]), None)
            self._tell(tag, {"key": entry.key, "text": _words(entry)}, on)
        noted = (*self._run.effects_noted, *(_mark(entry) for entry in news))
        self._run = self._run.to(effects_noted=noted)

    def _executed_on(self, approval: Approval) -> str:
        """What was executed on this decision, in words; by an earlier attempt, too."""
        if approval.status not in ("approved", "edited"):
            return ""
        done = self._done_on(approval)
        if done and self._hides(approval):
            return CARRIED_OUT
        return "; ".join(_words(entry) for entry in done)

    def _hides(self, approval: Approval) -> bool:
        """Could what its run did or says tell of a restricted request beside this one?"""
        return not approval.restricted and any(a.restricted for a in self._after.values())

    def _alone_on(self, approval: Approval) -> bool:
        """Was something done that rests on this decision and on no other?"""
        return any(entry.decisions == (approval.id,) for entry in self._done_on(approval))

    def _done_on(self, approval: Approval) -> list[EffectEntry]:
        return [e for e in self._effects if e.state == "done" and approval.id in e.decisions]

    def _in_doubt(self) -> str:
        """Effects that were begun and of which nobody knows whether they happened, in words."""
        keys = self._doubted_keys()
        return IN_DOUBT.format(keys=keys) if keys else ""

    def _doubted_keys(self) -> str:
        keys = [e.key for e in self._effects if e.state in ("intended", "in_doubt")]
        return ", ".join(keys)

    def _apply(self, still_open: Mapping[str, Question]) -> None:
        for approval in list(self._after.values()):
            taken = approval.handed_over_at and not approval.applied_at
            if taken and approval.id not in still_open:
                self._take(Change(approval.applied(self._now)))

    def _conclude(self, still_open: Mapping[str, Question], *, finished: bool) -> None:
        """Say what became of each decision that the graph has taken, or ended without."""
        nothing = (NOTHING_EXECUTED if self._in_ledger else ENDED) if finished else WENT_ON
        for approval in list(self._after.values()):
            said = approval.outcome
            more = said and said.text == WENT_ON and self._came_of(approval)
            if not approval.decision or (said and not more) or approval.id in still_open:
                continue
            if approval.applied_at:
                self._take(Change(self._concluded(approval, nothing)))
            elif finished:
                self._take(Change(approval.concluded("failed", TOO_LATE, self._now)))

    def _concluded(self, approval: Approval, nothing: str) -> Approval:
        """nothing: what is said where nothing came of it that the ledger tells."""
        text = self._came_of(approval) or (WENT_ON if self._alone_on(approval) else nothing)
        failed = text.startswith(CHANGED_SINCE)
        return approval.concluded("failed" if failed else "done", text, self._now)

    def _came_of(self, approval: Approval) -> str:
        """What was executed on this decision, or why it was not."""
        if approval.status == "outdated":
            return NOTHING_EXECUTED
        changes = changes_of(approval, self._effects)
        hides = approval.restricted or self._hides(approval)
        return not_executed(changes, hides=hides) if changes else self._executed_on(approval)

    def _schedule(self, still_open: Mapping[str, Question], at: datetime | None) -> None:
        """Its decisions wait for a time, and their cards say until when."""
        for approval in list(self._after.values()):
            waits = approval.decision and not approval.outcome and approval.id not in still_open
            if approval.doubt or not waits or approval.goes_on_at == at:
                continue
            self._take(Change(approval.revised(goes_on_at=at)))
            if at:
                self._tell(Tag.RUN_SCHEDULED, {"until": at.isoformat()}, approval.id)

    def _supersede(self, still_open: Mapping[str, Question]) -> None:
        instead = next((key for key in still_open if key not in self._before), None)
        asked_still = {*still_open, *in_doubt(self._effects)}
        for approval in list(self._after.values()):
            if approval.status == "pending" and approval.id not in asked_still:
                by = None if approval.doubt else instead
                self._take(approval.supersede(self._now, by))

    def _open(self, questions: Iterable[Question]) -> None:
        for question in questions:
            known = self._before.get(question.key)
            if known and known.status != "superseded":
                continue
            if question.problem:
                raise UnreadableQuestion(question.problem)
            read = read_question(question.value, question.hints)
            refuse_undecidable(read.request)
            if known:
                self._take(known.reopen(read, self._policy, self._now))
                continue
            opened = Approval.open(
                self._run,
                question,
                read,
                policy=self._policy,
                channel=self._channel,
                now=self._now,
            )
            self._take(self._instead(opened))

    def _instead(self, opened: Change) -> Change:
        """Where it takes the place of what was approved and then changed, both say so."""
        asks: Approval = opened.record
        earlier = asked_before(self._after, self._effects, asks.node)
        if earlier is None:
            return opened
        before = self._after[earlier.approval]
        self._take(Change(before.revised(superseded_by=asks.id)))
        return Change(asks.to(earlier=earlier), opened.events)

    def _doubt(self) -> None:
        """Ask a person about each effect of which only a person can say whether it happened."""
        doubts = in_doubt(self._effects)
        resting = [on.id for entry in doubts.values() if (on := self._rests_on(entry))]
        for approval in list(self._after.values()):
            self._take(Change(approval.in_question(approval.id in resting)))
        for key, entry in doubts.items():
            known = self._before.get(key)
            if known and known.status != "superseded":
                continue
            on = self._rests_on(entry)
            if known:
                self._take(known.reopen(asked(entry, on), known.policy, self._now))
                continue
            self._take(ask(self._run, entry, on, self._policy, self._channel, self._now))
            text = DOUBT_ASKED.format(key=entry.key)
            self._tell(Tag.EFFECT_IN_DOUBT, {"key": entry.key, "text": text}, on.id if on else key)

    def _rests_on(self, entry: EffectEntry) -> Approval | None:
        """The decision that the effect was executed on."""
        found = [self._before[key] for key in entry.decisions if key in self._before]
        allowed = (a for a in found if a.status in ("approved", "edited"))
        return next(allowed, found[0] if found else None)

    def _tell(
        self, tag: Tag, detail: dict[str, JsonValue] | None = None, on: str | None = None
    ) -> None:
        """An event of the run, told in the thread of the card whose decision it rests on: `on`,
        or else the last that was handed over; where a request of the run is restricted, in that
        one's, which tells no values."""
        handed = [a for a in self._after.values() if a.handed_over_at]
        asked_by_the_graph = [a for a in handed if not a.doubt] or handed
        tells = [a for a in self._after.values() if a.restricted] or asked_by_the_graph
        last = max(tells, key=lambda a: a.handed_over_at or self._now, default=None)
        approval_id = on or (last.id if last else None)
        self._events.append(self._run.event(tag, self._now, None, detail, approval_id))

    def _take(self, change: Change) -> None:
        approval: Approval = change.record
        self._after[approval.id] = approval
        self._events += change.events

    def _all(self, run: Run) -> list[Change]:
        told = {event.approval_id for event in self._events}
        changed = [
            Change(approval)
            for key, approval in self._after.items()
            if key in told or approval != self._before.get(key)
        ]
        return [Change(run, tuple(self._events)), *changed]


def refuse_undecidable(request: ApprovalRequest) -> None:
    """UnreadableQuestion where nobody could decide it."""
    if request.policy is None:
        return  # the workflow's own was checked at start
    try:
        request.policy.check()
    except PolicyError as problem:
        raise UnreadableQuestion(f"the request's policy {problem}") from None


def _unsettled(approval: Approval) -> bool:
    """Does the ledger still wait for what a person says?"""
    open_or_new = approval.status in ("pending", "answered") and not approval.outcome
    return approval.doubt is not None and open_or_new


def _mark(entry: EffectEntry) -> str:
    return f"{entry.state} {entry.key} {entry.attempt}"


def _words(entry: EffectEntry) -> str:
    if entry.receipt is None:
        return entry.error or entry.state
    return f"{entry.receipt.summary}, {entry.receipt.id}"
