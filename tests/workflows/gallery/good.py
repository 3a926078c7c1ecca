"""Each of these may run again as often as it likes. In none of them is anything found."""

import logging
import sqlite3
import tempfile
import threading
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, TypedDict

import httpx
import redis
import stripe
from langgraph.channels import UntrackedValue
from langgraph.errors import GraphInterrupt
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel

from tests.workflows.gallery.world import Gallery, State, World, chain
from workflows.catalog import Context
from workflows.effects import Receipt
from workflows.fields import TextField
from workflows.protocol import ApprovalRequest, request_approval

GOOD = Gallery()
STEPS = ["first", "second"]  # which nobody changes
log = logging.getLogger(__name__)


def gives(**update: Any) -> Any:
    """A node that changes the state so."""

    def node(state: Any) -> dict[str, Any]:
        return update

    return node


def asks(question: str) -> Any:
    """A node that asks, and keeps the answer in the log."""

    def node(state: Any) -> dict[str, Any]:
        return {"log": [interrupt(question.format(**state))]}

    return node


def ask(state: State) -> State:
    return {"answer": interrupt({"question": "Do it?", "amount": state.get("amount")})}


@GOOD.shows()
def prepare_ask_act(world: World) -> Any:
    async def receipt() -> Receipt:
        raise AssertionError("what goes through the ledger is not called")

    def prepare(state: State, runtime: Runtime[Context]) -> State:
        return {"kept": f"pay:{runtime.context.thread_id}"}

    def gate(state: State) -> State:
        shown = TextField(label="Key", value=state.get("kept", ""))
        return {"answer": request_approval(ApprovalRequest(title="Pay?", fields=(shown,))).type}

    async def act(state: State, runtime: Runtime[Context]) -> State:
        paid = await runtime.context.effects.once(state.get("kept", ""), receipt)
        return {"items": [paid.summary]}

    return chain(prepare, gate, act)


@GOOD.shows()
def the_ledger_before_the_question(world: World) -> Any:
    async def receipt() -> Receipt:
        return Receipt(id="1", summary="reserved")

    async def gate(state: State, runtime: Runtime[Context]) -> State:
        await runtime.context.effects.once(f"reserve:{runtime.context.thread_id}", receipt)
        return {"answer": interrupt("Keep it?")}

    return chain(gate)


@GOOD.shows()
def reading_before_the_question(world: World) -> Any:
    with closing(sqlite3.connect(world.database)) as db:
        db.execute("CREATE TABLE prices (amount INTEGER)")

    async def gate(state: State) -> State:
        async with httpx.AsyncClient() as client:
            price = (await client.get(f"{world.http}/price")).json()
        with closing(sqlite3.connect(world.database)) as db:
            rows = db.execute("SELECT amount FROM prices").fetchall()
        (world.directory / "nothing").exists()
        return {"answer": interrupt({"question": "Pay it?", "price": price, "rows": rows})}

    return chain(gate)


@GOOD.shows()
def made_anew_under_the_same_key(world: World) -> Any:
    client = world.open.enter_context(redis.Redis.from_url(world.redis))

    def gate(state: State) -> State:
        with closing(sqlite3.connect(world.database, isolation_level=None)) as db:
            db.execute("CREATE TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY, state TEXT)")
            db.execute("INSERT INTO asked VALUES ('t', 'asked') ON CONFLICT DO NOTHING")
            db.execute("UPDATE asked SET state = 'waits' WHERE id = 't'")
        client.set("gallery:state", "asked")
        httpx.put(f"{world.http}/tickets/1", json={"state": "asked"})
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@GOOD.shows()
def a_post_with_a_key_of_the_run(world: World) -> Any:
    def gate(state: State) -> State:
        httpx.post(f"{world.http}/tickets", headers={"Idempotency-Key": "ticket:t-1"})
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@GOOD.shows()
def a_provider_that_is_given_a_key_of_the_run(world: World) -> Any:
    client = stripe.StripeClient("sk_test_x", base_addresses={"api": world.http})

    def gate(state: State) -> State:
        client.v1.refunds.create({"charge": "ch_1"}, {"idempotency_key": "refund:t-1"})
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@GOOD.shows()
def a_line_that_is_silenced(world: World) -> Any:
    def gate(state: State) -> State:
        # countersign: replay-safe because the server takes a ticket of the same title once
        httpx.post(f"{world.http}/tickets")
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@GOOD.shows()
def errors_that_are_caught_by_name(world: World) -> Any:
    def gate(state: State) -> State:
        try:
            answer = interrupt("Do it?")
        except ValueError:
            answer = False
        return {"answer": answer}

    def again(state: State) -> State:
        try:
            answer = interrupt("Really?")
        except GraphInterrupt:
            raise
        except Exception:  # noqa: BLE001
            answer = False
        return {"answer": answer}

    def told(state: State) -> State:
        try:
            return {"answer": interrupt("Sure?")}
        except Exception:
            log.info("it pauses, or fails")
            raise

    return chain(gate, again, told)


@GOOD.shows()
def what_may_fail_apart_from_the_question(world: World) -> Any:
    def gate(state: State) -> State:
        answer = interrupt("Do it?")
        try:
            httpx.get("http://127.0.0.1:1/")
        except Exception:  # noqa: BLE001
            answer = False
        return {"answer": answer}

    return chain(gate)


@GOOD.shows()
def chance_in_a_node_before(world: World) -> Any:
    """It is kept before anybody is asked."""

    def prepare(state: State) -> State:
        return {"kept": {"id": str(uuid.uuid4()), "at": datetime.now(UTC)}}

    def gate(state: State) -> State:
        return {"answer": interrupt({"question": "Do it?", **state.get("kept", {})})}

    return chain(prepare, gate)


@GOOD.shows()
def questions_in_an_order_that_is_kept(world: World) -> Any:
    def gate(state: State) -> State:
        answers = [interrupt(f"Order {item}?") for item in state.get("items", [])]
        for item in sorted(set(state.get("items", []))):
            answers.append(interrupt(f"Really {item}?"))  # noqa: PERF401
        for step in STEPS:
            answers.append(interrupt(f"Go on to the {step} step?"))  # noqa: PERF401
        if state.get("amount", 0) > 100:
            answers.append(interrupt("So much?"))
        return {"answer": answers}

    return chain(gate)


@GOOD.shows(decisions=({"answer": "thirty"}, {"answer": -3}, {"answer": 30}))
def asking_until_the_answer_fits(world: World) -> Any:
    def gate(state: State) -> State:
        question = "What is your age?"
        while True:
            answer = interrupt(question)
            if isinstance(answer, int) and answer > 0:
                return {"amount": answer}
            question = f"{answer!r} is no age. What is your age?"

    return chain(gate)


@GOOD.shows()
def what_is_the_nodes_own(world: World) -> Any:
    def gate(state: State) -> State:
        counts, lines = {"n": 0}, list[str]()
        counts["n"] += 1
        lines.append("asked")
        log.warning("it asks")
        with tempfile.TemporaryFile("w") as scratch:
            scratch.write("rendered")
        return {"answer": interrupt({"question": "Do it?", "lines": lines, **counts})}

    return chain(gate)


@GOOD.shows()
def a_command_that_goes_on(world: World) -> Any:
    def gate(state: State) -> Command[Any]:
        return Command(goto="proceed" if interrupt("Do it?") else "cancel")

    def proceed(state: State) -> State:
        return {"answer": "done"}

    graph: Any = StateGraph(State)
    graph.add_node("gate", gate, destinations=("proceed", "cancel"))
    graph.add_node("proceed", proceed)
    graph.add_node("cancel", gives(answer="cancelled"))
    graph.add_edge(START, "gate")
    return graph.compile()


@GOOD.shows()
def a_subgraph_parallel_and_sent(world: World) -> Any:
    graph: Any = StateGraph(Sent)
    graph.add_node("inner", chain(ask).compile())
    graph.add_node("beside", asks("Beside?"))
    graph.add_node("each", asks("{item}?"))

    def spread(state: Any) -> list[Send]:
        return [Send("each", {"item": item}) for item in ("a", "b")]

    graph.add_edge(START, "inner")
    graph.add_edge(START, "beside")
    graph.add_conditional_edges(START, spread, ["each"])
    return graph


def _joined(one: list[Any], other: list[Any]) -> list[Any]:
    return [*one, *other]


class Sent(TypedDict, total=False):
    answer: Any
    amount: int
    log: Annotated[list[Any], _joined]


class Color(Enum):
    RED = "red"


class Item(BaseModel):
    name: str
    price: Decimal


@dataclass
class Order:
    items: list[Item]
    color: Color


class Typed(TypedDict, total=False):
    order: Order | None
    amount: Decimal
    at: datetime
    names: set[str]
    left: RemainingSteps
    lock: Annotated[Any, UntrackedValue]


@GOOD.shows()
def a_state_of_many_types(world: World) -> Any:
    def prepare(state: Typed) -> Typed:
        order = Order([Item(name="a", price=Decimal("1.20"))], Color.RED)
        now = datetime.now(UTC)
        return {"order": order, "at": now, "names": {"a"}, "lock": threading.Lock()}

    def gate(state: Typed) -> Typed:
        interrupt(f"Pay {state.get('order')}?")
        return {}

    return chain(prepare, gate, state=Typed)


@GOOD.shows()
def a_functional_entrypoint(world: World) -> Any:
    @task
    def price(item: str) -> int:
        return len(httpx.get(f"{world.http}/{item}").text)

    @entrypoint()
    def workflow(given: dict[str, Any]) -> Any:
        amount = price("a").result()
        return interrupt({"question": "Pay?", "amount": amount})

    return workflow


@GOOD.shows()
def a_breakpoint(world: World) -> Any:
    graph: Any = StateGraph(State)
    graph.add_node("prepare", gives(amount=2))
    graph.add_node("pay", gives(answer="paid"))
    graph.add_edge(START, "prepare")
    graph.add_edge("prepare", "pay")
    graph.add_edge("pay", END)
    return graph.compile(interrupt_before=["pay"])
