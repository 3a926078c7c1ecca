"""SIGTERM while people click: what was recorded was acknowledged, what was not taken is nowhere."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.approvals import Approval
from bot.health import worker_polls
from bot.local.instances import Instance
from bot.local.person import Seen
from bot.local.redis import EmbeddedRedis
from bot.local.sockets import Ack
from tests.clicks import click_as_drawn, drawn
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.test_processes import PATIENCE, listening, process

CLICKS = 5


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
async def cards(deployment: Deployment) -> list[Seen]:
    """Questions that wait, and no worker any more."""
    ids = [f"customer-{number}" for number in range(3 * CLICKS)]
    async with deployment.instance("starter", listens=False) as services:
        await asyncio.gather(*(deployment.start(thread_id=name) for name in ids))

        async def asked(name: str) -> list[Approval]:
            return await services.store.approvals_of(name)

        found = [
            await eventually(f"{name} is asked", lambda name=name: asked(name), within=PATIENCE)
            for name in ids
        ]
    return [drawn(approval) for (approval,) in found]


class Clicks:
    """Each on a card of its own, by Mara; and what Slack heard of it."""

    def __init__(self, deployment: Deployment, cards: list[Seen]) -> None:
        self._deployment = deployment
        self._cards = cards
        self._tasks: list[asyncio.Task[Ack]] = []

    def begin(self, count: int) -> None:
        for card in self._cards[len(self._tasks) :][:count]:
            click = click_as_drawn(self._deployment, "mara", card, "Approve")
            self._tasks.append(asyncio.create_task(click))

    async def acknowledged(self) -> list[bool]:
        return [ack.ok for ack in await asyncio.gather(*self._tasks)]

    async def recorded(self) -> list[bool]:
        found: list[bool] = []
        for number in range(len(self._tasks)):
            (approval,) = await self._deployment.approvals_of(f"customer-{number}")
            found.append(approval.status == "approved")
        return found


@pytest.fixture
def clicks(deployment: Deployment, cards: list[Seen]) -> Clicks:
    return Clicks(deployment, cards)


async def stopped_amid(deployment: Deployment, clicks: Clicks, instance: Instance) -> None:
    """SIGTERM while it asks Slack who clicked; more clicks come before it has ended."""
    deployment.slack.faults.slow("users.info", 0.3, times=2 * CLICKS)
    asked = len(deployment.slack.calls_of("users.info"))
    clicks.begin(CLICKS)
    await eventually(
        "who clicked is asked",
        lambda: len(deployment.slack.calls_of("users.info")) > asked,
        within=PATIENCE,
    )
    ending = asyncio.create_task(instance.stop())
    clicks.begin(CLICKS)
    assert await ending == 0, instance.last_words
    clicks.begin(CLICKS)


async def none_unanswered(deployment: Deployment, clicks: Clicks) -> list[bool]:
    """What was acknowledged is recorded, unless its clicker was told that it is not; what was not
    acknowledged is not recorded."""
    acknowledged = await clicks.acknowledged()
    recorded = await clicks.recorded()
    both = list(zip(acknowledged, recorded, strict=True))
    assert (False, True) not in both, "recorded, and its clicker never heard of it"
    answers = [answer["text"] for answer in deployment.slack.response_urls.answers]
    told = len([text for text in answers if "nothing was recorded" in text])
    assert both.count((True, False)) == told, "acknowledged, neither recorded nor told so"
    return acknowledged


async def test_what_was_taken_when_the_stop_came_is_recorded_and_acknowledged(
    deployment: Deployment, clicks: Clicks, tmp_path: Path
) -> None:
    async with (
        process(deployment, tmp_path, "one", "bot", "--no-worker") as one,
        process(deployment, tmp_path, "two", "bot", "--no-worker") as two,
    ):
        await listening(deployment, two, 2)
        await stopped_amid(deployment, clicks, one)
        acknowledged = await none_unanswered(deployment, clicks)
    assert all(acknowledged[:CLICKS]), "they had been taken before the stop"
    assert all(acknowledged[2 * CLICKS :]), "the other instance has them"


async def test_a_click_in_flight_survives_that_slack_wants_another_connection(
    deployment: Deployment, clicks: Clicks, tmp_path: Path
) -> None:
    async with process(deployment, tmp_path, "one", "bot", "--no-worker") as one:
        await listening(deployment, one)
        deployment.slack.faults.slow("users.info", 0.3, times=CLICKS)
        clicks.begin(CLICKS)
        await eventually(
            "all are taken", lambda: len(deployment.slack.calls_of("users.info")), within=PATIENCE
        )
        await deployment.slack.refresh_sockets()
        assert all(await none_unanswered(deployment, clicks))


async def test_the_http_endpoint_finishes_what_it_has_begun(
    deployment: Deployment, clicks: Clicks, tmp_path: Path, port: int
) -> None:
    deployment.slack.deliver_over_http(f"http://127.0.0.1:{port}/slack/events")
    over_http = {
        "SLACK_SIGNING_SECRET": deployment.slack.signing_secret,
        "SLACK_APP_TOKEN": "",
        "PORT": str(port),
    }
    async with process(deployment, tmp_path, "one", "bot", "--no-worker", **over_http) as one:
        await answers(one, port, "readyz", 200)
        await answers(one, port, "healthz", 200)
        await stopped_amid(deployment, clicks, one)
        acknowledged = await none_unanswered(deployment, clicks)
    assert all(acknowledged[:CLICKS]), "they had been taken before the stop"
    assert not any(acknowledged[2 * CLICKS :]), "nobody was there"


async def answers(instance: Instance, port: int, path: str, status: int) -> dict[str, str]:
    """What fails, once the endpoint answers with this status."""

    async def asked() -> Any:
        assert instance.running, instance.last_words
        try:
            async with (
                aiohttp.ClientSession() as client,
                client.get(f"http://127.0.0.1:{port}/{path}") as answer,
            ):
                found = await answer.json()
                return [found] if answer.status == status else None
        except aiohttp.ClientError:
            return None

    (body,) = await eventually(f"/{path} answers {status}", asked, within=PATIENCE)
    return body.get("failing", {})


async def test_health_names_what_fails(deployment: Deployment, tmp_path: Path, port: int) -> None:
    health = {"COUNTERSIGN_HEALTH_PORT": str(port)}
    async with EmbeddedRedis(tmp_path / "redis") as redis:
        deployment = Deployment(redis.url, deployment.slack, tmp_path)
        async with process(deployment, tmp_path, "one", "bot", **health) as one:
            await answers(one, port, "readyz", 200)
            assert await answers(one, port, "healthz", 200) == {}

            os.kill(redis.pid, signal.SIGSTOP)
            try:
                failing = await answers(one, port, "healthz", 503)
                assert failing["redis"] == "does not answer within 1 s"
                assert await answers(one, port, "readyz", 503)
            finally:
                os.kill(redis.pid, signal.SIGCONT)
            await answers(one, port, "readyz", 200)

            deployment.slack.faults.unreachable = True
            await deployment.slack.close_sockets()
            assert await answers(one, port, "readyz", 503) == {"slack": "is not connected"}
            await answers(one, port, "healthz", 200)


async def test_a_worker_says_whether_it_still_asks_for_work(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment.instance("one", listens=False) as services:
        redis, docket = services.store.redis, services.changes.queue.docket
        running = asyncio.create_task(asyncio.Event().wait())
        check = worker_polls(redis, docket, "one", running)

        async def well() -> bool:
            return await check() == ""

        await eventually("it has asked for work", well, within=PATIENCE)
        other = worker_polls(redis, docket, "another", running)
        assert await other() == "has not asked for work yet"
        monkeypatch.setattr("bot.health.POLLS_EVERY", -1.0)
        assert (await check()).startswith("has not asked for work for ")
        running.cancel()
        await asyncio.wait([running])
        assert await check() == "has ended"
