"""Each of these does something twice, or never asks. The line that is to blame says `# here`."""

import asyncio
import contextlib
import random
import smtplib
import socket
import sqlite3
import subprocess
import threading
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any

import aiohttp
import aiosmtplib
import httpx
import redis
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from tests.workflows.gallery.world import Piece, State, World, chain
from workflows.catalog import Context
from workflows.effects import Receipt
from workflows.protocol import ApprovalRequest, request_approval

BROKEN: list[Piece] = []
MEMORY = {"asked": 0}
QUEUE: list[str] = ["first", "second"]


def broken(*rules: str, allow: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    def keep(make: Any) -> Any:
        BROKEN.append(Piece(make.__name__, make, rules, allow))
        return make

    return keep


# --- calls before the question


@broken("call-twice")
def the_duplicate_audit_row(world: World) -> Any:
    def gate(state: State) -> State:
        with contextlib.closing(sqlite3.connect(world.database)) as db:
            db.execute("CREATE TABLE IF NOT EXISTS audit (what TEXT)")
            db.execute("INSERT INTO audit VALUES (?)", ("asked",))  # here
            db.commit()
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_counter_in_a_database(world: World) -> Any:
    db = sqlite3.connect(world.database, check_same_thread=False, isolation_level=None)
    world.open.callback(db.close)
    db.execute("CREATE TABLE counters (n INTEGER)")
    db.execute("INSERT INTO counters VALUES (0)")

    def gate(state: State) -> State:
        db.execute("UPDATE counters SET n = n + 1")  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_line_in_a_file(world: World) -> Any:
    def gate(state: State) -> State:
        with (world.directory / "audit.log").open("a") as log:  # here
            log.write("asked\n")
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice", "fails-on-replay")
def the_file_that_must_be_new(world: World) -> Any:
    def gate(state: State) -> State:
        (world.directory / "report").open("x").close()  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_post(world: World) -> Any:
    client = world.open.enter_context(
        httpx.Client()
    )  # its connection is kept open: only the first call connects

    def gate(state: State) -> State:
        client.post(f"{world.http}/tickets", json={"state": "asked"})  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_post_in_an_async_node(world: World) -> Any:
    async def gate(state: State) -> State:
        async with httpx.AsyncClient() as client:
            await client.post(f"{world.http}/tickets", json={"state": "asked"})  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_post_by_aiohttp(world: World) -> Any:
    async def gate(state: State) -> State:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(f"{world.http}/tickets", json={})  # here
            await answer.read()
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_post_by_the_standard_library(world: World) -> Any:
    def gate(state: State) -> State:
        request = urllib.request.Request(f"{world.http}/tickets", data=b"{}", method="POST")  # noqa: S310
        urllib.request.urlopen(request).close()  # noqa: S310 # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("key-changes")
def the_key_that_is_new_each_time(world: World) -> Any:
    def gate(state: State) -> State:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        httpx.post(f"{world.http}/charges", headers=headers)  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_mail(world: World) -> Any:
    def gate(state: State) -> State:
        with smtplib.SMTP("127.0.0.1", world.mail) as smtp:
            smtp.sendmail("a@example.com", ["b@example.com"], "Subject: Asked\r\n\r\nx")  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_mail_by_aiosmtplib(world: World) -> Any:
    async def gate(state: State) -> State:
        mail = EmailMessage()
        mail["From"], mail["To"] = "a@example.com", "b@example.com"
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=world.mail)  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice", allow=("subprocess",))
def the_process(world: World) -> Any:
    def gate(state: State) -> State:
        subprocess.run(["true"], check=True)  # noqa: S607 # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_socket(world: World) -> Any:
    def gate(state: State) -> State:
        with socket.create_connection(("127.0.0.1", world.tcp)) as wire:
            wire.sendall(b"asked\n")  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_counter_in_redis(world: World) -> Any:
    client = world.open.enter_context(redis.Redis.from_url(world.redis))

    def gate(state: State) -> State:
        client.incr("gallery:asked")  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_call_between_two_questions(world: World) -> Any:
    def gate(state: State) -> State:
        first = interrupt("Really?")
        httpx.post(f"{world.http}/tickets")  # here
        return {"answer": [first, interrupt("Sure?")]}

    return chain(gate)


@broken("call-twice")
def the_call_in_a_loop_of_questions(world: World) -> Any:
    def gate(state: State) -> State:
        for item in state.get("items", []):
            if interrupt(f"Order {item}?"):
                httpx.post(f"{world.http}/orders/{item}")  # here
        return {"answer": "done"}

    return chain(gate)


@broken("call-twice")
def the_call_in_another_thread(world: World) -> Any:
    async def gate(state: State) -> State:
        await asyncio.to_thread(httpx.post, f"{world.http}/tickets")  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_call_in_an_executor(world: World) -> Any:
    pool = world.open.enter_context(ThreadPoolExecutor(1))

    def gate(state: State) -> State:
        pool.submit(httpx.post, f"{world.http}/tickets").result()  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_call_in_a_thread_of_its_own(world: World) -> Any:
    def gate(state: State) -> State:
        thread = threading.Thread(target=httpx.post, args=(f"{world.http}/tickets",))
        thread.start()  # here
        thread.join()
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_call_in_a_task(world: World) -> Any:
    async def gate(state: State) -> State:
        async with httpx.AsyncClient() as client:
            await asyncio.create_task(client.post(f"{world.http}/tickets"))  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("call-twice")
def the_call_before_a_graph_that_asks(world: World) -> Any:
    def inner(state: State) -> State:
        return {"answer": interrupt("Do it?")}

    asking = chain(inner).compile()

    def gate(state: State) -> Any:
        httpx.post(f"{world.http}/tickets")  # here
        return asking.invoke(state)

    return chain(gate)


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
