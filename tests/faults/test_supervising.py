"""A bot that works has a worker in a process of its own: they live and end together."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.health import Health
from bot.supervising import supervised
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.test_processes import PATIENCE


@dataclass
class Heard:
    """A bot, and what it and its worker say on standard error. The end of that comes when both
    have ended."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list[str])

    @classmethod
    async def start(cls, environment: Mapping[str, str], directory: Path, module: str) -> "Heard":
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, "bot", cwd=directory, env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        return cls(process)

    async def until(self, words: str) -> str:
        """The first line with these words."""
        async with asyncio.timeout(PATIENCE):
            while not self.lines or words not in self.lines[-1]:
                line = await self._stderr.readline()
                assert line, f"never said {words!r}:\n{self.all}"
                self.lines.append(line.decode())
        return self.lines[-1]

    async def both_ready(self) -> int:
        """Answers the worker's pid."""
        pid = int(re.findall(r"one-worker is pid (\d+)", await self.until("one-worker is pid"))[0])
        await self.until("one-worker is ready")
        return pid

    async def both_ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            self.lines.append((await self._stderr.read()).decode())
            return await self.process.wait()

    @property
    def all(self) -> str:
        return "".join(self.lines)

    @property
    def _stderr(self) -> asyncio.StreamReader:
        assert self.process.stderr is not None
        return self.process.stderr


@asynccontextmanager
async def bot(
    deployment: Deployment, directory: Path, module: str = "bot.child"
) -> AsyncGenerator[Heard, None]:
    environment = {**deployment.environment, "COUNTERSIGN_INSTANCE": "one"}
    heard = await Heard.start(environment, directory, module)
    try:
        yield heard
    finally:
        with suppress(ProcessLookupError):  # its worker may live where it does not
            os.killpg(heard.process.pid, signal.SIGKILL)
        await heard.process.wait()


async def test_a_stop_comes_to_the_listener_first_and_then_to_its_worker(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with bot(deployment, tmp_path) as heard:
        await heard.both_ready()
        heard.process.terminate()
        await heard.until("one is stopping")
        await heard.until("one-worker is stopping")
        assert not deployment.slack.sockets.connections, "it listens no more"
        assert await heard.both_ended() == 0, heard.all
    assert "Traceback" not in heard.all


async def test_ctrl_c_reaches_both_and_is_one_clean_stop(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with bot(deployment, tmp_path) as heard:
        await heard.both_ready()
        os.killpg(heard.process.pid, signal.SIGINT)
        assert await heard.both_ended() == 0, heard.all
    assert heard.all.count("one is stopping") == heard.all.count("one-worker is stopping") == 1
    assert "Traceback" not in heard.all
    assert "ended with" not in heard.all


async def test_a_worker_ends_with_a_bot_that_was_killed(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with bot(deployment, tmp_path) as heard:
        await heard.both_ready()
        heard.process.kill()
        await heard.both_ended()
    assert "one-worker is stopping" in heard.all


async def test_a_bot_whose_worker_dies_stops_and_says_so(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with bot(deployment, tmp_path) as heard:
        os.kill(await heard.both_ready(), signal.SIGKILL)
        assert await heard.both_ended() == 1, heard.all
    assert "The worker of this bot (one-worker) ended by signal 9" in heard.all
    assert "one is stopping" in heard.all
    assert "Traceback" not in heard.all


async def test_a_worker_that_does_not_stop_is_killed(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with bot(deployment, tmp_path, "tests.faults.hasty") as heard:
        os.kill(await heard.both_ready(), signal.SIGSTOP)
        heard.process.terminate()
        assert await heard.both_ended() == 0, heard.all
    assert "one-worker did not stop within 5 s, and is killed" in heard.all


async def test_health_tells_of_the_worker(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = Health()
    with socket.create_server(("", 0)) as taken:
        environment = {
            **deployment.environment,
            "COUNTERSIGN_HEALTH_PORT": str(taken.getsockname()[1]),  # the bot listens there
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        async with (
            deployment.instance("one", works=False, listens=False) as services,
            supervised(services, health, within=PATIENCE) as worker,
        ):

            async def well() -> bool:
                assert not worker.done()
                return await health.live["worker"]() == ""

            await eventually("the worker asks for work", well, within=PATIENCE)
