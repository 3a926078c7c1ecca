"""Several people decide together: quorum, stages, edits, votes taken back."""

from decimal import Decimal
from typing import Any

import pytest

from bot.approvals import Approval, Closed, NoVote
from bot.audit import Tag, chain
from bot.policy import (
    People,
    Right,
    Why,
    authorize,
    refuse_stale,
    refuse_taken_back,
    refuse_voted,
)
from bot.views.card import ButtonValue
from bot.views.trail import reply
from tests.bot.samples import JONAS, MARA, NOW, TOM, actor, after, approval, approve, member, reject
from workflows.fields import MoneyField, UserField
from workflows.payloads import Asked
from workflows.policy import Policy, PolicyError, Stage, Tier
from workflows.protocol import Approve, Edit

TWO = Policy(approvers=(MARA, JONAS, "U0000LENA"), quorum=2)
ORDER = Policy(
    stages=(Stage(name="finance", approvers=(MARA,)), Stage(name="legal", approvers=(JONAS,)))
)


def under(policy: Policy, **changes: Any) -> Approval:
    return approval(policy=policy, requester=None, **changes)


def vote(of: Approval, by: str, stage: int = 0, **changes: Any) -> Approval:
    cast = Approve(by=actor(by), at=NOW, digest=of.digest, stage=stage, **changes)
    return of.decide(cast, NOW).record


def edited(of: Approval, by: str, stage: int = 0, amount: int = 5) -> Approval:
    who: dict[str, Any] = {"by": actor(by), "at": NOW, "digest": of.digest, "stage": stage}
    cast = Edit(**who, values={"amount": amount})
    return of.decide(cast, NOW).record


def test_it_is_decided_when_enough_have_voted() -> None:
    one = vote(under(TWO), MARA)
    assert (one.status, one.decision, one.missing(0)) == ("pending", None, 1)

    both = one.decide(approve(one, by=JONAS), after(1))
    decision = both.record.decision
    assert both.record.status == "approved"
    assert (decision.by.user, [who.user for who in decision.also]) == (JONAS, [MARA])
    assert [event.tag for event in both.events] == [Tag.APPROVED]


def test_whose_turn_it_is_now_is_told_when_it_changes() -> None:
    stages = (
        Stage(name="finance", approvers=(MARA, JONAS), quorum=2),
        Stage(name="legal", approvers=("C0000LEGAL", TOM, "U0000LENA"), without=(TOM,)),
    )
    asked = under(Policy(stages=stages))
    one = asked.decide(approve(asked), NOW)
    two = one.record.decide(approve(one.record, by=JONAS), NOW)
    assert "next" not in one.events[0].detail
    assert two.events[0].detail["next"] == ["C0000LEGAL", "U0000LENA"]
    [event] = chain(None, list(two.events))
    for restricted in (False, True):  # by mentions, which reach them
        told = reply(event, {}, restricted=restricted)
        assert told is not None
        elements = told.blocks[0]["elements"][0]["elements"]
        assert {"type": "channel", "channel_id": "C0000LEGAL"} in elements
        assert {"type": "user", "user_id": "U0000LENA"} in elements
    back = edited(two.record, "U0000LENA", stage=1)
    assert back.asked_now == [MARA, JONAS]  # what they approved was something else


def test_a_second_vote_of_the_same_person_is_none() -> None:
    one = vote(under(TWO), MARA)
    assert refuse_voted(one, MARA, "approve") == Why.VOTED
    assert refuse_voted(one, JONAS, "approve") is None
    assert vote(one, MARA).status == "pending"  # even were it let through


def test_one_rejection_decides_whoever_approved_before() -> None:
    rejected = (one := vote(under(TWO), MARA)).decide(reject(one, by=JONAS), NOW).record
    assert (rejected.status, rejected.decision.by.user) == ("rejected", JONAS)


def test_who_approved_may_reject_after_all_while_it_is_open() -> None:
    one = vote(under(TWO), MARA)
    assert refuse_voted(one, MARA, "reject") is None
    assert one.decide(reject(one, by=MARA), NOW).record.status == "rejected"


def test_an_edit_is_what_the_others_approve_from_then_on() -> None:
    before = vote(under(TWO), MARA)
    change = before.decide(
        Edit(by=actor(JONAS), at=NOW, digest=before.digest, values={"amount": 5}), NOW
    )
    record: Approval = change.record
    assert (record.status, record.missing(0)) == ("pending", 1)
    assert change.events[0].detail["voided"] == [MARA]
    assert record.terms != before.terms == before.digest
    assert refuse_stale(record, before.terms, "approve", NOW) == Why.CHANGED

    done = vote(record, MARA)
    assert done.status == "edited"
    decision = done.decision
    assert isinstance(decision, Edit)
    assert (decision.values, decision.by.user) == ({"amount": 5}, JONAS)
    assert [who.user for who in decision.also] == [MARA]


def test_stages_are_passed_in_order() -> None:
    waiting = under(ORDER)
    assert authorize(waiting, member(MARA)) == Right(0)
    assert authorize(waiting, member(JONAS)) == Why.NOT_THEIR_TURN

    passed = vote(waiting, MARA)
    assert (passed.status, passed.open_stage) == ("pending", 1)
    assert authorize(passed, member(JONAS)) == Right(1)
    assert authorize(passed, member(MARA)) == Why.NOT_THEIR_TURN
    assert vote(passed, JONAS, stage=1).status == "approved"


def test_an_edit_in_a_later_stage_goes_back_to_the_first() -> None:
    back = edited(vote(under(ORDER), MARA), JONAS, stage=1)
    assert (back.status, back.open_stage, back.missing(1)) == ("pending", 0, 0)
    assert vote(back, MARA).status == "edited"


def test_a_vote_can_be_taken_back_until_the_outcome() -> None:
    one = vote(under(TWO), MARA)
    change = one.withdraw(MARA, after(1))
    assert change.record.votes == ()
    assert [event.tag for event in change.events] == [Tag.WITHDRAWN]
    with pytest.raises(NoVote):
        one.withdraw(JONAS, NOW)
    with pytest.raises(Closed):
        vote(one, JONAS).withdraw(MARA, NOW)


def test_with_an_edit_go_the_votes_for_it() -> None:
    three = under(TWO.model_copy(update={"quorum": 3}))
    voted = vote(edited(three, MARA), JONAS)
    back = voted.withdraw(MARA, NOW).record
    assert (back.votes, back.terms) == ((), three.terms)
    assert voted.withdraw(JONAS, NOW).record.proposal is not None


# --- who is away


def test_a_deputy_votes_in_the_place_of_who_is_away() -> None:
    away = People(deputies={MARA: TOM})
    assert authorize(under(ORDER), member(TOM), away) == Right(0, MARA)
    assert authorize(under(ORDER), member(MARA), away) == Right(0)


def test_of_two_in_one_place_one_vote_counts() -> None:
    one = vote(under(TWO), TOM, on_behalf_of=MARA)
    assert refuse_voted(one, MARA, "approve") == Why.VOTED
    assert authorize(one, member(TOM), People(deputies={MARA: TOM})) == Why.NOT_AN_APPROVER


def test_a_deputy_who_is_away_too_is_stood_in_for() -> None:
    away = People(deputies={MARA: TOM, TOM: "U0000LENA", "U0000LENA": MARA})
    assert authorize(under(ORDER), member("U0000LENA"), away) == Right(0, MARA)


@pytest.mark.parametrize("link", ["requester", "named"])
def test_no_chain_goes_round_the_separation_of_duties(link: str) -> None:
    """Neither to one who may not decide it, nor by them to a third."""
    of = under(ORDER)
    payee = UserField(label="Payee", value=TOM)
    asked = of.request.model_copy(update={"fields": (payee,)})
    of = of.to(requester=TOM) if link == "requester" else of.to(request=asked)
    away = People(deputies={MARA: TOM, TOM: "U0000LENA"})
    assert authorize(of, member(TOM), away) in (Why.REQUESTER, Why.NAMED)
    assert authorize(of, member("U0000LENA"), away) == Why.NOT_AN_APPROVER


def test_an_approver_who_may_not_decide_has_no_place_to_give_away() -> None:
    of = under(ORDER).to(requester=MARA)
    assert authorize(of, member(TOM), People(deputies={MARA: TOM})) == Why.NOT_AN_APPROVER


def test_whom_the_request_names_does_not_decide_unless_the_policy_says_so() -> None:
    payee = UserField(label="Payee", value=MARA)
    of = under(ORDER)
    of = of.to(request=of.request.model_copy(update={"fields": (payee,)}))
    assert authorize(of, member(MARA)) == Why.NAMED
    may = ORDER.model_copy(update={"named_may_approve": ("Payee",)})
    assert authorize(of.to(policy=may), member(MARA)) == Right(0)


# --- tiers


def money(amount: int, currency: str = "USD") -> tuple[MoneyField]:
    return (MoneyField(label="Amount", amount_minor=amount, currency=currency),)


TIERED = Policy(
    approvers=(MARA, JONAS),
    tiers=(
        Tier(field="Amount", over=Decimal(1000), currency="USD", quorum=2),
        Tier(field="Amount", over=Decimal(50_000), currency="USD", stages=ORDER.stages),
    ),
)


def test_a_tier_holds_over_its_limit_and_for_what_cannot_be_compared() -> None:
    assert TIERED.for_request(money(100_000)).quorum == 1  # $1,000.00 is not over it
    assert TIERED.for_request(money(100_001)).quorum == 2
    assert TIERED.for_request(money(-100_001)).quorum == 2
    assert TIERED.for_request(money(5_000_001)).stages == ORDER.stages
    assert TIERED.for_request(money(1, "EUR")).stages == ORDER.stages
    assert TIERED.for_request(()).stages == ORDER.stages
    assert TIERED.for_request(money(5_000_001)).tiers == ()
    assert TIERED.for_request(money(100_001)).tiers == TIERED.tiers[1:]  # for what is edited


def test_a_tier_of_a_quorum_holds_for_each_stage() -> None:
    tier = Tier(field="Amount", over=Decimal(0), quorum=2)
    policy = ORDER.model_copy(update={"tiers": (tier,)})
    assert [stage.quorum for stage in policy.for_request(money(1)).in_order] == [2, 2]
    with pytest.raises(PolicyError, match="wants 2 to approve and names 1 in its stage 'finance'"):
        policy.check()


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (Policy(), "names nobody"),
        (Policy(stages=(Stage(name="legal", approvers=()),)), "nobody .* in its stage 'legal'"),
        (Policy(approvers=(MARA, MARA), quorum=2), "wants 2 to approve and names 1"),
        (
            Policy(approvers=(MARA,), tiers=(Tier(field="A", over=Decimal(1), quorum=2),)),
            "wants 2 to approve and names 1",
        ),
    ],
)
def test_a_policy_that_could_never_be_passed_is_refused(policy: Policy, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        policy.check()
    Policy(approvers=("S00FINANCE",), quorum=2).check()  # a group may have enough members


# --- what was taken back


def test_whose_vote_was_taken_back_clicks_on_the_card_as_it_is_then() -> None:
    one = vote(vote(under(TWO.model_copy(update={"quorum": 3})), MARA), JONAS)
    back = one.withdraw(MARA, NOW).record
    assert refuse_taken_back(back, MARA, one.revision) == Why.TAKEN_BACK
    assert refuse_taken_back(back, MARA, 0) == Why.TAKEN_BACK
    assert refuse_taken_back(back, MARA, back.revision) is None
    assert refuse_taken_back(back, JONAS, one.revision) is None
    assert (ButtonValue.of(one).revision, ButtonValue.of(back).revision) == (0, back.revision)


def test_a_vote_in_an_absent_ones_place_is_taken_back_from_both() -> None:
    one = vote(under(TWO), TOM, on_behalf_of=MARA)
    back = one.withdraw(MARA, NOW).record
    for who in (TOM, MARA):
        assert refuse_taken_back(back, who, one.revision) == Why.TAKEN_BACK


def test_votes_that_fell_with_an_edit_or_as_it_was_asked_anew_do_not_come_again() -> None:
    one = vote(under(TWO), MARA)
    assert refuse_taken_back(edited(one, JONAS), MARA, one.revision) == Why.TAKEN_BACK
    closed = one.supersede(NOW).record
    anew = closed.reopen(Asked(one.request), TWO, after(1)).record
    assert refuse_taken_back(anew, MARA, one.revision) == Why.TAKEN_BACK
