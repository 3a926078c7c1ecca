"""LangChain's HumanInTheLoopMiddleware, in both of its modes: one question a call of a tool, or
one for all calls of a turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workflows.fields import CodeField
from workflows.policy import AllowedDecision
from workflows.protocol import ApprovalRequest, Decision, Edit, Editable, Reject, Respond
from workflows.shapes import (
    LABEL_AT_MOST,
    ORDER,
    TITLE_AT_MOST,
    Readable,
    Schema,
    cut,
    object_of,
    request_of_call,
    schema_of,
    text_of,
)

# --- a call of a tool, one a question


ANSWER = "(your answer)"


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
        return _hitl(decision, self.asked.name)


# --- calls of tools, several in one question


class _Action(Readable):
    name: str
    args: dict[str, Any]
    description: str = ""


class _Review(Readable):
    allowed_decisions: tuple[AllowedDecision, ...]


class BatchRequest(Readable):
    action_requests: list[_Action]
    review_configs: list[_Review]


@dataclass(frozen=True)
class Batch:
    """LangChain's `batched` mode: decided together, in the order in which it asks. Each on its own
    by an edit, whose form has a decision, the arguments and a message for each."""

    asked: BatchRequest
    tools: Mapping[str, Schema]

    def request(self) -> ApprovalRequest:
        actions, reviews = self.asked.action_requests, self.asked.review_configs
        if len(actions) == 1:
            (one,) = actions
            allowed = reviews[0].allowed_decisions
            return request_of_call(
                one.name, one.args, one.description, allowed, self.tools.get(one.name)
            )
        names = ", ".join(dict.fromkeys(action.name for action in actions))
        fields = [
            CodeField(label=cut(f"{n}. {action.name}", LABEL_AT_MOST), value=text_of(action.args))
            for n, action in enumerate(actions, start=1)
        ]
        everywhere = set[AllowedDecision](ORDER).intersection(
            *(review.allowed_decisions for review in reviews)
        )
        together = everywhere & {"approve", "reject"} | {"edit"}
        return ApprovalRequest(
            title=cut(f"{len(actions)} tool calls: {names}", TITLE_AT_MOST),
            fields=tuple(fields),
            details=_described(actions),
            allowed_decisions=tuple(kind for kind in ORDER if kind in together),
            editable=self._each(),
        )

    def answer(self, decision: Decision) -> Any:
        actions = self.asked.action_requests
        if len(actions) == 1:
            return {"decisions": [_hitl(decision, actions[0].name)]}
        if isinstance(decision, Edit):
            said = [self._said(n, decision.values) for n in range(1, len(actions) + 1)]
            return {"decisions": said}
        return {"decisions": [_hitl(decision, action.name) for action in actions]}

    def _each(self) -> Editable:
        """The form in which each call is decided on its own."""
        pairs = zip(self.asked.action_requests, self.asked.review_configs, strict=True)
        properties: dict[str, Any] = {}
        values: dict[str, Any] = {}
        rules: list[Any] = []
        for n, (action, review) in enumerate(pairs, start=1):
            drawn = self._parts(n, action, review.allowed_decisions)
            properties |= {name: schema for name, (schema, _) in drawn.items()}
            values |= {name: value for name, (_, value) in drawn.items()}
            if "respond" in review.allowed_decisions:
                responds = {"properties": {f"decision_{n}": {"const": "respond"}}}
                says = {"properties": {f"message_{n}": {"minLength": 1}}}
                rules.append({"if": responds, "then": says})
        schema = object_of(properties)
        schema |= {"allOf": rules} if rules else {}
        return Editable(json_schema=schema, values=values)

    def _parts(
        self, n: int, action: _Action, allowed: Sequence[AllowedDecision]
    ) -> dict[str, tuple[dict[str, Any], Any]]:
        """Of each field of the form for this call: its schema, and its value."""
        title = f"{n}. {action.name}"
        choice = [kind for kind in ORDER if kind in allowed and kind != "edit"]
        if "edit" in allowed and "approve" not in allowed:
            choice.insert(0, "edit")
        found: dict[str, tuple[dict[str, Any], Any]] = {}
        found[f"decision_{n}"] = ({"title": title, "enum": choice}, choice[0])
        if "edit" in allowed:
            schema = self.tools.get(action.name) or schema_of(action.args)
            found[f"args_{n}"] = ({**schema, "title": f"{title}: arguments"}, action.args)
        if {"reject", "respond"} & set(allowed):
            about = {"title": f"{title}: message", "description": "for a reject or a respond"}
            found[f"message_{n}"] = (
                {"type": "string", **about},
                "" if choice[0] != "respond" else ANSWER,
            )
        return found

    def _said(self, n: int, values: Mapping[str, Any]) -> Any:
        action = self.asked.action_requests[n - 1]
        kind, message = values[f"decision_{n}"], values.get(f"message_{n}") or ""
        args = values.get(f"args_{n}", action.args)
        if kind == "edit" or (kind == "approve" and args != action.args):
            return {"type": "edit", "edited_action": {"name": action.name, "args": args}}
        if kind == "approve":
            return {"type": "approve"}
        return {"type": kind, **({"message": message} if message else {})}


def _hitl(decision: Decision, name: str) -> dict[str, Any]:
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


def _described(actions: Sequence[_Action]) -> str:
    said = [f"{n}. {each.description}" for n, each in enumerate(actions, 1) if each.description]
    return "\n\n".join(said)
