"""LangChain's HumanInTheLoopMiddleware in its `batched` mode: all calls of a turn in one question.

It becomes one request. All calls are approved or rejected together, or each is decided on its own
by an edit, whose form has for each call its decision, its arguments and a message. No decision is
chosen beforehand there: who decides each decides each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.fields import CodeField
from workflows.hints import DRAFT, EACH, HINTS
from workflows.hitl import hitl_answer
from workflows.policy import AllowedDecision
from workflows.protocol import ApprovalRequest, Decision, Edit, Editable
from workflows.shapes import (
    LABEL_AT_MOST,
    ORDER,
    TITLE_AT_MOST,
    Readable,
    Schema,
    cut,
    lines_of,
    object_of,
    own_words,
    request_of_call,
    schema_of,
)

CHOICES = {
    "approve": "Approve",
    "edit": "Approve with changes",
    "reject": "Reject",
    "respond": "Respond instead of the tool",
}
PLAIN = {"title", "description", "type", "properties", "required", "additionalProperties"}


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
    """tools: the JSON Schemas of the arguments of the graph's tools, by name."""

    asked: BatchRequest
    tools: Mapping[str, Schema]

    def request(self) -> ApprovalRequest:
        calls = self._calls()
        if len(calls) == 1:
            return calls[0].alone()
        everywhere = set[AllowedDecision](ORDER).intersection(*(each.allowed for each in calls))
        together = everywhere & {"approve", "reject"} | {"edit"}
        names = ", ".join(dict.fromkeys(each.action.name for each in calls))
        return ApprovalRequest(
            title=cut(f"{len(calls)} tool calls: {names}", TITLE_AT_MOST),
            fields=tuple(
                CodeField(label=cut(each.title, LABEL_AT_MOST), value=lines_of(each.action.args))
                for each in calls
            ),
            details="\n\n".join(each.described for each in calls if each.described),
            allowed_decisions=tuple(kind for kind in ORDER if kind in together),
            editable=_each(calls),
        )

    def answer(self, decision: Decision) -> Any:
        calls = self._calls()
        if len(calls) > 1 and isinstance(decision, Edit):
            return {"decisions": [each.said(decision.values) for each in calls]}
        return {"decisions": [hitl_answer(decision, each.action.name) for each in calls]}

    def _calls(self) -> list["_Call"]:
        pairs = zip(self.asked.action_requests, self.asked.review_configs, strict=True)
        return [
            _Call(n, action, review.allowed_decisions, self.tools.get(action.name))
            for n, (action, review) in enumerate(pairs, start=1)
        ]


def _each(calls: Sequence["_Call"]) -> Editable:
    """The form in which each call is decided on its own."""
    properties: dict[str, Any] = {}
    values: dict[str, Any] = {}
    optional: set[str] = set()
    rules: list[Any] = []
    for call in calls:
        properties |= call.properties()
        values |= call.values()
        optional |= call.optional()
        rules += call.rules()
    schema: dict[str, Any] = object_of(properties) | {HINTS: {EACH: True, DRAFT: True}}
    schema["required"] = [name for name in properties if name not in optional]
    return Editable(json_schema=schema | ({"allOf": rules} if rules else {}), values=values)


@dataclass(frozen=True)
class _Call:
    """The n-th of them, from 1."""

    n: int
    action: _Action
    allowed: Sequence[AllowedDecision]
    tool: Schema | None

    @property
    def title(self) -> str:
        return f"{self.n}. {self.action.name}"

    @property
    def described(self) -> str:
        words = own_words(self.action.description, self.action.name, self.action.args)
        return f"{self.title}: {words}" if words else ""

    @property
    def schema(self) -> Schema:
        return self.tool or schema_of(self.action.args)

    @property
    def decision(self) -> str:
        return f"decision_{self.n}"

    @property
    def message(self) -> str:
        return f"message_{self.n}"

    @property
    def is_flat(self) -> bool:
        """Can each argument be a field of the form? Else all of them are one, of JSON."""
        return self.schema.keys() <= PLAIN and "$ref" not in str(self.schema)

    def alone(self) -> ApprovalRequest:
        action = self.action
        return request_of_call(
            action.name, action.args, action.description, self.allowed, self.tool
        )

    def properties(self) -> dict[str, Any]:
        """Of the form: their schemas."""
        kinds = [kind for kind in ORDER if kind in self.allowed]
        kinds = [kind for kind in kinds if kind != "edit" or "approve" not in kinds]
        options = [{"const": kind, "title": CHOICES[kind]} for kind in kinds]
        found: dict[str, Any] = {self.decision: {"title": self.title, "oneOf": options}}
        if "edit" in self.allowed:
            found |= self._arguments()
        if {"reject", "respond"} & set(self.allowed):
            about = {"title": f"{self.n}. Message", "description": self._message_is()}
            found[self.message] = {"type": "string", **about}
        return found

    def values(self) -> dict[str, Any]:
        """What stands in it."""
        message = {self.message: ""} if {"reject", "respond"} & set(self.allowed) else {}
        if "edit" not in self.allowed:
            return message
        if not self.is_flat:
            return {self._argument(): self.action.args, **message}
        return {self._argument(name): each for name, each in self.action.args.items()} | message

    def optional(self) -> set[str]:
        """Of the properties."""
        if "edit" not in self.allowed or not self.is_flat:
            return set()
        required = self.schema.get("required", ())
        return {self._argument(name) for name in self._named() if name not in required}

    def rules(self) -> list[Any]:
        """Who responds says something."""
        if "respond" not in self.allowed:
            return []
        name = self.decision
        responds = {"properties": {name: {"const": "respond"}}, "required": [name]}
        return [{"if": responds, "then": {"properties": {self.message: {"minLength": 1}}}}]

    def said(self, values: Mapping[str, Any]) -> Any:
        """What was decided of this call, as the middleware reads it."""
        kind, message = values[self.decision], values.get(self.message) or ""
        args = self._edited(values)
        if kind == "edit" or (kind == "approve" and args != self.action.args):
            return {"type": "edit", "edited_action": {"name": self.action.name, "args": args}}
        if kind == "approve":
            return {"type": "approve"}
        return {"type": kind, **({"message": message} if message else {})}

    def _edited(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if "edit" not in self.allowed:
            return self.action.args
        if not self.is_flat:
            return dict(values[self._argument()])
        own = {name: self._argument(name) for name in self._named()}
        return {name: values[field] for name, field in own.items() if field in values}

    def _arguments(self) -> dict[str, Any]:
        if not self.is_flat:  # with an $id its own $defs are found
            own = {**self.schema, "title": f"{self.n}. Arguments"}
            return {self._argument(): {**own, "$id": f"urn:countersign:arguments:{self.n}"}}
        known: Mapping[str, Any] = self.schema.get("properties", {})
        guessed: Mapping[str, Any] = schema_of(self.action.args)["properties"]
        parts = {name: {**(known.get(name) or guessed[name])} for name in self._named()}
        return {
            self._argument(name): {**part, "title": f"{self.n}. {part.get('title') or name}"}
            for name, part in parts.items()
        }

    def _named(self) -> list[str]:
        """The arguments that the tool takes, and those that it was given."""
        return list(dict.fromkeys([*self.schema.get("properties", {}), *self.action.args]))

    def _argument(self, name: str = "") -> str:
        return f"args_{self.n}.{name}" if name else f"args_{self.n}"

    def _message_is(self) -> str:
        answers = "the answer that the model gets" if "respond" in self.allowed else ""
        why = "why it is rejected, which the model is told" if "reject" in self.allowed else ""
        return "; ".join(filter(None, [why, answers])).capitalize()
