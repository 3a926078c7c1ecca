"""LangChain's own agent, as one would write it who has never heard of Countersign; its model is
scripted, and its tools write down what they did."""

from collections.abc import Sequence
from typing import Any, Literal

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from pydantic import BaseModel, Field

from workflows.graphs.scripted import ScriptedModel, turns

Mode = Literal["batched", "per_call"]
Call = tuple[str, dict[str, Any]]
ASKS: dict[str, Any] = {"messages": [{"role": "user", "content": "Please do it"}]}


class Mail(BaseModel):
    """As a tool's author says what it takes."""

    to: str = Field(description="the address", pattern=r"^\S+@\S+$")
    subject: str = Field(max_length=40)
    copies: int = Field(default=0, ge=0, le=5)


def tools(done: list[Any]) -> list[BaseTool]:
    """One of each kind: with a model of its arguments, by its signature, asynchronous."""

    @tool(args_schema=Mail)
    def send_mail(to: str, subject: str, copies: int = 0) -> str:
        """Send a mail."""
        done.append(("send_mail", to, subject, copies))
        return f"sent to {to}"

    @tool
    async def pay(to: str, amount: int) -> str:
        """Pay an amount in cents."""
        done.append(("pay", to, amount))
        return f"paid {amount} to {to}"

    @tool
    def look_up(order: str) -> str:
        """Look an order up."""
        done.append(("look_up", order))
        return f"{order}: shipped"

    @tool
    def ask_customer(question: str) -> str:
        """Ask the customer."""
        raise AssertionError(f"a person answers {question}, not the tool")

    return [send_mail, pay, look_up, ask_customer]


def agent(done: list[Any], mode: Mode, *rounds: Sequence[Call], **more: Any) -> Any:
    """rounds: the tool calls of each turn of the model; at last it says what it was told."""
    model = ScriptedModel(says=_script(rounds))
    asks: dict[str, Any] = {
        "send_mail": True,  # approve, edit, reject, respond
        "pay": {"allowed_decisions": ["approve", "reject"], "description": "Money leaves us"},
        "ask_customer": {"allowed_decisions": ["respond"]},
    }
    middleware: Any = HumanInTheLoopMiddleware(interrupt_on=asks, interrupt_mode=mode)
    return create_agent(model, tools(done), middleware=[middleware], **more)


def _script(rounds: Sequence[Sequence[Call]]) -> Any:
    said = [
        AIMessage(
            "",
            tool_calls=[
                {"name": name, "args": args, "id": f"call_{turn}_{n}", "type": "tool_call"}
                for n, (name, args) in enumerate(calls)
            ],
        )
        for turn, calls in enumerate(rounds)
    ]
    return turns(*said, AIMessage("Done."))


def told(values: Any) -> list[str]:
    """What the model was told of its calls, oldest first."""
    return [str(m.content) for m in values["messages"] if isinstance(m, ToolMessage)]


MAIL: Call = ("send_mail", {"to": "ada@example.com", "subject": "Your order"})
PAY: Call = ("pay", {"to": "Acme GmbH", "amount": 12050})
LOOK: Call = ("look_up", {"order": "A-7"})
ASK: Call = ("ask_customer", {"question": "When may we call?"})
