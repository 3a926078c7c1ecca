"""Escalation: once, to those whom the policy names, with as many to approve as before."""

from datetime import timedelta

import pytest

from bot import steps
from bot.approvals import Approval, Closed
from bot.audit import Tag
from bot.escalation import NotEscalated, escalate, refuse_to_escalate
from bot.handing import Handing, hand
from bot.policy import People, Right, Why, authorize
from bot.records import Change
from bot.reminders import TOLD_AT_MOST, Known
from bot.views.standing import standing
from tests.bot.samples import JONAS, MARA, NOW, TOM, WHERE, actor, approval, approve, member
from workflows.payloads import Asked
from workflows.policy import Policy, Stage

ANNA, LENA, HEADS = "U0000ANNA", "U0000LENA", "S0000HEADS"
LATER = timedelta(hours=4)
NOBODY = Known(People())


def waiting(policy: Policy | None = None) -> Approval:
    policy = policy or Policy(approvers=(MARA,), escalate_to=(ANNA,), escalate_after=LATER)
    return approval(policy=policy, message=WHERE, shown=1)


def test_after_its_time_it_is_owed_once() -> None:
    asked = waiting()
    assert steps.next_at(asked) == NOW + LATER
    assert [step.kind for step in steps.due(asked, NOW + LATER)] == ["escalate"]
    escalated = escalate(asked, NOBODY, NOW + LATER).record
    assert escalated.escalate_next is None
    with pytest.raises(NotEscalated, match="already"):
        escalate(escalated, NOBODY, NOW + LATER)


def test_who_could_decide_still_can_and_others_too() -> None:
    asked = waiting()
    assert authorize(asked, member(ANNA)) == Why.NOT_AN_APPROVER
    escalated = escalate(asked, NOBODY, NOW).record
    assert authorize(escalated, member(ANNA)) == Right(0)
    assert authorize(escalated, member(MARA)) == Right(0)
    assert asked.policy.approvers == (MARA,)  # a copy of its own


def test_the_quorum_stays() -> None:
    policy = Policy(approvers=(MARA, JONAS), quorum=2, escalate_to=(ANNA,))
    escalated = escalate(waiting(policy), NOBODY, NOW).record
    voted = escalated.decide(approve(escalated, ANNA), NOW).record
    assert (voted.status, voted.missing(0)) == ("pending", 1)


def test_of_several_stages_those_that_are_not_over() -> None:
    stages = tuple(Stage(approvers=(user,)) for user in (MARA, JONAS, TOM))
    asked = waiting(Policy(stages=stages, escalate_to=(ANNA,))).to(requester=None)
    voted = asked.decide(approve(asked, MARA), NOW).record
    escalated = escalate(voted, NOBODY, NOW).record
    assert [stage.approvers for stage in escalated.stages] == [
        (MARA,),
        (JONAS, ANNA),
        (TOM, ANNA),
    ]


def test_what_is_decided_or_too_late_is_not_escalated() -> None:
    asked = waiting()
    decided = asked.decide(approve(asked), NOW).record
    late = asked.to(expires_at=NOW)
    for each in (decided, late):
        with pytest.raises(Closed):
            escalate(each, NOBODY, NOW)
    with pytest.raises(NotEscalated, match="names nobody"):
        escalate(waiting(Policy(approvers=(MARA,))), NOBODY, NOW)


def told(change: Change) -> object:
    [event] = change.events
    assert event.tag == Tag.ESCALATED
    return event.detail["users"]


def test_whom_it_is_escalated_to_is_told_but_for_those_who_may_not_decide() -> None:
    policy = Policy(approvers=(MARA,), escalate_to=(HEADS, ANNA))
    heads = People({HEADS: frozenset({TOM, JONAS, "U000GUEST"})})
    members = {user: member(user) for user in (ANNA, JONAS, TOM)}
    members["U000GUEST"] = member("U000GUEST", full=False)
    assert told(escalate(waiting(policy), Known(heads, members=members), NOW)) == [ANNA, JONAS]


def test_who_gave_their_place_away_gets_none_by_an_escalation() -> None:
    """Else they and whom they chose would be two."""
    policy = Policy(approvers=(ANNA, JONAS), quorum=2, escalate_to=(ANNA, HEADS))
    people = People({HEADS: frozenset({ANNA, MARA})})
    own = Handing(0, whole=False)
    given = hand(waiting(policy), own, actor(ANNA), [member(LENA)], people, "", NOW).record
    known = Known(people, members={user: member(user) for user in (ANNA, MARA)})
    change = escalate(given, known, NOW, actor(JONAS))
    assert told(change) == [MARA]
    assert change.events[0].detail["to"] == [HEADS]
    assert authorize(change.record, member(ANNA), people) == Why.NOT_AN_APPROVER
    [line] = standing(change.record)
    assert f"<!subteam^{HEADS}> may decide this too" in str(line)
    assert ANNA not in str(line)


def test_a_card_that_was_reassigned_since_names_nobody_who_may_not_decide() -> None:
    escalated = escalate(waiting(), NOBODY, NOW).record
    whole = Handing(0, whole=True)
    anew = hand(escalated, whole, actor(MARA), [member(LENA)], People(), "", NOW).record
    assert authorize(anew, member(ANNA)) == Why.NOT_AN_APPROVER
    assert standing(escalated) != []
    assert standing(anew) == []


def test_an_escalation_to_nobody_is_none() -> None:
    policy = Policy(approvers=(ANNA,), escalate_to=(ANNA,), escalate_after=LATER)
    own = Handing(0, whole=False)
    given = hand(waiting(policy), own, actor(ANNA), [member(LENA)], People(), "", NOW).record
    with pytest.raises(NotEscalated, match="names nobody"):
        escalate(given, NOBODY, NOW, actor(LENA))
    by_itself = escalate(given, NOBODY, NOW + LATER)
    assert (by_itself.events, by_itself.record.escalate_next) == ((), None)
    assert standing(by_itself.record) == []


def test_of_a_large_group_only_some_are_written_to() -> None:
    crowd = [f"U{number:04}CROWD" for number in range(500)]
    known = Known(People({HEADS: frozenset(crowd)}), members={u: member(u) for u in crowd})
    policy = Policy(approvers=(MARA,), escalate_to=(HEADS,))
    assert told(escalate(waiting(policy), known, NOW)) == crowd[:TOLD_AT_MOST]


@pytest.mark.parametrize(
    ("user", "why"),
    [
        (MARA, None),
        (JONAS, None),
        (ANNA, Why.NOT_AN_APPROVER),
        (TOM, Why.REQUESTER),
    ],
)
def test_who_may_escalate_by_hand(user: str, why: Why | None) -> None:
    policy = Policy(approvers=(MARA,), escalate_to=(ANNA,), reassign=(HEADS, TOM))
    people = People({HEADS: frozenset({JONAS, TOM})})
    assert refuse_to_escalate(waiting(policy), member(user), people) == why
    guest = member(user, full=False)
    assert refuse_to_escalate(waiting(policy), guest, people) == Why.NOT_A_MEMBER


def test_the_trail_tells_by_whom() -> None:
    [event] = escalate(waiting(), NOBODY, NOW, actor(MARA)).events
    assert (event.actor, event.detail["to"]) == (actor(MARA), [ANNA])


def test_asked_anew_it_may_be_escalated_anew() -> None:
    escalated = escalate(waiting(), NOBODY, NOW).record
    closed = escalated.supersede(NOW).record
    at = NOW + LATER
    again = closed.reopen(Asked(closed.request), waiting().policy, at).record
    assert (again.policy.approvers, again.escalate_next) == ((MARA,), at + LATER)
