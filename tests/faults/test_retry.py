"""A run that failed: its card says so, and a person has it tried again, once a click."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from bot.approvals import Approval
from bot.audit import Tag
from bot.local.person import Seen
from bot.runs import MAX_ATTEMPTS
from bot.services import Services
from tests.clicks import click_as_drawn, value_of
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.dying import DIED, THREAD, die, poison
from tests.journey.test_command_line import run as command
from workflows.catalog import Catalog, Context, Workflow
from workflows.effects import EffectRefused, Receipt
from workflows.protocol import ApprovalRequest, request_approval

PATIENCE = 60.0
WEEK = timedelta(days=7)
WHY = "Not executed: The card is closed"
CLOSED = "The workflow failed: The card is closed"
TOO_LATE = "This run is not failed any more"


class Input(BaseModel):
    pass


class State(TypedDict, total=False):
    done: bool


class Payments:
    """Refuses until it is mended."""

    def __init__(self) -> None:
        self.broken = True
        self.paid = 0

    async def pay(self) -> Receipt:
        if self.broken:
            raise EffectRefused("The card is closed")
        self.paid += 1
        return Receipt(id=f"re_{self.paid}", summary="Paid")


def workflow(payments: Payments) -> Workflow:
    """Two questions at once; what the first is about is done as soon as it is approved."""

    async def first(state: State, runtime: Runtime[Context]) -> State:
        request_approval(ApprovalRequest(title="First"))
        await runtime.context.effects.once(f"pay:{runtime.context.thread_id}", payments.pay)
        return {}

    def second(state: State) -> State:
        request_approval(ApprovalRequest(title="Second", expires_in=WEEK))
        return {}

    graph = StateGraph(State, context_schema=Context)
    for name, node in (("first", first), ("second", second)):
        graph.add_node(name, node)
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    return Workflow(name="pay", title="Pay", input_model=Input, graph=graph)


@pytest.fixture
def payments() -> Payments:
    return Payments()


@pytest.fixture
def known(payments: Payments) -> Catalog:
    return Catalog([workflow(payments), poison(deadly=False)])


@pytest.fixture
async def bot(deployment: Deployment, known: Catalog) -> AsyncGenerator[Services, None]:
    async with deployment.instance("one", known) as services:
        yield services


async def failed(deployment: Deployment, bot: Services) -> tuple[str, Seen, Seen]:
    """The thread_id, and both cards, when the first was approved and could not be done."""
    run = await bot.starter.start_run("pay", {}, requester="U00000TOM")
    first = await deployment.card("First", within=PATIENCE)
    second = await deployment.card("Second", within=PATIENCE)
    await deployment.person("mara").click(first, "Approve")
    first = await deployment.reads(first, WHY, within=PATIENCE)
    second = await deployment.reads(second, CLOSED, within=PATIENCE)
    return run.thread_id, first, second


async def approvals(deployment: Deployment, thread_id: str) -> dict[str, Approval]:
    return {a.request.title: a for a in await deployment.approvals_of(thread_id)}


async def events(deployment: Deployment, thread_id: str, tag: Tag) -> list[dict[str, Any]]:
    trail = (await deployment.shown(thread_id))["trail"]
    return [event for event in trail if event["tag"] == tag]


async def reached(deployment: Deployment, thread_id: str, status: str) -> None:
    async def there() -> bool:
        return (await deployment.run_of(thread_id)).status == status

    await eventually(f"the run is {status}", there, PATIENCE)


async def test_the_card_says_who_approved_that_it_was_not_executed_and_why(
    bot: Services, deployment: Deployment
) -> None:
    _, first, second = await failed(deployment, bot)
    assert first.text == f"Approved by Mara Okafor: First – {WHY}"
    assert first.buttons == ["Retry"]
    assert second.text == "No longer asked: Second"
    assert second.buttons == ["Retry"]


async def test_a_retry_goes_on_where_it_failed_and_asks_again_what_was_closed(
    bot: Services, deployment: Deployment, payments: Payments
) -> None:
    thread_id, first, second = await failed(deployment, bot)
    before = (await approvals(deployment, thread_id))["Second"]
    payments.broken = False
    await deployment.person("jonas").click(first, "Retry")

    reopened = await deployment.reads(second, "Decide by", within=PATIENCE)
    assert reopened.buttons == ["Approve", "Reject"]
    assert payments.paid == 1
    waiting = (await approvals(deployment, thread_id))["Second"]
    assert (waiting.id, waiting.status, waiting.closed_at) == (before.id, "pending", None)
    assert (waiting.requested_at, waiting.outcome) == (before.requested_at, None)
    assert waiting.expires_at
    assert before.expires_at
    assert waiting.expires_at > before.expires_at, "it has all its time again"

    await deployment.person("mara").click(reopened, "Approve")
    await deployment.reads(first, "Paid, re_1", within=PATIENCE)
    await deployment.reads(second, "Nothing was executed", within=PATIENCE)
    await reached(deployment, thread_id, "finished")
    [retried] = await events(deployment, thread_id, Tag.RUN_RETRIED)
    assert retried["actor"]["name"] == "Jonas Weber"
    assert len(await events(deployment, thread_id, Tag.REOPENED)) == 1
    assert "Tried again by Jonas Weber" in await deployment.thread(first, 6, within=PATIENCE)
    assert payments.paid == 1


async def test_what_fails_again_says_so_again(bot: Services, deployment: Deployment) -> None:
    thread_id, first, second = await failed(deployment, bot)
    await deployment.person("jonas").click(second, "Retry")

    async def twice() -> bool:
        return len(await events(deployment, thread_id, Tag.RUN_FAILED)) == 2

    await eventually("it fails again", twice, PATIENCE)
    found = await approvals(deployment, thread_id)
    assert all(each.outcome and each.outcome.run_failed for each in found.values())
    again = await deployment.reads(first, WHY, within=PATIENCE)
    assert again.buttons == ["Retry"]


async def test_retries_at_once_on_two_instances_are_one(
    bot: Services, deployment: Deployment, payments: Payments, known: Catalog
) -> None:
    async with deployment.instance("two", known):
        thread_id, first, second = await failed(deployment, bot)
        payments.broken = False
        await asyncio.gather(
            deployment.person("mara").click(first, "Retry"),
            deployment.person("jonas").click(second, "Retry"),
        )
        [retried] = await events(deployment, thread_id, Tag.RUN_RETRIED)
        loser = "jonas" if retried["actor"]["name"] == "Mara Okafor" else "mara"
        await deployment.told(loser, TOO_LATE)
        await deployment.reads(second, "Decide by", within=PATIENCE)
    assert payments.paid == 1


async def test_a_retry_that_does_not_count_changes_nothing(
    bot: Services, deployment: Deployment, payments: Payments
) -> None:
    thread_id, first, second = await failed(deployment, bot)
    await deployment.person("tom").click(first, "Retry")
    await deployment.told("tom", "You asked for this, so someone else has to decide it.")
    await click_as_drawn(deployment, "lena", first, "Retry")
    await deployment.told("lena", "Only full members of this workspace decide")
    forged = value_of(first, "Retry").replace('"digest":"', '"digest":"0')
    await click_as_drawn(deployment, "mara", first, "Retry", value=forged)
    await deployment.told("mara", "drawn for another version of the request")
    assert (await deployment.run_of(thread_id)).status == "failed"
    assert await events(deployment, thread_id, Tag.RUN_RETRIED) == []

    payments.broken = False
    await deployment.person("mara").click(first, "Retry")
    await deployment.reads(second, "Decide by", within=PATIENCE)
    await click_as_drawn(deployment, "mara", first, "Retry")
    await deployment.told("mara", TOO_LATE)
    assert len(await events(deployment, thread_id, Tag.RUN_RETRIED)) == 1


async def test_a_retry_that_no_worker_saw_is_found(
    deployment: Deployment, known: Catalog, payments: Payments
) -> None:
    """Recorded, and then everyone was gone."""
    async with deployment.instance("one", known) as bot:
        thread_id, first, second = await failed(deployment, bot)
    payments.broken = False
    async with deployment.instance("two", known, works=False) as bot:
        await deployment.person("mara").click(first, "Retry")
        run = await deployment.run_of(thread_id)
        assert (run.status, run.attempts, run.error) == ("queued", 0, "")
        await bot.changes.queue.docket.clear()
    async with deployment.instance("three", known, listens=False):
        await deployment.reads(second, "Decide by", within=PATIENCE)
    assert payments.paid == 1


async def test_the_command_line_retries_and_says_what_it_cannot(
    bot: Services, deployment: Deployment, payments: Payments
) -> None:
    thread_id, first, second = await failed(deployment, bot)
    payments.broken = False
    result = await command(deployment.environment, "retry", thread_id)
    assert result.exit_code == 0, result.output
    assert f"{thread_id} is tried again" in result.stdout
    await deployment.reads(second, "Decide by", within=PATIENCE)
    assert "Tried again by an operator" in await deployment.thread(first, 6, within=PATIENCE)
    for name, words in ((thread_id, "is waiting, not failed"), ("nobody", "There is no run")):
        refused = await command(deployment.environment, "retry", name)
        assert refused.exit_code == 1
        assert words in refused.output


async def test_a_run_that_kills_its_workers_is_given_up_and_can_be_retried(
    deployment: Deployment, known: Catalog
) -> None:
    """Before any card was there."""
    async with deployment.instance("one", known, works=False, listens=False) as bot:
        await bot.starter.start_run("poison", {}, thread_id=THREAD)
    assert await die(deployment, MAX_ATTEMPTS + 1) == [str(DIED)] * MAX_ATTEMPTS + ["0"]
    run = await deployment.run_of(THREAD)
    assert run.status == "failed"
    assert run.error == f"Gave up: {MAX_ATTEMPTS} attempts did not come back."

    result = await command(deployment.environment, "retry", THREAD)
    assert result.exit_code == 0, result.output
    async with deployment.instance("two", known, listens=False):
        await reached(deployment, THREAD, "finished")
