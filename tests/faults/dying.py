"""A process whose workers die, one after the other, in the middle of their node: the run's own
fault. Each is a fork that ends without another word, as with SIGKILL.

    python -m tests.faults.dying COUNT     the deployment is in the environment
"""

import asyncio
import os
import sys
from datetime import timedelta
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from bot.app import open_services
from bot.settings import ListenerSettings
from workflows.catalog import Catalog, Context, Workflow
from workflows.clock import utc_now

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


async def worker() -> None:
    """What a worker does when it is handed the run; its predecessor's lease has run out."""
    settings = ListenerSettings.model_validate(dict(os.environ))
    later = timedelta(minutes=1)  # as reconcile finds it: nobody has moved it for a while
    known = Catalog([poison()])
    async with open_services(settings, known, lambda: utc_now() + later) as services:
        await services.store.redis.delete(f"{services.store.keys.prefix}lease:{THREAD}")
        await services.tasks.advance(THREAD)


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
