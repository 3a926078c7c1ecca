"""What outlives a process: the workspace, what docket holds, the time, and what was called."""

import asyncio
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from bot.local.records import Channel, Json, User, Usergroup
from bot.local.seeds import APPROVALS, MARA, TOM
from bot.local.server import LocalSlack
from bot.steps import Step
from workflows.clock import utc_now

T = TypeVar("T")
TICK = timedelta(milliseconds=1)  # that passes with each look at the clock
REQUESTER = TOM  # who is told by direct message what becomes of it
WITHIN = 60.0  # real seconds for what takes milliseconds


class Elsewhere:
    """A thread with a loop of its own: what lives there does not die with a process."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WITHIN)
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN)


@dataclass
class Time:
    """Moves on by a tick with each look, and as far as the kit says."""

    at: datetime = field(default_factory=utc_now)

    def __call__(self) -> datetime:
        self.at += TICK
        return self.at

    def move_on_to(self, at: datetime) -> None:
        self.at = max(self.at, at)


@dataclass
class Backlog:
    """Docket as far as the product leans on it: a step that is queued or running is not added."""

    queued: OrderedDict[str, Step] = field(default_factory=OrderedDict[str, Step])
    running: Step | None = None

    def add(self, step: Step, again: int) -> None:
        if again or self.running is None or self.running.key != step.key:
            self.queued.setdefault(f"{step.key}~{again}", step)

    def take(self) -> Step | None:
        self.running = self.queued.popitem(last=False)[1] if self.queued else None
        return self.running

    def deliver_again(self) -> None:
        """Whoever ran a step is dead: it comes to the next worker."""
        if self.running is not None:
            self.queued[f"{self.running.key}~0"] = self.running
        self.running = None

    def lose_everything(self) -> None:
        self.queued.clear()
        self.running = None


@dataclass
class World:
    """One run of a workflow, as everybody but its processes sees it.

    called: how often each effect's call came to its end. acknowledged: the buttons whose click
    was. without_find: effects whose provider cannot be asked; asked: those of which a person was.
    """

    slack: LocalSlack
    namespace: str
    thread_id: str
    time: Time
    backlog: Backlog = field(default_factory=Backlog)
    called: Counter[str] = field(default_factory=Counter[str])
    outside: Counter[str] = field(default_factory=Counter[str])
    without_find: set[str] = field(default_factory=set[str])
    asked: set[str] = field(default_factory=set[str])
    acknowledged: set[str] = field(default_factory=set[str])
    started: bool = False
    clicked: Callable[[], None] = lambda: None
    tally: Callable[[], Iterable[str]] = tuple

    @property
    def names(self) -> dict[str, str]:
        """What this run and its deployment are called, and the same for all runs."""
        return {self.thread_id: "THREAD", self.namespace: "NS"}

    def cards(self) -> list[Json]:
        """The messages of the channel that have blocks, oldest first."""
        return [m for m in self.slack.workspace.messages(APPROVALS.id) if m.get("blocks")]

    def replies(self, card: Json) -> list[Json]:
        return self.slack.workspace.replies(APPROVALS.id, card["ts"])

    def notices(self) -> list[Json]:
        """What the requester was told by direct message, in order."""
        conversation = self.slack.workspace.find_direct_message(REQUESTER.id)
        return self.slack.workspace.messages(conversation.id) if conversation else []

    @property
    def channel(self) -> Channel:
        return self.slack.workspace.channels[APPROVALS.id]

    def reviewer(self, approvers: Iterable[str]) -> User:
        """Someone whom the policy names: whoever it is joins the workspace."""
        workspace, named = self.slack.workspace, list(approvers)
        groups = [each for each in named if each.startswith("S")]
        for group in groups:
            known = Usergroup(group, group.lower(), group, (MARA.id,))
            workspace.usergroups.setdefault(group, known)
        if groups or MARA.id in named:
            return MARA
        joins = User(id=named[0], name=named[0].lower(), real_name=f"Reviewer {named[0]}")
        return workspace.users.setdefault(joins.id, joins)
