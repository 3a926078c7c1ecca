"""What is stored in Redis comes back as what it was, or is refused by name."""

import datetime as dt
import ipaddress
import math
import pathlib
import zoneinfo
from collections import deque
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.base import empty_checkpoint

from bot.local.redis import EmbeddedRedis
from tests.workflows.graphs import Log, gate, line, thread
from tests.workflows.rig import THREAD, Rig, approved, rig_on
from tests.workflows.state_types import (
    STATE_TYPES,
    Address,
    Aliased,
    Color,
    Customer,
    Encoded,
    Late,
    Line,
    Mixed,
    Open,
    Order,
    Permission,
    Private,
    Shipping,
    Tags,
    Unlisted,
    Word,
)
from tests.workflows.state_types import Nested as NestedTypes
from workflows.serializer import TypedRedisSerializer, UnstorableState

SERIALIZER = TypedRedisSerializer(*STATE_TYPES)
ZONES = ["Europe/Vienna", "America/New_York", "Asia/Kathmandu", "UTC"]

offsets = st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)).map(dt.timezone)
zones = st.one_of(st.none(), offsets, st.sampled_from(ZONES).map(zoneinfo.ZoneInfo))
texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
hashable = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    texts,
    st.binary(),
    st.decimals(allow_nan=False),
    st.dates(),
    st.times(timezones=zones),
    st.timedeltas(),
    st.datetimes(timezones=zones, allow_imaginary=False),
    st.uuids(),
    st.sampled_from(Color),
    st.sampled_from(Word),
    st.ip_addresses(),
    st.builds(Line, article=texts, price=st.decimals(allow_nan=False, allow_infinity=False)),
)
models = st.one_of(
    st.builds(Address, city=texts, since=st.dates()),
    st.builds(
        Customer,
        name=texts,
        address=st.builds(Address, city=texts, since=st.dates()),
        limits=st.dictionaries(texts, st.decimals(allow_nan=False, allow_infinity=False)),
        favourite=st.sampled_from(Color),
    ),
    st.builds(
        Order,
        lines=st.lists(
            st.builds(Line, article=texts, price=st.decimals(allow_nan=False)), max_size=3
        ),
        seen=st.frozensets(texts, max_size=3),
    ),
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.lists(inner, max_size=4).map(deque),
        st.dictionaries(texts, inner, max_size=4),
        st.sets(hashable, max_size=4),
        st.frozensets(hashable, max_size=4),
    )


values = st.recursive(st.one_of(hashable, models), containers, max_leaves=12)


def shape(value: Any) -> Any:
    """The types inside a value, since 1 == 1.0 == True and a list may hold either."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list | tuple | deque):
        return [type(value), *(shape(each) for each in value)]
    if isinstance(value, set | frozenset):
        return type(value), {(type(each), repr(each)) for each in value}
    return type(value), getattr(value, "fold", None), str(getattr(value, "tzinfo", None))


def same(found: Any, value: Any) -> None:
    assert found == value
    assert shape(found) == shape(value)


@given(value=values)
@settings(deadline=None, max_examples=100)
def test_a_write_comes_back_as_it_was(value: Any) -> None:
    """The way of `aput_writes`."""
    same(SERIALIZER.loads_typed(SERIALIZER.dumps_typed(value)), value)


@given(value=values)
@settings(deadline=None, max_examples=100)
async def test_a_checkpoint_comes_back_as_it_was(redis_server: EmbeddedRedis, value: Any) -> None:
    """The way of `aput` and `aget_tuple`, through JSON in a real Redis."""
    async with rig_on(redis_server.url, "serializer") as rig, rig.leases().hold(THREAD):
        saver = await rig.saver(*STATE_TYPES)
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"value": value}
        config = await saver.aput(thread(checkpoint_ns=""), checkpoint, {}, {})
        found = await saver.aget_tuple(config)
        assert found is not None
        same(found.checkpoint["channel_values"]["value"], value)


SPECIAL: list[Any] = [
    dt.datetime(2026, 10, 25, 2, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Vienna"), fold=1),
    dt.time(2, 30, fold=1),
    Decimal("-0.00"),
    Decimal("1E+400"),
    b"",
    bytearray(b"\x00\xff"),
    deque([1, 2], maxlen=2),
    {(1, 2), (3,)},
    "a\x00b",
    2**64 - 1,
    5e-324,
    0.1 + 0.2,
    1.1579208923731604e77,
    {"": 1, "a.b": 2, "$": 3},
    {"lc": 3, "type": "constructor"},
    {"__interrupt__": "a word"},
    {"__bytes__": b"x", "more": 1},
    Permission.READ | Permission.WRITE,
    Word.ASK,
    pathlib.PurePosixPath("a/b"),
    ipaddress.ip_network("10.0.0.0/8"),
    Aliased(shown=1),
    Open.model_validate({"known": 1, "unknown": Decimal("1.5")}),
    Encoded(blob=b"AP8=", doubled=2),
    Tags(["a", "b"]),
    Mixed({"root": Decimal(1)}),
    Late(2),
    Shipping(frozenset({dt.date(2026, 3, 1)})),
    NestedTypes.Status.NEW,
]


@pytest.mark.parametrize("value", SPECIAL, ids=repr)
async def test_it_comes_back_from_redis(rig: Rig, value: Any) -> None:
    """A whole run that sets it, read by another process."""
    found = await through_a_run(rig, value)

    same(found, value)
    if isinstance(value, deque):
        assert found.maxlen == value.maxlen


async def test_private_attributes_of_a_model_come_back(rig: Rig) -> None:
    model = Private(shown=1)
    model.keep(Decimal("2.5"))

    found = await through_a_run(rig, model)

    assert (found, found.kept) == (model, Decimal("2.5"))


async def test_messages_come_back_with_what_they_hold(rig: Rig) -> None:
    """LangChain's messages have an envelope of their own; what is inside keeps its type too."""
    messages = [
        HumanMessage("pay", id="1", additional_kwargs={"amount": Decimal("12.30")}),
        AIMessage(
            "",
            id="2",
            tool_calls=[{"name": "pay", "args": {"to": "Acme"}, "id": "c", "type": "tool_call"}],
        ),
        ToolMessage("paid", tool_call_id="c", id="3", artifact={"at": dt.date(2026, 3, 1)}),
    ]

    same(await through_a_run(rig, messages), messages)


async def through_a_run(rig: Rig, value: Any) -> Any:
    def sets(state: Log) -> Log:
        return {"value": value}

    graph = line(set=sets, ask=gate("q"))
    await (await rig.threads(graph, *STATE_TYPES)).advance()
    return (await (await rig.threads(graph, *STATE_TYPES)).look()).values["value"]


async def test_a_paused_state_with_everything_in_it_is_the_same_elsewhere(
    rig: Rig, redis_server: EmbeddedRedis
) -> None:
    """Another process reads what is waiting, and ends it with the same state."""
    everything: dict[str, Any] = {repr(value): value for value in SPECIAL}

    def sets(state: Log) -> Log:
        return {"value": everything}

    graph = line(set=sets, ask=gate("q"))
    await (await rig.threads(graph, *STATE_TYPES)).advance()

    async with rig_on(redis_server.url, rig.namespace) as other:
        threads = await other.threads(graph, *STATE_TYPES)
        paused = await threads.look()
        same(paused.values["value"], everything)
        finished = await threads.advance(approved(paused))

    assert finished.finished
    same(finished.values["value"], everything)


def bare(value: Any) -> Any:
    return value


def nested(value: Any) -> Any:
    return {"a": [value]}


def in_a_model(value: Any) -> Any:
    return Open.model_validate({"known": 1, "more": value})


REFUSED: list[tuple[Any, str]] = [
    (math.nan, "nan cannot be stored; use None or a text"),
    (math.inf, "inf cannot be stored"),
    (Unlisted(1), "tests.workflows.state_types.Unlisted is not registered: add the class to"),
    (NestedTypes.Unlisted.NEW, "state_types.Unlisted is not registered"),
    (complex(1), "builtins.complex is not registered"),
    (RuntimeError("x"), "builtins.RuntimeError is not registered"),
    ({1: "int"}, "key must be str"),
    ({Word.ASK: 1}, "key must"),
    ({None: 1}, "key must be str"),
    ("\ud800", "surrogates not allowed"),
    (2**64, "exceeds 64-bit range"),
    ({"lc": 2, "type": "constructor", "id": ["os", "system"]}, "reserved keys"),
    ({"lc": 1, "type": "secret", "id": ["KEY"]}, "reserved keys"),
    ({"__send__": True, "node": "pay", "arg": 1}, "reserved keys"),
    ({"__interrupt__": True, "value": 1}, "reserved keys"),
    ({"__delta_snapshot__": True, "value": 1}, "reserved keys"),
    ({"__bytes__": "eA=="}, "reserved keys"),
    (HumanMessage([{"lc": 2, "type": "constructor", "id": ["a", "B"]}]), "reserved keys"),
    (HumanMessage("x", additional_kwargs={"it": Unlisted(1)}), "Unlisted is not registered"),
]


@pytest.mark.parametrize(("value", "words"), REFUSED, ids=[repr(v)[:60] for v, _ in REFUSED])
@pytest.mark.parametrize("inside", [bare, nested, in_a_model])
def test_it_is_refused_by_name(inside: Any, value: Any, words: str) -> None:
    with pytest.raises(UnstorableState, match=words):
        SERIALIZER.dumps_typed(inside(value))


async def test_what_is_refused_fails_the_node_and_not_the_thread(rig: Rig) -> None:
    """The run says why; mended code goes on from where it was."""
    broken = [True]

    def sets(state: Log) -> Log:
        return {"value": math.nan if broken else 1.5}

    threads = await rig.threads(line(set=sets))
    with pytest.raises(UnstorableState, match="nan"):
        await threads.advance()
    broken.clear()

    assert (await threads.advance()).values["value"] == 1.5


@pytest.mark.parametrize("value", [Address(city="Graz"), Late(2), Color.RED], ids=repr)
async def test_a_stored_class_that_is_no_longer_listed_is_an_error_when_read(
    rig: Rig, value: Any
) -> None:
    """Never None, and never the raw dict, which the graph would take for the value."""

    def sets(state: Log) -> Log:
        return {"value": value}

    graph = line(set=sets, ask=gate("q"))
    await (await rig.threads(graph, *STATE_TYPES)).advance()
    name = type(value).__name__

    without = await rig.threads(graph)
    with pytest.raises(UnstorableState, match=f"state_types.{name} is stored, but not registered"):
        await without.look()


async def test_a_stored_model_that_no_longer_fits_is_an_error_when_read(rig: Rig) -> None:
    """The class was changed under a paused thread."""
    await through_a_run(rig, Address(city="Graz"))
    saver = await rig.saver(*STATE_TYPES)
    found = await saver.aget_tuple(thread())
    assert found is not None
    pattern = f"{rig.namespace}:checkpoint:{THREAD}:*{found.checkpoint['id']}"
    [key] = [key async for key in rig.redis.scan_iter(pattern)]
    envelope = "$.checkpoint.channel_values.value.args[0]"
    await rig.redis.execute_command("JSON.SET", key, envelope, '{"town": "Graz"}')  # pyright: ignore[reportGeneralTypeIssues]

    with pytest.raises(ValueError, match="city"):
        await saver.aget_tuple(thread())


def test_a_class_of_the_standard_library_is_not_made_because_it_is_stored() -> None:
    stored = orjson.dumps({"lc": 2, "type": "constructor", "id": ["os", "system"], "args": ["x"]})

    with pytest.raises(UnstorableState, match=r"os\.system is stored, but not registered"):
        SERIALIZER.loads_typed(("json", stored))


def test_two_classes_of_one_name_are_refused_at_the_start() -> None:
    """They could not be told apart when they are read."""
    with pytest.raises(ValueError, match=r"two classes are stored as .*Status; rename one"):
        TypedRedisSerializer(NestedTypes.Status, NestedTypes.Other.Status)

    TypedRedisSerializer(Color, Color)
