"""Refund: prepare the payload, ask a person, pay back once what they say, tell what happened."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from workflows.catalog import Context, Workflow
from workflows.connectors.payments import Payments
from workflows.duplicates import DuplicateKey
from workflows.effects import Receipt
from workflows.fields import CodeField, MoneyField, TextField
from workflows.hidden import ONE_LINE, VISIBLE
from workflows.hints import HINTS, MULTILINE
from workflows.money import Currency, format_money, to_minor
from workflows.policy import Tier
from workflows.protocol import ApprovalRequest, Decision, Editable, Risk, request_approval

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), VISIBLE
]
Line = Annotated[Text, ONE_LINE]
AMOUNT = "Amount"  # the field that tiers are about
LARGE = 100_000  # minor units: from here on the card asks twice
DECIDE_WITHIN = timedelta(days=7)
PaymentId = Annotated[
    str,
    StringConstraints(pattern=r"^(pi|ch|py)_[A-Za-z0-9_]{1,200}$"),
    Field(description="what is paid back, by the provider's id: pi_… or ch_…"),
]


class RefundInput(BaseModel):
    """What a refund is started with. currency stands before amount, which is checked by it."""

    model_config = ConfigDict(extra="forbid")

    customer: Line
    currency: Currency = "USD"
    amount: Annotated[Decimal, Field(gt=0, lt=10**9, description="in major units, such as 12.34")]
    order: Line | None = None
    payment: PaymentId | None = None
    reason: Annotated[Text, MULTILINE]

    @field_validator("amount")
    @classmethod
    def _fits_currency(cls, amount: Decimal, info: ValidationInfo) -> Decimal:
        if "currency" in info.data:
            to_minor(amount, info.data["currency"])
        return amount


class PaymentRefundInput(RefundInput):
    """Of a provider that refunds its own payments only."""

    payment: PaymentId  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]


class RefundTerms(BaseModel):
    """What a reviewer may change; all its rules are in its JSON Schema, by which an edit is checked
    before it gets here. amount: minor units."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[int, Field(gt=0)]
    reason: Annotated[str, StringConstraints(max_length=500, pattern=r"\S"), MULTILINE]


class RefundState(TypedDict):
    """amount: major units, as it was asked for; amount_cents: minor units of the currency,
    as it is paid, which a reviewer may have made less."""

    customer: str
    amount: str
    currency: str
    order: str | None
    payment: NotRequired[str | None]
    reason: str
    operation_id: NotRequired[str]
    amount_cents: NotRequired[int]
    decision: NotRequired[Decision]
    receipt: NotRequired[Receipt]
    outcome: NotRequired[str]


def refund(payments: Payments, tiers: Sequence[Tier] = ()) -> Workflow:
    """The workflow, paying through `payments`. tiers: who decides what is over an amount."""

    async def commit_refund(state: RefundState, runtime: Runtime[Context]) -> dict[str, Any]:
        operation_id = state["operation_id"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        receipt = await runtime.context.effects.once(
            operation_id,
            lambda: payments.refund(
                operation_id,
                customer=state["customer"],
                amount_minor=_cents(state),
                currency=state["currency"],
                payment=state.get("payment"),
            ),
            find=lambda: payments.find(operation_id, payment=state.get("payment")),
        )
        return {"receipt": receipt}

    graph = StateGraph(RefundState, context_schema=Context)
    graph.add_node("prepare_refund", prepare_refund)
    graph.add_node("approval_gate", approval_gate)
    graph.add_node("commit_refund", commit_refund)
    graph.add_node("reject_refund", reject_refund)
    graph.add_node("done", done)
    graph.add_edge(START, "prepare_refund")
    graph.add_edge("prepare_refund", "approval_gate")
    graph.add_conditional_edges("approval_gate", route)
    graph.add_edge("commit_refund", "done")
    graph.add_edge("reject_refund", "done")
    graph.add_edge("done", END)
    return Workflow(
        name="refund",
        title="Refund",
        input_model=PaymentRefundInput if payments.needs_payment else RefundInput,
        graph=graph,
        tiers=tuple(tiers),
        examples=('customer="Acme GmbH" amount=120.50 currency=EUR reason="Damaged parcel"',),
    )


def prepare_refund(state: RefundState, config: RunnableConfig) -> dict[str, Any]:
    """The payload, fixed before anyone is asked. The id comes from the thread, so that a
    repeat of the node is the same operation."""
    thread_id = config.get("configurable", {})["thread_id"]
    return {
        "operation_id": f"refund:{thread_id}",
        "amount_cents": to_minor(Decimal(state["amount"]), state["currency"]),
    }


def approval_gate(state: RefundState) -> dict[str, Any]:
    """Ask, and keep the answer; of what the reviewer changed, what is paid from here on."""
    decision = request_approval(refund_request(state))
    if decision.type != "edit":
        return {"decision": decision}
    edited = RefundTerms.model_validate(decision.values)  # which fit what was asked for
    return {"decision": decision, "amount_cents": edited.amount, "reason": edited.reason}


def refund_request(state: RefundState) -> ApprovalRequest:
    """What the reviewer is shown: all that the payment is made of."""
    cents, currency = _cents(state), state["currency"]
    order = [TextField(label="Order", value=state["order"])] if state["order"] else []
    paid = state.get("payment")
    payment = [CodeField(label="Payment", value=paid)] if paid else []
    risk: Risk = "high" if cents >= LARGE else "medium"
    return ApprovalRequest(
        title=f"Refund {format_money(cents, currency)} to {_short(state['customer'])}",
        fields=(
            MoneyField(label=AMOUNT, amount_minor=cents, currency=currency),
            TextField(label="Customer", value=state["customer"]),
            *order,
            *payment,
            TextField(label="Reason", value=state["reason"]),
        ),
        risk=risk,
        allowed_decisions=("approve", "reject", "edit"),
        editable=_editable(cents, currency, state["reason"]),
        expires_in=DECIDE_WITHIN,
        duplicate_of=DuplicateKey(
            parts={"customer": state["customer"], "amount": str(cents), "currency": currency}
        ),
    )


def _editable(cents: int, currency: str, reason: str) -> Editable:
    """Less may be paid than was asked for, and never more."""
    schema = RefundTerms.model_json_schema()
    schema["properties"]["amount"] |= {HINTS: {"money": currency}, "maximum": cents}
    return Editable(json_schema=schema, values={"amount": cents, "reason": reason})


def route(state: RefundState) -> Literal["commit_refund", "reject_refund"]:
    """Only an approval pays, as asked or edited; everything else, a passed deadline too, does
    not."""
    decision = state.get("decision")
    pays = decision is not None and decision.type in ("approve", "edit")
    return "commit_refund" if pays else "reject_refund"


def reject_refund(state: RefundState) -> dict[str, Any]:
    """Nothing was paid, and the state says why."""
    decision = state.get("decision")
    return {"outcome": f"not refunded: {decision.type if decision else 'undecided'}"}


def done(state: RefundState) -> dict[str, Any]:
    """One line for whoever reads the state later."""
    receipt = state.get("receipt")
    return {"outcome": f"{receipt.summary}, {receipt.id}"} if receipt else {}


def _cents(state: RefundState) -> int:
    return state["amount_cents"]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
