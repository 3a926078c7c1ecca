"""From the input to the effect: values of every type that people put into a model are the same at
each step, also where a reviewer has edited them."""

import datetime as dt
import secrets
import uuid
from base64 import b64encode
from decimal import Decimal
from typing import Annotated, Any, NotRequired, TypedDict
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from langgraph.graph import END, START, StateGraph
from pydantic import AwareDatetime, Base64Bytes, BaseModel, Field
from pydantic.dataclasses import dataclass

from bot.services import Services
from tests.deployment import Deployment
from tests.journey.test_foreign_graphs import ended
from tests.workflows.state_types import Color, Word
from tests.workflows.test_serializer import ZONES, same
from workflows.catalog import Catalog, Context, Workflow
from workflows.protocol import Actor, ApprovalRequest, Edit, Editable, request_approval

MARA = Actor(team="T00000001", user="U0000MARA", name="Mara")
NOW = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Line:
    article: str
    price: Decimal
    days: frozenset[dt.date] = frozenset()


class Order(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=20)]
    at: AwareDatetime
    day: dt.date
    after: dt.timedelta
    id: uuid.UUID
    word: Word
    lines: list[Line]
    limits: dict[str, Decimal | None]
    tags: set[str]
    blob: Base64Bytes


class State(TypedDict):
    order: Any
    asked: NotRequired[Order]
    edited: NotRequired[Order]
    color: NotRequired[Color]


class Given(BaseModel):
    order: Order


def read(state: State) -> dict[str, Any]:
    """What came as JSON becomes what it is; from here on the state keeps it."""
    return {"asked": Order.model_validate(state["order"]), "color": Color.GREEN}


def gate(state: State) -> dict[str, Any]:
    asked = state.get("asked")
    assert asked is not None
    request = ApprovalRequest(
        title="Order", allowed_decisions=("edit", "reject"), editable=Editable.of(asked)
    )
    decision = request_approval(request)
    assert isinstance(decision, Edit)
    return {"edited": Order.model_validate(decision.values)}


def known() -> Catalog:
    graph: Any = StateGraph(State, context_schema=Context)
    graph.add_node("read", read)
    graph.add_node("gate", gate)
    graph.add_edge(START, "read")
    graph.add_edge("read", "gate")
    graph.add_edge("gate", END)
    types: tuple[type, ...] = (Order, Line, Word, Color)
    return Catalog([Workflow("order", "Order", Given, graph, state_types=types)])


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
decimals = st.decimals(-(10**9), 10**9, places=2)
days = st.dates(dt.date(1970, 1, 1), dt.date(2200, 1, 1))
zones = st.sampled_from(ZONES).map(ZoneInfo)
orders = st.builds(
    Order,
    amount=decimals,
    at=st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2200, 1, 1), timezones=zones),  # noqa: DTZ001 - of Hypothesis
    day=days,
    after=st.timedeltas(dt.timedelta(0), dt.timedelta(days=900)),
    id=st.uuids(),
    word=st.sampled_from(Word),
    lines=st.lists(
        st.builds(Line, article=texts, price=decimals, days=st.frozensets(days, max_size=3)),
        max_size=3,
    ),
    limits=st.dictionaries(texts, decimals | st.none(), max_size=3),
    tags=st.sets(texts, max_size=3),
    blob=st.binary(max_size=20).map(b64encode),
)
pairs = st.lists(st.tuples(orders, orders), min_size=6, max_size=6)


@given(pairs=pairs)
@settings(
    deadline=None,
    max_examples=1,
    phases=(Phase.generate,),  # each example takes its time, a smaller one too
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_a_model_is_the_same_from_the_input_to_what_was_edited(
    deployment: Deployment, pairs: list[tuple[Order, Order]]
) -> None:
    """Several at once, since each takes its way through Redis, the queue and Slack."""
    async with deployment.instance(known=known(), listens=False) as bot:
        threads = [await begun(bot, first) for first, _ in pairs]
        for thread_id, (_, second) in zip(threads, pairs, strict=True):
            await edited(deployment, bot, thread_id, second)
        for thread_id, (first, second) in zip(threads, pairs, strict=True):
            assert (await ended(deployment, thread_id)).status == "finished"
            state = await bot.tasks.advancing.runner.look("order", thread_id)
            assert state is not None
            same(state.values["asked"], normal(first))
            same(state.values["edited"], normal(second))
            assert state.values["color"] is Color.GREEN


def normal(order: Order) -> Order:
    """As JSON tells it: a moment is in UTC's offset, and no more in a zone with a name."""
    return Order.model_validate_json(order.model_dump_json())


async def begun(bot: Services, order: Order) -> str:
    thread_id = f"o-{secrets.token_hex(6)}"
    values = {"order": order.model_dump(mode="json")}
    return (await bot.starter.start_run("order", values, thread_id=thread_id)).thread_id


async def edited(deployment: Deployment, bot: Services, thread_id: str, order: Order) -> None:
    """What a reviewer submits, once it was asked."""
    approval = await deployment.settled(thread_id)
    decision = Edit(by=MARA, at=NOW, digest=approval.digest, values=order.model_dump(mode="json"))
    assert approval.request.editable is not None
    approval.request.editable.check(decision.values)
    await bot.changes.change(approval.id, lambda each: each.decide(decision, NOW), queue=True)
