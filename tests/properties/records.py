"""Approvals in every state, with all that people add to one: as hostile as the requests."""

from typing import Any

from hypothesis import strategies as st

from bot.alike import Alike
from bot.approvals import Approval, Doubt, Outcome
from bot.asked import Inquiry
from bot.inslack import Earlier
from tests.bot.samples import JONAS, MARA, NOW, TOM, WHERE, actor, after, approval
from tests.properties.requests import hostile, text
from tests.properties.schemas import filled
from workflows.policy import Policy, Stage
from workflows.protocol import Actor, Approve, Decision, Edit, Editable, Outdated, Reject, Respond

PEOPLE = [f"U{number:010}" for number in range(60)]
ENDS = ("approved", "edited", "rejected", "answered", "expired", "outdated", "superseded")
ALIKE = tuple(
    Alike(
        id=f"ap_{number}",
        thread_id="t" * 128,
        status="edited",
        by=MARA,
        failed=True,
        at=NOW,
        link="https://acme.slack.com/archives/C0APPROVAL/p1700000000000100",
    )
    for number in range(5)
)
CODES = ("channel_not_found", "is_archived", "<!channel>", "x" * 300)


def _editable(form: tuple[dict[str, Any], dict[str, Any]]) -> Editable:
    return Editable.model_construct(json_schema=form[0], values=form[1])


editables = filled().map(_editable)


def _name(said: str) -> str:
    """As the model of a stage, and the JSON of a record, would leave it."""
    return said.encode(errors="ignore").decode().strip()[:40]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """One stage or sixty, each of one approver or sixty."""
    count = draw(st.sampled_from([1, 1, 2, 60]))
    approvers = draw(st.sampled_from([("S00FINANCE", MARA), ("C0APPROVAL",), tuple(PEOPLE)]))
    name = st.just("") | text.map(_name)
    stages = tuple(
        Stage.model_construct(
            name=draw(name),
            approvers=approvers,
            quorum=draw(st.sampled_from([1, 2, 50])),
            without=(),
        )
        for _ in range(min(count, 3))
    ) * (20 if count == 60 else 1)
    return Policy.model_construct(
        approvers=(),
        stages=stages,
        reason_required=draw(st.sampled_from([(), ("approve", "edit", "reject")])),
        escalate_to=draw(st.sampled_from([(), ("S00FINANCE",), tuple(PEOPLE)])),
        bulk=True,
    )


def _who(draw: st.DrawFn, user: str) -> Actor:
    return Actor.model_construct(team="T0000ACME", user=user, name=draw(text))


def _earlier(said: str) -> Earlier:
    return Earlier.model_construct(approval="ap_0", message=WHERE, changes=(said,) * 21)


def _votes(draw: st.DrawFn, of: Approval) -> tuple[Decision, ...]:
    """Up to fifty, the first perhaps an edit."""
    count = draw(st.sampled_from([0, 1, 2, 50]))
    said: dict[str, Any] = {"at": NOW, "digest": of.digest, "also": ()}
    reason, absent = draw(text), draw(st.sampled_from([None, TOM]))
    votes: list[Decision] = [
        Approve.model_construct(
            type="approve",
            by=_who(draw, MARA) if number == 0 else actor(PEOPLE[number]),
            stage=number % len(of.stages),
            on_behalf_of=absent,
            reason=reason,
            **said,
        )
        for number in range(count)
    ]
    if votes and of.request.editable is not None and draw(st.booleans()):
        by, values = _who(draw, JONAS), draw(_changed(of.request.editable.values))
        votes[0] = Edit.model_construct(
            type="edit", by=by, values=values, reason=reason, stage=0, on_behalf_of=absent, **said
        )
    return tuple(votes)


def _changed(values: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    other = text | st.integers() | st.none()
    return st.fixed_dictionaries({name: st.just(each) | other for name, each in values.items()})


@st.composite
def waiting(draw: st.DrawFn, **fixed: Any) -> Approval:
    """It waits for a decision, and much was done about it."""
    editable = draw(st.none() | editables)
    decisions = ("approve", "reject", "respond") if draw(st.booleans()) else ("approve", "reject")
    asked: dict[str, Any] = {
        "editable": st.just(editable),
        "allowed_decisions": st.just((*decisions, "edit") if editable else decisions),
        "sensitivity": st.sampled_from(["normal", "normal", "restricted"]),
        "policy": st.none(),
        "expires_in": st.none(),
        "remind_after": st.none(),
    }
    of = approval(workflow="w" * 60).to(
        request=draw(hostile(**{**asked, **fixed})),
        policy=draw(policies()),
        note=draw(st.just("") | text),
        earlier=draw(st.none() | st.builds(_earlier, text)),
        thread_id="t" * draw(st.sampled_from([1, 128])),
        expires_at=draw(st.sampled_from([None, after(9)])),
        requester=draw(st.sampled_from([TOM, None])),
        reopened_at=draw(st.sampled_from([None, NOW])),
        escalated_at=draw(st.sampled_from([None, NOW])),
        deleted=draw(st.integers(0, 1)),
        astray=draw(st.just("") | st.sampled_from(CODES)),
        message=draw(st.sampled_from([None, WHERE])),
        alike=draw(st.sampled_from([(), ALIKE[:1], ALIKE])),
    )
    asks = Inquiry.model_construct(
        by=actor(), at=NOW, question=draw(text)[:2000], answer=draw(st.just("") | text)[:2000]
    )
    return of.to(votes=_votes(draw, of), inquiries=draw(st.sampled_from([(), (asks,)])))


@st.composite
def ended(draw: st.DrawFn) -> Approval:
    """Whatever it ended with, and whatever came of that."""
    of = draw(waiting())
    status, who, said = draw(st.sampled_from(ENDS)), actor(), draw(text)
    about: dict[str, Any] = {"by": who, "at": NOW, "digest": of.digest, "also": (), "stage": 0}
    about["on_behalf_of"] = draw(st.sampled_from([None, TOM]))
    last = {
        "rejected": Reject.model_construct(type="reject", reason=said, **about),
        "outdated": Outdated.model_construct(type="outdated", changes=(said, said), **about),
        "answered": Respond.model_construct(type="respond", text=said, **about),
    }.get(status)
    outcome = Outcome.model_construct(
        state=draw(st.sampled_from(["done", "failed"])),
        text=draw(text),
        at=NOW,
        run_failed=draw(st.booleans()),
    )
    return of.to(
        status=status,
        votes=(*of.votes, last) if last else of.votes,
        closed_at=NOW,
        held=draw(st.just("") | text),
        in_doubt=draw(st.booleans()),
        outcome=draw(st.sampled_from([None, outcome])),
    )


@st.composite
def doubtful(draw: st.DrawFn) -> Approval:
    of = draw(waiting())
    return of.to(doubt=Doubt(key="refund:1", attempt="a1"), votes=(), inquiries=())


records = waiting() | ended() | doubtful()
