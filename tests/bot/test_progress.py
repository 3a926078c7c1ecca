"""What an attempt means for the records: asked, told once, superseded, concluded in true words."""

from operator import methodcaller
from typing import Any

import pytest

from bot.approvals import Approval
from bot.audit import Draft, Tag
from bot.outcomes import NOTHING_EXECUTED
from bot.progress import Progress
from bot.records import Change
from bot.runs import MAX_ATTEMPTS, Run
from tests.bot.samples import (
    CHANNEL,
    MARA,
    NOW,
    POLICY,
    TEAM,
    after,
    approval,
    approve,
    approved,
    effect,
    handed_over,
    question,
    reject,
    request,
    run,
    state,
)
from workflows.effects import EffectEntry, Receipt
from workflows.payloads import UnreadableQuestion
from workflows.policy import Policy
from workflows.runner import Question

ASKED = request()


class After:
    """The records after an attempt, by id, and what was told."""

    def __init__(self, changes: list[Change]) -> None:
        self.run: Run = changes[0].record
        self.approvals: dict[str, Approval] = {c.record.id: c.record for c in changes[1:]}
        self.events: list[Draft] = [event for change in changes for event in change.events]

    @property
    def told(self) -> list[tuple[Tag, str | None]]:
        return [(event.tag, event.approval_id) for event in self.events]

    def outcome(self, key: str = "ap_1") -> tuple[str, str] | None:
        outcome = self.approvals[key].outcome
        return (outcome.state, outcome.text) if outcome else None


def progress(
    *approvals: Approval, of: Run | None = None, effects: tuple[EffectEntry, ...] = (), at: int = 10
) -> Progress:
    return Progress(
        of or run().begin(NOW), approvals, effects,
        policy=POLICY, channel=CHANNEL, team=TEAM, now=after(at),
    )  # fmt: skip


def handed(key: str = "ap_1") -> Approval:
    return handed_over(approval(id=key), after(1))


REFUND = effect(at=after(2))
TWO_WAITING = (approval(), approval(id="ap_2"))


def test_a_question_is_opened_once() -> None:
    first = After(progress().note(state(question(ASKED))))
    again = After(progress(first.approvals["ap_1"]).note(state(question(ASKED))))

    assert first.run.status == "waiting"
    assert first.told == [(Tag.REQUESTED, "ap_1")]
    assert (first.approvals["ap_1"].digest, first.approvals["ap_1"].channel) == (
        ASKED.digest, CHANNEL,
    )  # fmt: skip
    assert (again.told, again.approvals) == ([], {})


def test_a_run_without_a_workspace_gets_that_of_the_bot() -> None:
    opened = After(progress(of=run(team="")).note(state(question(ASKED))))

    assert (opened.run.team, opened.approvals["ap_1"].team) == (TEAM, TEAM)
    assert After(progress(of=run(team="T0OTHER")).note(state())).run.team == "T0OTHER"


def test_siblings_are_left_alone() -> None:
    decided = After(progress(*TWO_WAITING[1:], handed()).note(state(question(ASKED, "ap_2"))))

    assert set(decided.approvals) == {"ap_1"}
    assert decided.run.status == "waiting"


def test_what_is_asked_no_more_is_superseded_by_what_is_asked_instead() -> None:
    other = request(title="Refund $90.00 to Acme GmbH")
    went_on = After(progress(approval()).note(state(question(other, "ap_2"))))

    assert went_on.approvals["ap_1"].status == "superseded"
    assert went_on.approvals["ap_1"].superseded_by == "ap_2"
    assert went_on.approvals["ap_2"].status == "pending"
    assert went_on.told == [(Tag.SUPERSEDED, "ap_1"), (Tag.REQUESTED, "ap_2")]


def test_a_decision_is_never_superseded() -> None:
    other = request(title="Refund $90.00 to Acme GmbH")
    went_on = After(progress(approved()).note(state(question(other, "ap_2"))))

    assert "ap_1" not in went_on.approvals


def test_a_decision_that_the_finished_graph_never_took_is_said_to_be_without_effect() -> None:
    """Else the card would say for ever that it resumes, and the step would be owed for ever."""
    ended = After(progress(approved()).note(state(finished=True)))

    assert ended.outcome() is not None
    assert ended.approvals["ap_1"].status == "approved"
    assert ended.outcome() == ("failed", "Not executed: the workflow ended without this decision")


DONE = "Refund done, re_1"
MAIL = effect("mail:1", after(3), receipt=effect().receipt.model_copy(update={"id": "m_2"}))  # type: ignore[union-attr]
CONCLUDED: dict[str, tuple[tuple[EffectEntry, ...], str]] = {
    "an effect": ((REFUND,), DONE),
    "two": ((REFUND, MAIL), f"{DONE}; Refund done, m_2"),
    "none": ((), NOTHING_EXECUTED),
    "one that was only intended": (
        (effect(at=after(2), state="intended", receipt=None),), NOTHING_EXECUTED,
    ),
    "one that was refused": (
        (effect(at=after(2), state="refused", receipt=None, error="no"),), NOTHING_EXECUTED,
    ),
    "one of another decision": ((effect(decisions=("ap_0",)),), NOTHING_EXECUTED),
}  # fmt: skip


@pytest.mark.parametrize("name", CONCLUDED)
def test_the_outcome_says_what_was_executed(name: str) -> None:
    effects, text = CONCLUDED[name]
    ended = After(progress(handed(), effects=effects).note(state(finished=True)))

    assert ended.outcome() == ("done", text)
    assert ended.approvals["ap_1"].applied_at == after(10)
    assert ended.run.status == "finished"
    assert ended.told[-1] == (Tag.RUN_FINISHED, "ap_1")


def test_where_the_graph_goes_on_without_an_effect_the_card_says_so() -> None:
    other = question(request(title="Then this?"), "ap_2")
    went_on = After(progress(handed()).note(state(other)))

    assert went_on.outcome() == ("done", "The workflow went on")


def test_a_decision_that_is_asked_about_still_is_not_concluded() -> None:
    same = After(progress(handed()).note(state(question(ASKED))))

    assert same.approvals == {}


def test_what_is_executed_later_on_a_decision_is_said_on_its_card() -> None:
    """Its branch waited for the question beside it."""
    before = handed().applied(NOW).concluded("done", "The workflow went on", NOW)
    after_all = After(progress(before, effects=(REFUND,)).note(state(finished=True)))
    nothing_new = After(progress(before).note(state(finished=True)))

    assert after_all.outcome() == ("done", DONE)
    assert "ap_1" not in nothing_new.approvals or nothing_new.outcome() == (
        "done",
        "The workflow went on",
    )


def test_a_decision_that_was_handed_over_and_not_taken_is_not_waited_for() -> None:
    """The worker was told to stop before the graph's first step: nobody else would go on."""
    same = state(question(ASKED))
    stopped = After(progress(handed()).note(same, drained=True))
    refused = After(progress(handed(), of=run().begin(NOW)).note(same))

    assert stopped.run.status == "queued"
    assert (refused.run.status, refused.run.retry_at is not None) == ("running", True)
    assert "did not take the decision" in refused.run.error


def test_a_rejection_on_which_something_was_done_is_not_said_to_have_done_nothing() -> None:
    rejected = approval().decide(reject(approval()), NOW).record
    handed_to = rejected.hand_over(NOW, "one", "cp1").record
    ended = After(progress(handed_to, effects=(REFUND,)).note(state(finished=True)))

    assert ended.outcome() == ("done", "The workflow went on")


def test_an_answer_that_was_not_accepted_is_asked_again() -> None:
    again = After(progress(handed()).note(state(question(ASKED, "ap_2"))))

    assert again.approvals["ap_2"].status == "pending"


def test_effects_are_told_once() -> None:
    refused = effect("mail:1", after(3), state="refused", receipt=None, error="Unknown address")
    first = After(progress(handed(), effects=(REFUND, refused)).stumble("ouch"))
    again = After(
        progress(handed(), of=first.run.begin(NOW), effects=(REFUND, refused)).stumble("ouch")
    )

    assert first.told == [(Tag.EFFECT_DONE, "ap_1"), (Tag.EFFECT_REFUSED, "ap_1")]
    assert [event.detail["text"] for event in first.events] == [DONE, "Unknown address"]
    assert again.told == []


def test_a_refusal_by_a_later_try_is_told_too() -> None:
    def refused(attempt: str) -> EffectEntry:
        return effect(state="refused", receipt=None, error="no", attempt=attempt)

    first = After(progress(handed(), effects=(refused("a1"),)).stumble("ouch"))
    again = After(progress(handed(), of=first.run, effects=(refused("a2"),)).stumble("ouch"))

    assert again.told == [(Tag.EFFECT_REFUSED, "ap_1")]


@pytest.mark.parametrize("interrupted", ["stumbled", "drained"])
def test_an_effect_of_an_earlier_attempt_is_in_the_outcome(interrupted: str) -> None:
    """Nobody may read `Nothing was executed` of money that was paid."""
    before = progress(handed(), effects=(REFUND,))
    first = After(before.stumble("x") if interrupted == "stumbled" else
                  before.note(state(stalled=True)))  # fmt: skip
    later = first.approvals.get("ap_1", handed())
    begun = first.run.begin(NOW)
    ended = After(progress(later, of=begun, effects=(REFUND,)).note(state(finished=True)))
    failed = After(progress(later, of=begun, effects=(REFUND,)).fail("ouch"))

    assert ended.outcome() == ("done", DONE)
    assert failed.outcome() == ("failed", f"{DONE}, but then the workflow failed: ouch")


def test_a_drained_run_has_no_outcome_yet() -> None:
    drained = After(progress(handed()).note(state(stalled=True)))

    assert drained.run.status == "queued"
    assert drained.outcome() is None
    assert drained.approvals["ap_1"].applied_at == after(10)


def test_a_failed_run_says_so_on_every_card() -> None:
    waiting, decided = approval(id="ap_2"), approved(approval(id="ap_3"))
    failed = After(progress(handed(), waiting, decided).fail("Card was declined"))

    assert failed.outcome("ap_1") == ("failed", "Not executed: Card was declined")
    assert failed.outcome("ap_3") == ("failed", "Not executed: Card was declined")
    assert failed.approvals["ap_2"].status == "superseded"
    assert failed.outcome("ap_2") == ("failed", "The workflow failed: Card was declined")
    assert all(a.outcome and a.outcome.run_failed for a in failed.approvals.values())
    assert (failed.run.status, failed.run.error) == ("failed", "Card was declined")
    assert (Tag.RUN_FAILED, "ap_1") in failed.told


def test_an_outcome_that_stands_is_left_as_it_is() -> None:
    over = handed().applied(after(3)).concluded("done", DONE, after(3))

    assert After(progress(over).fail("later")).outcome() == ("done", DONE)
    assert After(progress(over).note(state(finished=True))).outcome() == ("done", DONE)


def test_the_last_stumble_fails_the_run() -> None:
    last = run(attempts=MAX_ATTEMPTS, status="running")
    tried = run(attempts=MAX_ATTEMPTS - 1, status="running")

    assert After(progress(handed(), of=last).stumble("ouch")).run.status == "failed"
    assert After(progress(handed(), of=last).stumble("ouch")).outcome() is not None
    assert After(progress(handed(), of=tried).stumble("ouch")).run.status == "running"


@pytest.mark.parametrize(
    ("attempt", "tags"),
    [
        (methodcaller("note", state(finished=True)), [Tag.EFFECT_DONE, Tag.RUN_FINISHED]),
        (methodcaller("fail", "no"), [Tag.EFFECT_DONE, Tag.RUN_FAILED]),
    ],
)
def test_a_run_without_any_approval_tells_its_events_all_the_same(
    attempt: Any, tags: list[Tag]
) -> None:
    ended = After(attempt(progress(effects=(REFUND,))))

    assert ended.told == [(tag, None) for tag in tags]
    assert ended.approvals == {}


def test_events_of_the_run_are_told_below_the_card_decided_last() -> None:
    first, last = handed_over(approval(), after(1)), handed_over(approval(id="ap_2"), after(2))
    ended = After(progress(last, first, approval(id="ap_3")).note(state(finished=True)))

    assert ended.told[-1] == (Tag.RUN_FINISHED, "ap_2")


def test_a_card_whose_thread_tells_something_is_committed_with_it() -> None:
    """Its trail grows, so its record must."""
    over = handed().applied(after(3)).concluded("done", DONE, after(3))
    ended = After(progress(over).note(state(finished=True)))

    assert set(ended.approvals) == {"ap_1"}


def test_a_decision_made_meanwhile_is_kept() -> None:
    decided = approval().decide(approve(approval()), after(4)).record
    still = After(progress(decided).note(state(question(ASKED))))

    assert still.approvals == {}
    assert still.run.status == "waiting"


def test_an_unreadable_question_is_an_error_that_says_so() -> None:
    strange = Question("ap_9", "i9", {"countersign": 1}, "gate", "", "cp1", answered=False)

    with pytest.raises(UnreadableQuestion, match="the request's request"):
        progress().note(state(strange))


def test_a_run_that_fails_in_doubt_does_not_say_that_nothing_happened() -> None:
    intended = effect(state="intended", receipt=None)
    failed = After(progress(handed(), effects=(intended,)).fail("TimeoutError"))

    outcome = failed.outcome()
    assert outcome is not None
    assert "It may have happened: ask the provider for refund:1" in outcome[1]
    assert (Tag.EFFECT_IN_DOUBT, "ap_1") in failed.told


def test_a_rejection_is_never_told_the_effect_of_another_decision() -> None:
    waiting = approval(id="ap_2")
    no = waiting.decide(reject(waiting), NOW).record.hand_over(after(1), "one", "cp1").record
    both = effect(decisions=("ap_1", "ap_2"))
    ended = After(progress(handed(), no, effects=(both,)).note(state(finished=True)))

    assert ended.outcome("ap_1") == ("done", DONE)
    assert ended.outcome("ap_2") == ("done", NOTHING_EXECUTED)


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (Policy(), "names nobody who could decide"),
        (Policy(approvers=(MARA,), quorum=2), "wants 2 to approve and names 1"),
    ],
)
def test_a_question_that_nobody_could_decide_is_an_error(policy: Policy, problem: str) -> None:
    asked = request(policy=policy)
    with pytest.raises(UnreadableQuestion, match=problem):
        progress().note(state(question(asked)))


# --- A restricted request beside another


SECRET = "Ibuprofen"


def beside() -> tuple[Approval, Approval]:
    """A restricted one and another of the same run, both handed over."""
    hidden = approval(request(title="A patient", sensitivity="restricted"))
    other = approval(request(), id="ap_2", interrupt_id="i2")
    return handed_over(hidden), handed_over(other)


def test_what_rests_on_a_restricted_decision_is_told_on_no_other_card() -> None:
    receipt = Receipt(id="re_9", summary=SECRET)
    done = effect(decisions=("ap_2", "ap_1"), receipt=receipt)
    told = After(progress(*beside(), effects=(done,)).note(state(finished=True)))
    assert (Tag.EFFECT_DONE, "ap_1") in told.told
    assert told.outcome("ap_2") == ("done", "Carried out")


def test_why_a_run_with_a_restricted_request_failed_is_told_on_no_other_card() -> None:
    told = After(progress(*beside()).fail(SECRET))
    assert (Tag.RUN_FAILED, "ap_1") in told.told
    assert told.outcome("ap_2") == ("failed", "Not executed: countersign show tells why")
    assert told.run.error == SECRET
