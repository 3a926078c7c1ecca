"""`countersign audit`: who approved what and what exactly they saw; and each kind of tampering,
planted directly in Redis, is named."""

import csv
import io
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from redis.asyncio import Redis
from slack_sdk.web.async_client import AsyncWebClient

from bot.audit import AuditEvent, Draft, Tag, chain
from bot.exporting import COLUMNS
from bot.store import Store
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from tests.journey.test_command_line import run

OURS, OLDER = "ours:" + "k" * 32, "older:" + "o" * 32


def text(value: object) -> str:
    assert isinstance(value, bytes)
    return value.decode()


@dataclass(frozen=True)
class Stored:
    """The trail of a thread, for whoever can write to Redis."""

    store: Store
    thread_id: str
    approval_id: str

    @property
    def redis(self) -> Redis:
        return self.store.redis

    @property
    def key(self) -> str:
        return self.store.keys.trail(self.thread_id)

    async def texts(self) -> list[str]:
        return [text(each) for each in await self.store.stored_trail(self.thread_id)]

    async def put(self, texts: list[str]) -> None:
        await self.redis.delete(self.key)
        if texts:
            await self.redis.rpush(self.key, *texts)

    async def change_record(self, before: str, after: str) -> None:
        key = self.store.keys.approval(self.approval_id)
        body = text(await self.redis.hget(key, "body"))
        assert before in body, body
        await self.redis.hset(key, "body", body.replace(before, after))

    async def seq(self, tag: Tag) -> int:
        return next(e.seq for e in await self.store.trail(self.thread_id) if e.tag == tag)


async def _finished(deployment: Deployment, thread_id: str) -> bool:
    return (await deployment.run_of(thread_id)).status == "finished"


@pytest.fixture
async def ended(deployment: Deployment) -> AsyncGenerator[Stored, None]:
    """A refund that was approved, executed and told. What was planted is taken out at the end:
    every test ends with a look at all that is stored."""
    async with deployment.instance():
        thread_id = await deployment.start(thread_id="t-1")
        card = await deployment.card("Refund $120.50 to Acme GmbH")
        await deployment.person("mara").click(card, "Approve")
        await eventually("it is done", lambda: _finished(deployment, thread_id), within=45)
        approval = await deployment.settled(thread_id)
    async with deployment.store() as store:
        stored = Stored(store, thread_id, approval.id)
        kept = await stored.texts()
        records = [store.keys.approval(approval.id), store.keys.run(thread_id)]
        bodies = {key: text(await store.redis.hget(key, "body")) for key in records}
        yield stored
        await stored.put(kept)
        for key, body in bodies.items():
            await store.redis.hset(key, "body", body)


async def said(deployment: Deployment, *words: str, code: int = 0, key: str = "") -> str:
    """What `countersign audit ...` prints."""
    result = await run({**deployment.environment, "COUNTERSIGN_AUDIT_KEY": key}, "audit", *words)
    assert result.exit_code == code, result.output
    return result.stdout


async def verified(deployment: Deployment, *words: str, code: int = 1, key: str = "") -> str:
    key = key or deployment.audit_key
    return await said(deployment, "verify", *words, code=code, key=key)


def resigned(texts: list[str]) -> list[str]:
    """As whoever can write to Redis makes the chain hold again, without a key."""
    drafts = [Draft(**dict(AuditEvent.model_validate_json(text))) for text in texts]
    plain = [Draft.model_validate(d.model_dump(include=set(Draft.model_fields))) for d in drafts]
    return [event.model_dump_json() for event in chain(None, plain)]


async def _changed(stored: Stored) -> str:
    texts, seq = await stored.texts(), await stored.seq(Tag.APPROVED)
    texts[seq] = texts[seq].replace("Mara", "Tara")
    await stored.put(texts)
    return f"#{seq}: was changed"


async def _removed(stored: Stored) -> str:
    texts, seq = await stored.texts(), await stored.seq(Tag.APPROVED)
    await stored.put(texts[:seq] + texts[seq + 1 :])
    return f"#{seq}: was removed: #{seq + 1} follows"


async def _inserted(stored: Stored) -> str:
    texts, seq = await stored.texts(), await stored.seq(Tag.APPROVED)
    await stored.put([*texts[: seq + 1], texts[seq], *texts[seq + 1 :]])
    return f"#{seq + 1}: stands later: #{seq} stands in its place"


async def _moved(stored: Stored) -> str:
    texts = await stored.texts()
    await stored.put([texts[0], texts[2], texts[1], *texts[3:]])
    return "#1: stands later: #2 stands in its place"


async def _replaced(stored: Stored) -> str:
    texts = await stored.texts()
    await stored.put(resigned([texts[0].replace("Acme", "Acne"), *texts[1:2]])[:1] + texts[1:])
    return "#1: does not follow from the one before it"


async def _cut(stored: Stored) -> str:
    await stored.put((await stored.texts())[:-1])
    return "its records: the run is finished, and the trail says open"


async def _cut_and_counted(stored: Stored) -> str:
    """The end of the run is cut off, and its record set back: the approval counts its events."""
    await stored.put((await stored.texts())[:-1])
    key = stored.store.keys.run(stored.thread_id)
    body = text(await stored.redis.hget(key, "body"))
    await stored.redis.hset(key, "body", body.replace('"finished"', '"running"'))
    return "events are counted, and"


async def _emptied(stored: Stored) -> str:
    await stored.put([])
    return "its records: its trail is missing"


async def _unreadable(stored: Stored) -> str:
    await stored.put([*(await stored.texts())[:2], "no event"])
    return "#2: cannot be read"


async def _rejected(stored: Stored) -> str:
    await stored.change_record('"status":"approved"', '"status":"rejected"')
    return "it is rejected, and the trail says approved"


async def _voted(stored: Stored) -> str:
    await stored.change_record('"user":"U0000MARA"', '"user":"U0000JONAS"')
    return "it has votes of U0000JONAS, and the trail says U0000MARA"


async def _asked_more(stored: Stored) -> str:
    await stored.change_record('"amount_minor":12050', '"amount_minor":1205000')
    return "what it asks is not what was asked"


async def _moved_here(stored: Stored) -> str:
    """The whole of another thread's trail."""
    texts = await stored.texts()
    await stored.put(resigned([text.replace('"t-1"', '"t-2"') for text in texts]))
    return "#0: belongs to t-2"


@pytest.mark.parametrize(
    "plant",
    [_changed, _removed, _inserted, _moved, _replaced, _cut, _cut_and_counted, _emptied,
     _unreadable, _rejected, _voted, _asked_more, _moved_here],
)  # fmt: skip
async def test_tampering_is_named(
    deployment: Deployment, ended: Stored, plant: Callable[[Stored], Awaitable[str]]
) -> None:
    words = await plant(ended)
    assert words in await verified(deployment, "t-1")
    assert words in await verified(deployment, "--all")


async def test_what_is_as_written(deployment: Deployment, ended: Stored) -> None:
    assert await verified(deployment, "t-1", code=0) == "1 thread is as written.\n"
    assert await verified(deployment, "--all", "--slack", code=0) == "1 thread is as written.\n"
    assert "there is no such thread" in await verified(deployment, "t-9")
    await ended.redis.zrem(ended.store.keys.runs, "t-1")
    try:  # also what the index does not list any more
        await _changed(ended)
        assert "was changed" in await verified(deployment, "--all")
    finally:
        await ended.redis.zadd(ended.store.keys.runs, {"t-1": 1.0})


async def test_a_chain_that_was_made_anew_differs_from_what_slack_tells(
    deployment: Deployment, ended: Stored
) -> None:
    """Without a key a chain can be made anew. Slack is the outside anchor."""
    texts = await ended.texts()
    seq = await ended.seq(Tag.APPROVED)
    texts[seq] = texts[seq].replace('"detail":{', '"detail":{"reason":"Sure."')
    await ended.put(resigned(texts))
    assert await verified(deployment, "t-1", code=0) == "1 thread is as written.\n"
    assert f"#{seq}: differs from its reply in Slack" in await verified(
        deployment, "t-1", "--slack"
    )


async def test_a_reply_that_is_gone(deployment: Deployment, ended: Stored) -> None:
    (card,) = [seen for seen in deployment.person("mara").sees() if seen.blocks]
    reply = deployment.person("mara").replies(card)[2]
    client = AsyncWebClient(deployment.slack.bot_token, deployment.slack.api_url)
    await client.chat_delete(channel=CHANNEL, ts=reply.ts)
    assert "has no reply in Slack" in await verified(deployment, "t-1", "--slack")


async def test_with_a_key(deployment: Deployment, ended: Stored) -> None:
    """What was written before is told apart; from then on a chain cannot be made anew."""
    said = await verified(deployment, "t-1", key=OURS)
    assert "#0: is not signed (older ones: --unsigned-until)" in said
    early = ("t-1", "--unsigned-until", "2999-01-01")
    await verified(deployment, *early, code=0, key=OURS)


async def test_keys_can_be_changed(deployment: Deployment) -> None:
    """The first signs; the others verify what they signed."""
    for number, keys in enumerate((OLDER, f"{OURS},{OLDER}")):
        deployment.audit_key = keys
        async with deployment.instance():
            await deployment.start(thread_id=f"t-{number}")
            await deployment.settled(f"t-{number}")
    assert await verified(deployment, "--all", code=0) == "2 threads are as written.\n"
    found = await verified(deployment, "--all", key=OURS)
    assert "t-0 #0: was signed with the key older, which COUNTERSIGN_AUDIT_KEY does not" in found
    async with deployment.store() as store:
        stored = Stored(store, "t-1", "")
        kept = await stored.texts()
        await stored.put(resigned(kept))
        assert "t-1 #0: is not signed" in await verified(deployment, "--all")
        await stored.put(kept)


async def test_the_story(deployment: Deployment, ended: Stored) -> None:
    told = await said(deployment, "t-1")
    for words in (
        "Requested by the workflow",
        "Amount: $120.50",
        "Customer: Acme GmbH",
        "Shown in C0APPROVAL",
        "Approved by Mara Okafor (U0000MARA)",
        "Workflow finished",
    ):
        assert words in told, told
    assert told == await said(deployment, "show", "t-1")
    events = [json.loads(line) for line in (await said(deployment, "t-1", "--json")).splitlines()]
    assert [event["seq"] for event in events] == list(range(len(await ended.texts())))
    rows = list(csv.DictReader(io.StringIO(await said(deployment, "t-1", "--csv"))))
    assert [row["hash"] for row in rows] == [event["hash"] for event in events]
    await said(deployment, "t-9", code=1)


async def test_exports(deployment: Deployment, ended: Stored, tmp_path: Path) -> None:
    events = await ended.store.trail("t-1")
    for form in ("jsonl", "csv", "parquet"):
        await said(deployment, "export", "--format", form, "-o", str(tmp_path / form))
    lines = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_text(), newline="")))
    table: list[dict[str, Any]] = pq.read_table(tmp_path / "parquet").to_pylist()
    for found in (lines, rows, table):
        assert [list(each) for each in found] == [COLUMNS] * len(events)
        assert [each["hash"] for each in found] == [event.hash for event in events]
    assert [each["at"] for each in table] == [event.at for event in events]
    assert [json.loads(each["detail"]) for each in rows] == [each["detail"] for each in lines]
    middle = events[3].at
    early = await said(deployment, "export", "--until", f"{middle:%Y-%m-%dT%H:%M:%S}")
    late = await said(deployment, "export", "--since", f"{middle + timedelta(days=1):%Y-%m-%d}")
    assert "events written" not in early + late, "what a program reads is the events alone"
    assert late == ""
