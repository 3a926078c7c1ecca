"""What is stored, over the versions of the code: brought up when read, left alone when newer."""

import json
import logging
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from redis.asyncio import Redis

from bot.approvals import Approval
from bot.audit import AuditEvent, Draft, Tag, chain, first_broken
from bot.local.redis import EmbeddedRedis
from bot.records import SCHEMA, Change
from bot.runs import Run
from bot.store import Conflict, Store
from bot.views.trail import reply
from tests.bot.samples import NOW, THREAD, after, approve, draft, opened, run
from workflows import effects
from workflows.effects import EffectEntry, EffectLedger
from workflows.schema import NewerRecord, Schema, Stored, Unreadable

NEWER = SCHEMA.version + 1
FORMS = Path(__file__).parent / "forms.json"


class Third(BaseModel):
    schema_version: int = 3
    name: str
    colours: tuple[str, ...]


def named(stored: Stored) -> Stored:
    return {"name": stored["title"], "colour": stored["colour"]}


def many_colours(stored: Stored) -> Stored:
    return {"name": stored["name"], "colours": [stored["colour"]]}


THIRD = Schema(3, {1: named, 2: many_colours})


@pytest.mark.parametrize(
    "stored",
    [
        {"title": "a", "colour": "red"},  # before there was a number
        {"schema_version": 1, "title": "a", "colour": "red"},
        {"schema_version": 2, "name": "a", "colour": "red"},
        {"schema_version": 3, "name": "a", "colours": ["red"]},
    ],
)
def test_each_older_form_is_brought_up(stored: Stored) -> None:
    assert THIRD.read(Third, stored, "it") == Third(name="a", colours=("red",))


def test_a_newer_form_is_named_and_not_guessed_at() -> None:
    with pytest.raises(NewerRecord, match="the run t was written by a newer version of Counters"):
        THIRD.read(Third, {"schema_version": 4, "name": "a", "colours": []}, "the run t")


@pytest.mark.parametrize("stored", [{"schema_version": 3}, {"colour": "red"}])
def test_what_does_not_fit_is_unreadable_and_quotes_nothing(stored: Stored) -> None:
    with pytest.raises(Unreadable, match=r"^it cannot be read \((ValidationError|KeyError)\)$"):
        THIRD.read(Third, stored, "it")


def forms() -> dict[str, dict[str, list[str]]]:
    """The names of the fields of all that is stored, by model and number; with those of the
    models in it."""
    numbers = {Run: SCHEMA.version, Approval: SCHEMA.version, EffectEntry: effects.SCHEMA.version}
    found: dict[str, dict[str, list[str]]] = {}
    for model, number in numbers.items():
        schema = model.model_json_schema()
        parts = {model.__name__: schema, **schema.get("$defs", {})}
        named = {name: part for name, part in parts.items() if "properties" in part}
        found[f"{model.__name__} {number}"] = {n: sorted(p["properties"]) for n, p in named.items()}
    return found


def test_the_form_of_what_is_stored_is_the_one_of_its_number() -> None:
    """A form that was released is changed under a new number, with a migration: versions of the
    code run side by side, and each would lose the other's fields. `python -m
    tests.bot.test_schema` writes down the form of a number that was never released."""
    known = json.loads(FORMS.read_text(encoding="utf-8"))
    assert forms() == {name: known.get(name) for name in forms()}


@pytest.fixture
async def store(redis_server: EmbeddedRedis) -> AsyncGenerator[Store, None]:
    async with Redis.from_url(redis_server.url) as redis:
        yield Store(redis, f"s{secrets.token_hex(5)}")


async def rewritten(store: Store, key: str, **changes: Any) -> None:
    """As newer code would leave it."""
    body = json.loads(await store.redis.hget(key, "body") or "")
    await store.redis.hset(key, "body", json.dumps({**body, **changes}))


async def test_a_newer_record_hides_no_other_and_is_told_of_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await store.commit(Change(run()), Change(opened()), Change(opened("ap_2")))
    await store.commit(Change(run(thread_id="t2")))
    await rewritten(store, store.keys.approval("ap_1"), schema_version=NEWER, colour="blue")
    await rewritten(store, store.keys.run(THREAD), schema_version=NEWER)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            pending, _total = await store.pending(0, 5)
            assert [approval.id for approval in pending] == ["ap_2"]
            assert [record.thread_id for record in await store.recent_runs(5)] == ["t2"]
            owing = [record async for record in store.owing(after(1))]
            assert {getattr(each, "id", "t2") for each in owing} == {"ap_2", "t2"}
    lines = [record.getMessage() for record in caplog.records]
    assert sorted(line.split(" was written")[0] for line in lines) == [
        "the approval ap_1",
        f"the run {THREAD}",
    ]


async def test_who_asks_for_a_newer_record_or_for_its_thread_is_told(store: Store) -> None:
    await store.commit(Change(run()), Change(opened()), Change(opened("ap_2")))
    await rewritten(store, store.keys.approval("ap_1"), schema_version=NEWER)
    for asking in (store.approval("ap_1"), store.approvals_of(THREAD)):
        with pytest.raises(NewerRecord, match="the approval ap_1"):
            await asking
    assert await store.run(THREAD) is not None


async def test_a_newer_record_is_never_written_over(store: Store) -> None:
    """Not even by who read it before it was: it has another version now."""
    (record,) = await store.commit(Change(opened()))
    await store.commit(Change(record.to(team="T0NEW")))
    await rewritten(store, store.keys.approval("ap_1"), schema_version=NEWER, colour="blue")
    with pytest.raises(Conflict):
        await store.commit(record.decide(approve(record), NOW))
    stored = json.loads(await store.redis.hget(store.keys.approval("ap_1"), "body") or "")
    assert (stored["colour"], stored["status"]) == ("blue", "pending")


async def test_an_older_record_is_written_back_in_the_present_form(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.commit(Change(opened()))

    def moved(stored: Stored) -> Stored:
        return {**stored, "channel": "C0MOVED"}

    monkeypatch.setattr(Approval, "form", Schema(3, {**SCHEMA.migrations, 2: moved}))
    record = await store.approval("ap_1")
    assert record is not None
    assert (record.channel, record.schema_version) == ("C0MOVED", 3)
    await store.commit(record.decide(approve(record), NOW))
    stored = json.loads(await store.redis.hget(store.keys.approval("ap_1"), "body") or "")
    assert (stored["channel"], stored["schema_version"]) == ("C0MOVED", 3)


async def test_an_effect_of_newer_code_is_left_alone(store: Store) -> None:
    ledger = EffectLedger(store.redis, store.keys.prefix)
    await store.redis.sadd(ledger.thread_key(THREAD), "refund:1")
    newer = {"schema_version": 9, "key": "refund:1"}
    await store.redis.set(ledger.key("refund:1"), json.dumps(newer))
    with pytest.raises(NewerRecord, match="the effect refund:1 was written by a newer version"):
        await ledger.entries(THREAD)


class NewerEvent(AuditEvent):
    """With a field that this code does not know."""

    mood: str = "calm"


def newer_chain() -> list[str]:
    """What newer code left in a trail, as it is stored."""

    class NewerDraft(Draft):
        mood: str = "calm"

    drafts = [NewerDraft(**dict(draft(Tag("run:paused")))), draft()]
    return [event.model_dump_json() for event in chain(None, drafts)]


def test_a_trail_that_newer_code_went_on_with_is_whole() -> None:
    events = [AuditEvent.model_validate_json(text) for text in newer_chain()]

    assert first_broken(events) is None
    assert [event.model_dump_json() for event in events] == newer_chain()
    assert first_broken([*events, *chain(events[-1], [draft()])]) is None
    altered = events[0].model_copy(update={"mood": "angry"})
    assert first_broken([altered, *events[1:]]) == 0


def test_a_trail_of_older_code_is_whole() -> None:
    """An event that was stored before a field was there."""
    older = chain(None, [draft(), draft()])

    assert first_broken(NewerEvent.model_validate_json(e.model_dump_json()) for e in older) is None


def test_a_tag_of_newer_code_is_told_as_it_is() -> None:
    event = AuditEvent.model_validate_json(newer_chain()[0])

    told = reply(event, {})
    assert event.tag == "run:paused"
    assert told is not None
    assert told.text == "run:paused"


async def test_a_thread_with_events_of_newer_code_goes_on(store: Store) -> None:
    await store.commit(Change(run()), Change(opened()))
    await store.redis.rpush(store.keys.trail(THREAD), *newer_chain())
    (record,) = await store.approvals_of(THREAD)
    await store.commit(record.decide(approve(record), NOW))
    tags = [event.tag for event in await store.trail(THREAD)]
    assert tags == ["run:paused", Tag.APPROVED, Tag.APPROVED]


if __name__ == "__main__":
    FORMS.write_text(json.dumps(forms(), indent=1) + "\n", encoding="utf-8")
