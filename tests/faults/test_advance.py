"""Attempts that go wrong: whose word counts, how often it is tried, and what the card says."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, TypedDict

import pytest
from docket import Worker
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, JsonValue
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.app import Roles, serve
from bot.audit import Tag
from bot.records import Change
from bot.services import Services
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.catalog import Catalog, Context, Workflow
from workflows.effects import Receipt
from workflows.protocol import ApprovalRequest, request_approval


class Input(BaseModel):
    title: str = "Send it"


class State(TypedDict):
    title: str


class Provider:
    """What the graph calls: how it behaves is the test's to say."""

    def __init__(self) -> None:
        self.calls = 0
        self.errors: list[Exception] = []
        self.receipt: Any = Receipt(id="m_1", summary="Sent")
        self.held = asyncio.Event()
        self.held.set()

    async def send(self) -> Receipt:
        self.calls += 1
        await self.held.wait()
        if self.errors:
            raise self.errors.pop(0)
        return self.receipt


def workflow(provider: Provider, **more: Any) -> Workflow:
    def ask(state: State) -> dict[str, Any]:
        request_approval(ApprovalRequest(title=state["title"]))
        return {}

    async def send(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        await runtime.context.effects.once("mail:1", provider.send, find=nothing_found)
        return {}

    graph = StateGraph(State, context_schema=Context)
    graph.add_node("ask", ask)
    graph.add_node("send", send)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "send")
    graph.add_edge("send", END)
    return Workflow(name="mail", title="Mail", input_model=Input, graph=graph, **more)


async def nothing_found() -> Receipt | None:
    return None


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def bot(deployment: Deployment, provider: Provider) -> AsyncGenerator[Services, None]:
    async with deployment.instance("one", Catalog([workflow(provider)])) as services:
        yield services


async def approved(bot: Services, deployment: Deployment) -> str:
    run = await bot.starter.start_run("mail", {})
    card = await deployment.card("Send it")
    await deployment.settled(run.thread_id)
    await deployment.person("mara").click(card, "Approve")
    return run.thread_id


async def test_a_node_that_raises_is_tried_again_and_the_effect_happens_once(
    bot: Services, deployment: Deployment, provider: Provider
) -> None:
    provider.errors = [TimeoutError("away"), TimeoutError("away")]
    await approved(bot, deployment)
    card = await deployment.card("Send it")
    await deployment.reads(card, "Sent, m_1", within=30)
    assert provider.calls == 3


async def test_a_call_that_answers_no_receipt_fails_the_run_with_words(
    bot: Services, deployment: Deployment, provider: Provider
) -> None:
    provider.receipt = {"id": "m_1"}
    thread_id = await approved(bot, deployment)
    card = await deployment.card("Send it")
    card = await deployment.reads(card, "call must return a Receipt", within=30)
    assert "It may have happened" in card.words
    shown = await deployment.shown(thread_id)
    assert shown["run"]["status"] == "failed"
    assert [entry["state"] for entry in shown["effects"]] == ["intended"]
    assert provider.calls == 1


async def test_a_secret_in_an_error_reaches_nobody(
    bot: Services, deployment: Deployment, provider: Provider
) -> None:
    provider.errors = [ValueError("token sk-s3cret")] * 3
    thread_id = await approved(bot, deployment)

    async def stumbled() -> str:
        return (await deployment.run_of(thread_id)).error

    error = await eventually("the error is noted", stumbled)
    assert error.startswith("ValueError (reference ")
    assert "s3cret" not in error


async def test_a_stale_holder_changes_nothing(
    bot: Services, deployment: Deployment, provider: Provider
) -> None:
    """It woke up after another had the lease: the run is not as it left it."""
    provider.held.clear()
    thread_id = await approved(bot, deployment)
    await eventually("the node runs", lambda: provider.calls)
    run = await deployment.run_of(thread_id)
    now = bot.now()  # as the other holder does
    await bot.store.commit(Change(run.finish(now), (run.event(Tag.RUN_FINISHED, now),)))
    provider.held.set()

    async def ended() -> bool:
        return not bot.tasks.advancing.running

    await eventually("the stale attempt ends", ended)
    assert (await deployment.run_of(thread_id)).version == run.version + 1


async def test_a_node_that_never_ends_is_cancelled_and_tried_again(
    deployment: Deployment, provider: Provider
) -> None:
    provider.held.clear()
    known = Catalog([workflow(provider, time_limit=timedelta(milliseconds=200))])
    async with deployment.instance("one", known) as bot:
        thread_id = await approved(bot, deployment)

        async def told() -> bool:
            return "No end within" in (await deployment.run_of(thread_id)).error

        await eventually("the limit is told", told)
        provider.held.set()
        await deployment.reads(await deployment.card("Send it"), "Sent, m_1", within=30)


async def test_a_stopping_worker_stops_its_graphs_between_two_nodes(
    deployment: Deployment, provider: Provider
) -> None:
    known = Catalog([workflow(provider)])
    provider.held.clear()
    async with deployment.instance("one", known) as bot:
        thread_id = await approved(bot, deployment)
        await eventually("the node runs", lambda: provider.calls)
        asyncio.get_running_loop().call_later(0.1, provider.held.set)
    run = await deployment.run_of(thread_id)
    assert (run.status, run.attempts) in (("queued", 0), ("finished", 0)), "handed back at once"
    async with deployment.instance("two", known):
        card = await deployment.card("Send it")
        await deployment.reads(card, "Sent, m_1")
    assert provider.calls == 1


async def test_a_decision_that_a_stopping_worker_handed_over_is_carried_out_by_the_next(
    deployment: Deployment, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops between the hand-over and the first step of the graph."""
    known = Catalog([workflow(provider)])
    async with deployment.instance("one", known) as bot:
        run = await bot.starter.start_run("mail", {})
        card = await deployment.card("Send it")
        await deployment.settled(run.thread_id)
        advancing = bot.tasks.advancing
        look = advancing.runner.look

        async def looked(*about: str) -> Any:
            advancing.drain()
            return await look(*about)

        monkeypatch.setattr(advancing.runner, "look", looked)
        await deployment.person("mara").click(card, "Approve")

        async def handed_over() -> bool:
            (approval,) = await deployment.approvals_of(run.thread_id)
            return approval.handed_over_at is not None and not advancing.running

        await eventually("the worker has given up", handed_over, within=30)
    assert provider.calls == 0
    async with deployment.instance("two", known):
        await deployment.reads(card, "Sent, m_1", within=30)


async def test_a_redis_of_the_workflows_own_that_fails_is_the_runs_to_tell(
    bot: Services, deployment: Deployment, provider: Provider
) -> None:
    provider.errors = [RedisConnectionError("theirs")]
    thread_id = await approved(bot, deployment)

    async def told() -> bool:
        return "ConnectionError" in (await deployment.run_of(thread_id)).error

    await eventually("the error is noted", told, within=30)
    await deployment.reads(await deployment.card("Send it"), "Sent, m_1", within=30)


async def test_a_process_whose_worker_is_broken_ends_and_says_why(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Worker) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Worker, "run_forever", broken)
    with pytest.raises(RuntimeError, match="broken"):
        await asyncio.wait_for(serve(deployment.settings(), Roles(listens=False, works=True)), 60)


async def test_a_workflow_that_is_not_known_here_waits_for_a_worker_that_knows_it(
    bot: Services, deployment: Deployment
) -> None:
    run = await bot.starter.start_run("mail", {})
    await deployment.card("Send it")
    async with deployment.store() as store:
        stranger = run.to(thread_id="stranger", workflow="unknown", version=0)
        detail: dict[str, JsonValue] = {"workflow": "unknown", "input": run.input}
        event = stranger.event(Tag.RUN_STARTED, run.created_at, None, detail)
        await store.commit(Change(stranger, (event,)))

    async def left() -> bool:
        found = await deployment.run_of("stranger")
        return found.retry_at is not None and "not known here" in found.error

    await eventually("it is left for a minute", left)


async def test_one_unreadable_record_keeps_nobody_from_recovery(
    bot: Services, deployment: Deployment
) -> None:
    keys = bot.store.keys
    await bot.store.redis.hset(keys.approval("ap_newer"), mapping={"version": 1, "body": "{}"})
    await bot.store.redis.zadd(keys.owed, {"approval ap_newer": 0})
    await bot.store.redis.zadd(keys.pending, {"ap_newer": 0})
    run = await bot.starter.start_run("mail", {})
    await deployment.card("Send it")
    await bot.tasks.reconcile()
    await deployment.person("mara").command("/approvals")
    await deployment.told("mara", "Send it")
    assert await deployment.settled(run.thread_id)


async def test_a_lost_answer_from_redis_loses_nothing(
    bot: Services, deployment: Deployment
) -> None:
    """Connections that are cut again and again under a whole journey."""
    thread_id = await approved(bot, deployment)
    for _ in range(20):
        await bot.store.redis.client_kill_filter(_type="normal", skipme=True)
        await asyncio.sleep(0)
    card = await deployment.card("Send it")
    await deployment.reads(card, "Sent, m_1", within=60)
    assert len(await deployment.thread(card, 5, within=60)) == 5
    assert (await deployment.run_of(thread_id)).status == "finished"
