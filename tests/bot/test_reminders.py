"""Who is reminded, and when: the missing ones, by day, each of them at most so often."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import steps
from bot.approvals import Approval
from bot.audit import Tag
from bot.policy import People
from bot.reminders import TOLD_AT_MOST, Known, missing, remind
from tests.bot.samples import JONAS, MARA, TOM, WHERE, approval, approve, member, request
from workflows.payloads import Asked
from workflows.policy import Policy, Stage

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GROUP = {"S00FINANCE": frozenset({MARA, JONAS})}
BERLIN, TOKYO, LA = "Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles"


def waiting(policy: Policy, **changes: Any) -> Approval:
    asked = request(remind_after=timedelta(hours=1))
    return approval(asked, policy=policy, requested_at=MONDAY, requester=None, **changes)


def known(*users: str, zone: str = BERLIN, **more: Any) -> Known:
    members = {user: member(user, zone=zone) for user in users}
    return Known(People(GROUP, more.pop("deputies", {})), members=members, **more)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def reminded(of: Approval, who: Known, at: datetime) -> tuple[Approval, list[str]]:
    change = remind(of, who, at)
    assert [event.tag for event in change.events] in ([], [Tag.REMINDED])
    return change.record, [u for event in change.events for u in event.detail["users"]]  # type: ignore[union-attr]


BOTH = Policy(approvers=("S00FINANCE",), quorum=2)


def test_those_who_have_not_voted_are_reminded_then_each_after_a_day() -> None:
    asked, who = waiting(BOTH), known(MARA, JONAS)
    assert reminded(asked, who, MONDAY) == (asked, [])
    first, told = reminded(asked, who, MONDAY + hours(1))
    assert told == [MARA, JONAS]
    voted = first.decide(approve(first, MARA), MONDAY + hours(2)).record
    again, told = reminded(voted, who, MONDAY + hours(24))
    assert told == []
    _, told = reminded(again, who, MONDAY + hours(25))
    assert told == [JONAS]


def test_a_reminder_is_owed_until_somebody_decides() -> None:
    asked = waiting(Policy(approvers=(MARA,)))
    posted = asked.to(message=WHERE, shown=1)
    kinds = [step.kind for step in steps.due(posted, MONDAY + hours(1))]
    assert kinds == ["remind"]
    later, _ = reminded(posted, known(MARA), MONDAY + hours(1))
    assert steps.due(later, MONDAY + hours(1)) == []
    decided = posted.decide(approve(posted), MONDAY).record
    assert "remind" not in [step.kind for step in steps.due(decided, MONDAY + hours(1))]


def test_at_night_it_waits_for_each_one_s_own_morning() -> None:
    asked = waiting(BOTH)
    members = {MARA: member(MARA, zone=LA), JONAS: member(JONAS, zone=TOKYO)}
    who = Known(People(GROUP), members=members)
    at = MONDAY + hours(1)  # 2:30 in Los Angeles, 19:30 in Tokyo
    looked, told = reminded(asked, who, at)
    assert told == []
    times: dict[str, datetime] = {}
    while len(times) < 2:
        at = looked.remind_at or at
        looked, told = reminded(looked, who, at)
        times |= dict.fromkeys(told, at)
    assert times[MARA] == datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    assert times[JONAS] == datetime(2026, 3, 3, 0, 0, tzinfo=UTC)


def test_no_weekends() -> None:
    friday = datetime(2026, 3, 6, 16, 59, tzinfo=UTC)  # 17:59 in Berlin
    asked = waiting(BOTH).to(requested_at=friday)
    looked, told = reminded(asked, known(MARA, JONAS), friday + hours(1))
    assert told == []
    at = friday
    while not told:
        at = looked.remind_at or friday
        looked, told = reminded(looked, known(MARA, JONAS), at)
    assert at == datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


def test_only_the_open_stage_and_from_when_it_opened() -> None:
    stages = (Stage(approvers=("S00FINANCE",)), Stage(approvers=(TOM,)))
    asked, who = waiting(Policy(stages=stages)), known(MARA, JONAS, TOM)
    assert missing(asked, who) == [MARA, JONAS]
    late = MONDAY + hours(3)
    voted = asked.decide(approve(asked, MARA, late), late).record
    assert missing(voted, who) == [TOM]
    looked, told = reminded(voted, who, late + hours(0.5))
    assert (told, looked.remind_at) == ([], late + hours(1))
    assert reminded(looked, who, late + hours(1))[1] == [TOM]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"requester": MARA}, [JONAS]),
        ({"requester": None}, [MARA, JONAS]),
    ],
)
def test_who_may_not_decide_is_not_asked_to(changes: dict[str, Any], expected: list[str]) -> None:
    assert missing(waiting(BOTH).to(**changes), known(MARA, JONAS)) == expected


def test_guests_and_those_who_left_are_not_written_to() -> None:
    members = {MARA: member(MARA, full=False), JONAS: member(JONAS)}
    who = Known(People(GROUP), members=members)
    assert reminded(waiting(BOTH), who, MONDAY + hours(1))[1] == [JONAS]


def test_who_has_handed_their_place_over_is_not_asked_any_more() -> None:
    stage = Stage(approvers=("S00FINANCE", TOM), without=(MARA,))
    people = People({"S00FINANCE": frozenset({MARA, JONAS})})
    of = approval(policy=Policy(stages=(stage,)), requester=None)
    assert missing(of, Known(people)) == [TOM, JONAS]


def test_the_deputy_of_who_is_away_is_reminded() -> None:
    away = frozenset({MARA})
    instead = known(JONAS, TOM, deputies={MARA: TOM}, away=away)
    assert missing(waiting(BOTH), instead) == [TOM, JONAS]
    alone = known(JONAS, away=away)
    assert missing(waiting(BOTH), alone) == [JONAS]
    both_away = known(JONAS, deputies={MARA: TOM}, away=frozenset({MARA, TOM}))
    assert missing(waiting(BOTH), both_away) == [JONAS]
    named = waiting(BOTH).to(requester=MARA)  # may not choose who decides it either
    assert missing(named, instead) == [JONAS]


def test_of_a_large_group_only_some_are_written_to_and_it_is_said() -> None:
    crowd = [f"U{number:04}CROWD" for number in range(500)]
    group = {"S00FINANCE": frozenset(crowd)}
    members = {user: member(user, zone=BERLIN) for user in crowd[:TOLD_AT_MOST]}
    who = Known(People(group), members=members)
    policy = Policy(approvers=("S00FINANCE", MARA))
    change = remind(waiting(policy), who, MONDAY + hours(1))
    [event] = change.events
    assert event.detail == {"users": crowd[:TOLD_AT_MOST], "others": 501 - TOLD_AT_MOST}
    assert missing(waiting(policy), who)[0] == MARA  # who is named comes first


def test_a_new_question_under_the_same_record_is_reminded_anew() -> None:
    asked, _ = reminded(waiting(BOTH), known(MARA, JONAS), MONDAY + hours(1))
    closed = asked.supersede(MONDAY + hours(2)).record
    again = closed.reopen(Asked(asked.request), BOTH, MONDAY + hours(3)).record
    assert (again.remind_next, again.reminded) == (MONDAY + hours(4), {})


def test_after_the_deadline_nobody_is_reminded() -> None:
    asked = waiting(BOTH, expires_at=MONDAY + hours(1))
    assert reminded(asked, known(MARA, JONAS), MONDAY + hours(1))[1] == []
