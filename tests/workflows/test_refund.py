"""The refund workflow: what it takes, what it shows, and when it pays."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.workflows.rig import MARA, NOW, Rig, Threads, answer, approve, approved, reject
from workflows.catalog import InvalidInput
from workflows.connectors.payments import SqlitePayments
from workflows.effects import EffectRefused, Receipt
from workflows.graphs.refund import RefundState, prepare_refund, refund, refund_request
from workflows.payloads import read_question
from workflows.protocol import ApprovalRequest, Edit, Expired, Respond
from workflows.runner import ThreadState

INPUT = {"customer": "Acme GmbH", "amount": "120.50", "currency": "EUR", "reason": "Damaged"}


class Flaky(SqlitePayments):
    """Dies behind a refund, or refuses it, as often as it is told."""

    dies = 0
    refuses = 0
    calls = 0

    async def refund(
        self,
        key: str,
        *,
        customer: str,
        amount_minor: int,
        currency: str,
        payment: str | None = None,
    ) -> Receipt:
        self.calls += 1
        if self.refuses:
            self.refuses -= 1
            raise EffectRefused("the card is closed")
        receipt = await super().refund(
            key, customer=customer, amount_minor=amount_minor, currency=currency, payment=payment
        )
        if self.dies:
            self.dies -= 1
            raise ConnectionError("no answer")
        return receipt


@dataclass(frozen=True)
class World:
    threads: Threads
    payments: Flaky

    async def start(self, **values: Any) -> ThreadState:
        given = refund(self.payments).read_input({**INPUT, **values})
        return await self.threads.advance(given=given)


@pytest.fixture
async def world(rig: Rig, tmp_path: Path) -> World:
    payments = Flaky(tmp_path / "payments.db")
    graph: Any = refund(payments).graph
    return World(await rig.threads(graph), payments)


def read(**values: Any) -> dict[str, Any]:
    return refund(SqlitePayments(Path("unused"))).read_input({**INPUT, **values})


def request_of(**values: Any) -> ApprovalRequest:
    """What is asked for this input, by the graph's own nodes."""
    state: Any = read(**values)
    prepared = prepare_refund(state, {"configurable": {"thread_id": "t-1"}})
    return refund_request(cast("RefundState", {**state, **prepared}))


# --- what it takes


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"amount": "-1"}, "- amount: Input should be greater than 0"),
        ({"amount": "0"}, "- amount: Input should be greater than 0"),
        ({"amount": "1000000000"}, "- amount: Input should be less than 1000000000"),
        ({"amount": "a lot"}, "- amount: Input should be a valid decimal"),
        ({"amount": "NaN"}, "- amount: Input should be a finite number"),
        ({"amount": "1.005"}, "EUR has 2 decimals, and 1.005 has more"),
        ({"amount": "1.5", "currency": "JPY"}, "JPY has 0 decimals, and 1.5 has more"),
        ({"amount": "100000000.000000000000000000000001"}, "EUR has 2 decimals"),
        ({"currency": "euro"}, "- currency: 'euro' is not an ISO 4217 currency code"),
        ({"customer": "  "}, "- customer: String should have at least 1 character"),
        ({"reason": "x" * 501}, "- reason: String should have at most 500 characters"),
        ({"amuont": "1"}, "- amuont: Extra inputs are not permitted"),
        ({"reason": None}, "- reason: Input should be a valid string"),
        ({"customer": "Acme\u202egnp.exe"}, "- customer: has characters that are not seen"),
        ({"order": "7\u200b"}, "- order: has characters that are not seen"),
        ({"reason": "\x1b[2K"}, "- reason: has characters that are not seen"),
        ({"customer": "A\nAmount: $5"}, "- customer: has line breaks or tabs"),
    ],
)
def test_input_that_does_not_fit_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read(**values)


def test_all_that_does_not_fit_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(amount="-1", currency="euro", amuont="1", customer="")

    lines = str(refused.value).splitlines()
    assert lines[0] == "The input does not fit the workflow refund:"
    assert [line.split(":")[0] for line in lines[1:-1]] == [
        "- customer",
        "- currency",
        "- amount",
        "- amuont",
    ]
    assert lines[-1] == (
        "It takes customer, currency (optional), amount, order (optional), "
        "payment (optional), reason."
    )


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("0.01", "USD", 1),
        ("0.29", "USD", 29),
        ("1.15", "EUR", 115),
        ("4.35", "EUR", 435),
        ("999999999.99", "USD", 99_999_999_999),
        ("1200", "JPY", 1200),
        ("1.234", "KWD", 1234),
    ],
)
async def test_what_is_paid_is_exact_to_the_minor_unit(
    world: World, amount: str, currency: str, minor: int
) -> None:
    """Values at which a float would be off by one; as text it is taken, and as a number of JSON."""
    for given in (amount, Decimal(amount)):
        assert read(amount=given, currency=currency)["amount"] == amount

    await world.threads.advance(approved(await world.start(amount=amount, currency=currency)))

    [(_, _, paid, paid_in)] = await world.payments.refunds()
    assert (paid, paid_in) == (minor, currency)


# --- what it shows


def test_the_request_shows_all_that_the_payment_is_made_of() -> None:
    request = request_of(order="A-17")

    assert request.title == "Refund €120.50 to Acme GmbH"
    assert [field.model_dump() for field in request.fields] == [
        {"label": "Amount", "kind": "money", "amount_minor": 12050, "currency": "EUR"},
        {"label": "Customer", "kind": "text", "value": "Acme GmbH"},
        {"label": "Order", "kind": "text", "value": "A-17"},
        {"label": "Reason", "kind": "text", "value": "Damaged"},
    ]
    assert request.allowed_decisions == ("approve", "reject", "edit")
    assert request.expires_in == timedelta(days=7)


def test_without_an_order_none_is_shown() -> None:
    assert [field.label for field in request_of().fields] == ["Amount", "Customer", "Reason"]


def test_a_long_name_is_cut_in_the_title_only() -> None:
    name = "x" * 500
    request = request_of(customer=name)

    assert len(request.title) <= 150
    assert request.title.endswith("x…")
    assert name in [getattr(field, "value", None) for field in request.fields]


@pytest.mark.parametrize(
    ("amount", "risk"), [("0.01", "medium"), ("999.99", "medium"), ("1000.00", "high")]
)
def test_a_large_amount_is_a_high_risk(amount: str, risk: str) -> None:
    assert request_of(amount=amount).risk == risk


@pytest.mark.parametrize(
    "values",
    [
        {"amount": "120.51"},
        {"currency": "USD"},
        {"customer": "Acme AG"},
        {"reason": "Late"},
        {"order": "A-1"},
    ],
)
def test_the_digest_is_bound_to_each_value(values: dict[str, Any]) -> None:
    assert request_of(**values).digest != request_of().digest


# --- when it pays


async def test_an_approval_pays_once(world: World) -> None:
    paused = await world.start()
    assert await world.payments.refunds() == []

    finished = await world.threads.advance(approved(paused))
    await world.threads.advance(approved(paused))

    assert await world.payments.refunds() == [("refund:t-1", "Acme GmbH", 12050, "EUR")]
    receipt = finished.values["receipt"]
    assert finished.values["outcome"] == f"Refund done: €120.50, {receipt.id}"
    assert finished.values["decision"].type == "approve"


async def test_a_rejection_pays_nothing(world: World) -> None:
    paused = await world.start()

    finished = await world.threads.advance({paused.open[0].key: reject(paused.open[0])})

    assert finished.finished
    assert finished.values["outcome"] == "not refunded: reject"
    assert (await world.payments.refunds(), world.payments.calls) == ([], 0)


async def test_a_passed_deadline_pays_nothing(world: World) -> None:
    paused = await world.start()
    digest = read_question(paused.open[0].value).request.digest
    nobody = MARA.model_copy(update={"user": None})
    expired = answer(Expired(by=nobody, at=NOW, digest=digest))

    finished = await world.threads.advance({paused.open[0].key: expired})

    assert finished.values["outcome"] == "not refunded: expired"
    assert await world.payments.refunds() == []


async def test_an_edit_pays_less_under_the_same_operation(world: World) -> None:
    paused = await world.start()
    values = {"amount": 10_000, "reason": "Half of it arrived"}

    finished = await world.threads.advance({paused.open[0].key: edited(paused, values)})

    assert await world.payments.refunds() == [("refund:t-1", "Acme GmbH", 10_000, "EUR")]
    receipt = finished.values["receipt"]
    assert finished.values["outcome"] == f"Refund done: €100.00, {receipt.id}"
    assert finished.values["reason"] == "Half of it arrived"
    assert finished.values["amount"] == "120.50"  # as it was asked for


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"amount": 12_051, "reason": "More"}, "amount: 12051 is greater than the maximum"),
        ({"amount": 0, "reason": "Nothing"}, "amount: 0 is less than or equal to the minimum"),
        ({"amount": 100.5, "reason": "Half a cent"}, "amount: 100.5 is not of type 'integer'"),
        ({"amount": 100, "reason": " "}, "reason: ' ' does not match"),
        ({"amount": 100}, "'reason' is a required property"),
        ({"amount": 100, "reason": "x", "customer": "Eve"}, "Additional properties"),
    ],
)
async def test_an_edit_beyond_what_may_be_edited_pays_nothing(
    world: World, values: dict[str, Any], words: str
) -> None:
    paused = await world.start()

    state = await world.threads.advance({paused.open[0].key: edited(paused, values)})

    assert words in read_question(state.open[0].value).note
    assert await world.payments.refunds() == []


def edited(paused: ThreadState, values: dict[str, Any]) -> dict[str, Any]:
    digest = read_question(paused.open[0].value).request.digest
    return answer(Edit(by=MARA, at=NOW, digest=digest, values=values))


async def test_what_the_refund_does_not_allow_pays_nothing_and_is_asked_again(
    world: World,
) -> None:
    paused = await world.start()
    digest = read_question(paused.open[0].value).request.digest
    decision = Respond(by=MARA, at=NOW, digest=digest, text="yes, go on")

    state = await world.threads.advance({paused.open[0].key: answer(decision)})

    assert [question.node for question in state.open] == ["approval_gate"]
    note = read_question(state.open[0].value).note
    assert note == "'respond' is not among the allowed decisions."
    assert await world.payments.refunds() == []


async def test_an_answer_that_is_lost_on_its_way_pays_once(world: World) -> None:
    """The provider paid and nobody heard it; the next attempt finds it."""
    world.payments.dies = 1
    paused = await world.start()
    with pytest.raises(ConnectionError):
        await world.threads.advance(approved(paused))

    finished = await world.threads.advance()

    assert finished.finished
    assert (len(await world.payments.refunds()), world.payments.calls) == (1, 1)


async def test_a_refusal_is_told_and_a_later_attempt_may_pay(world: World) -> None:
    world.payments.refuses = 1
    paused = await world.start()
    with pytest.raises(EffectRefused, match="the card is closed"):
        await world.threads.advance(approved(paused))
    assert await world.payments.refunds() == []

    finished = await world.threads.advance()

    assert finished.finished
    assert (len(await world.payments.refunds()), world.payments.calls) == (1, 2)


async def test_each_thread_is_a_refund_of_its_own(world: World) -> None:
    given = refund(world.payments).read_input(INPUT)
    for name in ("t-1", "t-2"):
        paused = await world.threads.advance(given=given, thread_id=name)
        answers = {paused.open[0].key: approve(paused.open[0])}
        await world.threads.advance(answers, thread_id=name)

    assert [row[0] for row in await world.payments.refunds()] == ["refund:t-1", "refund:t-2"]
