"""LangChain's HumanInTheLoopMiddleware in its `per_call` mode: one question a call of a tool; and
how it reads a decision in either mode (the other is in batch.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workflows.policy import AllowedDecision
from workflows.protocol import ApprovalRequest, Decision, Edit, Reject, Respond
from workflows.shapes import (
    ORDER,
    Readable,
    Schema,
    request_of_call,
)


class ToolApproval(Readable):
    type: Literal["tool_approval"]
    name: str
    args: dict[str, Any]
    description: str = ""


@dataclass(frozen=True)
class ToolCall:
    """LangChain's `per_call` mode. allowed, schema: from the interrupt's response_schema; empty
    where that is not known any more."""

    asked: ToolApproval
    allowed: Sequence[AllowedDecision]
    schema: Schema | None

    def request(self) -> ApprovalRequest:
        return request_of_call(
            self.asked.name,
            self.asked.args,
            self.asked.description,
            self.allowed or ("approve", "reject"),
            self.schema,
        )

    def answer(self, decision: Decision) -> Any:
        return hitl_answer(decision, self.asked.name)


def hitl_answer(decision: Decision, name: str) -> dict[str, Any]:
    """One decision as HumanInTheLoopMiddleware reads it. The tool stays the one that was asked
    about: an edit names it, and no other."""
    match decision:
        case Edit():
            return {"type": "edit", "edited_action": {"name": name, "args": decision.values}}
        case Reject():
            return {"type": "reject", **({"message": decision.reason} if decision.reason else {})}
        case Respond():
            return {"type": "respond", "message": decision.text}
        case _ if decision.type == "approve":
            return {"type": "approve"}
        case _:
            raise ValueError(f"HumanInTheLoopMiddleware knows no {decision.type}")


def allowed_by(schema: Schema | None) -> tuple[tuple[AllowedDecision, ...], Schema | None]:
    """The decisions that a response_schema allows, and the schema of an edit's arguments."""
    if schema is None:
        return (), None
    definitions = {**schema.get("$defs", {})}
    allowed: list[AllowedDecision] = []
    arguments: Schema | None = None
    for branch in schema.get("oneOf") or schema.get("anyOf") or [schema]:
        properties = _resolved(branch, definitions).get("properties", {})
        kind = properties.get("type", {}).get("const")
        if kind in ORDER:
            allowed.append(kind)
        if kind == "edit":
            action = _resolved(properties.get("edited_action", {}), definitions)
            arguments = _resolved(action.get("properties", {}).get("args", {}), definitions)
            arguments = {**arguments, "$defs": definitions} if definitions else arguments
    return tuple(allowed), arguments


def _resolved(part: Schema, definitions: Mapping[str, Any]) -> Schema:
    name = str(part.get("$ref", "")).removeprefix("#/$defs/")
    return definitions.get(name, part)
