"""Kill a journey at every outside call, or freeze it there, and compare how it ends."""

import contextlib
import secrets
from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import redis

from bot.audit import Tag
from bot.local.redis import EmbeddedRedis
from bot.local.seeds import APPROVALS, FINANCE_APPROVERS
from bot.local.server import LocalSlack
from bot.local.torture.calls import Crash, How, Side
from bot.local.torture.ending import Ending, families, read_ending
from bot.local.torture.freezing import Freeze
from bot.local.torture.life import STUCK, Life, Lived, Stuck
from bot.local.torture.outside import Watch, unwatched
from bot.local.torture.world import Elsewhere, Time, World
from bot.services import Services
from bot.settings import ListenerSettings
from workflows.catalog import Catalog, Workflow

SIDES: tuple[Side, ...] = ("before", "after")
# What whoever was frozen must not touch; an approval is drawn again, where it drew late.
TRAIL = ":trail:"
THREADS = (":checkpoint", ":run:", TRAIL, ":effect")
CALLS = "calls"


@dataclass(frozen=True)
class Journey:
    """One workflow, from its start to its end. make: a new one for each run, provider included.
    decide: what the reviewer clicks on every card; clicked: is called before each click. tally:
    what the provider itself has done, a line each."""

    name: str
    make: Callable[[], Workflow]
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    decide: str = "approve"
    clicked: Callable[[], None] = lambda: None
    tally: Callable[[], Iterable[str]] = tuple


@dataclass(frozen=True)
class Deviation:
    """An end that is another than without the crash."""

    crash: Crash
    kind: str
    words: str


@dataclass
class Tortured:
    """made: the outside calls of a run without a crash. unreached: crashes whose call did not
    come this time: that of a transaction which was made again. asked: crashes after which a
    person was asked whether an effect happened, since its node gives no `find`. twice: freezes
    right before an effect's call, which the process made nevertheless when it woke up. loose: the
    kinds that are other in each run, of which only the number is compared."""

    journey: str
    how: How
    made: tuple[str, ...]
    end: Ending
    loose: tuple[str, ...] = ()
    crashes: int = 0
    unreached: int = 0
    asked: int = 0
    twice: int = 0
    deviations: list[Deviation] = field(default_factory=list[Deviation])

    def count(self, *kinds: str) -> int:
        """How many crashes led to a deviation of these kinds."""
        return len({each.crash for each in self.deviations if each.kind in kinds})


class NotRepeatable(Exception):
    """Two runs without a crash end differently, in what must be the same each time."""

    def __init__(self, differs: list[tuple[str, str]]) -> None:
        lines = (f"- {kind}: {words}" for kind, words in differs)
        told = "Two runs without a crash end differently, so nothing can be compared:"
        super().__init__("\n".join([told, *lines]))


@dataclass
class Stand:
    """A Redis, and a place for workspaces: what all runs share. namespace: theirs alone."""

    redis_url: str
    directory: Path
    elsewhere: Elsewhere
    redis: "redis.Redis"
    namespace: str = field(default_factory=lambda: f"torture-{secrets.token_hex(4)}")
    runs: int = 0

    @classmethod
    @contextlib.contextmanager
    def open(cls, directory: Path, redis_url: str | None = None) -> Generator[Self, None, None]:
        with contextlib.ExitStack() as stack:
            if redis_url is None:
                server = EmbeddedRedis(directory / "redis", options={"appendfsync": "no"})
                redis_url = stack.enter_context(server).url
            client = stack.enter_context(redis.Redis.from_url(redis_url, protocol=2))
            elsewhere = stack.enter_context(Elsewhere())
            stand = cls(redis_url, directory, elsewhere, client)
            stack.callback(stand.wipe)
            yield stand

    @contextlib.contextmanager
    def world(self, journey: Journey) -> Generator[World, None, None]:
        """A workspace of its own; what is left in Redis is taken out at the end."""
        self.runs += 1
        time = Time()
        slack = LocalSlack(clock=lambda: time().timestamp())
        self.elsewhere.do(slack.__aenter__())
        try:
            yield World(
                slack=slack,
                namespace=self.namespace,
                thread_id=f"{self.namespace}-{self.runs}",
                time=time,
                clicked=journey.clicked,
                tally=journey.tally,
            )
        finally:
            self.elsewhere.do(slack.__aexit__(None, None, None))
            self.wipe()

    def keys(self) -> list[str]:
        found = self.redis.scan_iter(match=f"*{self.namespace}*", count=5000)
        return [key.decode() for key in found]

    def left(self) -> list[str]:
        """Without who waits for Slack's pace: that ends by itself, a moment after the run."""
        return [key for key in self.keys() if ":pace:" not in key or self.redis.ttl(key) < 0]

    def end_leases(self) -> None:
        """Whoever held one is dead, and its time is over."""
        self._delete([key for key in self.keys() if ":lease:" in key])

    def written(self) -> dict[str, bytes]:
        """What belongs to threads, as it stands; but for clicks that were refused: that of a
        reviewer whom another process has overtaken is one of them."""
        names = [name for name in self.keys() if any(part in name for part in THREADS)]
        contents = self.redis.pipeline(transaction=False)
        trails = [name for name in names if TRAIL in name]
        others = [name for name in names if TRAIL not in name]
        for name in trails:
            contents.lrange(name, 0, -1)
        for name in others:
            contents.dump(name)
        found = dict(zip([*trails, *others], contents.execute(), strict=True))
        refused = Tag.REFUSED.encode()
        told = {name: b"".join(e for e in found[name] if refused not in e) for name in trails}
        return {**found, **told}

    def wipe(self) -> None:
        self._delete(self.keys())

    def _delete(self, names: list[str]) -> None:
        if names:
            self.redis.delete(*names)

    def settings(self, world: World) -> ListenerSettings:
        return ListenerSettings.model_validate(
            {
                "REDIS_URL": self.redis_url,
                "SLACK_BOT_TOKEN": world.slack.bot_token,
                "SLACK_SIGNING_SECRET": world.slack.signing_secret,
                "SLACK_API_URL": world.slack.api_url,
                "COUNTERSIGN_CHANNEL": APPROVALS.id,
                "COUNTERSIGN_APPROVERS": FINANCE_APPROVERS.id,
                "COUNTERSIGN_NAMESPACE": self.namespace,
                "COUNTERSIGN_INSTANCE": "one",
                "COUNTERSIGN_PAYMENTS_DB": str(self.directory / "payments.db"),
                "COUNTERSIGN_CRM_DB": str(self.directory / "crm.db"),
            }
        )


@dataclass(frozen=True)
class Ran:
    """made: the outside calls of the first process. struck: its crash came."""

    made: tuple[str, ...]
    struck: bool
    end: Ending


def torture(
    stand: Stand,
    journey: Journey,
    which: slice = slice(None),
    progress: Callable[[int, int], None] | None = None,
    how: How = "killed",
) -> Tortured:
    """which: of all calls, those at which to crash; how: in which way. progress: is told how many
    crashes are done, of how many. NotRepeatable, Stuck where it does not end the same way, or not
    at all, without any crash."""
    first = run_once(stand, journey, None)  # the first of all also fills caches
    clean = run_once(stand, journey, None)
    loose = clean.end.loose(first.end)
    differs = clean.end.differs(first.end, loose)
    if differs:
        raise NotRepeatable(differs)
    tortured = Tortured(journey.name, how, clean.made, clean.end, loose)
    crashes = [Crash(call, side, how) for call in clean.made[which] for side in SIDES]
    for done, crash in enumerate(crashes, 1):
        _crash(stand, journey, crash, tortured)
        if progress:
            progress(done, len(crashes))
    return tortured


def _crash(stand: Stand, journey: Journey, crash: Crash, tortured: Tortured) -> None:
    try:
        ran = run_once(stand, journey, crash)
    except Stuck as stuck:
        tortured.crashes += 1
        tortured.deviations.append(Deviation(crash, STUCK, str(stuck)))
        return
    tortured.crashes += ran.struck
    tortured.unreached += not ran.struck
    tortured.asked += bool(ran.end.asked)
    differs = ran.end.differs(tortured.end, tortured.loose)
    if crash.at_an_effect and any(kind == CALLS for kind, _ in differs):
        # Nobody can look and call in one: the provider's key is what is left.
        tortured.twice += 1
        differs = [each for each in differs if each[0] != CALLS]
    tortured.deviations += [Deviation(crash, kind, words) for kind, words in differs]


def run_once(stand: Stand, journey: Journey, crash: Crash | None) -> Ran:
    """From the start to the end."""
    with stand.world(journey) as world:
        made = journey.make()
        workflow = replace(made, policy=None, tiers=(), checks=unwatched(made.checks))
        settings, known = stand.settings(world), Catalog([workflow])
        life = Life(settings, known, world, workflow.name, journey.values, journey.decide)
        with Watch(world.outside, _ports(stand, world)).on():
            if crash is not None and crash.how == "frozen":
                first, end = _frozen(stand, life, crash)
            else:
                first, end = _killed(stand, life, crash)
        keys = families(stand.left(), world)
        return Ran(first.made, first.struck, replace(end, lines={**end.lines, "keys": keys}))


def _killed(stand: Stand, life: Life, crash: Crash | None) -> tuple[Lived[Ending], Ending]:
    """A process that dies before a call takes what docket held with it, so that only reconcile
    can find it; one that dies after it leaves that, and its own step is delivered again."""
    first = last = life.live(crash, _reading(life))
    if crash is not None and first.end is None:
        stand.end_leases()
        if crash.side == "before":
            life.world.backlog.lose_everything()
        else:
            life.world.backlog.deliver_again()
        last = life.live(None, _reading(life))
    if last.end is None:
        raise Stuck("a process died without a crash")
    return first, last.end


def _reading(life: Life) -> Callable[[Services], Awaitable[Ending]]:
    return lambda services: read_ending(services, life.world)


def _frozen(stand: Stand, life: Life, crash: Crash) -> tuple[Lived[Ending], Ending]:
    """It goes on to the end, when it has woken up."""
    freeze = Freeze(stand, life, crash)
    lived = life.live(crash, _reading(life), freeze)
    for trouble in freeze.troubles:
        raise trouble
    if lived.end is None:
        raise Stuck("a process died that was only frozen")
    late = families(freeze.late(), life.world)
    return lived, replace(lived.end, lines={**lived.end.lines, "late": late})


def _ports(stand: Stand, world: World) -> frozenset[int]:
    redis_port: Any = stand.redis.connection_pool.connection_kwargs.get("port", 6379)
    return frozenset({int(redis_port), int(world.slack.url.rsplit(":", 1)[1])})
