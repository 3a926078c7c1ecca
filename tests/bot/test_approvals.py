"""An approval's rules: opened once, decided once, and told revision by revision."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot.approvals import (
    Approval,
    Closed,
    Doubt,
)
from bot.audit import Tag
from bot.inslack import RETRY_SLACK, RETRY_SLACK_AT_MOST, MessageRef
from bot.outcomes import ANSWERS
from bot.records import Change
from tests.bot.samples import (
    CHANNEL,
    MARA,
    NOW,
    POLICY,
    TEAM,
    TITLE,
    TOM,
    WHERE,
    after,
    answer,
    approval,
    approve,
    approved,
    edit,
    handed_over,
    opened,
    question,
    reject,
    request,
    run,
)
from workflows.payloads import Asked
from workflows.policy import Policy


def test_a_question_becomes_a_pending_approval_that_says_what_was_asked() -> None:
    asked = request(risk="high", expires_in=timedelta(hours=2))
    change = Approval.open(
        run(), question(asked, "ap_7"), Asked(asked, "Again"), policy=POLICY, channel=CHANNEL,
        now=NOW,
    )  # fmt: skip
    record: Approval = change.record
    [event] = change.events

    assert (record.id, record.thread_id, record.node, record.interrupt_id) == (
        "ap_7", "refund-1", "gate", "i_ap_7",
    )  # fmt: skip
    assert (record.status, record.revision, record.shown, record.version) == ("pending", 1, 0, 0)
    assert (record.team, record.requester, record.channel, record.note) == (
        TEAM, TOM, CHANNEL, "Again",
    )  # fmt: skip
    assert record.digest == asked.digest
    assert record.expires_at == NOW + timedelta(hours=2)
    assert (event.tag, event.approval_id, event.digest) == (Tag.REQUESTED, "ap_7", asked.digest)
    assert event.detail == {"request": asked.model_dump(mode="json")}


def test_without_a_deadline_it_never_expires() -> None:
    assert opened().expires_at is None


@pytest.mark.parametrize("own", [Policy(approvers=(MARA,)), Policy(approvers=())])
def test_the_policy_of_the_request_comes_before_the_default(own: Policy) -> None:
    """Also one that allows nobody."""
    assert opened(policy=own).policy == own
    assert opened().policy == POLICY


OUTCOMES: list[tuple[Any, str, Tag, dict[str, Any]]] = [
    (approve, "approved", Tag.APPROVED, {}),
    (
        edit,
        "edited",
        Tag.EDITED,
        {"values": {"amount": 1}, "before": {}, "edited_by": MARA},
    ),
    (partial(reject, reason="Too much"), "rejected", Tag.REJECTED, {"reason": "Too much"}),
    (answer, "answered", Tag.ANSWERED, {"text": "Send it on Monday"}),
]


@pytest.mark.parametrize(("answered", "status", "tag", "detail"), OUTCOMES)
def test_each_decision_has_its_outcome(
    answered: Callable[[Approval], Any], status: str, tag: Tag, detail: dict[str, Any]
) -> None:
    before = approval()
    decision = answered(before)
    change = before.decide(decision, after(5))
    record: Approval = change.record
    [event] = change.events

    assert (record.status, record.decision, record.closed_at) == (status, decision, after(5))
    assert record.revision == before.revision + 1
    assert (event.tag, event.at, event.detail) == (tag, after(5), detail)
    assert event.actor is not None
    assert event.actor.user == MARA


def test_expiry_is_an_outcome_by_nobody() -> None:
    change = approval().expire(after(60))
    record: Approval = change.record
    [event] = change.events

    assert record.status == "expired"
    assert record.decision is not None
    assert (record.decision.type, record.decision.by.user) == ("expired", None)
    assert (event.tag, event.actor) == (Tag.EXPIRED, None)


def closed_in_every_way() -> dict[str, Approval]:
    before = approval()
    ways: dict[str, Change] = {
        status: before.decide(answered(before), NOW) for answered, status, _, _ in OUTCOMES
    }
    ways["expired"] = before.expire(NOW)
    ways["superseded"] = before.supersede(NOW, "ap_2")
    closed: dict[str, Approval] = {status: change.record for status, change in ways.items()}
    return {**closed, "cancelled": before.to(status="cancelled")}


CLOSES: dict[str, Callable[[Approval], Change]] = {
    "approve": lambda a: a.decide(approve(a), after(1)),
    "reject": lambda a: a.decide(reject(a), after(1)),
    "expire": lambda a: a.expire(after(1)),
    "supersede": lambda a: a.supersede(after(1)),
}


@pytest.mark.parametrize("again", CLOSES)
@pytest.mark.parametrize("status", closed_in_every_way())
def test_what_is_closed_stays_as_it_was_closed(status: str, again: str) -> None:
    record = closed_in_every_way()[status]

    assert record.status == status
    with pytest.raises(Closed, match=status):
        CLOSES[again](record)


def test_what_is_superseded_has_no_decision() -> None:
    change = approval().supersede(after(1), "ap_2")
    record: Approval = change.record

    assert (record.status, record.superseded_by, record.decision) == ("superseded", "ap_2", None)
    assert [(e.tag, e.detail) for e in change.events] == [(Tag.SUPERSEDED, {"by": "ap_2"})]
    assert approval().decision is None


def test_what_was_superseded_is_reopened_as_it_is_asked_now() -> None:
    """With all its time, since nobody could decide meanwhile; the trail tells what is asked."""
    before = approval().supersede(after(1), "ap_2").record.given_up("The workflow failed", after(1))
    now = request(summary="Other words", expires_in=timedelta(hours=1))
    change = before.reopen(Asked(now, "Again"), POLICY, after(60))
    record: Approval = change.record
    [event] = change.events

    assert (record.status, record.closed_at, record.superseded_by) == ("pending", None, None)
    assert (record.outcome, record.by_failure, record.reopened_at) == (None, False, after(60))
    assert (record.request, record.digest, record.note) == (now, now.digest, "Again")
    assert record.expires_at == after(60 + 3600)
    assert (record.id, record.requested_at) == (before.id, before.requested_at)
    assert (event.tag, event.digest) == (Tag.REOPENED, now.digest)
    assert record.decide(approve(record), after(61)).record.status == "approved"


@pytest.mark.parametrize(("text", "told"), ANSWERS.items())
def test_a_doubt_is_answered_in_three_ways(text: str, told: str) -> None:
    before = approval(doubt=Doubt(key="mail:1", attempt="a1"))
    change = before.decide(answer(before, text), after(1))

    assert before.offered == ("done", "not_done", "retry")
    assert change.record.status == "answered"
    assert [event.detail for event in change.events] == [{"text": told}]


def test_a_settled_doubt_owes_nothing_more_and_names_who_settled_it() -> None:
    before = approval(doubt=Doubt(key="mail:1", attempt="a1"))
    change = before.decide(answer(before, "done"), after(1)).record.settled("Noted", after(2))
    record: Approval = change.record
    [event] = change.events

    assert (record.handed_over_at, record.applied_at) == (after(2), after(2))
    assert record.outcome is not None
    assert (record.outcome.state, record.outcome.text) == ("done", "Noted")
    assert (event.tag, event.detail) == (Tag.EFFECT_SETTLED, {"text": "Noted"})
    assert event.actor == before.decide(answer(before, "done"), after(1)).events[0].actor


def test_handing_over_names_who_resumed_and_from_where() -> None:
    change = approved().hand_over(after(2), "one", "cp9")
    record: Approval = change.record
    [event] = change.events

    assert (record.handed_over_at, record.status) == (after(2), "approved")
    assert (event.tag, event.detail) == (
        Tag.RUN_RESUMED,
        {"instance": "one", "checkpoint_id": "cp9"},
    )


def revisions() -> dict[str, tuple[Approval, Approval]]:
    base = handed_over()
    return {
        "applied": (base, base.applied(NOW)),
        "posting": (base, base.posting(NOW)),
        "posted": (base, base.posted(WHERE, 1, NOW).record),
        "lost": (base, base.lost()),
        "replying": (base, base.replying(1)),
        "replied_to": (base, base.replied_to(1)),
        "undelivered": (base, base.undelivered("x", NOW)),
    }


@pytest.mark.parametrize("name", revisions())
def test_what_a_reader_would_not_notice_draws_no_new_card(name: str) -> None:
    before, now = revisions()[name]

    assert now.revision == before.revision
    assert now.status == before.status


def test_what_a_reader_would_notice_does() -> None:
    waiting = approval()
    decided = approved(waiting)
    handed = handed_over(waiting)
    concluded = handed.concluded("done", "Refund done", after(9))

    assert [a.revision for a in (waiting, decided, handed, concluded)] == [1, 2, 3, 4]
    assert concluded.outcome is not None
    assert (concluded.outcome.state, concluded.outcome.text) == ("done", "Refund done")


def test_the_time_at_which_posting_began_is_the_first_one() -> None:
    """A later try looks back as far as the earliest post may lie."""
    assert approval().posting(NOW).posting(after(60)).posting_since == NOW


def test_only_the_first_card_is_an_event() -> None:
    first = approval().posting(NOW).posted(WHERE, 1, NOW)
    again = first.record.posted(WHERE, 2, NOW)
    elsewhere = MessageRef(channel=CHANNEL, ts="2.0")
    anew = again.record.lost().posted(elsewhere, 2, NOW)

    assert [event.tag for event in first.events] == [Tag.SHOWN]
    assert (first.record.message, first.record.shown, first.record.posting_since) == (
        WHERE, 1, None,
    )  # fmt: skip
    assert (again.events, again.record.shown) == ((), 2)
    assert [event.detail["ts"] for event in anew.events] == ["2.0"]


def test_slack_is_tried_again_after_pauses_that_double_up_to_a_bound() -> None:
    record, pauses = approval(), list[timedelta]()
    for _ in range(40):
        record = record.undelivered("not_in_channel", NOW)
        assert record.delivery is not None
        pauses.append(record.delivery.retry_at - NOW)

    assert pauses[:4] == [RETRY_SLACK, RETRY_SLACK * 2, RETRY_SLACK * 4, RETRY_SLACK * 8]
    assert pauses[-1] == RETRY_SLACK_AT_MOST
    assert sorted(pauses) == pauses
    assert record.posted(WHERE, 1, NOW).record.delivery is None
    assert record.replied_to(1).delivery is None


def test_a_transition_leaves_the_record_that_it_was_made_from() -> None:
    before = approval()
    handed_over(before)

    assert before == approval()
    assert before.request.title == TITLE
