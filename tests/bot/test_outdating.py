"""What was approved and has changed since: void, told to its graph, and asked again elsewhere."""

from typing import Any

import pytest

from bot import steps
from bot.approvals import Approval
from bot.audit import Tag
from bot.inslack import Earlier
from bot.outdating import outdated, to_be_checked
from bot.policy import Why, refuse_stale
from bot.views.card import card
from tests.bot import drawn
from tests.bot.samples import (
    MARA,
    NAMES,
    NOW,
    WHERE,
    after,
    approval,
    approve,
    approved,
    effect,
    question,
    reject,
    request,
    state,
)
from tests.bot.test_progress import After, progress
from workflows.effects import EffectEntry
from workflows.preconditions import Precondition

CHANGES = ('Phone: "1" is now "2"',)
SAYS = 'Not executed: changed since it was approved: Phone: "1" is now "2"'
PRECONDITION = Precondition(name="version", label="Version", expected="v1")
RESTS = request(preconditions=[PRECONDITION])
ANEW = request(title="Refund, as it is now", preconditions=[PRECONDITION])


def waiting(**changes: Any) -> Approval:
    return approval(RESTS, **changes)


def void(of: Approval | None = None) -> Approval:
    return outdated(of or approved(waiting()), CHANGES, after(2)).record


def taken(of: Approval) -> Approval:
    return of.hand_over(after(3), "one", "cp1").record


def not_called(*decisions: str) -> EffectEntry:
    said = "changed since it was approved: x"
    more: dict[str, Any] = {"state": "refused", "receipt": None, "error": said, "changes": CHANGES}
    return effect(decisions=decisions or ("ap_1",), **more)


def test_it_is_an_outcome_of_its_own_that_the_graph_is_told() -> None:
    change = outdated(approved(waiting()), CHANGES, after(2))

    record = change.record
    assert (record.status, record.decision.type) == ("outdated", "outdated")
    assert (record.decision.changes, record.decision.by.user) == (CHANGES, None)
    assert [vote.by.user for vote in record.votes] == [MARA, None]
    [event] = change.events
    assert (event.tag, event.detail) == (Tag.OUTDATED, {"why": CHANGES[0]})
    assert [step.kind for step in steps.due(record, after(9)) if step.kind == "advance"]
    assert refuse_stale(record, record.terms, "approve", NOW) == Why.SUPERSEDED


@pytest.mark.parametrize(
    "of",
    [
        waiting(),
        waiting().decide(reject(waiting()), NOW).record,
        waiting().expire(NOW).record,
        approved(approval()),
        void(),
    ],
)
def test_only_what_is_approved_and_rests_on_something_is_checked(of: Approval) -> None:
    assert not to_be_checked(of)
    assert outdated(of, CHANGES, NOW).events == ()


def test_it_is_checked_until_it_is_handed_over() -> None:
    of = approved(waiting())
    assert to_be_checked(of)
    assert not to_be_checked(taken(of))
    assert to_be_checked(taken(of).hold("This code lacks the node"))


def test_what_is_asked_instead_names_it_and_says_what_has_changed() -> None:
    before = taken(void()).to(message=WHERE)
    went_on = After(progress(before).note(state(question(ANEW, "ap_2"))))

    asks = went_on.approvals["ap_2"]
    assert asks.earlier == Earlier(approval="ap_1", message=WHERE, changes=CHANGES)
    assert went_on.approvals["ap_1"].superseded_by == "ap_2"
    assert went_on.outcome() == ("done", "Nothing was executed")
    third = After(progress(went_on.approvals["ap_1"], asks).note(state(question(RESTS, "ap_3"))))
    assert third.approvals["ap_3"].earlier is None


def test_another_node_asks_something_else() -> None:
    before = taken(void()).to(node="other")
    went_on = After(progress(before).note(state(question(ANEW, "ap_2"))))

    assert went_on.approvals["ap_2"].earlier is None
    assert went_on.approvals["ap_1"].superseded_by is None


def test_an_effect_that_was_not_called_is_no_refusal_of_the_provider() -> None:
    of = taken(approved(waiting())).to(message=WHERE)
    went_on = After(progress(of, effects=(not_called(),)).note(state(question(ANEW, "ap_2"))))

    assert went_on.outcome() == ("failed", SAYS)
    assert (Tag.EFFECT_OUTDATED, "ap_1") in went_on.told
    assert Tag.EFFECT_REFUSED not in [tag for tag, _ in went_on.told]
    assert went_on.approvals["ap_2"].earlier == Earlier(
        approval="ap_1", message=WHERE, changes=CHANGES
    )


def test_that_of_another_decision_says_nothing_of_this_one() -> None:
    of = taken(approved(waiting()))
    ended = After(progress(of, effects=(not_called("ap_9"),)).note(state(finished=True)))
    assert ended.outcome() == ("done", "Nothing was executed")


def test_a_run_that_ends_without_asking_again_says_so_on_the_card() -> None:
    of = taken(approved(waiting()))
    ended = After(progress(of, effects=(not_called(),)).note(state(finished=True)))
    assert ended.outcome() == ("failed", SAYS)


def test_the_channel_does_not_read_what_has_changed_about_a_restricted_request() -> None:
    asked = RESTS.model_copy(update={"sensitivity": "restricted"})
    of = taken(approved(waiting(request=asked)))
    ended = After(progress(of, effects=(not_called(),)).note(state(finished=True)))
    assert ended.outcome() == ("failed", "Not executed: changed since it was approved")
    again = waiting(request=asked, earlier=Earlier(approval="a", message=None, changes=CHANGES))
    for shown in (card(void(approved(waiting(request=asked))), NAMES), card(again, NAMES)):
        assert "Phone" not in drawn.words(shown)
        assert "Version" not in drawn.words(shown)


def test_the_card_links_the_one_whose_place_it_takes() -> None:
    link = "https://acme.slack.com/archives/C0APPROVAL/p1700000000000100"
    shown = card(waiting(), NAMES, link)
    assert f"Instead of a card that is void: <{link}|Open the card>" in drawn.words(shown)
    assert drawn.problems(shown) == []


def test_who_approved_it_is_named_also_when_there_were_several() -> None:
    first = approved(waiting())
    both = first.to(votes=(*first.votes, approve(first, "U000JONAS")))
    shown = card(void(both), NAMES)
    assert drawn.mentioned(shown) == {MARA, "U000JONAS"}
