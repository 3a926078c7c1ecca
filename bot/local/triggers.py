"""trigger_ids: good for one use, three seconds long."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from bot.local.arguments import ApiError
from bot.local.workspace import Clock

SECONDS = 3.0


@dataclass
class Trigger:
    user: str
    issued: float
    view_id: str | None = None
    used: bool = False


@dataclass
class Triggers:
    clock: Clock
    _issued: dict[str, Trigger] = field(default_factory=dict[str, Trigger])
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def issue(self, user: str, view_id: str | None = None) -> str:
        """A new trigger_id for what this person just did; `view_id` when they did it in a modal."""
        number = next(self._count)
        trigger_id = f"{1_000_000 + number}.{2_000_000 + number}.{number:032x}"
        self._issued[trigger_id] = Trigger(user, self.clock(), view_id)
        return trigger_id

    def look(self, trigger_id: str | None) -> Trigger:
        """The trigger, still good; else the refusal that Slack gives."""
        if trigger_id is None:
            raise ApiError(
                "invalid_arguments", "missing required field: trigger_id [json-pointer:/trigger_id]"
            )
        trigger = self._issued.get(trigger_id)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if self.clock() - trigger.issued > SECONDS:
            raise ApiError("expired_trigger_id")
        return trigger
