"""What a person decided, recorded within the time that Slack waits for an answer, or certainly not
recorded: also not later, by a command that lay in the socket of a Redis that did not answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from bot.approvals import Approval
from bot.records import Change
from bot.store import Conflict, Store, TooLate
from bot.texts import t
from bot.views.answers import NOT_CONFIRMED, REDIS_AWAY

log = logging.getLogger(__name__)

# Slack gives up on a click after three seconds. All of these, in seconds, come before that.
DECIDE_WITHIN = 2.0  # what is not recorded by then never will be
CONFIRM_WITHIN = 0.5  # more, to look whether it was, where the answer of Redis got lost
PAUSE = 0.05  # between two looks

# None, and words where there is nothing to record
Rule = Callable[[Approval | None], Awaitable[list[Change] | str]]


class Outcome(NamedTuple):
    """answer: what the person is told; "" where it was recorded, and the card tells. records: as
    they stand then, where that is known. again: it may be recorded if it comes once more."""

    answer: str = ""
    records: tuple[Any, ...] = ()
    again: bool = False


@dataclass
class Recording:
    """One click on an approval. rule: what it changes in the record as it stands, or the words
    that say why it changes nothing; asked again where someone else was faster."""

    store: Store
    approval_id: str
    rule: Rule
    _sent: list[Change] = field(default_factory=list[Change], init=False)
    _until: float = field(default=0.0, init=False)

    async def outcome(self) -> Outcome:
        """Recorded, refused, or Redis is away: all within Slack's time."""
        try:
            async with asyncio.timeout(DECIDE_WITHIN) as limit:
                return await self._record(limit)
        except (RedisError, OSError, TooLate) as error:  # OSError: TimeoutError is one
            log.warning("%s: not recorded in time: %s", self.approval_id, type(error).__name__)
        if not self._sent:
            return Outcome(t(REDIS_AWAY), again=True)
        try:
            async with asyncio.timeout(CONFIRM_WITHIN):
                return await self._confirmed()
        except TimeoutError:
            return Outcome(t(NOT_CONFIRMED), again=True)

    async def _record(self, limit: asyncio.Timeout) -> Outcome:
        while True:
            approval, clock = await self.store.approval_and_time(self.approval_id)
            # Redis said its time before we had it: this deadline is no later than our own.
            ends = limit.when() or 0.0
            self._until = clock + ends - asyncio.get_running_loop().time()
            changes = await self.rule(approval)
            if isinstance(changes, str):
                return Outcome(changes)
            self._sent = changes
            try:
                return Outcome(records=await self.store.commit(*changes, until=self._until))
            except Conflict:
                if await self._is_told():
                    return Outcome()  # it was us: an answer got lost, and the record went on
                self._sent = []  # someone else was faster, or the card moved: look again

    async def _confirmed(self) -> Outcome:
        """Whether what was sent was carried out. It never will be once its time is over."""
        while True:
            try:
                clock = await self.store.time()
                if await self._is_told():
                    return Outcome()
                if clock > self._until:
                    return Outcome(t(REDIS_AWAY), again=True)
            except (RedisError, ConnectionError):
                log.info("%s: Redis does not say whether it was recorded", self.approval_id)
            await asyncio.sleep(PAUSE)

    async def _is_told(self) -> bool:
        told = [event for change in self._sent for event in change.events]
        return await self.store.tells(self._sent[0].record.thread_id, told)
