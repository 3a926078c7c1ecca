"""What is owed for a record, after each of its transitions and whatever it holds."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.approvals import Approval
from bot.inslack import RETRY_SLACK, Delivery
from bot.runs import RETENTION, Run
from bot.steps import ABANDONED_AFTER, due, next_at
from tests.bot.samples import (
    CHANNEL,
    NOW,
    THREAD,
    WHERE,
    after,
    approval,
    approved,
    handed_over,
    run,
)

POST, SHOW, ADVANCE, EXPIRE, RETIRE = "post", "show", "advance", "expire", "retire"
WAITING = approval(expires_at=after(60), trail=1)
POSTED: Approval = WAITING.posted(WHERE, 1, NOW).record
TOLD = POSTED.to(trail=2, replied=2)
DECIDED = approved(TOLD)
HANDED = handed_over(TOLD)
SHOWN_DECIDED = HANDED.to(shown=HANDED.revision, applied_at=NOW)
PAUSE = RETRY_SLACK.total_seconds()
KEPT = RETENTION.total_seconds()
LATER = TOLD.to(trail=3).reply_later(after(10), 2)
REFUSED = WAITING.undelivered("not_in_channel", NOW)

OWED: dict[str, tuple[Run | Approval, float, list[str]]] = {
    "queued": (run(), 0, [ADVANCE]),
    "not before it was made": (run(), -1, []),
    "running": (run().begin(NOW), 29, []),
    "running, its worker lost": (run().begin(NOW), 30, [ADVANCE]),
    "stumbled": (run().begin(NOW).stumble("ouch", NOW), 1, []),
    "stumbled, after the pause": (run().begin(NOW).stumble("ouch", NOW), 2, [ADVANCE]),
    "waiting": (run().wait(NOW), 9e9, []),
    "drained": (run().begin(NOW).drained(NOW), 0, [ADVANCE]),
    "blocked": (run().begin(NOW).block("no node", NOW), 59, []),
    "blocked, after a minute": (run().begin(NOW).block("no node", NOW), 60, [ADVANCE]),
    "finished": (run().finish(NOW), KEPT - 1, []),
    "finished, after the retention": (run().finish(NOW), KEPT, [RETIRE]),
    "failed": (run().fail("no", NOW), KEPT - 1, []),
    "failed, after the retention": (run().fail("no", NOW), KEPT, [RETIRE]),
    "kept for an hour": (run(retention="PT1H").finish(NOW), 3600, [RETIRE]),
    "retirement begun": (run().finish(NOW).retire(NOW), 0, [RETIRE]),
    "retired": (run().finish(NOW).retire(NOW).forgotten(NOW).record, 9e9, []),
    "opened": (WAITING, 0, [POST]),
    "opened, its deadline passed": (WAITING, 60, [POST, EXPIRE]),
    "decided before it was posted": (approved(WAITING), 0, [POST, ADVANCE]),
    "posted, its event untold": (POSTED.to(trail=2, replied=1), 0, [SHOW]),
    "posted and told": (TOLD, 59, []),
    "posted, its deadline passed": (TOLD, 60, [EXPIRE]),
    "no deadline": (TOLD.to(expires_at=None), 9e9, []),
    "approved": (DECIDED, 0, [SHOW, ADVANCE]),
    "approved, on hold": (DECIDED.hold("no node"), 0, [SHOW]),
    "approved, past its deadline": (DECIDED, 61, [SHOW, ADVANCE]),
    "expired": (TOLD.expire(after(60)).record, 60, [SHOW, ADVANCE]),
    "superseded": (TOLD.supersede(NOW).record, 61, [SHOW]),
    "handed over": (HANDED, 0, [SHOW]),
    "handed over and shown": (SHOWN_DECIDED, 9e9, []),
    "concluded": (SHOWN_DECIDED.concluded("done", "Refund done", NOW), 0, [SHOW]),
    "given up with its run": (DECIDED.concluded("failed", "Not executed", NOW), 0, [SHOW]),
    "lost in Slack": (TOLD.lost(), 0, [POST]),
    "refused by Slack": (REFUSED, PAUSE - 1, []),
    "refused by Slack, after the pause": (REFUSED, PAUSE, [POST]),
    "its reply waits for others": (LATER, 9, []),
    "its reply waited for others": (LATER, 10, [SHOW]),
    "its reply waits, the card does not": (approved(LATER), 0, [SHOW, ADVANCE]),
}


@pytest.mark.parametrize("name", OWED)
def test_what_is_owed(name: str) -> None:
    record, seconds, kinds = OWED[name]

    assert [step.kind for step in due(record, after(seconds))] == kinds


def test_a_step_names_its_subject() -> None:
    waits = {step.kind: step.subject for step in due(TOLD, after(60))}
    decided = {step.kind: step.subject for step in due(DECIDED, after(60))}

    assert waits | decided == {SHOW: "ap_1", EXPIRE: "ap_1", ADVANCE: THREAD}
    assert [step.subject for step in due(WAITING, NOW)] == [CHANNEL]
    assert [step.subject for step in due(run(), NOW)] == [THREAD]


UNCHANGED: dict[str, tuple[Run | Approval, Run | Approval]] = {
    "a later version": (WAITING, WAITING.to(version=7)),
    "the post begun": (WAITING, WAITING.posting(NOW)),
    "half told": (TOLD.to(trail=5), TOLD.to(trail=5, replied=3)),
    "a reply begun": (TOLD.to(trail=5), TOLD.to(trail=5).replying(3)),
    "refused once more": (REFUSED, REFUSED.undelivered("not_in_channel", after(5))),
    "attempt under way": (run().begin(NOW), run().begin(NOW).to(version=3, updated_at=after(1))),
}
CHANGED: dict[str, tuple[Run | Approval, Run | Approval]] = {
    "decided": (TOLD, approved(TOLD)),
    "an event more": (POSTED, POSTED.to(trail=3, expires_at=None)),
    "concluded": (HANDED, HANDED.concluded("done", "Refund done", NOW)),
    "another attempt": (run().begin(NOW), run().begin(NOW).begin(NOW)),
    "begun": (run(), run().begin(NOW)),
    "another approval of the run": (DECIDED, DECIDED.to(id="ap_2")),
}


def keys(record: Run | Approval) -> set[str]:
    return {step.key for step in due(record, NOW.replace(year=9999))}


@pytest.mark.parametrize("name", UNCHANGED)
def test_keys_stay_while_nothing_changed(name: str) -> None:
    before, now = UNCHANGED[name]

    assert keys(before) == keys(now) != set()


def test_all_cards_of_a_channel_are_one_step_until_its_worker_must_be_dead() -> None:
    first, second = WAITING, WAITING.to(id="ap_2", thread_id="refund-2", expires_at=None)
    start = NOW.replace(second=0)

    assert due(first, start.replace(second=31))[0] == due(second, start.replace(second=44))[0]
    assert due(first, start.replace(second=44))[0] != due(first, start.replace(second=45))[0]


@pytest.mark.parametrize("name", CHANGED)
def test_keys_are_new_where_something_did(name: str) -> None:
    before, now = CHANGED[name]

    assert not keys(before) & keys(now)


moments = st.integers(-10_000, 10_000).map(lambda s: NOW + timedelta(seconds=s))
perhaps = st.none() | moments
counts = st.integers(0, 5)
deliveries = st.none() | st.builds(Delivery, code=st.just("x"), tries=counts, retry_at=moments)
fields: dict[str, st.SearchStrategy[Any]] = {
    "expires_at": perhaps,
    "revision": st.integers(1, 5),
    "shown": counts,
    "trail": counts,
    "replied": counts,
    "replies_at": perhaps,
    "message": st.none() | st.just(WHERE),
    "delivery": deliveries,
    "handed_over_at": perhaps,
    "applied_at": perhaps,
}
bases = st.sampled_from(
    [WAITING, DECIDED, TOLD.expire(NOW).record, TOLD.supersede(NOW).record, SHOWN_DECIDED]
)


def changed(base: Approval, changes: dict[str, Any]) -> Approval:
    return base.to(**changes)


approvals = st.builds(changed, bases, st.fixed_dictionaries(fields))
FOREVER = NOW.replace(year=9999)


@given(record=approvals)
def test_whatever_the_record_nothing_that_is_open_is_forgotten(record: Approval) -> None:
    kinds = [step.kind for step in due(record, FOREVER)]

    if record.message is None:
        assert POST in kinds
    elif record.shown < record.revision or record.replied < record.trail:
        assert SHOW in kinds
    if record.status not in ("pending", "superseded") and not record.handed_over_at:
        assert ADVANCE in kinds
    if record.status == "pending":
        assert (EXPIRE in kinds) == (record.expires_at is not None)
    assert len(kinds) == len(set(kinds))


@given(record=approvals)
def test_the_next_step_is_due_exactly_from_its_time_on(record: Approval) -> None:
    at = next_at(record)

    if at is None:
        assert due(record, FOREVER) == []
    else:
        assert due(record, at) != []
        assert due(record, at - timedelta(microseconds=1)) == []


@given(status=st.sampled_from(["finished", "failed", "cancelled"]), retry=perhaps, tried=counts)
def test_a_closed_run_owes_its_retirement_and_nothing_else(
    status: Any, retry: Any, tried: int
) -> None:
    closed = run(status=status, retry_at=retry, attempts=tried)

    assert [step.kind for step in due(closed, FOREVER)] == [RETIRE]
    assert next_at(closed) == NOW + RETENTION
    assert due(closed.retire(NOW).forgotten(NOW).record, FOREVER) == []


@given(
    status=st.sampled_from(["queued", "running", "waiting", "blocked"]), retry=perhaps, tried=counts
)
def test_a_run_that_is_open_never_retires(status: Any, retry: Any, tried: int) -> None:
    waiting = run(status=status, retry_at=retry, attempts=tried, retention="PT0S")

    assert RETIRE not in [step.kind for step in due(waiting, FOREVER)]


def test_a_lost_worker_is_noticed_in_time() -> None:
    assert next_at(run().begin(NOW)) == NOW + ABANDONED_AFTER
