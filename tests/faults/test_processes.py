"""Real processes that are killed: what was paused goes on elsewhere, to the byte, and once."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bot.local.instances import Instance
from tests.deployment import Deployment
from tests.eventually import eventually

TITLE = "Refund $120.50 to Acme GmbH"
PATIENCE = 60.0  # seconds for a process to start on a busy machine


@asynccontextmanager
async def process(
    deployment: Deployment, directory: Path, name: str, *command: str, **more: str
) -> AsyncGenerator[Instance, None]:
    """more: settings besides the deployment's."""
    environment = {**deployment.environment, **more}
    instance = await Instance.start(name, list(command), environment, directory)
    try:
        yield instance
    finally:
        await instance.kill()


async def listening(deployment: Deployment, instance: Instance, count: int = 1) -> None:
    """Until so many instances listen; with what it said last where it does not."""

    def there() -> bool:
        assert instance.running, instance.last_words
        return len(deployment.slack.sockets.connections) == count

    await eventually(f"{instance.name} listens", there, within=PATIENCE)


async def checkpoints(deployment: Deployment, thread_id: str) -> dict[str, bytes]:
    """Every checkpoint of the thread and every write, the bytes that Redis gives, by key."""
    redis = Redis.from_url(deployment.redis_url, protocol=2)
    found: dict[str, bytes] = {}
    for kind in ("checkpoint", "checkpoint_write"):
        pattern = f"{deployment.namespace}:{kind}:{thread_id}:*"
        async for key in redis.scan_iter(match=pattern):
            stored: Any = await redis.execute_command("JSON.GET", key)
            found[key.decode()] = stored
    await redis.aclose()
    return found


async def test_all_processes_are_killed_and_another_resumes_the_same_state(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with process(deployment, tmp_path, "first", "bot") as first:
        await listening(deployment, first)
        thread_id = await deployment.start()
        card = await deployment.card(TITLE)
        await deployment.settled(thread_id)
        await first.kill()
    await eventually("nobody listens", lambda: not deployment.slack.sockets.connections)
    paused = await checkpoints(deployment, thread_id)
    assert paused

    async with process(deployment, tmp_path, "second", "bot") as second:
        await listening(deployment, second)
        assert await checkpoints(deployment, thread_id) == paused, "looking changes nothing"
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done")
        told = await deployment.thread(card, 5)
    assert "Workflow resumed by second-worker" in told
    resumed = await checkpoints(deployment, thread_id)
    kept = {key: _without_flag(resumed[key]) for key in paused}
    assert kept == {key: _without_flag(text) for key, text in paused.items()}
    assert [key for key, *_ in await deployment.payments.refunds()] == [f"refund:{thread_id}"]
    assert len([m for m in deployment.person("mara").sees() if m.blocks]) == 1


async def test_a_decision_taken_without_a_worker_is_carried_out_by_one_that_comes(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with deployment.instance("starter", listens=False):
        thread_id = await deployment.start()
        card = await deployment.card(TITLE)
        await deployment.settled(thread_id)
    async with process(deployment, tmp_path, "listener", "bot", "--no-worker") as listener:
        await listening(deployment, listener)
        await deployment.person("mara").click(card, "Approve")
        (approval,) = await deployment.approvals_of(thread_id)
        assert approval.status == "approved", "recorded before it is acknowledged"
        await listener.kill()
    assert await deployment.payments.refunds() == []

    async with process(deployment, tmp_path, "worker", "worker"):
        await eventually("it is paid", deployment.payments.refunds, within=PATIENCE)
        await deployment.reads(card, "Refund done")
    assert len(await deployment.payments.refunds()) == 1


async def test_sigterm_finishes_and_exits_with_zero(deployment: Deployment, tmp_path: Path) -> None:
    async with process(deployment, tmp_path, "one", "bot") as instance:
        await listening(deployment, instance)
        assert await instance.stop() == 0, instance.last_words
    await eventually("nobody listens", lambda: not deployment.slack.sockets.connections)


async def test_an_instance_ends_with_its_owner(deployment: Deployment, tmp_path: Path) -> None:
    async with process(deployment, tmp_path, "one", "bot") as instance:
        await listening(deployment, instance)
        assert instance.process.stdin is not None
        instance.process.stdin.close()  # as the kernel does when the owner dies
        await eventually("it ends", lambda: not instance.running, within=PATIENCE)


def _without_flag(text: bytes) -> Any:
    """The saver marks a checkpoint when writes are added to it; everything else stays."""
    return {key: value for key, value in json.loads(text).items() if key != "has_writes"}
