"""Times as people type them, in their own zone."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.until import BadTime, read_until, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # in Berlin it is Thursday already, 00:30


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("until Friday", "2026-11-27 00:00"),
        ("until fri", "2026-11-27 00:00"),
        ("until Thursday", "2026-12-03 00:00"),  # it is one: the next
        ("until Friday 14:00", "2026-11-27 14:00"),
        ("until friday, at 9:05", "2026-11-27 09:05"),
        ("until tomorrow", "2026-11-27 00:00"),
        ("until today 18:00", "2026-11-26 18:00"),
        ("until 18:00", "2026-11-26 18:00"),
        ("until 2026-12-01", "2026-12-01 00:00"),
        ("until 2026-12-01 14:00", "2026-12-01 14:00"),
        ("for 3 days", "2026-11-29 00:30"),
        ("for 1 week", "2026-12-03 00:30"),
        ("for 2 hours", "2026-11-26 02:30"),
        ("for 45 minutes", "2026-11-26 01:15"),
    ],
)
def test_a_time_is_meant_in_the_zone_of_who_types_it(typed: str, until: str) -> None:
    expected = datetime.fromisoformat(until).replace(tzinfo=BERLIN)
    assert read_until(typed.split(), NOW, BERLIN) == expected


def test_days_keep_the_time_of_the_day_where_the_clocks_change() -> None:
    before = datetime(2026, 10, 24, 8, 0, tzinfo=UTC)  # 10:00 in Berlin; the night has 25 hours
    assert read_until(["for", "1", "day"], before, BERLIN) - before == timedelta(hours=25)
    assert read_until(["for", "24", "hours"], before, BERLIN) - before == timedelta(hours=24)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("until", "is no time"),
        ("until then", "is no time"),
        ("Friday", "is no time"),
        ("until 2026-02-30", "is no time"),
        ("until 25:00", "is no time"),
        ("until Friday 14", "is no time"),
        ("until fr", "is no time"),
        ("for 3 moons", "is no time"),
        ("for -1 days", "is no time"),
        ("for ² days", "is no time"),
        ("for 0 days", "is over already"),
        ("until 2020-01-01", "is over already"),
        ("until today", "is over already"),
        ("until 2028-01-01", "more than a year"),
        ("for 9999 weeks", "more than a year"),
    ],
)
def test_what_is_no_time_teaches_those_that_are(typed: str, problem: str) -> None:
    with pytest.raises(BadTime, match=problem) as refused:
        read_until(typed.split(), NOW, BERLIN)
    assert "`until 2026-12-01 14:00`" in str(refused.value)


@pytest.mark.parametrize("name", ["", "Nowhere/City", "../etc/passwd", "Europe"])
def test_a_zone_that_is_not_known_here_goes_by_its_offset(name: str) -> None:
    assert zone_of(name, -18_000) == timezone(timedelta(hours=-5))
    assert zone_of("Europe/Berlin", 0) == BERLIN
