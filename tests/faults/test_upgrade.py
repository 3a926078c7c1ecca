"""Two versions of the code side by side, on one docket and one Redis: what either begins is ended,
and what the newer one writes is never lost by the older."""

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from langgraph.runtime import RunControl

from bot.audit import first_broken
from bot.local.instances import OURS, Instance
from bot.local.person import Seen
from bot.records import SCHEMA, Change
from bot.services import Services
from bot.steps import Step
from bot.views.card import ButtonValue
from tests.clicks import value_of
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.versions import after

PATIENCE = 90.0
NEXT = SCHEMA.version + 1  # the form of tests/faults/next_version.py
ROOT = Path(__file__).parent.parent.parent
NEWER = "An update is being rolled out"


async def process(deployment: Deployment, directory: Path, *command: str) -> Instance:
    """A process of the next version."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    ours = {"PYTHONPATH": str(ROOT), "COUNTERSIGN_INSTANCE": "next"}
    log = directory / f"{'-'.join(command[:2])}.log"
    with log.open("ab") as file:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.next_version", *command,
            stdin=asyncio.subprocess.PIPE, stdout=file, stderr=file, cwd=directory,
            env={**inherited, **deployment.environment, **ours}, start_new_session=True,
        )  # fmt: skip
    return Instance("next", started, log)


@contextlib.asynccontextmanager
async def next_version(
    deployment: Deployment, directory: Path, beside: int
) -> AsyncGenerator[None, None]:
    """A bot of the next version, beside so many others that listen."""
    instance = await process(deployment, directory, "bot")

    def there() -> bool:
        assert instance.running, instance.last_words
        return len(deployment.slack.sockets.connections) == beside + 1

    try:
        await eventually("the next version listens", there, PATIENCE)
        yield
    finally:
        await instance.kill()


async def start_next(deployment: Deployment, directory: Path, customer: str) -> None:
    """A run that the next version starts."""
    values = (f"customer={customer}", "amount=120.50", "reason=Damaged")
    thread_id = customer.lower().replace(" ", "-")
    command = ("start", "refund", *values, "--thread-id", thread_id)
    instance = await process(deployment, directory, *command)
    try:
        assert await asyncio.wait_for(instance.process.wait(), PATIENCE) == 0, instance.last_words
    finally:
        await instance.kill()


async def approved(deployment: Deployment, customer: str) -> Seen:
    """Clicked until an instance takes it that can, and then carried out."""
    card = await deployment.card(f"Refund $120.50 to {customer}", within=PATIENCE)
    mara = deployment.person("mara")
    key = ButtonValue.model_validate_json(value_of(card, "Approve")).approval

    async def recorded() -> bool:
        if (await stored(deployment, f"approval:{key}"))["status"] == "pending":
            await mara.click(card, "Approve")
        return (await stored(deployment, f"approval:{key}"))["status"] == "approved"

    await eventually(f"the click for {customer} is taken", recorded, PATIENCE)
    return await deployment.reads(card, "Refund done", within=PATIENCE)


async def stored(deployment: Deployment, key: str) -> dict[str, Any]:
    async with deployment.store() as store:
        return json.loads(await store.redis.hget(f"{store.keys.prefix}{key}", "body") or "{}")


async def test_what_either_version_begins_is_ended_and_nothing_of_the_newer_is_lost(
    deployment: Deployment, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    starting = asyncio.create_task(start_next(deployment, tmp_path, "New"))
    with caplog.at_level(logging.WARNING):
        async with deployment.instance("old"), next_version(deployment, tmp_path, beside=1):
            await deployment.start(customer="Old", thread_id="old")
            await starting
            for card in [await approved(deployment, customer) for customer in ("Old", "New")]:
                told = await deployment.thread(card, 5, within=PATIENCE)
                assert told[0].startswith("Requested by")
                assert told[-1] == "Workflow finished"
            await polished(deployment, "new")

    assert sorted(who for _, who, _, _ in await deployment.payments.refunds()) == ["New", "Old"]
    assert len([m for m in deployment.person("mara").sees() if m.blocks]) == 2
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("bot.")]
    passed = [line for line in lines if "left alone" in line or "passed over" in line]
    assert len(passed) == len(set(passed)), "one line for each"
    assert not [line for line in lines if "reference" in line], lines


async def polished(deployment: Deployment, thread_id: str) -> None:
    """By the step that only the next version knows; and nothing that it wrote is lost."""

    async def done() -> bool:
        return (await stored(deployment, f"run:{thread_id}")).get("colour") == "polished"

    await eventually(f"{thread_id} is polished", done, PATIENCE)
    async with deployment.store() as store:
        ids = await store.redis.zrange(store.keys.of_thread(thread_id), 0, -1)
        trail = await store.trail(thread_id)
    assert first_broken(trail) is None
    assert [event.tag for event in trail].count("run:polished") == 1  # pyright: ignore[reportArgumentType]
    (approval_id,) = map(_text, ids)
    approval = await stored(deployment, f"approval:{approval_id}")
    assert (approval["schema_version"], approval["colour"]) == (NEXT, "next")


async def test_what_is_the_newer_ones_waits_for_it(deployment: Deployment) -> None:
    """A deploy that is taken back: the older code says so, records nothing, and does its own."""
    async with deployment.instance("old") as bot:
        await deployment.start(customer="New", thread_id="new")
        card = await deployment.card("Refund $120.50 to New", within=PATIENCE)
        (approval,) = [await deployment.settled("new", within=PATIENCE)]
        keys = (bot.store.keys.run("new"), bot.store.keys.approval(approval.id))
        for key in keys:
            await form_is(bot, key, NEXT)
        await deployment.person("mara").click(card, "Approve")
        assert "*Nothing was recorded.*" in (await deployment.told("mara", NEWER)).words
        before = [await bot.store.redis.hgetall(key) for key in keys]
        for step in ("advance", "retire"):
            await bot.changes.queue.add(Step(step, "new", "given"))
        await bot.changes.queue.add(Step("show", approval.id, "given"))
        await bot.changes.queue.add(Step("expire", approval.id, "given"))
        await deployment.start(customer="Old", thread_id="old")
        await approved(deployment, "Old")
        assert [await bot.store.redis.hgetall(key) for key in keys] == before
        for key in keys:
            await form_is(bot, key, SCHEMA.version)
        await approved(deployment, "New")
    assert len(await deployment.payments.refunds()) == 2


async def test_a_decision_that_newer_code_recorded_is_carried_out_by_newer_code(
    deployment: Deployment,
) -> None:
    """The run is in the older form still; it is not begun, and no question is opened anew."""
    async with deployment.instance("old") as bot:
        await deployment.start(thread_id="t1")
        card = await deployment.card("Refund $120.50 to Acme GmbH", within=PATIENCE)
        approval = await deployment.settled("t1", within=PATIENCE)
        key = bot.store.keys.approval(approval.id)
        await form_is(bot, key, NEXT)
        run = await bot.store.run("t1")
        assert run is not None
        await bot.store.commit(Change(run.drained(bot.now())))  # it is due, and cannot be done

        async def left() -> bool:
            now = await bot.store.run("t1")
            return now is not None and now.retry_at is not None and "newer version" in now.error

        await eventually("it is left for a minute", left, PATIENCE)
        await form_is(bot, key, SCHEMA.version)
    async with deployment.instance("new", now=after(minutes=2)):
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done", within=PATIENCE)


async def test_a_question_whose_record_cannot_be_read_is_not_opened_for_ever(
    deployment: Deployment,
) -> None:
    """It became newer after the attempt had begun."""
    async with deployment.instance("old", works=False) as bot:
        thread_id = await deployment.start()
        async with bot.tasks.advancing.leases.hold(thread_id) as lease:
            run = await bot.store.run(thread_id)
            assert run is not None
            state = await bot.tasks.advancing.runner.advance(
                run.workflow, thread_id, run.input, {}, lease=lease, control=RunControl()
            )
        key = state.open[0].key
        newer: dict[Any, Any] = {"version": 3, "body": json.dumps({"schema_version": NEXT})}
        await bot.store.redis.hset(bot.store.keys.approval(key), mapping=newer)
        await asyncio.wait_for(bot.tasks.advance(thread_id), PATIENCE)
        run = await bot.store.run(thread_id)
        assert run is not None
        assert run.status == "running", "given up after a bounded number of looks"
        await bot.store.redis.delete(bot.store.keys.approval(key))


async def form_is(bot: Services, key: str, number: int) -> None:
    """As the other version would write it."""
    body = json.loads(await bot.store.redis.hget(key, "body") or "{}")
    await bot.store.redis.hset(key, "body", json.dumps({**body, "schema_version": number}))


def _text(name: Any) -> str:
    return name.decode()
