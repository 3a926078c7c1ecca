"""How fast, and whether at all, Slack takes messages of a channel: what one instance is told,
all obey.

Nothing is slowed down until Slack answers 429. Then nobody calls before its Retry-After is over,
and for a minute, longer where callers wait, they go one at a time.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from redis.asyncio import Redis

from bot.channels import Hold, cure
from bot.slack_calls import SlackUnavailable
from bot.store import Store
from workflows.clock import Clock

log = logging.getLogger(__name__)

CALM = 60.0  # seconds without anyone waiting, after which nobody is slowed down any more
SPACING = 1.0  # seconds between the answer to one call and the next call
ANSWERED_WITHIN = 20.0  # seconds; longer than the client waits: a caller that died has no turn
PATIENCE = 2.0  # seconds that a task waits for its turn; what takes longer is asked again
WAITING_AT_MOST = 4  # tasks of a process: a worker's slots are for work

# KEYS halt, slow, turn: until when nobody calls, until when they go one by one, whose turn it is
# ARGV token, answered within, spacing, calm (ms), how many go first
# Answers 0: go ahead, there is no line; -1: the turn is yours; else ms to wait
TAKE = """
local halt = redis.call('PTTL', KEYS[1])
if halt > 0 then return halt end
local holder, slow = redis.call('GET', KEYS[3]), redis.call('PTTL', KEYS[2])
if holder == ARGV[1] then return -1 end
if not holder and slow < 0 then return 0 end
if ARGV[5] ~= '0' then return tonumber(ARGV[3]) end
if not holder then
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
  return -1
end
if slow < tonumber(ARGV[4]) then redis.call('SET', KEYS[2], 1, 'PX', ARGV[4]) end
return math.max(1, math.min(redis.call('PTTL', KEYS[3]), tonumber(ARGV[3])))
"""
# KEYS turn; ARGV token, spacing (ms)
DONE = """if redis.call('GET', KEYS[1]) == ARGV[1]
then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"""
# KEYS halt, slow; ARGV how long each (ms). Whoever was told to wait longer is not overruled
HALT = """for at = 1, 2 do
  if redis.call('PTTL', KEYS[at]) < tonumber(ARGV[at]) then
    redis.call('SET', KEYS[at], 1, 'PX', ARGV[at])
  end
end"""
# KEYS line; ARGV how long those ahead take, spacing (ms). Answers ms until the end of the line
JOIN = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now + tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%d', last + ARGV[2]), 'PX', last + ARGV[2] - now)
return last + ARGV[2] - now
"""


class Later(Exception):
    """Not now: Slack, or those who wait already, need `seconds` first. Certainly nothing was
    posted."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not before {seconds:.1f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Pacing:
    """second: how long one of Slack's is here; calm: seconds of ours."""

    store: Store
    now: Clock
    second: float = 1.0
    calm: float = CALM
    waiting: set[str] = field(default_factory=set[str])

    @property
    def redis(self) -> Redis:
        return self.store.redis

    @contextlib.asynccontextmanager
    async def turn(self, line: str, ahead: int = 0) -> AsyncGenerator[None, None]:
        """Call Slack in the block. line: a channel, or a method that has a limit of its own;
        ahead: how many go first where there is a line. Later where it takes too long, or Slack
        answers 429."""
        token = secrets.token_hex(8)
        mine = await self._take(line, token, ahead)
        try:
            yield
        except SlackUnavailable as error:
            if not error.limited:
                raise
            await self._halt(line, error.retry_after)
            raise Later(self._ours(error.retry_after)) from None
        finally:
            if mine:
                turn = self._key("turn", line)
                await self.redis.eval(DONE, 1, turn, token, self._ms(SPACING))

    async def last_in(self, line: str, ahead: int) -> float:
        """Seconds after which whoever joins the line now may expect its turn."""
        step = self._ms(SPACING)
        return (
            int(await self.redis.eval(JOIN, 1, self._key("line", line), ahead * step, step)) / 1e3
        )

    async def refused(
        self, channel: str, code: str, level: int = logging.ERROR, retry_after: float = 0.0
    ) -> None:
        """Slack lets nothing into the channel. Told in the log when that is new."""
        before = await self.store.hold(channel)
        await self.store.put_hold(channel, Hold.after(before, code, self.now(), retry_after))
        if before is None or before.code != code:
            log.log(level, "Slack takes no message in %s: %s: %s", channel, code, cure(code))

    async def taken(self, channel: str) -> None:
        """Slack took a message there."""
        if await self.store.drop_hold(channel):
            log.info("Slack takes messages in %s again", channel)

    async def _take(self, line: str, token: str, ahead: int) -> bool:
        """Is it a turn, which has to be given back?"""
        keys = [self._key(kind, line) for kind in ("halt", "slow", "turn")]
        times = [self._ms(ANSWERED_WITHIN), self._ms(SPACING), int(self.calm * 1e3)]
        clock = asyncio.get_running_loop().time
        deadline = clock() + PATIENCE
        while True:
            answer = int(await self.redis.eval(TAKE, 3, *keys, token, *times, ahead))
            if answer <= 0:
                return answer < 0
            wait = answer / 1e3
            full = line in self.waiting or len(self.waiting) >= WAITING_AT_MOST
            if ahead or full or clock() + wait > deadline:
                raise Later(wait)
            await self._wait(line, wait)

    async def _wait(self, line: str, seconds: float) -> None:
        self.waiting.add(line)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.waiting.discard(line)

    async def _halt(self, line: str, retry_after: float) -> None:
        wait = max(1, int(self._ours(retry_after) * 1e3))
        halt, slow = self._key("halt", line), self._key("slow", line)
        log.info("Slack wants %s left alone for %s s", line, retry_after)
        await self.redis.eval(HALT, 2, halt, slow, wait, wait + int(self.calm * 1e3))

    def _ours(self, seconds: float) -> float:
        return max(1.0, seconds) * self.second

    def _ms(self, seconds: float) -> int:
        return max(1, int(seconds * self.second * 1e3))

    def _key(self, kind: str, line: str) -> str:
        return f"{self.store.keys.prefix}pace:{kind}:{line}"
