"""Each of these asks something else when it runs again, or never, or cannot be kept. The line that
is to blame says `# here`."""

import contextlib
import functools
import random
import threading
import uuid
from datetime import UTC, date, datetime
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from tests.workflows.gallery.world import Gallery, State, World, chain
from workflows.catalog import Context
from workflows.effects import Receipt
from workflows.protocol import ApprovalRequest, request_approval

QUESTIONS = Gallery()
broken = QUESTIONS.shows
MEMORY = {"asked": 0}
QUEUE: list[str] = ["first", "second"]


# --- what outlives the node


@broken("memory-before-question")
def the_counter(world: World) -> Any:
    def gate(state: State) -> State:
        MEMORY["asked"] += 1  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("memory-before-question")
def the_list_of_the_module(world: World) -> Any:
    def gate(state: State) -> State:
        QUEUE.append("asked")  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


# --- questions and keys that are others each time


@broken("question-changes", "memory-before-question")
def the_counter_in_the_question(world: World) -> Any:
    asked = {"times": 0}

    def gate(state: State) -> State:
        asked["times"] += 1  # here
        return {"answer": interrupt({"question": "Do it?", "asked": asked["times"]})}  # here

    return chain(gate)


@broken("question-changes")
def the_random_id(world: World) -> Any:
    def gate(state: State) -> State:
        decision = request_approval(ApprovalRequest(title=f"Pay {uuid.uuid4()}"))  # here
        return {"answer": decision.type}

    return chain(gate)


@broken("question-changes")
def the_time_in_the_question(world: World) -> Any:
    def gate(state: State) -> State:
        return {"answer": interrupt(f"Do it? (asked at {datetime.now(UTC)})")}  # here

    return chain(gate)


@broken("question-from-chance")
def the_day_in_the_question(world: World) -> Any:
    def gate(state: State) -> State:
        today = date.today().isoformat()  # noqa: DTZ011
        return {"answer": interrupt(f"Close the books of {today}?")}  # here

    return chain(gate)


@broken("key-changes")
def the_random_key_of_an_effect(world: World) -> Any:
    async def receipt() -> Receipt:
        return Receipt(id="1", summary="paid")

    def gate(state: State) -> State:
        return {"answer": interrupt("Do it?")}

    async def pay(state: State, runtime: Runtime[Context]) -> State:
        await runtime.context.effects.once(f"pay:{uuid.uuid4()}", receipt)  # here
        return {}

    return chain(gate, pay)


@broken("order-changes")
def the_order_of_a_set(world: World) -> Any:
    def gate(state: State) -> State:
        answers = []
        for item in set(state.get("items", [])):  # here
            answers.append(interrupt(f"Order {item}?"))  # noqa: PERF401
        return {"answer": answers}

    return chain(gate)


@broken("order-changes")
def the_question_that_comes_by_chance(world: World) -> Any:
    def gate(state: State) -> State:
        if random.random() < 2:  # noqa: S311 # here
            interrupt("A spot check: all well?")
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("order-changes")
def the_list_that_changes_meanwhile(world: World) -> Any:
    def gate(state: State) -> State:
        answers = []
        for item in QUEUE:  # here
            answers.append(interrupt(f"Order {item}?"))  # noqa: PERF401
        return {"answer": answers}

    return chain(gate)


# --- nobody is asked


@broken("interrupt-swallowed")
def the_swallowed_interrupt(world: World) -> Any:
    def gate(state: State) -> State:
        try:
            answer = interrupt("Do it?")  # here
        except Exception:  # noqa: BLE001
            answer = True
        return {"answer": answer}

    return chain(gate)


@broken("interrupt-swallowed")
def the_interrupt_that_a_helper_swallows(world: World) -> Any:
    def ask() -> Any:
        return interrupt("Do it?")

    def gate(state: State) -> State:
        with contextlib.suppress(Exception):
            return {"answer": ask()}  # here
        return {"answer": True}

    return chain(gate)


def again(node: Any) -> Any:
    """Whatever goes wrong, as decorators have it."""

    @functools.wraps(node)
    def tried(state: State) -> Any:
        try:
            return node(state)
        except Exception:  # noqa: BLE001
            return {"answer": None}

    return tried


@broken("interrupt-swallowed")
def the_interrupt_that_a_decorator_swallows(world: World) -> Any:
    @again
    def gate(state: State) -> State:
        return {"answer": interrupt("Do it?")}  # here

    return chain(gate)


# --- what cannot be kept


@broken("state-not-stored")
def the_lock_in_the_state(world: World) -> Any:
    def prepare(state: State) -> State:  # here
        return {"kept": threading.Lock()}

    return chain(prepare)


@broken("question-unreadable")
def the_function_in_the_question(world: World) -> Any:
    def gate(state: State) -> State:
        return {"answer": interrupt({"question": "Do it?", "check": len})}  # here

    return chain(gate)
