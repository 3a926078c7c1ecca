"""When people may be written to: working days and hours, each in their own time zone."""

from datetime import UTC, datetime, timedelta, tzinfo
from datetime import time as clock_time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Hours(BaseModel):
    """From `start` on, and before `end`: whole hours of each of these days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Annotated[tuple[Day, ...], Field(min_length=1)] = WEEK[:5]
    start: Annotated[int, Field(ge=0, le=23)] = 9
    end: Annotated[int, Field(ge=1, le=24)] = 18

    @model_validator(mode="after")
    def _some_time_is_left(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"start: {self.start} is not before the end, which is {self.end}")
        return self

    def next_open(self, at: datetime, zone: str) -> datetime:
        """`at`, where it lies within them; else when they begin next. zone: an IANA name, as Slack
        gives it; one that is not known counts as UTC."""
        local = at.astimezone(_zone(zone))
        if self._works(local) and self.start <= local.hour < self.end:
            return at
        opens = datetime.combine(local.date(), clock_time(self.start), local.tzinfo)
        while opens <= local or not self._works(opens):
            opens += timedelta(days=1)  # of the wall clock: the hour stays
        return opens.astimezone(UTC)

    def _works(self, local: datetime) -> bool:
        return WEEK[local.weekday()] in self.days


ALWAYS = Hours(days=WEEK, start=0, end=24)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # "", a folder, or nothing that is known
        return UTC
