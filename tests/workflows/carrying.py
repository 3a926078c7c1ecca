"""What carries values from one process to another: a graph that is paused with a value in its
state, and a process of its own that goes on with it.

    python -m tests.workflows.carrying REDIS_URL NAMESPACE

reads thread_ids, a line each, approves what each waits for, and answers what it found in the state
(a JSON text each): before it resumed, and in a node that ran after.
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from tests.workflows.graphs import Log, gate, line
from tests.workflows.rig import Threads, approved, rig_on
from tests.workflows.state_types import STATE_TYPES


def described(value: Any) -> str:
    """The same text for the same value, in every process: types, zones and what is inside."""
    kind = type(value).__qualname__
    if isinstance(value, BaseModel):
        private = value.__pydantic_private__
        return f"{kind}({described(dict(value))} {described(private)})"
    if is_dataclass(value):
        return f"{kind}({[described(getattr(value, each.name)) for each in fields(value)]})"
    if isinstance(value, Mapping):
        return f"{kind}{sorted((key, described(each)) for key, each in value.items())}"
    if isinstance(value, set | frozenset):
        return f"{kind}{sorted(map(described, value))}"
    if isinstance(value, list | tuple | deque):
        most = getattr(value, "maxlen", None)
        return f"{kind}{[described(each) for each in value]}{most}"
    zone, fold = getattr(value, "tzinfo", None), getattr(value, "fold", None)
    return f"{kind} {value!r} {zone} {fold}"


class Carrier:
    """value: what is put into the state; the other process has none to put."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def graph(self) -> Any:
        return line(put=self.put, ask=gate("q"), tell=tell)

    def put(self, state: Log) -> Log:  # noqa: ARG002 - a node
        if self.value is None:
            raise AssertionError("what ran before the pause runs again")
        return {"value": self.value}


def tell(state: Log) -> Log:
    return {"log": [described(state.get("value"))]}


async def go_on(threads: Threads, thread_id: str) -> list[str]:
    paused = await threads.look(thread_id)
    before = described(paused.values["value"])
    after = await threads.advance(approved(paused), thread_id=thread_id)
    assert after.finished
    return [before, *after.values["log"][-1:]]


async def main(url: str, namespace: str) -> None:
    async with rig_on(url, namespace) as rig:
        threads = await rig.threads(Carrier().graph(), *STATE_TYPES)
        while thread_id := (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(json.dumps(await go_on(threads, thread_id)), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
