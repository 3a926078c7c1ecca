"""`until Friday`, `for 3 days`: a time as people type it, in their own time zone."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from bot.texts import t

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
DAYS = {"day": 1, "week": 7}
AT_MOST = timedelta(days=366)


class BadTime(ValueError):
    """What was typed is no time that we understand; the message says which we do."""


def zone_of(name: str, offset: int) -> tzinfo:
    """By its name, as `Europe/Berlin`; by its offset in seconds where this machine does not know
    the name, or none is given."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a KeyError
        seconds = offset if abs(offset) < timedelta(days=1).total_seconds() else 0
        return timezone(timedelta(seconds=seconds))


def read_until(words: Sequence[str], now: datetime, zone: tzinfo) -> datetime:
    """The moment that `until …` or `for …` ends. A day ends it when it begins: who is away until
    Friday is back then. BadTime where it is none, is over, or is more than a year away."""
    local = now.astimezone(zone)
    match [word.lower().rstrip(",") for word in words]:
        case ["until", *rest] if rest:
            at = _moment([word for word in rest if word != "at"], local)
        case ["for", number, unit] if number.isdecimal() and len(number) < 5:
            at = _after(int(number), unit.removesuffix("s"), local)
        case _:
            at = None
    typed = repr(" ".join(words)[:80])
    if at is None:
        raise BadTime(t("{typed} is no time that we understand. {so}", typed=typed, so=_type()))
    if at <= now:
        raise BadTime(t("{typed} is over already. {so}", typed=typed, so=_type()))
    if at - now > AT_MOST:
        raise BadTime(t("{typed} is more than a year away. {so}", typed=typed, so=_type()))
    return at


def _type() -> str:
    """The words in the examples are commands: they are the same in every language."""
    return t(
        "Type {first}, {second}, {third} or {fourth}.",
        first="`until Friday`",
        second="`until 2026-12-01 14:00`",
        third="`until tomorrow 9:00`",
        fourth="`for 3 days`",
    )


def _moment(words: list[str], local: datetime) -> datetime | None:
    """`friday`, `2026-12-01 14:00`, `14:00`"""
    match words:
        case [day]:
            clock = _clock(day)
            if clock is not None:
                return _joined(local.date(), clock, local)
            return _joined(_day(day, local.date()), time(), local)
        case [day, hour]:
            return _joined(_day(day, local.date()), _clock(hour), local)
        case _:
            return None


def _joined(day: date | None, clock: time | None, local: datetime) -> datetime | None:
    if day is None or clock is None:
        return None
    return datetime.combine(day, clock, local.tzinfo)


def _day(word: str, today: date) -> date | None:
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    full = next((day for day in WEEKDAYS if len(word) >= 3 and day.startswith(word)), None)
    if full is not None:
        ahead = (WEEKDAYS.index(full) - today.weekday() - 1) % 7 + 1  # today's name: in a week
        return today + timedelta(days=ahead)
    try:
        return date.fromisoformat(word) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", word) else None
    except ValueError:
        return None


def _clock(word: str) -> time | None:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", word, re.ASCII)
    return time(int(found[1]), int(found[2])) if found else None


def _after(number: int, unit: str, local: datetime) -> datetime | None:
    """Days keep the time of the day, also where the clocks change."""
    if unit in DAYS:
        return local + timedelta(days=number * DAYS[unit])
    return local.astimezone(UTC) + number * UNITS[unit] if unit in UNITS else None
