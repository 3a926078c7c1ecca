"""What a person is asked about in one process is the very same in the one that goes on."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.local.redis import EmbeddedRedis
from tests.workflows.carrying import Carrier, described
from tests.workflows.rig import rig_on
from tests.workflows.state_types import STATE_TYPES, Private
from tests.workflows.test_serializer import SPECIAL, same, values

NAMESPACE = "carrying"


@dataclass(frozen=True)
class Another:
    """A process that shares nothing with this one but Redis."""

    process: asyncio.subprocess.Process
    url: str

    async def found(self, thread_id: str) -> list[str]:
        told, answers = self.process.stdin, self.process.stdout
        assert told is not None
        assert answers is not None
        told.write(f"{thread_id}\n".encode())
        await told.drain()
        answer = await answers.readline()
        assert answer, "the other process ended; what it says stands above"
        return json.loads(answer)


@pytest.fixture(scope="module")
async def another(redis_server: EmbeddedRedis) -> AsyncGenerator[Another, None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.workflows.carrying", redis_server.url, NAMESPACE),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    yield Another(process, redis_server.url)
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0


async def carried(another: Another, value: Any) -> None:
    """Paused here with the value in its state, gone on with there, and looked at here."""
    thread_id = f"t-{secrets.token_hex(6)}"
    async with rig_on(another.url, NAMESPACE) as rig:
        threads = await rig.threads(Carrier(value).graph(), *STATE_TYPES)
        await threads.advance(thread_id=thread_id)
        assert await another.found(thread_id) == [described(value)] * 2
        ended = await threads.look(thread_id)
        assert ended.finished
        same(ended.values["value"], value)


@given(value=st.fixed_dictionaries({"first": values, "second": values}))
@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_it_is_the_same_in_another_process(another: Another, value: dict[str, Any]) -> None:
    await carried(another, value)


async def test_the_special_ones_are_the_same_in_another_process(another: Another) -> None:
    private = Private(shown=1)
    private.keep(private.kept + 2)
    await carried(another, {"special": SPECIAL, "private": [private]})
