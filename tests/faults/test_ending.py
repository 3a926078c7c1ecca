"""SIGTERM at moments at which nothing answers: while a process starts, and while Redis sleeps."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from bot.local.instances import Instance
from bot.local.redis import EmbeddedRedis
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.test_processes import PATIENCE, process
from tests.faults.test_supervising import bot


async def stopped(instance: Instance) -> str:
    """What it said; it ended by itself, well, and said no word of an error."""
    assert await instance.stop() == 0, instance.last_words
    assert "Traceback" not in instance.last_words
    assert "ERROR" not in instance.last_words
    return instance.last_words


@pytest.mark.parametrize("command", ["bot", "worker"])
async def test_while_slack_does_not_answer_a_start(
    deployment: Deployment, tmp_path: Path, command: str
) -> None:
    deployment.slack.faults.slow("auth.test", 2 * PATIENCE)
    async with process(deployment, tmp_path, "one", command) as one:
        await eventually(
            "Slack is asked", lambda: deployment.slack.calls_of("auth.test"), within=PATIENCE
        )
        assert "not stopped within" not in await stopped(one)


async def test_while_redis_does_not_answer_a_start(deployment: Deployment, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        async with process(deployment, tmp_path, "one", "bot", REDIS_URL=address) as one:
            async with asyncio.timeout(PATIENCE):
                asked, _ = await asyncio.get_running_loop().sock_accept(silent)
            with asked:
                assert "not stopped within" not in await stopped(one)


async def test_while_redis_sleeps(deployment: Deployment, tmp_path: Path) -> None:
    """Both end within their limits, which are short here. The worker is in the middle of a post,
    and cannot hand it back."""
    async with EmbeddedRedis(tmp_path / "redis") as redis:
        own = Deployment(redis.url, deployment.slack, tmp_path)
        async with bot(own, tmp_path, "tests.faults.hasty") as heard:
            await heard.both_ready()
            deployment.slack.faults.slow("chat.postMessage", 2 * PATIENCE)
            await own.start()
            await eventually(
                "it posts",
                lambda: deployment.slack.calls_of("chat.postMessage"),
                within=PATIENCE,
            )
            os.kill(redis.pid, signal.SIGSTOP)
            try:
                heard.process.terminate()
                assert await heard.both_ended() == 0, heard.all
            finally:
                os.kill(redis.pid, signal.SIGCONT)
    assert "not stopped within 3 s: ending" in heard.all, "the worker"
    assert "Traceback" not in heard.all


BROKEN = """
import asyncio
from bot.stopping import Stop, until_told

async def work(stop: Stop) -> None:
    stop.starting = False
    try:
        with stop.ending():
            raise ValueError("the worker is broken")
    finally:
        await asyncio.Event().wait()  # what is open cannot be closed

asyncio.run(until_told(work, 0.1))
"""


async def test_by_an_error_of_its_own_with_something_that_cannot_be_closed() -> None:
    """No signal comes, and the limit counts all the same; the error is told."""
    broken = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BROKEN, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        _, said = await broken.communicate()
    assert broken.returncode == 1
    assert "the worker is broken" in said.decode()
    assert "Traceback" not in said.decode()
