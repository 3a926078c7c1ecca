"""An effect in doubt, as records: asked once a call, answered into the ledger, not to the graph."""

from typing import Any

import pytest

from bot.approvals import Approval
from bot.audit import Tag
from bot.doubts import MOVED_ON, SAYS, answered, ask, in_doubt
from bot.progress import Progress
from tests.bot.samples import (
    CHANNEL,
    MARA,
    NOW,
    POLICY,
    TEAM,
    TOM,
    after,
    answer,
    approval,
    effect,
    handed_over,
    question,
    reject,
    request,
    run,
    state,
)
from tests.bot.test_progress import After
from workflows.effects import EffectEntry
from workflows.policy import Policy

OWN = Policy(approvers=(MARA,))
ENTRY = effect("mail:1", after(2), state="in_doubt", receipt=None)
DONE_CALL = ENTRY.model_copy(update={"state": "done"})


def base(**changes: Any) -> Approval:
    """What the effect rests on."""
    return handed_over(approval(request(risk="low"), policy=OWN, **changes)).applied(after(2))


def doubt(entry: EffectEntry = ENTRY) -> Approval:
    return ask(run(), entry, base(), POLICY, CHANNEL, after(3)).record


def said(text: str) -> Approval:
    asked = doubt()
    return asked.decide(answer(asked, text), after(4)).record


def progress(*approvals: Approval, effects: tuple[EffectEntry, ...] = (ENTRY,)) -> Progress:
    return Progress(
        run().begin(NOW), approvals, effects,
        policy=POLICY, channel=CHANNEL, team=TEAM, now=after(10),
    )  # fmt: skip


STALLED = state(stalled=True)


def test_the_same_doubt_is_the_same_record_and_another_call_is_another() -> None:
    again = ENTRY.model_copy(update={"attempt": "a2"})
    elsewhere = ENTRY.model_copy(update={"thread_id": "refund-2"})

    assert doubt() == doubt()
    assert len({doubt(each).id for each in (ENTRY, again, elsewhere)}) == 3
    assert list(in_doubt([ENTRY, DONE_CALL])) == [doubt().id]


def test_it_is_asked_of_those_who_decided_and_shows_what_they_saw() -> None:
    asked = doubt()

    assert (asked.policy, asked.channel, asked.requester) == (OWN, CHANNEL, TOM)
    assert asked.request.title == f"It may have happened: {base().request.title}"
    assert (asked.request.risk, asked.expires_at, asked.request.policy) == ("low", None, None)
    assert asked.doubt is not None
    assert (asked.doubt.key, asked.doubt.attempt) == ("mail:1", "a1")


def test_an_effect_without_a_decision_is_asked_of_the_workflows_approvers() -> None:
    asked = ask(run(), ENTRY, None, POLICY, CHANNEL, after(3)).record

    assert (asked.policy, asked.request.title) == (POLICY, "It may have happened: mail:1")
    assert asked.request.risk == "high"


def test_a_long_title_still_fits() -> None:
    on = approval(request(title="W" * 150))
    assert len(ask(run(), ENTRY, on, POLICY, CHANNEL, NOW).record.request.title) == 150


def test_the_run_waits_and_both_cards_tell_it() -> None:
    noted = After(progress(base()).note(STALLED, doubted=True))

    assert noted.run.status == "waiting"
    assert noted.approvals["ap_1"].in_doubt
    assert noted.outcome() is None, "what came of it is not known"
    assert noted.told == [(Tag.REQUESTED, doubt().id), (Tag.EFFECT_IN_DOUBT, "ap_1")]
    assert noted.events[0].actor is None, "the requester did not ask this"


def test_what_is_asked_is_not_asked_again() -> None:
    noted = After(progress(base().in_question(True), doubt()).note(STALLED, doubted=True))

    assert (noted.run.status, noted.told, noted.approvals) == ("waiting", [], {})


def test_a_drained_graph_goes_on_though_something_is_in_doubt() -> None:
    """The nodes beside it were stopped in between: the next attempt finds the doubt again."""
    assert After(progress(base(), doubt()).note(STALLED)).run.status == "queued"


@pytest.mark.parametrize("known", [doubt(), said("done")])
def test_a_graph_that_took_no_notice_of_the_doubt_is_not_finished(known: Approval) -> None:
    """Its node caught the error: what happened is to be settled all the same."""
    noted = After(progress(base(), known).note(state(finished=True)))

    assert noted.run.status == "waiting"
    assert noted.outcome() is None
    assert Tag.RUN_FINISHED not in [tag for tag, _ in noted.told]


def test_an_attempt_that_raised_asks_too() -> None:
    stumbled = After(progress(base()).stumble("ouch"))

    assert stumbled.run.status == "running"
    assert (Tag.REQUESTED, doubt().id) in stumbled.told


def test_what_is_no_longer_in_doubt_is_no_longer_asked() -> None:
    """The node was mended, and its find knew."""
    noted = After(progress(base().in_question(True), doubt(), effects=(effect("mail:1"),)).note(
        state(question(request(title="Next?"), "ap_2"))))  # fmt: skip

    closed = noted.approvals[doubt().id]
    assert (closed.status, closed.superseded_by) == ("superseded", None)
    assert not noted.approvals["ap_1"].in_doubt


def test_a_doubt_that_a_failure_closed_is_opened_again() -> None:
    failed = After(progress(base(), doubt()).fail("ouch"))
    closed = failed.approvals[doubt().id]
    again = After(progress(failed.approvals["ap_1"].retried(), closed.retried()).note(
        STALLED, doubted=True))  # fmt: skip

    outcome = failed.outcome()
    assert outcome is not None
    assert outcome[1] == "It may have happened: ask the provider for mail:1: ouch"
    assert closed.status == "superseded"
    assert again.approvals[closed.id].status == "pending"
    assert again.told == [(Tag.REOPENED, closed.id)]
    assert again.approvals[closed.id].digest == closed.digest


def test_the_runs_events_stay_with_the_card_that_the_graph_asked() -> None:
    settled = said("done").settled(SAYS["done"], after(5)).record
    ended = After(progress(base(), settled, effects=(effect("mail:1"),)).note(state(finished=True)))

    assert ended.run.status == "finished"
    assert ended.told[-1] == (Tag.RUN_FINISHED, "ap_1")


LEAVES: dict[str, tuple[str, str]] = {
    "done": ("done", ""),
    "not_done": ("not_done", "Mara Okafor says that mail:1 did not happen"),
    "retry": ("again", ""),
}


@pytest.mark.parametrize("text", LEAVES)
def test_an_answer_goes_into_the_ledger_once(text: str) -> None:
    entry, words = answered(said(text), ENTRY, after(5))
    again = answered(said(text), entry, after(6))

    assert entry is not None
    assert (entry.state, entry.error) == LEAVES[text]
    assert (entry.attempt, entry.key, entry.decisions) == ("a1", "mail:1", ("ap_1",))
    assert words == SAYS[text]
    assert again == (None, words), "after a crash before the record had it"


def test_the_receipt_says_who_confirmed_it() -> None:
    entry, _ = answered(said("done"), ENTRY, after(5))

    assert entry is not None
    assert entry.receipt is not None
    assert entry.receipt.data == {"confirmed_by": MARA, "approval_id": doubt().id}


@pytest.mark.parametrize("entry", [None, ENTRY.model_copy(update={"attempt": "a2"})])
def test_an_answer_about_an_earlier_call_settles_nothing(entry: EffectEntry | None) -> None:
    assert answered(said("retry"), entry, after(5)) == (None, MOVED_ON)


def test_only_an_answered_doubt_is_settled() -> None:
    for wrong in (doubt(), base(), approval().decide(reject(approval()), NOW).record):
        with pytest.raises(ValueError, match="no doubt that was answered"):
            answered(wrong, ENTRY, after(5))
