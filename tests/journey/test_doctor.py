"""`countersign doctor`, before a deploy: which runs the new code cannot go on with."""

import json
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.app import open_doctor
from bot.doctor import Examination
from bot.records import SCHEMA
from tests.deployment import Deployment
from tests.faults.versions import mail
from tests.journey.test_command_line import run
from workflows.catalog import Catalog

PATIENCE = 60.0


async def examined(deployment: Deployment, known: Catalog | None = None) -> Examination:
    async with open_doctor(deployment.settings(), known) as doctor:
        return await doctor.examine()


async def waiting(deployment: Deployment, known: Catalog | None = None) -> None:
    """A mail that waits for a person."""
    async with deployment.instance("before", known or mail()) as bot:
        await bot.starter.start_run("mail", {}, thread_id="mail-1")
        await deployment.card("Send it", within=PATIENCE)
        await deployment.settled("mail-1", within=PATIENCE)


async def written(deployment: Deployment) -> dict[bytes, bytes | None]:
    async with Redis.from_url(deployment.redis_url, protocol=2) as redis:
        keys = [key async for key in redis.scan_iter(f"*{deployment.namespace}*", count=1000)]
        return {key: await redis.dump(key) for key in keys}


async def test_nothing_is_open(deployment: Deployment) -> None:
    async with Redis.from_url(deployment.redis_url, protocol=2) as redis:
        result = await run(deployment.environment, "doctor")
        indexes: Any = await redis.execute_command("FT._LIST")
    assert not [name for name in indexes if deployment.namespace in name.decode()]
    assert (result.exit_code, result.stdout) == (0, "No run is open.\n")
    assert await written(deployment) == {}


async def test_all_is_well_where_the_code_knows_the_way(deployment: Deployment) -> None:
    async with deployment.instance():
        thread_id = await deployment.start()
        await deployment.card("Refund $120.50 to Acme GmbH")
        await deployment.settled(thread_id)
    before = await written(deployment)

    result = await run(deployment.environment, "doctor")

    assert (result.exit_code, result.output) == (0, "1 run is open; this code can go on with it.\n")
    assert await written(deployment) == before, "it changes nothing"


async def test_what_it_cannot_go_on_with_is_listed_and_it_exits_with_one(
    deployment: Deployment,
) -> None:
    await waiting(deployment)
    before = await written(deployment)

    result = await run(deployment.environment, "doctor")

    assert result.exit_code == 1
    assert "1 run is open; this code cannot go on with 1 of them:" in result.stdout
    assert "mail-1  mail      ask   waiting" in result.stdout
    assert "The workflow mail is not known here" in result.stdout
    assert "mail-1: Keep it in the catalog, or keep the old code running" in result.stdout
    listed = await run(deployment.environment, "doctor", "--json")
    found = json.loads(listed.stdout)
    assert (listed.exit_code, found["open"], len(found["obstacles"])) == (1, 1, 1)
    assert found["obstacles"][0]["thread_id"] == "mail-1"
    assert await written(deployment) == before, "it changes nothing"


CHANGED: dict[str, tuple[Catalog, str, str, str]] = {
    "node": (mail("approval"), "to go on at ask, which", "ask", "Give the node its old name back"),
    "workflow": (mail(name="letter"), "mail is not known here", "ask", "Keep it in the catalog"),
    "state": (mail(types=()), "Urgency is stored, but not", "ask", "Keep the class as it was"),
}


@pytest.mark.parametrize("name", CHANGED)
async def test_each_reason_is_named_with_its_cure(deployment: Deployment, name: str) -> None:
    changed, what, node, cure = CHANGED[name]
    await waiting(deployment)

    (obstacle,) = (await examined(deployment, changed)).obstacles

    assert (obstacle.thread_id, obstacle.workflow, obstacle.node) == ("mail-1", "mail", node)
    assert what in obstacle.what
    assert obstacle.cure.startswith(cure)
    assert obstacle.since[:10] == str((await deployment.run_of("mail-1")).updated_at)[:10]
    assert (await examined(deployment, mail())).obstacles == []


@pytest.mark.parametrize(
    ("body", "what", "cure"),
    [
        (
            {"schema_version": SCHEMA.version + 1},
            "newer version of Countersign",
            "This code is the older one",
        ),
        ({}, "the approval ap_x cannot be read (ValidationError)", "The record is damaged"),
    ],
)
async def test_records_that_it_cannot_read(
    deployment: Deployment, body: dict[str, Any], what: str, cure: str
) -> None:
    await waiting(deployment)
    async with deployment.store() as store:
        record: dict[Any, Any] = {"version": 1, "body": json.dumps(body)}
        await store.redis.hset(store.keys.approval("ap_x"), mapping=record)
        await store.redis.zadd(store.keys.of_thread("mail-1"), {"ap_x": 0})
        (obstacle,) = (await examined(deployment, mail())).obstacles
        await store.redis.zrem(store.keys.of_thread("mail-1"), "ap_x")
        assert (await examined(deployment, mail())).obstacles == []

        key = store.keys.run("mail-1")
        stood = await store.redis.hget(key, "body")
        await store.redis.hset(key, "body", json.dumps(body))
        (unread,) = (await examined(deployment, mail())).obstacles
        await store.redis.hset(key, "body", stood or "")

    assert what in obstacle.what
    assert obstacle.cure.startswith(cure)
    assert "the run mail-1" in unread.what
    assert unread.cure == obstacle.cure


async def test_what_has_ended_is_no_obstacle(deployment: Deployment) -> None:
    async with deployment.instance("before", mail()) as bot:
        await bot.starter.start_run("mail", {}, thread_id="mail-1")
        card = await deployment.card("Send it", within=PATIENCE)
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Sent, m_1", within=PATIENCE)
    found = await examined(deployment, mail(name="letter"))
    assert (found.open, found.obstacles) == (0, [])


async def test_its_help_teaches() -> None:
    words = (await run({}, "doctor", "--help")).stdout
    assert "Run it with the NEW code, on the Redis of the old." in words
    assert "It changes nothing." in words
