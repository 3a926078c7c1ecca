"""A process whose workers die, one after the other, in the middle of their node: the run's own
fault. Each is a fork that ends without another word, as with SIGKILL.

    python -m tests.faults.dying COUNT     the deployment is in the environment
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from bot.app import open_services
from bot.services import Services
from bot.settings import ListenerSettings
from tests.deployment import Deployment
from workflows.catalog import Catalog, Context, Workflow
from workflows.clock import utc_now
from workflows.effects import Receipt

ROOT = Path(__file__).parent.parent.parent
THREAD = "poison-1"
DIED = 9


class Input(BaseModel):
    pass


class State(TypedDict, total=False):
    done: bool


def poison(deadly: bool = True) -> Workflow:
    def node(state: State) -> dict[str, Any]:
        if deadly:
            os._exit(DIED)
        return {"done": True}

    graph = StateGraph(State, context_schema=Context)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    return Workflow(name="poison", title="Poison", input_model=Input, graph=graph)


def half_sent(deadly: bool = True) -> Workflow:
    """Dies in the middle of its call, and cannot ask the provider."""

    async def send() -> Receipt:
        if deadly:
            os._exit(DIED)
        return Receipt(id="m_1", summary="Sent")

    async def node(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        await runtime.context.effects.once(f"mail:{runtime.context.thread_id}", send)
        return {"done": True}

    graph = StateGraph(State, context_schema=Context)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    return Workflow(name="half_sent", title="Half sent", input_model=Input, graph=graph)


async def worker() -> None:
    """What a worker does when it is handed the run; its predecessor's lease has run out."""
    settings = ListenerSettings.model_validate(dict(os.environ))
    later = timedelta(minutes=1)  # as reconcile finds it: nobody has moved it for a while
    known = Catalog([poison(), half_sent()])
    async with open_services(settings, known, lambda: utc_now() + later) as services:
        await advance(services)


async def advance(services: Services) -> None:
    await services.store.redis.delete(f"{services.store.keys.prefix}lease:{THREAD}")
    await services.tasks.advance(THREAD)


async def die(deployment: Deployment, count: int) -> list[str]:
    """So many workers, in a process of their own; answers how each ended."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.dying", str(count),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, **deployment.environment},
    )  # fmt: skip
    said, _ = await child.communicate()
    return said.decode().split()


def main() -> None:
    """Print how each of them ended."""
    for _ in range(int(sys.argv[1])):
        child = os.fork()
        if child == 0:
            asyncio.run(worker())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
