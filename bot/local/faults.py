"""Faults that a test switches on: lost answers, errors, slow calls, lost and doubled deliveries.

Each applies to the next calls only and is used up by them; without any the workspace is healthy.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from bot.local.records import Json

Kind = Literal["lost_answer", "refused_connection", "status", "slow", "ratelimited", "error"]


@dataclass(frozen=True)
class Fault:
    """What happens to one call. `lost_answer`: it is carried out, its answer never arrives."""

    kind: Kind
    status: int = 500
    code: str = ""
    seconds: float = 0.0
    retry_after: int = 1
    more: Json = field(default_factory=dict[str, object])


@dataclass
class Faults:
    """Per method a queue of faults (`*`: any method), and what happens to deliveries to the bot."""

    _queues: dict[str, deque[Fault]] = field(default_factory=dict[str, deque[Fault]])
    unreachable: bool = False
    lost_deliveries: int = 0
    doubled_deliveries: int = 0

    def lose_answer(self, method: str, times: int = 1) -> None:
        """The call is accepted and carried out, then the connection drops."""
        self._add(method, Fault("lost_answer"), times)

    def refuse_connection(self, method: str, times: int = 1) -> None:
        """The connection drops before anything is carried out."""
        self._add(method, Fault("refused_connection"), times)

    def server_error(self, method: str, times: int = 1, status: int = 503) -> None:
        self._add(method, Fault("status", status=status), times)

    def slow(self, method: str, seconds: float, times: int = 1) -> None:
        """The answer comes `seconds` late (the call is carried out at once)."""
        self._add(method, Fault("slow", seconds=seconds), times)

    def rate_limit(self, method: str, times: int = 1, retry_after: int = 1) -> None:
        self._add(method, Fault("ratelimited", retry_after=retry_after), times)

    def error(self, method: str, code: str, times: int = 1, **more: object) -> None:
        """Slack answers `ok: false` with this code."""
        self._add(method, Fault("error", code=code, more=dict(more)), times)

    def lose_deliveries(self, times: int = 1) -> None:
        """The next clicks, commands or events never reach the bot."""
        self.lost_deliveries += times

    def double_deliveries(self, times: int = 1) -> None:
        """The next ones reach it twice, over two connections where there are two."""
        self.doubled_deliveries += times

    def clear(self) -> None:
        self._queues.clear()
        self.unreachable = False
        self.lost_deliveries = self.doubled_deliveries = 0

    def pending(self) -> int:
        """How many faults have not struck yet: a test that planted one wants 0 at its end."""
        queued = sum(len(queue) for queue in self._queues.values())
        return queued + self.lost_deliveries + self.doubled_deliveries

    def next_for(self, method: str) -> Fault | None:
        """The fault that strikes this call, taken off the queue."""
        if self.unreachable:
            return Fault("refused_connection")
        for key in (method, "*"):
            queue = self._queues.get(key)
            if queue:
                return queue.popleft()
        return None

    def next_delivery_is_lost(self) -> bool:
        lost = self.lost_deliveries > 0
        self.lost_deliveries -= lost
        return lost

    def next_delivery_is_doubled(self) -> bool:
        doubled = self.doubled_deliveries > 0
        self.doubled_deliveries -= doubled
        return doubled

    def _add(self, method: str, fault: Fault, times: int) -> None:
        self._queues.setdefault(method, deque()).extend([fault] * times)
