"""A workflow that asks what a test wants asked, and carries out what is decided, once."""

from typing import Any, NotRequired, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from bot.services import Services
from workflows.catalog import Catalog, Context, Workflow
from workflows.effects import EffectRefused, Receipt
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest, Decision, request_approval


class Subject(BaseModel):
    subject: str = "a"


class State(TypedDict):
    subject: str
    decision: NotRequired[Decision]


class Asking(Catalog):
    """One workflow, `ask`. done: what was carried out, of each the decision that it rests on.
    refuses: why the provider carries nothing out; "" where it does."""

    def __init__(self, asked: ApprovalRequest, policy: Policy | None = None) -> None:
        self.asked = asked
        self.done: list[Decision] = []
        self.refuses = ""
        graph = StateGraph(State, context_schema=Context)
        graph.add_node("gate", self._gate)
        graph.add_node("effect", self._effect)
        graph.add_edge(START, "gate")
        graph.add_conditional_edges("gate", _route, ["effect", END])
        graph.add_edge("effect", END)
        super().__init__([Workflow("ask", "Ask", Subject, graph, policy=policy)])

    async def start(
        self, services: Services, thread_id: str = "ask-1", requester: str | None = None
    ) -> str:
        team = services.slack.team
        run = await services.starter.start_run(
            "ask", {}, thread_id=thread_id, requester=requester, team=team
        )
        return run.thread_id

    def _gate(self, state: State) -> dict[str, Any]:  # noqa: ARG002 - named so by LangGraph
        return {"decision": request_approval(self.asked)}

    async def _effect(self, state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        decision = state["decision"]  # pyright: ignore[reportTypedDictNotRequiredAccess]

        async def carry_out() -> Receipt:
            if self.refuses:
                raise EffectRefused(self.refuses)
            self.done.append(decision)
            return Receipt(id="r_1", summary="Carried out")

        await runtime.context.effects.once(f"ask:{runtime.context.thread_id}", carry_out)
        return {}


def _route(state: State) -> str:
    decision = state.get("decision")
    return "effect" if decision and decision.type in ("approve", "edit") else END
