"""The detectors detect: a planted violation raises the alarm, a journey does not."""

import pytest

from bot.audit import Tag
from bot.local.detectors import violations
from bot.records import Change
from tests.deployment import Deployment

PLANTS = {
    "it is rejected, and the trail says pending": ('"status":"pending"', '"status":"rejected"'),
    "1 events are counted, and 2 are there": ('"trail":2', '"trail":1'),
    "replied to more than there is": ('"replied":2', '"replied":9'),
}


@pytest.mark.parametrize("words", PLANTS)
async def test_a_changed_record_is_noticed(deployment: Deployment, words: str) -> None:
    async with deployment.instance(listens=False):
        thread_id = await deployment.start()
        approval = await deployment.settled(thread_id)
    async with deployment.store() as store:
        assert await violations(store) == []
        key = store.keys.approval(approval.id)
        body = text(await store.redis.hget(key, "body"))
        before, after = PLANTS[words]
        assert before in body
        await store.redis.hset(key, "body", body.replace(before, after))
        found = await violations(store)
        assert [each for each in found if words in each], found
        await store.redis.hset(key, "body", body)


async def test_a_changed_event_is_noticed(deployment: Deployment) -> None:
    async with deployment.instance(listens=False):
        thread_id = await deployment.start()
        await deployment.settled(thread_id)
    async with deployment.store() as store:
        key = store.keys.trail(thread_id)
        first = text(await store.redis.lindex(key, 0))
        await store.redis.lset(key, 0, first.replace("Acme", "Acne"))
        found = await violations(store)
        assert found[0] == f"{thread_id}: the chain is broken at event 0"
        await store.redis.lset(key, 0, first)


async def test_a_question_that_was_opened_again_for_no_reason_is_noticed(
    deployment: Deployment,
) -> None:
    async with deployment.instance(listens=False):
        thread_id = await deployment.start()
        approval = await deployment.settled(thread_id)
    async with deployment.store() as store:
        now = approval.requested_at
        await store.commit(Change(approval, (approval.event(Tag.REOPENED, now),)))
        found = await violations(store)
        assert f"{thread_id} {approval.id}: reopened, and not closed before" in found
        await store.commit(Change(approval.to(version=approval.version + 1)))
        await store.redis.rpop(store.keys.trail(thread_id))


def text(reply: object) -> str:
    assert isinstance(reply, bytes)
    return reply.decode()
