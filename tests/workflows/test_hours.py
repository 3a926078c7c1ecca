"""Working hours, in any time zone, over summer time and year ends."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.hours import ALWAYS, WEEK, Hours

NAMES = [
    "Europe/Berlin",
    "America/Los_Angeles",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
    "",
    "No/Where",
]
ZONES = st.sampled_from(NAMES)
TIMES = st.integers(1_577_836_800, 2_051_222_400).map(lambda at: datetime.fromtimestamp(at, UTC))


@st.composite
def opening_hours(draw: st.DrawFn) -> Hours:
    start = draw(st.integers(0, 23))
    end = draw(st.integers(start + 1, 24))
    return Hours(days=tuple(draw(st.sets(st.sampled_from(WEEK), min_size=1))), start=start, end=end)


@given(TIMES, ZONES, opening_hours())
def test_the_next_opening_is_open_and_not_before(at: datetime, zone: str, when: Hours) -> None:
    opens = when.next_open(at, zone)
    assert at <= opens <= at + timedelta(days=8)
    assert when.next_open(opens, zone) == opens


@given(TIMES, ZONES)
def test_always_is_now(at: datetime, zone: str) -> None:
    assert ALWAYS.next_open(at, zone) == at


def test_hours_that_leave_no_time_are_refused() -> None:
    with pytest.raises(ValueError, match="is not before the end"):
        Hours(start=18, end=9)
