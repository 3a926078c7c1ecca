"""An example of an agent with real tools: LangChain's `create_agent`, which looks an order up by
itself and pays back only what a person has approved.

    countersign bot --graph workflows.graphs.support_agent:support_agent
    countersign start support_agent --graph ... message="Please refund order A-1001"

The model is scripted, unless ANTHROPIC_API_KEY is set. A tool is run again where its process died
in the middle, and so its effect goes through the ledger, which a tool reaches by its ToolRuntime.
"""

import os
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from workflows.catalog import Context, Workflow
from workflows.connectors.orders import Order, Orders, SqliteOrders
from workflows.connectors.payments import Payments, SqlitePayments
from workflows.effects import EffectRefused
from workflows.graphs.scripted import ScriptedModel
from workflows.hints import MULTILINE
from workflows.money import Currency, to_minor

try:
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langchain.chat_models import init_chat_model
except ModuleNotFoundError as missing:
    raise ImportError(
        "support_agent needs LangChain, which is not installed: pip install 'countersign[agent]'"
    ) from missing

MODEL = "anthropic:claude-sonnet-4-5"
PROMPT = (
    "You help customers with their orders. Look an order up before you say anything about it. "
    "Refund no more than was paid, and only what the customer asks for. A person approves every "
    "refund: where it is rejected, do not try again, and tell the customer why."
)
ORDER = re.compile(r"\b[A-Z]-\d+\b")


class SupportInput(BaseModel):
    """What the agent is started with."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[str, StringConstraints(min_length=1, max_length=4000), MULTILINE]


class SupportState(TypedDict):
    message: str
    messages: NotRequired[Annotated[list[AnyMessage], add_messages]]
    answer: NotRequired[str]


class RefundOrder(BaseModel):
    """Everything that is paid stands in the call: it is what the reviewer sees, and may edit."""

    order: Annotated[str, Field(pattern=r"^[A-Z]-\d+$")]
    customer: Annotated[str, Field(description="as the order says")]
    amount: Annotated[Decimal, Field(gt=0, description="in major units, such as 12.34")]
    currency: Currency
    reason: Annotated[str, Field(max_length=500)]


def support_agent() -> Workflow:
    """With the trial ledger, and the model that the environment names."""
    path = Path(os.environ.get("COUNTERSIGN_PAYMENTS_DB", ".countersign/payments.db"))
    return agent_with(SqliteOrders(path), SqlitePayments(path), model())


def model() -> BaseChatModel:
    if os.environ.get("ANTHROPIC_API_KEY"):
        return init_chat_model(os.environ.get("SUPPORT_AGENT_MODEL", MODEL))
    return ScriptedModel(says=scripted)


def agent_with(orders: Orders, payments: Payments, chat: BaseChatModel) -> Workflow:
    """The workflow around the agent: what it is told, and what it answers."""
    asks: Any = HumanInTheLoopMiddleware(
        interrupt_on={
            "refund_order": {
                "allowed_decisions": ["approve", "edit", "reject"],
                "description": "The agent wants to pay this back",
            }
        }
    )
    agent: Any = create_agent(
        chat,
        tools_on(orders, payments),
        system_prompt=PROMPT,
        middleware=[asks],
        context_schema=Context,
    )
    graph: Any = StateGraph(SupportState, context_schema=Context)
    graph.add_node("hear", hear)
    graph.add_node("agent", agent)
    graph.add_node("tell", tell)
    graph.add_edge(START, "hear")
    graph.add_edge("hear", "agent")
    graph.add_edge("agent", "tell")
    graph.add_edge("tell", END)
    return Workflow(
        name="support_agent",
        title="Support agent",
        input_model=SupportInput,
        graph=graph,
        examples=('message="Please refund order A-1001"',),
    )


def hear(state: SupportState) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": state["message"]}]}


def tell(state: SupportState) -> dict[str, Any]:
    """One line for whoever reads the state later."""
    last = (state.get("messages") or [AIMessage("")])[-1]
    return {"answer": str(last.text)}


def tools_on(orders: Orders, payments: Payments) -> list[BaseTool]:
    """What the agent can do."""

    @tool
    async def look_up_order(order: str) -> str:
        """Whose an order is, and what was paid for it. order: such as A-1001."""
        found = await orders.find(order)
        return str(found) if found else f"There is no order {order}."

    @tool(args_schema=RefundOrder)
    async def refund_order(
        order: str,
        customer: str,
        amount: Decimal,
        currency: str,
        reason: str,  # noqa: ARG001 - for the reviewer
        runtime: ToolRuntime[Context, Any],
    ) -> str:
        """Pay an order back, in part or in whole, once a person has approved it."""
        found = await orders.find(order)
        wrong = why_not(found, customer, currency, amount)
        if found is None or wrong:
            return f"Not refunded: {wrong}"
        key = f"support:{runtime.context.thread_id}:{runtime.tool_call_id}"
        try:
            receipt = await runtime.context.effects.once(
                key,
                lambda: payments.refund(
                    key,
                    customer=found.customer,
                    amount_minor=to_minor(amount, found.currency),
                    currency=found.currency,
                ),
                find=lambda: payments.find(key),
            )
        except EffectRefused as refused:
            return f"Not refunded: {refused}"
        return f"{receipt.summary}, {receipt.id}"

    return [look_up_order, refund_order]


def why_not(order: Order | None, customer: str, currency: str, amount: Decimal) -> str:
    """What speaks against it, in words for the model; "" where nothing does."""
    if order is None:
        return "there is no such order."
    if (customer, currency) != (order.customer, order.currency):
        return f"that does not fit. {order}."
    try:
        return "" if order.allows(amount) else f"that is more than was paid. {order}."
    except ValueError as error:
        return f"{error}."


def scripted(messages: Sequence[BaseMessage]) -> AIMessage:
    """What a model might say: it looks the order up, wants to pay it back, and says what came of
    it."""
    asked = ORDER.findall(str(messages[-1].text)) if messages[-1].type == "human" else []
    results = [each for each in messages if isinstance(each, ToolMessage)]
    call: dict[str, Any] = {"type": "tool_call", "id": f"call_{len(results)}"}
    if asked:
        return AIMessage(
            "", tool_calls=[{**call, "name": "look_up_order", "args": {"order": asked[0]}}]
        )
    if not results:
        return AIMessage("Which order is it about? Its number looks like A-1001.")
    found = re.match(r"Order (\S+) of (.+): paid \D?([\d,.]+) (\w+)$", str(results[-1].text))
    if found is None or len(results) > 1:
        return AIMessage(str(results[-1].text))
    order, customer, amount, currency = found.groups()
    args = {
        "order": order,
        "customer": customer,
        "amount": amount.replace(",", ""),
        "currency": currency,
    }
    refund = {
        **call,
        "name": "refund_order",
        "args": {**args, "reason": "The customer asks for it"},
    }
    return AIMessage("", tool_calls=[refund])
