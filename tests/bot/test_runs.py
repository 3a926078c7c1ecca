"""A run's rules: started once, tried a bounded number of times, and closed for good."""

from datetime import timedelta
from typing import Any

import pytest

from bot.audit import Tag
from bot.runs import (
    BACKOFF,
    BACKOFF_AT_MOST,
    ELSEWHERE,
    MAX_ATTEMPTS,
    NotFailed,
    OtherInput,
    Run,
    RunStatus,
)
from tests.bot.samples import MARA, NOW, TEAM, TOM, actor, after, run


def started(requester: str | None = TOM) -> tuple[Run, Tag, str | None]:
    change = Run.start(
        thread_id="refund-1",
        workflow="refund",
        workflow_version="3",
        values={"amount": "1.00"},
        requester=requester,
        channel=None,
        team=TEAM,
        now=NOW,
    )
    [event] = change.events
    assert event.detail == {"workflow": "refund", "input": {"amount": "1.00"}}
    assert event.approval_id is None
    return change.record, event.tag, event.actor.user if event.actor else None


def test_a_start_is_queued_and_told() -> None:
    record, tag, who = started()

    assert (record.status, record.attempts, record.workflow_version) == ("queued", 0, "3")
    assert (record.team, record.created_at, record.version) == (TEAM, NOW, 0)
    assert (tag, who) == (Tag.RUN_STARTED, TOM)


def test_a_start_by_nobody_names_nobody() -> None:
    assert started(None)[2] is None


def test_the_same_start_is_the_same_run() -> None:
    record = run()

    assert record.same_start(run(input={"customer": "ACME"}), same_input=True) is record


@pytest.mark.parametrize(
    ("other", "same_input", "words"),
    [
        ({}, False, "a run of refund with another input. Choose"),
        ({"workflow": "crm"}, True, "another workflow (refund, not crm)"),
        ({"requester": None}, True, f"another requester ({TOM}, not none)"),
        (
            {"requester": MARA, "channel": "C1"},
            False,
            f"another input and another requester ({TOM}, not {MARA}) and another channel (none",
        ),
    ],
)
def test_another_start_is_an_error_that_names_what_differs(
    other: dict[str, Any], same_input: bool, words: str
) -> None:
    with pytest.raises(OtherInput, match=r"^The thread 'refund-1' belongs to ") as told:
        run().same_start(run(**other), same_input=same_input)
    assert words in str(told.value)


def test_an_attempt_counts_before_it_is_made() -> None:
    begun = run(retry_at=NOW).begin(after(1))

    assert (begun.status, begun.attempts, begun.retry_at) == ("running", 1, None)
    assert begun.updated_at == after(1)


def test_the_pause_doubles_until_the_run_has_failed() -> None:
    record, pauses = run(), list[timedelta]()
    for _ in range(MAX_ATTEMPTS - 1):
        record = record.begin(NOW).stumble("ouch", NOW)
        assert (record.status, record.error) == ("running", "ouch")
        assert record.retry_at is not None
        pauses.append(record.retry_at - NOW)
    record = record.begin(NOW).stumble("ouch", NOW)

    doubled = [BACKOFF * 2**n for n in range(MAX_ATTEMPTS - 1)]
    assert pauses == [min(pause, BACKOFF_AT_MOST) for pause in doubled]
    assert (record.status, record.retry_at, record.closed) == ("failed", None, True)


@pytest.mark.parametrize("how", ["wait", "drained", "finish"])
def test_getting_on_forgets_the_attempts(how: str) -> None:
    tried = run(attempts=4, status="running", retry_at=after(9), error="x", blocked_at=NOW)
    going = getattr(tried, how)(after(1))

    assert (going.attempts, going.error, going.blocked_at) == (0, "", None)
    assert going.updated_at == after(1)


@pytest.mark.parametrize(
    ("status", "closed"),
    [
        ("queued", False),
        ("running", False),
        ("waiting", False),
        ("blocked", False),
        ("finished", True),
        ("failed", True),
        ("cancelled", True),
    ],
)
def test_which_runs_are_closed(status: RunStatus, closed: bool) -> None:
    assert run(status=status).closed is closed


def test_a_failed_run_is_retried_with_all_its_attempts() -> None:
    failed = run(attempts=MAX_ATTEMPTS, status="running").fail("The card is closed", after(1))
    change = failed.retry(after(2), actor(), "ap_1")
    retried: Run = change.record
    [event] = change.events

    assert (retried.status, retried.attempts, retried.error) == ("queued", 0, "")
    assert (retried.retry_at, retried.retried_at, retried.updated_at) == (None, after(2), after(2))
    assert (event.tag, event.approval_id, event.detail) == (
        Tag.RUN_RETRIED, "ap_1", {"error": "The card is closed"},
    )  # fmt: skip
    assert event.actor is not None
    assert event.actor.user == MARA
    assert retried.begin(after(3)).retried_at is None


@pytest.mark.parametrize("status", ["queued", "running", "waiting", "finished", "cancelled"])
def test_only_a_failed_run_is_retried(status: RunStatus) -> None:
    with pytest.raises(NotFailed, match=f"refund-1 is {status}, not failed"):
        run(status=status).retry(after(1), None, None)


def test_a_blocked_run_knows_since_when_however_often_it_was_looked_at() -> None:
    blocked = run().begin(after(1)).block("no node", after(1)).begin(after(61))
    again = blocked.block("no node", after(61))

    assert (again.status, again.blocked_at, again.attempts) == ("blocked", after(1), 0)
    assert (again.error, again.retry_at) == ("no node", after(61) + ELSEWHERE)
    assert again.begin(after(121)).stumble("ouch", after(121)).blocked_at is None


def test_a_run_that_retires_cannot_go_back() -> None:
    ended = run().finish(NOW)

    assert (ended.retired, ended.retire(NOW).retired) == (False, True)
    gone = ended.retire(NOW).forgotten(after(1))
    assert (gone.record.retired_at, [e.tag for e in gone.events]) == (after(1), [Tag.RUN_RETIRED])


def test_a_run_that_has_retired_is_not_retried() -> None:
    with pytest.raises(NotFailed, match="refund-1 has retired"):
        run().fail("no", NOW).retire(NOW).retry(after(1), None, None)


def test_a_transition_leaves_the_run_that_it_was_made_from() -> None:
    before = run()
    before.begin(after(1)).fail("no", after(2))

    assert before == run()
