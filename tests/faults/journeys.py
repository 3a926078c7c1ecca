"""The journeys that are crashed at every call; each run has a new graph and a new provider."""

import operator
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command
from pydantic import BaseModel, JsonValue

from bot.local.torture.crashes import Journey
from workflows.catalog import Context, Workflow
from workflows.connectors.payments import SqlitePayments
from workflows.effects import Receipt
from workflows.fields import MoneyField
from workflows.graphs.refund import refund
from workflows.preconditions import Precondition, PreconditionFailed
from workflows.protocol import ApprovalRequest, request_approval

REFUND = {"customer": "Acme GmbH", "amount": "120.50", "reason": "Damaged parcel"}
Graph = StateGraph[Any, Any, Any, Any]


class Empty(BaseModel):
    """For graphs that are started with nothing."""


class State(TypedDict, total=False):
    """log: what was decided and done, in order."""

    log: Annotated[list[str], operator.add]


Node = Callable[..., State | Awaitable[State]]


class Mail:
    """A provider that knows idempotency keys. fails: how often it raises before it works; lost:
    it did send then, and only its answer was lost."""

    def __init__(self, fails: int = 0, *, lost: bool = False, findable: bool = True) -> None:
        self._fails, self._lost, self._findable = fails, lost, findable
        self.reset()

    def reset(self) -> None:
        self.sent: list[str] = []
        self._left = self._fails

    def tally(self) -> list[str]:
        return [f"sent for {key}" for key in self.sent]

    async def node(self, state: State, runtime: Runtime[Context]) -> State:
        """Sends, where every decision so far was an approval."""
        if not all(line.endswith("approve") for line in state.get("log", [])):
            return {"log": ["not sent"]}
        key = f"mail:{runtime.context.thread_id}"
        find = (lambda: self.find(key)) if self._findable else None
        receipt = await runtime.context.effects.once(key, lambda: self.send(key), find)
        return {"log": [receipt.summary]}

    async def send(self, key: str) -> Receipt:
        if self._left:
            self._left -= 1
            if self._lost:
                self.sent.append(key)
            raise TimeoutError("away")
        if key not in self.sent:
            self.sent.append(key)
        return Receipt(id="m_1", summary="Sent")

    async def find(self, key: str) -> Receipt | None:
        return Receipt(id="m_1", summary="Sent") if key in self.sent else None


class Market:
    """A price that has changed by the time when someone answers."""

    price = 100

    def reset(self) -> None:
        self.price = 100

    def changes(self) -> None:
        self.price = 120

    def node(self, _state: State) -> State:
        amount = MoneyField(label="Price", amount_minor=self.price, currency="EUR")
        decision = request_approval(ApprovalRequest(title="Buy", fields=(amount,)))
        return {"log": [f"{self.price} {decision.type}"]}


def nothing(_state: State) -> State:
    return {}


class Stock:
    """A price that is asked for, checked, and asked for again where it has changed. In state: the
    price that was prepared, and whether it goes back."""

    price = 100

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def reset(self) -> None:
        self.price = 100

    def changes(self, _state: State | None = None) -> State:
        self.price = 120
        return {}

    async def check(self, _declared: Precondition, _now: datetime) -> JsonValue:
        return self.price

    def prepare(self, _state: State) -> State:
        return {"log": [f"prepared {self.price}"]}

    def ask(self, state: State) -> State:
        price = int(state.get("log", [])[-1].split()[-1])
        rests = Precondition(name="price", label="Price", expected=price)
        amount = MoneyField(label="Price", amount_minor=price, currency="EUR")
        asks = ApprovalRequest(title=f"Buy for {price}", fields=(amount,), preconditions=(rests,))
        return {"log": [request_approval(asks).type]}

    async def buy(self, state: State, runtime: Runtime[Context]) -> Command[str]:
        key = f"mail:{runtime.context.thread_id}"
        if state.get("log", [])[-1] != "approve":
            return Command(goto="prepare")
        call, find = (lambda: self._mail.send(key)), (lambda: self._mail.find(key))
        try:
            receipt = await runtime.context.effects.once(key, call, find)
        except PreconditionFailed as failed:
            return Command(goto="prepare", update={"log": [*failed.changes]})
        return Command(goto=END, update={"log": [receipt.summary]})

    def graph(self, *, late: bool) -> Graph:
        """late: it changes between the decision and the effect, else before the decision."""
        made = graph(
            {"prepare": self.prepare},
            {"ask": self.ask},
            {"pack": self.changes if late else nothing},
        )
        made.add_node("buy", self.buy, destinations=("prepare", END))
        made.add_edge("pack", "buy")
        return made


def gate(*titles: str) -> Node:
    """A node that asks, one after the other."""

    def node(state: State) -> State:
        decided = [request_approval(ApprovalRequest(title=title)).type for title in titles]
        return {"log": [f"{title} {kind}" for title, kind in zip(titles, decided, strict=True)]}

    return node


def graph(*stages: dict[str, Any]) -> Graph:
    """One stage after the other; the nodes of a stage side by side."""
    made: Graph = StateGraph(State, context_schema=Context)
    before = [START]
    for stage in stages:
        for name, node in stage.items():
            made.add_node(name, node)
            made.add_edge(before if len(before) > 1 else before[0], name)
        before = list(stage)
    return made


def journey(name: str, made: Callable[[], Graph], mail: Mail, **more: Any) -> Journey:
    reset, checks = more.pop("reset", lambda: None), more.pop("checks", {})

    def make() -> Workflow:
        mail.reset()
        reset()
        return Workflow(name="mail", title="Mail", input_model=Empty, graph=made(), checks=checks)

    return Journey(name, make, tally=mail.tally, **more)


def journeys(directory: Path) -> dict[str, Journey]:
    """By name. directory: for the ledger of refunds."""
    payments = SqlitePayments(directory / "payments.db")
    refunds = [
        Journey("approve", lambda: refund(payments), REFUND),
        Journey("reject", lambda: refund(payments), REFUND, decide="reject"),
    ]
    return {each.name: each for each in [*refunds, *questions(), *failures(), *changing()]}


def questions() -> list[Journey]:
    """More than one question, or not where it is looked for first."""
    mail, market = Mail(), Market()
    sends = {"send": mail.node}
    asks = {
        "two questions in one node": [{"ask": gate("First", "Second")}],
        "two parallel questions": [{"left": gate("Left"), "right": gate("Right")}],
        "a question in a subgraph": [{"inner": graph({"ask": gate("Inner")}).compile()}],
    }
    return [
        *(journey(name, partial(graph, *stages, sends), mail) for name, stages in asks.items()),
        journey(
            "a request that changed is asked again",
            lambda: graph({"ask": market.node}, sends),
            mail,
            clicked=market.changes,
            reset=market.reset,
        ),
    ]


def changing() -> list[Journey]:
    """What was approved has changed by then, so it is asked again as it is now."""
    mail = Mail()
    stock = Stock(mail)
    ways = {"changed before it was decided": False, "changed before the effect": True}
    return [
        journey(
            name,
            partial(stock.graph, late=late),
            mail,
            reset=stock.reset,
            clicked=(lambda: None) if late else stock.changes,
            checks={"price": stock.check},
        )
        for name, late in ways.items()
    ]


def failures() -> list[Journey]:
    """Approved, and then the provider is not what it should be."""
    providers = {
        "an effect that fails twice": Mail(2),
        "an effect whose answer is lost": Mail(1, lost=True),
        "an effect that nobody can ask about": Mail(findable=False),
    }
    return [
        journey(name, partial(graph, {"ask": gate("Send")}, {"send": mail.node}), mail)
        for name, mail in providers.items()
    ]
