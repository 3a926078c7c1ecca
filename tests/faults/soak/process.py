"""A bot or a worker of the soak: as `countersign`, with two more workflows than it comes with.

`mended` sends by a provider that refuses until a person mends it: the run fails, and is retried.
`blind` sends by one that cannot be asked: what is in doubt, a person has to answer.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypedDict

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from bot import app, supervising
from bot.child import main
from bot.settings import StoreSettings
from tests.faults.soak.provider import Provider
from workflows.catalog import Catalog, Context, Workflow
from workflows.effects import Receipt
from workflows.protocol import ApprovalRequest, request_approval

Send = Callable[[str], Awaitable[Receipt]]
PLAIN = app.catalog


class Input(BaseModel):
    title: str


class State(TypedDict, total=False):
    title: str
    receipt: Receipt


def soaked(settings: StoreSettings) -> Catalog:
    """The workflows of the soak. Its provider's log lies beside that of the payments."""
    provider = Provider(log_of(settings.payments_db))
    mended, blind = _sends("mended", provider.send_if_mended), _sends("blind", provider.send)
    return Catalog([*PLAIN(settings).values(), mended, blind])


def log_of(payments: Path) -> Path:
    return payments.with_name("provider.db")


def key_of(thread_id: str) -> str:
    return f"mail:{thread_id}"


def _sends(name: str, call: Send) -> Workflow:
    """Asked once, and then sent; there is no `find`."""

    async def send(state: State, runtime: Runtime[Context]) -> State:
        title = state.get("title", "")
        if request_approval(ApprovalRequest(title=title)).type != "approve":
            return {}
        key = key_of(runtime.context.thread_id)
        return {"receipt": await runtime.context.effects.once(key, lambda: call(key))}

    graph = StateGraph(State, context_schema=Context)
    graph.add_node("send", send)
    graph.add_edge(START, "send")
    return Workflow(name, name.title(), Input, graph)


if __name__ == "__main__":
    app.catalog = soaked
    supervising.COMMAND = (sys.executable, "-m", "tests.faults.soak.process", "worker", "--of")  # pyright: ignore[reportConstantRedefinition]
    main()
