"""How fast Slack takes messages: nobody waits until it complains, and then all instances do."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis

from bot.app import connect
from bot.local.redis import EmbeddedRedis
from bot.pacing import PATIENCE, SPACING, Later, Pacing
from bot.slack_calls import SlackUnavailable
from bot.store import Store
from tests.bot.samples import CHANNEL
from tests.eventually import eventually
from workflows.clock import utc_now

LONG = 1000.0  # seconds, that no test waits


@pytest.fixture
async def redis(redis_server: EmbeddedRedis) -> AsyncGenerator[Redis, None]:
    client = connect(redis_server.url)
    yield client
    await client.aclose()


@pytest.fixture
def store(redis: Redis, request: pytest.FixtureRequest) -> Store:
    return Store(redis, f"pacing-{abs(hash(request.node.name))}")


async def complain(pacing: Pacing, seconds: float, line: str = CHANNEL) -> float:
    """Slack answers 429 to a call."""
    with pytest.raises(Later) as later:
        async with pacing.turn(line):
            raise SlackUnavailable("ratelimited", seconds, limited=True)
    return later.value.seconds


async def wait_for(pacing: Pacing, line: str = CHANNEL, ahead: int = 0) -> float:
    """How long it says, or 0 where the call goes ahead."""
    try:
        async with pacing.turn(line, ahead):
            return 0.0
    except Later as later:
        return later.seconds


async def test_nobody_waits_where_slack_never_complained(store: Store) -> None:
    one, two = Pacing(store, utc_now), Pacing(store, utc_now)
    async with one.turn(CHANNEL), one.turn(CHANNEL), two.turn(CHANNEL, ahead=500):
        pass
    assert [key async for key in store.redis.scan_iter(f"{store.keys.prefix}*")] == []


async def test_what_one_is_told_all_obey_in_this_channel_only(store: Store) -> None:
    one, two = Pacing(store, utc_now), Pacing(store, utc_now)
    assert await complain(one, LONG) == LONG
    for pacing in (one, two):
        assert await wait_for(pacing) > LONG / 2
        assert await wait_for(pacing, "C0OTHER") == 0


async def test_who_is_told_less_does_not_shorten_the_wait_of_all(store: Store) -> None:
    """Both were on their way already when Slack began to complain."""
    pacing = Pacing(store, utc_now)
    first, second = pacing.turn(CHANNEL), pacing.turn(CHANNEL)
    for turn in (first, second):
        await turn.__aenter__()
    for turn, seconds in ((first, LONG), (second, 1.0)):
        complaint = SlackUnavailable("ratelimited", seconds, limited=True)
        with pytest.raises(Later):
            await turn.__aexit__(type(complaint), complaint, None)
    assert await wait_for(pacing) > LONG / 2


async def test_a_complaint_without_a_time_is_a_second(store: Store) -> None:
    assert await complain(Pacing(store, utc_now), 0.0) == 1.0


async def test_an_error_that_is_no_complaint_slows_nobody_down(store: Store) -> None:
    pacing = Pacing(store, utc_now)
    with pytest.raises(SlackUnavailable):
        async with pacing.turn(CHANNEL):
            raise SlackUnavailable("http_503", LONG)
    assert await wait_for(pacing) == 0


async def test_after_a_complaint_they_go_one_at_a_time(store: Store) -> None:
    one, two = (Pacing(store, utc_now, second=0.02, calm=LONG) for _ in range(2))
    await complain(one, 1)
    inside, most, count = 0, 0, 0

    async def call(pacing: Pacing) -> None:
        nonlocal inside, most, count
        while True:
            try:
                async with pacing.turn(CHANNEL):
                    inside += 1
                    most, count = max(most, inside), count + 1
                    await asyncio.sleep(0)
                    inside -= 1
                    return
            except Later:
                await asyncio.sleep(0.01)

    await asyncio.gather(*(call(pacing) for pacing in (one, two) * 5))
    assert (most, count) == (1, 10)


async def test_cards_go_before_replies_once_there_is_a_line(store: Store) -> None:
    pacing = Pacing(store, utc_now, second=0.02, calm=LONG)
    await complain(pacing, 1)

    async def over() -> bool:
        return await wait_for(pacing) == 0

    async def nobodys() -> bool:
        return not await store.redis.exists(f"{store.keys.prefix}pace:turn:{CHANNEL}")

    await eventually("the complaint is over", over, 30)
    await eventually("it is nobody's turn", nobodys, 30)
    assert await wait_for(pacing, ahead=3) > 0
    await eventually("a card has its turn", over, 30)


class Waiting(set[str]):
    """Here nobody else may wait."""

    def add(self, element: str, /) -> None:
        raise AssertionError(f"a second task waits for {element}")


async def test_only_one_task_of_a_process_waits_in_a_slot(store: Store) -> None:
    pacing = Pacing(store, utc_now, calm=LONG, waiting=Waiting({CHANNEL}))
    await store.redis.set(f"{store.keys.prefix}pace:turn:{CHANNEL}", "another's", px=100_000)
    assert 0 < await wait_for(pacing) <= PATIENCE


async def test_a_turn_that_is_over_is_the_next_ones_after_the_spacing(store: Store) -> None:
    pacing, turn = Pacing(store, utc_now), f"{store.keys.prefix}pace:turn:{CHANNEL}"
    await store.redis.set(f"{store.keys.prefix}pace:slow:{CHANNEL}", 1, px=100_000)
    async with pacing.turn(CHANNEL):
        assert await store.redis.pttl(turn) > SPACING * 1e3
    assert await store.redis.pttl(turn) <= SPACING * 1e3


async def test_whoever_died_in_its_turn_does_not_keep_it(store: Store) -> None:
    pacing = Pacing(store, utc_now, second=0.001, calm=LONG)
    await complain(pacing, 1)
    key = f"{store.keys.prefix}pace:turn:{CHANNEL}"

    async def taken() -> bool:
        turn = pacing.turn(CHANNEL)
        await turn.__aenter__()  # and never left
        return await store.redis.pttl(key) > 0

    await eventually("a turn is taken", taken, 30)

    async def free() -> bool:
        return await wait_for(pacing) == 0

    await eventually("the next has its turn", free, 30)


async def test_the_end_of_the_line_moves_on_with_everyone_who_joins(store: Store) -> None:
    pacing = Pacing(store, utc_now)
    waits = [await pacing.last_in(CHANNEL, 100) for _ in range(3)]
    assert waits[0] == 101 * SPACING
    assert waits == sorted(waits)
    assert waits[2] > waits[0]


async def test_a_closed_channel_is_told_when_it_closes_and_when_it_opens(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    pacing = Pacing(store, utc_now)
    caplog.set_level("INFO", "bot.pacing")
    for code in ("is_archived", "is_archived", "not_in_channel"):
        await pacing.refused(CHANNEL, code)
    hold = await store.hold(CHANNEL)
    assert hold is not None
    assert (hold.code, hold.tries) == ("not_in_channel", 3)
    await pacing.taken(CHANNEL)
    await pacing.taken(CHANNEL)
    told = [record.levelname for record in caplog.records]
    assert told == ["ERROR", "ERROR", "INFO"]
