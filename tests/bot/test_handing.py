"""Reassign: other people are asked; nobody gets to decide who may not, and no fewer have to."""

from decimal import Decimal
from typing import Any

import pytest

from bot.approvals import Approval, Closed
from bot.audit import Tag
from bot.concerned import concerned
from bot.handing import Handing, NotHanded, hand, may_hand
from bot.policy import People, Right, Why, authorize
from tests.bot.samples import JONAS, MARA, NOW, TOM, actor, approval, approve, member
from workflows.fields import MoneyField, UserField
from workflows.policy import Policy, Stage, Tier

LENA, HEAD = "U0000LENA", "U0000HEAD"
TWO = Policy(approvers=(MARA, JONAS), quorum=2, reassign=(HEAD,))
GROUP = Policy(approvers=("S00FINANCE",), quorum=2)
FINANCE = People({"S00FINANCE": frozenset({MARA, JONAS})})
OWN, WHOLE = Handing(0, whole=False), Handing(0, whole=True)


def under(policy: Policy, **changes: Any) -> Approval:
    return approval(policy=policy, requester=None, **changes)


def handed(of: Approval, by: str, *to: str, people: People = FINANCE, **of_whom: Any) -> Approval:
    handing = may_hand(of, member(by), people)
    assert isinstance(handing, Handing)
    chosen = [member(each, **of_whom) for each in to]
    return hand(of, handing, actor(by), chosen, people, "", NOW).record


def may(of: Approval, user: str) -> bool:
    return isinstance(authorize(of, member(user), FINANCE), Right)


def test_whom_the_policy_names_chooses_who_is_asked_instead() -> None:
    assert may_hand(under(TWO), member(HEAD), FINANCE) == WHOLE
    after = handed(under(TWO), HEAD, TOM, LENA)
    assert [may(after, each) for each in (MARA, JONAS, TOM, LENA)] == [False, False, True, True]
    assert after.missing(0) == 2


def test_no_more_are_wanted_than_for_this_request() -> None:
    """A tier that does not hold for it is there for what is edited only."""
    over = Tier(field="Amount", over=Decimal(1000), quorum=2)
    amount = MoneyField(label="Amount", amount_minor=5, currency="USD")
    policy = Policy(approvers=(MARA, JONAS), reassign=(HEAD,), tiers=(over,))
    assert may(handed(under(policy.for_request([amount])), HEAD, TOM), TOM)


def test_an_approver_gives_their_own_place_away_and_no_other() -> None:
    after = handed(under(TWO), MARA, TOM)
    assert [may(after, each) for each in (MARA, JONAS, TOM)] == [False, True, True]
    assert after.stages[0].quorum == 2


def test_who_is_asked_by_a_group_leaves_it_for_this_question() -> None:
    """Else both the place and the one it went to could vote."""
    after = handed(under(GROUP), MARA, TOM)
    assert [may(after, each) for each in (MARA, JONAS, TOM)] == [False, True, True]
    back = handed(after, TOM, MARA)
    assert [may(back, each) for each in (MARA, JONAS, TOM)] == [True, True, False]


def test_the_place_of_a_later_stage_can_be_given_away_before_its_turn() -> None:
    order = (Stage(name="finance", approvers=(MARA,)), Stage(name="legal", approvers=(JONAS,)))
    after = handed(under(Policy(stages=order)), JONAS, TOM)
    assert [stage.approvers for stage in after.stages] == [(MARA,), (TOM,)]


def test_a_vote_that_is_counted_stays_and_the_rest_is_still_to_come() -> None:
    one = under(TWO)
    one = one.decide(approve(one, by=MARA), NOW).record
    assert may_hand(one, member(MARA), FINANCE) == Why.VOTED
    after = handed(one, HEAD, TOM)
    assert (after.missing(0), len(after.votes)) == (1, 1)
    with pytest.raises(NotHanded, match="has voted already"):
        handed(one, HEAD, MARA)


def payee(user: str, policy: Policy = TWO) -> Approval:
    of = under(policy)
    fields = (UserField(label="Payee", value=user),)
    return of.to(request=of.request.model_copy(update={"fields": fields}))


@pytest.mark.parametrize(
    ("of", "by"),
    [
        (under(TWO), TOM),  # neither an approver nor named
        (under(TWO).to(requester=HEAD), HEAD),
        (under(TWO).to(requester=MARA), MARA),
        (payee(HEAD), HEAD),
        (payee(MARA), MARA),
    ],
)
def test_who_may_not_decide_chooses_nobody_who_does(of: Approval, by: str) -> None:
    assert may_hand(of, member(by), FINANCE) in (
        Why.MAY_NOT_REASSIGN,
        Why.REQUESTER,
        Why.NAMED,
    )


@pytest.mark.parametrize("who", [{"full": False}, {"team": "T0ELSEWHERE"}])
def test_guests_and_strangers_hand_nothing_over_and_get_nothing(who: dict[str, Any]) -> None:
    assert isinstance(may_hand(under(TWO), member(HEAD, **who), FINANCE), Why)
    with pytest.raises(NotHanded, match="may not decide this"):
        handed(under(TWO), MARA, TOM, **who)


def test_a_deputy_has_no_place_of_their_own_to_hand_over() -> None:
    away = People(FINANCE.groups, {MARA: TOM})
    assert authorize(under(TWO), member(TOM), away) == Right(0, MARA)
    assert may_hand(under(TWO), member(TOM), away) == Why.MAY_NOT_REASSIGN


@pytest.mark.parametrize(
    ("of", "by", "to", "problem"),
    [
        (under(TWO).to(requester=TOM), MARA, [TOM], "may not decide this"),
        (payee(TOM), HEAD, [TOM, LENA], "may not decide this"),
        (under(TWO), HEAD, [HEAD, TOM], "someone else than yourself"),
        (under(TWO), MARA, [JONAS], "is asked already"),  # one would be left, and two are wanted
        (under(GROUP), MARA, [JONAS], "is asked already"),
        (under(TWO), HEAD, [TOM], "2 more have to approve"),
        (under(TWO), HEAD, [TOM, TOM], "2 more have to approve"),
        (under(TWO), MARA, [TOM, LENA], "choose one"),
        (under(TWO), MARA, [], "choose one"),
        (
            under(Policy(stages=(Stage(approvers=(MARA,)), Stage(approvers=(JONAS,))))),
            MARA,
            [JONAS],
            "Too few would be left",
        ),
    ],
)
def test_no_place_is_lost_and_none_goes_to_who_may_not(
    of: Approval, by: str, to: list[str], problem: str
) -> None:
    with pytest.raises(NotHanded, match=problem):
        handed(of, by, *to)


def test_the_trail_tells_from_whom_to_whom_and_the_note() -> None:
    of = under(TWO)
    change = hand(of, OWN, actor(MARA), [member(TOM)], FINANCE, "He knows them", NOW)
    (event,) = change.events
    assert (event.tag, event.actor) == (Tag.REASSIGNED, actor(MARA))
    told = {key: event.detail[key] for key in ("from", "to", "text")}
    assert told == {"from": [MARA], "to": [TOM], "text": "He knows them"}
    assert concerned(change.record, event) == (TOM,)
    assert change.record.revision == of.revision + 1


def test_what_is_decided_is_not_handed_over() -> None:
    of = under(Policy(approvers=(MARA,)))
    closed = of.decide(approve(of), NOW).record
    with pytest.raises(Closed):
        hand(closed, OWN, actor(MARA), [member(TOM)], FINANCE, "", NOW)
