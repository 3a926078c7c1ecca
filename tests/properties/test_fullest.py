"""As much as there can be of everything at once: what a random example seldom is."""

import pytest

from bot.approvals import Approval, Outcome
from bot.asked import Inquiry
from bot.inslack import Earlier
from bot.query import Query
from bot.views.card import card, shows_all
from bot.views.deciding import decision_view
from bot.views.details import review_view
from bot.views.home import Home, home_view
from bot.views.listing import Count, Page, Whereabouts, pending_list, thread_report
from bot.views.modals import Carried
from bot.views.several import several_view
from tests.bot import drawn
from tests.bot.samples import JONAS, MARA, NOW, TOM, WHERE, actor, after, approval, run
from tests.properties.records import ALIKE, PEOPLE
from tests.properties.test_surfaces import actions, problems, problems_of
from workflows.fields import CodeField
from workflows.policy import Policy, Stage
from workflows.preconditions import Precondition
from workflows.protocol import ApprovalRequest, Approve, Edit, Editable, Outdated, Reject

LINK = f"https://acme.slack.com/archives/{'x' * 300}"
CHARACTERS = ["x", "&", "\u202e", "語"]


def _asked(character: str) -> ApprovalRequest:
    """25 fields, 90 values to edit, and of each value more than fits."""
    long = character * 4_000
    names = [f"f{number}" for number in range(90)]
    schema = {"type": "object", "properties": {name: {"title": long[:75]} for name in names}}
    return ApprovalRequest.model_construct(
        title=character * 150,
        summary=long,
        details=long,
        risk="high",
        fields=tuple(CodeField(label="L" * 75, value=long) for _ in range(25)),
        allowed_decisions=("approve", "reject", "edit", "respond"),
        editable=Editable.model_construct(
            json_schema=schema, values=dict.fromkeys(names, long[:3000])
        ),
        sensitivity="normal",
        preconditions=tuple(
            Precondition(name="version", label=f"{number}{character * 70}") for number in range(20)
        ),
    )


def full(character: str, status: str = "pending", stages: int = 60) -> Approval:
    """Fifty votes in sixty stages; asked back, escalated, posted again and astray."""
    long = character * 4_000
    name = "n" * 40
    policy = Policy(
        stages=(Stage(name=name, approvers=tuple(PEOPLE), quorum=50),) * stages,
        escalate_to=tuple(PEOPLE),
    )
    asks = Inquiry(by=actor(), at=NOW, question=long[:2000], answer=long[:2000])
    of = approval(_asked(character), workflow="w" * 60).to(
        policy=policy, note=long, thread_id="t" * 128, expires_at=after(9), reopened_at=NOW,
        escalated_at=NOW, deleted=1, astray="x" * 300, message=WHERE, inquiries=(asks,),
        earlier=Earlier(approval="ap_0", message=WHERE, changes=(long,) * 21),
        alike=ALIKE,
    )  # fmt: skip
    digest = of.digest
    edit = Edit(
        by=actor(JONAS), at=NOW, digest=digest, reason=long, on_behalf_of=TOM,
        values={f"f{number}": "y" * 2000 for number in range(90)},
    )  # fmt: skip
    votes = [
        Approve(by=actor(who), at=NOW, digest=digest, stage=n % stages, on_behalf_of=TOM)
        for n, who in enumerate(PEOPLE[1:50])
    ]
    last = [Reject(by=actor(), at=NOW, digest=digest, reason=long)] if status == "rejected" else []
    void = [Outdated(by=actor(None), at=NOW, digest=digest, changes=(long,) * 21)]
    last = void if status == "outdated" else last
    of = of.to(votes=(edit, *votes, *last), status=status)
    failed = Outcome(state="failed", text=long, at=NOW, run_failed=True)
    return of if status == "pending" else of.to(closed_at=NOW, outcome=failed)


@pytest.mark.parametrize("stages", [1, 60])
@pytest.mark.parametrize("status", ["pending", "edited", "rejected", "outdated", "superseded"])
@pytest.mark.parametrize("character", CHARACTERS[:2])
def test_the_fullest_card_is_taken(character: str, status: str, stages: int) -> None:
    of = full(character, status, stages)
    shown = card(of, {}, LINK)
    assert problems(shown) == []
    wanted = {"countersign_approve", "countersign_reject", "countersign_details"}
    assert wanted <= actions(shown.blocks) or status != "pending"
    assert ("… and 48 more stages" in drawn.words(shown)) == (stages == 60)


def test_where_much_else_is_said_what_is_left_out_of_the_question_is_said_too() -> None:
    """Fields that a card has room for, until people have added to it."""
    fields = tuple(CodeField(label=f"Field {n}", value="v" * 180) for n in range(25))
    of = approval(ApprovalRequest(title="Many fields", fields=fields))
    assert shows_all(of)
    assert "more fields" not in drawn.words(card(of, {}))
    changed = full("x").to(request=full("x").request.model_copy(update={"fields": fields}))
    assert not shows_all(changed)
    assert "… and 13 more fields that do not fit here" in drawn.words(card(changed, {}))
    assert "countersign_details" in actions(card(changed, {}).blocks)


@pytest.mark.parametrize("character", CHARACTERS)
def test_the_fullest_lists_and_views_are_taken(character: str) -> None:
    open_ones = [full(character).to(id=f"ap_{number}") for number in range(5)]
    ids = frozenset(each.id for each in open_ones)
    where = Whereabouts({}, {each.id: character * 5000 for each in open_ones})
    page = Page(open_ones, Query(), 5, Count(5, 5), ids)
    assert problems(pending_list(page, where, NOW)) == []
    assert problems(thread_report(run(error=character * 1000), open_ones * 3, where)) == []
    home = Home(page, [full(character, "rejected")] * 8, where)
    assert problems_of(home_view(home, NOW), "home") == []
    [of, *_] = open_ones
    for view in (decision_view(of, "edit", MARA), review_view(of, {})):
        assert problems_of(view) == []


def test_several_of_the_fullest_that_can_be_are_taken() -> None:
    """None that its card cannot show whole: it would be decided unseen."""
    assert several_view([full("x")], {}, Carried(opener=MARA)) is None
    small = approval(ApprovalRequest(title="x" * 150, details="x" * 1200, risk="low"))
    every = [small.to(id=f"ap_{number}", deleted=1) for number in range(10)]
    assert problems_of(several_view(every, {}, Carried(opener=MARA))) == []
