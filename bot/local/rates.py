"""Slack's rate limits: so many calls a minute per method, one message a second per channel."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bot.local.method_tables import METHODS
from bot.local.workspace import Clock


@dataclass
class RateLimits:
    """Answers how long a caller has to wait: None, go ahead; else seconds for Retry-After.

    Slack allows short bursts of posting; `post_burst` says how many, `posts_per_minute` what all
    channels together may take. `refused` counts the calls that had to wait, `early` those of them
    that came before the wait that they were told was over.
    """

    clock: Clock
    post_burst: int = 5
    posts_per_minute: int = 300
    refused: int = 0
    early: int = 0
    _calls: dict[str, deque[float]] = field(
        default_factory=lambda: defaultdict[str, deque[float]](deque)
    )

    _closed: dict[str, float] = field(default_factory=dict[str, float])

    def wait(self, method: str, channel: str = "") -> int | None:
        if method == "chat.postMessage":
            per_channel = self._window(f"{method} {channel}", self.post_burst, self.post_burst)
            return per_channel or self._window(method, self.posts_per_minute, 60)
        per_minute = METHODS[method].per_minute
        return self._window(method, per_minute, 60) if per_minute else None

    def crowd(self, method: str, channel: str) -> None:
        """For tests: as many messages of others that nothing more is taken for now."""
        key = f"{method} {channel}"
        self._calls[key] = deque([self.clock()] * self.post_burst)

    def _window(self, key: str, most: int, seconds: int) -> int | None:
        now = self.clock()
        if now < self._closed.get(key, now):
            self.early += 1
            self.refused += 1
            return math.ceil(self._closed[key] - now)
        calls = self._calls[key]
        while calls and calls[0] <= now - seconds:
            calls.popleft()
        if len(calls) >= most:
            return self._refuse(key, calls[0] + seconds - now)
        calls.append(now)
        return None

    def _refuse(self, key: str, seconds: float) -> int:
        self.refused += 1
        wait = max(1, math.ceil(seconds))
        self._closed[key] = self.clock() + wait
        return wait
