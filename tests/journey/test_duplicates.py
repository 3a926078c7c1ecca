"""The same business asked in another thread: the card warns, and links the other."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

from bot.local.person import Seen
from bot.services import Services
from tests.asking import Asking
from tests.deployment import APPROVERS, Deployment
from tests.eventually import eventually
from tests.waiting import HandClock, waiting
from workflows.duplicates import DuplicateKey
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

WITHIN = 60.0


async def of_thread(deployment: Deployment, thread_id: str) -> Seen:
    """Its card, once it is there."""

    async def there() -> Seen | None:
        found = await deployment.approvals_of(thread_id)
        where = found[0].message if found else None
        sees = deployment.person("mara").sees()
        return next((m for m in sees if where and m.ts == where.ts), None)

    return await eventually(f"the card of {thread_id}", there, WITHIN)


async def test_the_same_refund_twice_warns_and_follows_the_other(deployment: Deployment) -> None:
    async with deployment.instance():
        first = await deployment.start(thread_id="first", requester="U00000TOM")
        assert "duplicate" not in (await of_thread(deployment, first)).words
        await deployment.start(thread_id="other-amount", amount="9.90")
        second = await deployment.start(thread_id="second", customer="ACME  GmbH")

        for thread_id, other in ((first, second), (second, first)):
            card = await of_thread(deployment, thread_id)
            seen = await deployment.reads(card, ": waiting since ", within=WITHIN)
            assert "Looks like a duplicate: 1 other in the last 7 days" in seen.words
            assert other in seen.words.split("Requested by")[0]
        later = await of_thread(deployment, second)
        link = await linked(deployment, later)
        assert link.endswith((await of_thread(deployment, first)).ts.replace(".", ""))
        await deployment.person("mara").click(await of_thread(deployment, first), "Approve")
        later = await deployment.reads(later, ": approved by ", within=WITHIN)
        approve = next(b for b in later.blocks[-1]["elements"] if b["text"]["text"] == "Approve")
        assert "Looks like a duplicate: 1 other" in approve["confirm"]["text"]["text"]
        told = await deployment.thread(later, 2, within=WITHIN)
        assert any("Looks like a duplicate of first" in line for line in told)
        (other,) = await deployment.approvals_of("other-amount")
        assert other.alike == ()


async def linked(deployment: Deployment, card: Seen) -> str:
    """The address of the first link on the card."""

    def link() -> str | None:
        parts = json.dumps(deployment.person("mara").again(card).blocks)
        found = re.search(r'"url": "([^"]+/archives/C0APPROVAL/p\d+)"', parts)
        return found[1] if found else None

    return await eventually("a link", link, WITHIN)


async def test_opened_at_once_none_misses_another(deployment: Deployment) -> None:
    threads = [f"at-once-{number}" for number in range(4)]
    async with deployment.instance("one"), deployment.instance("two"):
        await asyncio.gather(*(deployment.start(thread_id=name) for name in threads))

        async def all_know() -> bool:
            found = [await deployment.approvals_of(name) for name in threads]
            known = [{each.thread_id for a in of for each in a.alike} for of in found]
            return known == [set(threads) - {name} for name in threads]

        await eventually("each knows the three others", all_know, WITHIN)


def asks(**changes: Any) -> Asking:
    key = DuplicateKey(parts={"patient": "Kim 4711", "template": "results"})
    asked = ApprovalRequest(title="Answer to a patient", duplicate_of=key, **changes)
    return Asking(asked, Policy(approvers=(APPROVERS,)))


async def compared(bot: Services, thread_id: str) -> bool:
    return any(each.message for each in await bot.store.approvals_of(thread_id))


async def test_outside_of_its_window_it_is_none_and_nothing_is_kept(deployment: Deployment) -> None:
    known, clock = asks(), HandClock()
    async with waiting(deployment, known, clock) as way:
        await known.start(way.bot, "ask-1")
        await eventually("asked", lambda: compared(way.bot, "ask-1"), WITHIN)
        clock.at += timedelta(days=7, seconds=1)
        await known.start(way.bot, "ask-2")
        await eventually("asked", lambda: compared(way.bot, "ask-2"), WITHIN)
        await way.quiet()
        (late,) = await way.bot.store.approvals_of("ask-2")
        assert late.alike == ()
        redis = way.bot.store.redis
        kept = [key async for key in redis.scan_iter(f"*{deployment.namespace}*alike*")]
        assert [await redis.zrange(key, 0, -1) for key in kept] == [[late.id.encode()]]
        assert 0 < await redis.ttl(kept[0]) <= 7 * 24 * 3600


async def test_a_restricted_one_says_in_the_channel_only_that(deployment: Deployment) -> None:
    known = asks(sensitivity="restricted")
    async with deployment.instance(known=known) as bot:
        for thread_id in ("ask-1", "ask-2"):
            await known.start(bot, thread_id)
            await eventually("asked", lambda name=thread_id: compared(bot, name), WITHIN)
        card = await of_thread(deployment, "ask-2")
        seen = await deployment.reads(card, "Looks like a duplicate: 1 other", within=WITHIN)
        await deployment.settled("ask-2", within=WITHIN)
        messages = [m.json for m in deployment.person("mara").sees()]
        replies = [r.json for r in deployment.person("mara").replies(seen)]
        said = json.dumps([messages, replies])
        assert "Kim" not in said
        assert "4711" not in said
        assert "ask-1" not in seen.words
        keys = [key async for key in bot.store.redis.scan_iter(f"*{deployment.namespace}*")]
        assert not any(b"4711" in key for key in keys)


async def test_a_worker_that_died_before_it_looked_leaves_it_to_the_next(
    deployment: Deployment,
) -> None:
    """Opened by one that does no more than that; nothing is posted until somebody has looked."""
    known = asks()
    async with deployment.instance(known=known, works=False, listens=False) as bot:
        for thread_id in ("ask-1", "ask-2"):
            await known.start(bot, thread_id)
            await bot.tasks.advance(thread_id)
            (approval,) = await bot.store.approvals_of(thread_id)
            assert await bot.store.unposted(approval.channel, bot.now()) == 0
        await bot.changes.queue.docket.clear()
    async with deployment.instance("next", known=known) as bot:

        async def both_warn() -> bool:
            found = [(await bot.store.approvals_of(name))[0] for name in ("ask-1", "ask-2")]
            return all(each.alike and each.message for each in found)

        await eventually("both warn", both_warn, WITHIN)
