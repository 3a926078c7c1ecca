"""A graph that waits for a time: no question for people, and no worker that holds on meanwhile."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from langgraph.types import interrupt
from pydantic import AwareDatetime, TypeAdapter, ValidationError

MARKER = "countersign_wait_until"
WOKEN = {MARKER: "over"}  # what the node is resumed with

_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def wait_until(when: datetime) -> None:
    """Pause this node until then; its run goes on by itself, on any worker.

    The node runs again from its top when it resumes, so take `when` from the state only. It is
    not before that time, and may be much later: whatever must be so at that moment is to be looked
    at again. Use it once per node, in one that asks nothing.
    """
    if when.tzinfo is None:
        raise ValueError(f"{when} has no time zone")
    interrupt({MARKER: when.isoformat()})


def read_wait(value: Any) -> datetime | None:
    """Until when an interrupt waits; None: it is none of these."""
    if not isinstance(value, Mapping) or list(value) != [MARKER]:
        return None
    try:
        return _MOMENT.validate_python(value[MARKER])
    except ValidationError:
        return None
