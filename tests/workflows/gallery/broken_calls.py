"""Each of these calls something twice. The line that is to blame says `# here`."""

import asyncio
import contextlib
import smtplib
import socket
import sqlite3
import subprocess
import threading
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any

import aiohttp
import aiosmtplib
import httpx
import redis
import requests
import stripe
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import interrupt

from tests.workflows.gallery.world import Gallery, State, World, chain

CALLS = Gallery()
broken = CALLS.shows


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


@broken("call-twice")
def the_post_by_requests(world: World) -> Any:
    session = world.open.enter_context(requests.Session())

    def gate(state: State) -> State:
        session.post(f"{world.http}/tickets", json={})  # here
        return {"answer": interrupt("Do it?")}

    return chain(gate)


@broken("key-changes")
def the_refund_of_a_provider(world: World) -> Any:
    """Its library makes a key for each call, unless it is given one."""
    client = stripe.StripeClient("sk_test_x", base_addresses={"api": world.http})

    def gate(state: State) -> State:
        client.v1.refunds.create({"charge": "ch_1"})  # here
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
    pool.submit(int).result()  # its thread was begun by someone else

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


@broken("call-twice")
def the_call_in_a_tool_of_an_async_graph(world: World) -> Any:
    """The tool node runs its tools in tasks, and each of those in a thread."""

    @tool
    def pay(amount: int) -> str:
        """Pay it, where a person allows it."""
        httpx.post(f"{world.http}/audit")  # here
        return "paid" if interrupt(f"Pay {amount}?") else "not paid"

    async def model(state: MessagesState) -> dict[str, Any]:
        call: Any = {"name": "pay", "args": {"amount": 5}, "id": "call-1"}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    graph: Any = StateGraph(MessagesState)
    graph.add_node("model", model)
    graph.add_node("tools", ToolNode([pay]))
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    return graph
