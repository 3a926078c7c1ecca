"""Redis away while someone clicks: they are told that nothing was recorded, and nothing is, also
not when it comes back; or that it is not confirmed, where nobody can know."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.approvals import Approval
from bot.listeners import guard, recording
from bot.listeners.recording import Outcome, Recording
from bot.local.person import Seen
from bot.local.redis import EmbeddedRedis
from bot.local.server import ACK_SECONDS, LocalSlack
from bot.records import Change
from bot.services import Services
from bot.store import Store, TooLate
from bot.views.answers import NO_ANSWER, NOT_CONFIRMED, REDIS_AWAY
from tests.bot.samples import NOW, THREAD, approve, opened
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.eventually import eventually

TITLE = "Refund $120.50 to Acme GmbH"
PATIENCE = 60.0
NOTHING = "*nothing was recorded*"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[EmbeddedRedis, None]:
    async with EmbeddedRedis(tmp_path / "redis") as server:
        yield server
        awake(server)


@pytest.fixture
async def deployment(server: EmbeddedRedis, tmp_path: Path) -> AsyncGenerator[Deployment, None]:
    async with LocalSlack() as slack:
        yield Deployment(server.url, slack, tmp_path)


@pytest.fixture
async def bot(deployment: Deployment, server: EmbeddedRedis) -> AsyncGenerator[Services, None]:
    async with deployment.instance() as services:
        yield services
        awake(server)


def asleep(server: EmbeddedRedis) -> None:
    """It accepts connections and commands, and answers none."""
    os.kill(server.pid, signal.SIGSTOP)


def awake(server: EmbeddedRedis) -> None:
    if server.running:
        os.kill(server.pid, signal.SIGCONT)


async def asked(deployment: Deployment) -> tuple[str, Seen]:
    thread_id = await deployment.start()
    card = await deployment.card(TITLE, within=PATIENCE)
    await deployment.settled(thread_id, within=PATIENCE)
    return thread_id, card


def test_all_time_limits_are_within_slacks() -> None:
    to_answer = 0.4  # seconds that are left for it
    assert recording.DECIDE_WITHIN + recording.CONFIRM_WITHIN + to_answer < ACK_SECONDS
    assert guard.ANSWER_WITHIN + to_answer < ACK_SECONDS


@pytest.mark.parametrize("how", ["killed", "asleep"])
async def test_who_clicks_while_redis_is_away_is_told_that_nothing_was_recorded(
    bot: Services, deployment: Deployment, server: EmbeddedRedis, how: str
) -> None:
    thread_id, card = await asked(deployment)
    if how == "killed":
        await asyncio.to_thread(server.kill)
    else:
        asleep(server)
    await click_as_drawn(deployment, "mara", card, "Approve")
    await deployment.told("mara", NOTHING)
    if how == "killed":
        await asyncio.to_thread(server.start)
    else:
        awake(server)
    (approval,) = await deployment.approvals_of(thread_id)
    assert (approval.status, approval.votes) == ("pending", ())

    await click_as_drawn(deployment, "mara", card, "Approve")
    (approval,) = await deployment.approvals_of(thread_id)
    assert approval.status == "approved"


async def test_commands_and_home_are_answered_in_words_while_redis_is_away(
    bot: Services, deployment: Deployment, server: EmbeddedRedis
) -> None:
    thread_id, _ = await asked(deployment)
    mara = deployment.person("mara")
    asleep(server)
    await asyncio.gather(
        mara.command("/approvals"),
        mara.command("/approvals start refund customer=Acme amount=1 reason=Why"),
        mara.home(),
    )
    await deployment.told("mara", NO_ANSWER.removeprefix(":warning: "))
    await deployment.told("mara", "tells whether it was started")

    def shown() -> bool:
        published = deployment.slack.calls_of("views.publish")
        return any("Open it again in a minute" in str(call.arguments) for call in published)

    await eventually("App Home says so", shown, within=PATIENCE)
    awake(server)
    assert await deployment.started() == [thread_id], "and nothing was"


class Sleeps(Connection):
    """Puts the server to sleep as soon as a script goes to it: the command lies in its socket."""

    server: EmbeddedRedis | None = None

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        if args[0] == "EVALSHA" and Sleeps.server is not None:
            asleep(Sleeps.server)
            Sleeps.server = None
        await super().send_command(*args, **kwargs)


class LosesTheAnswer(Connection):
    """Loses the answer to one script, and the connection with it."""

    losing = False
    _script = False

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        self._script = args[0] == "EVALSHA"
        await super().send_command(*args, **kwargs)

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        answer = await super().read_response(*args, **kwargs)
        was_script, self._script = self._script, False
        if was_script and LosesTheAnswer.losing:
            LosesTheAnswer.losing = False
            await self.disconnect(nowait=True)
            raise RedisConnectionError("the connection is gone")
        return answer


@pytest.fixture
async def store(
    server: EmbeddedRedis, request: pytest.FixtureRequest
) -> AsyncGenerator[Store, None]:
    """With one pending approval. param: the kind of its connections."""
    pool = BlockingConnectionPool.from_url(
        server.url, connection_class=request.param, retry=Retry(NoBackoff(), 0)
    )
    async with Redis.from_pool(pool) as redis:
        store = Store(redis, "s")
        await store.commit(Change(opened()))
        yield store


async def approved(approval: Approval | None) -> list[Change] | str:
    if approval is None or approval.status != "pending":
        return "too late"
    return [approval.decide(approve(approval), NOW)]


async def scripts_run(store: Store) -> int:
    stats = await store.redis.info("commandstats")
    return stats["cmdstat_evalsha"]["calls"]


@pytest.mark.parametrize("store", [Sleeps], indirect=True)
async def test_what_lies_in_the_socket_of_a_sleeping_redis_is_not_carried_out_later(
    store: Store, server: EmbeddedRedis
) -> None:
    before = await scripts_run(store)
    Sleeps.server = server
    assert await Recording(store, "ap_1", approved).outcome() == Outcome(NOT_CONFIRMED, again=True)
    awake(server)

    async def came_to_it() -> bool:
        return await scripts_run(store) > before

    await eventually("Redis has come to the script", came_to_it, within=PATIENCE)
    approval = await store.approval("ap_1")
    assert approval is not None
    assert (approval.status, await store.trail(THREAD)) == ("pending", [])
    assert (await Recording(store, "ap_1", approved).outcome()).records


@pytest.mark.parametrize("store", [LosesTheAnswer], indirect=True)
async def test_what_was_recorded_and_the_answer_lost_is_found_by_a_look(store: Store) -> None:
    LosesTheAnswer.losing = True
    assert await Recording(store, "ap_1", approved).outcome() == Outcome()
    assert not LosesTheAnswer.losing, "no answer was lost"
    approval = await store.approval("ap_1")
    assert approval is not None
    assert approval.status == "approved"


@pytest.mark.parametrize("store", [Connection], indirect=True)
async def test_a_commit_whose_time_is_over_is_refused(store: Store) -> None:
    approval, clock = await store.approval_and_time("ap_1")
    assert approval is not None
    change = approval.decide(approve(approval), NOW)
    with pytest.raises(TooLate):
        await store.commit(change, until=clock - 1)
    assert await store.approval("ap_1") == approval
    (stands,) = await store.commit(change, until=clock + 3600)
    assert await store.commit(change, until=clock - 1) == (stands,), "it was written in time"


@pytest.mark.parametrize("store", [Connection], indirect=True)
async def test_a_change_that_comes_too_late_is_told_to_be_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule took long, or the process was stopped, and Redis answers well."""
    monkeypatch.setattr(recording, "DECIDE_WITHIN", 0.3)

    async def slowly(approval: Approval | None) -> list[Change] | str:
        loop = asyncio.get_running_loop()
        ends = loop.time() + 0.6
        while loop.time() < ends:
            pass  # as a process that is stopped: no time limit strikes meanwhile
        return await approved(approval)

    assert await Recording(store, "ap_1", slowly).outcome() == Outcome(REDIS_AWAY, again=True)
    assert await store.trail(THREAD) == []
