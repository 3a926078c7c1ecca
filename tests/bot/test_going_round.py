"""What someone would try who may not decide: every way round by absence, edits and policies."""

from decimal import Decimal
from typing import Any

import pytest

from bot.approvals import Approval
from bot.listeners.decisions import Click, take
from bot.policy import People, Right, Why, authorize, involved
from bot.views.card import ButtonValue
from tests.asking import Asking
from tests.bot.samples import JONAS, MARA, NOW, TOM, actor, approval, member, request
from tests.deployment import Deployment
from workflows.policy import Policy, PolicyError, Stage, Tier
from workflows.protocol import Approve, Edit, Editable

LENA = "U0000LENA"
TWO = Policy(approvers=(MARA, JONAS), quorum=2)
PAYEE = Editable(
    json_schema={"properties": {"payee": {"type": "string", "title": "Payee"}, "cc": {}}},
    values={"payee": "U000OTHER"},
)


def under(policy: Policy, **changes: Any) -> Approval:
    return approval(policy=policy, requester=None, **changes)


def editable(policy: Policy = TWO) -> Approval:
    asked = request(allowed_decisions=("approve", "edit"), editable=PAYEE)
    return under(policy).to(request=asked)


def voted(of: Approval, by: str) -> Approval:
    return of.decide(Approve(by=actor(by), at=NOW, digest=of.digest), NOW).record


def test_who_has_voted_is_not_away_and_chooses_no_second_vote() -> None:
    """Jonas is away and names Mara; she votes, and is away too: not with both their votes."""
    away = People(deputies={JONAS: MARA, MARA: TOM})
    before = under(TWO)
    assert authorize(before, member(TOM), away) == Right(0, MARA)  # the nearer place first
    assert authorize(voted(before, MARA), member(TOM), away) == Why.NOT_AN_APPROVER


def test_the_nearer_place_comes_first_whatever_the_ids_are() -> None:
    away = People(deputies={MARA: JONAS, JONAS: TOM})
    assert authorize(under(TWO), member(TOM), away) == Right(0, JONAS)


@pytest.mark.parametrize("where", [{"payee": MARA}, {"cc": [TOM, {"a": MARA}]}])
def test_an_edit_may_not_name_who_makes_it(where: dict[str, Any]) -> None:
    assert involved(editable(), MARA, where) == Why.NAMED
    assert involved(editable(), JONAS, where) is None


def test_whom_an_edit_names_does_not_decide_on_it_nor_give_their_place_away() -> None:
    of = editable()
    cast = Edit(by=actor(JONAS), at=NOW, digest=of.digest, values={"payee": MARA})
    proposed = of.decide(cast, NOW).record
    assert authorize(proposed, member(MARA)) == Why.NAMED
    assert authorize(proposed, member(TOM), People(deputies={MARA: TOM})) == Why.NOT_AN_APPROVER
    may = TWO.model_copy(update={"named_may_approve": ("Payee",)})
    assert authorize(proposed.to(policy=may), member(MARA)) == Right(0)


def test_whom_the_values_that_may_be_edited_name_does_not_decide() -> None:
    asked = PAYEE.model_copy(update={"values": {"payee": MARA}})
    of = editable()
    of = of.to(request=of.request.model_copy(update={"editable": asked}))
    assert authorize(of, member(MARA)) == Why.NAMED


def test_who_is_left_out_does_not_come_back_by_a_group_or_by_a_deputy() -> None:
    stage = Stage(approvers=("S00FINANCE",), without=(MARA,))
    people = People({"S00FINANCE": frozenset({MARA, JONAS})}, {MARA: TOM})
    of = under(Policy(stages=(stage,)))
    assert authorize(of, member(MARA), people) == Why.NOT_AN_APPROVER
    assert authorize(of, member(TOM), people) == Why.NOT_AN_APPROVER
    assert authorize(of, member(JONAS), people) == Right(0)


async def test_an_edit_that_names_who_makes_it_is_not_recorded(deployment: Deployment) -> None:
    asked = request(allowed_decisions=("approve", "edit"), editable=PAYEE)
    known = Asking(asked, Policy(approvers=(MARA, JONAS)))
    async with deployment.instance(known=known, listens=False) as bot:
        await known.start(bot)
        await deployment.card(asked.title)
        [approval] = await bot.store.approvals_of("ask-1")
        value = ButtonValue(approval=approval.id, digest=approval.terms)
        said: dict[str, Any] = {"values": {"payee": MARA}}
        for who in (MARA, JONAS):
            click = Click((bot.slack.team,), who, "edit", value, said)
            outcome = await take(bot, click)
            assert ("The request names you" in outcome.answer) == (who == MARA)


def over(amount: int, **changes: Any) -> Tier:
    return Tier(field="Amount", over=Decimal(amount), **changes)


ONE_AND_TWO = (Stage(name="finance", approvers=(MARA,)), Stage(name="legal", approvers=(JONAS,)))


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (  # a quorum over the stages of the tier before it
            Policy(
                approvers=("S00FINANCE",),
                tiers=(over(1, stages=ONE_AND_TWO), over(2, quorum=2)),
            ),
            "wants 2 to approve and names 1 in its stage 'finance'",
        ),
        (  # a tier whose stage names nobody
            Policy(approvers=(MARA,), tiers=(over(1, stages=(Stage(approvers=()),)),)),
            "names nobody",
        ),
        (  # the same person twice, and one person has one vote
            Policy(stages=(Stage(approvers=(MARA,)), Stage(name="legal", approvers=(MARA,)))),
            "leaves too few for its stage 'legal': one person has one vote",
        ),
        (
            Policy(stages=(Stage(approvers=(MARA, JONAS), without=(MARA,), quorum=2),)),
            "wants 2 to approve and names 1",
        ),
    ],
)
def test_no_tier_and_no_stage_can_be_impossible_to_pass(policy: Policy, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        policy.check()


def test_who_can_be_shared_out_over_the_stages_is_enough() -> None:
    Policy(stages=(Stage(approvers=(MARA, JONAS)), Stage(approvers=(MARA,)))).check()
    Policy(stages=(Stage(approvers=("S00FINANCE",)), Stage(approvers=(MARA,)))).check()
