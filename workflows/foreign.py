"""Graphs that know nothing of Countersign: what they put into an interrupt, and what each of them
wants back. The shapes are LangChain's HumanInTheLoopMiddleware (both modes), agent-inbox's
HumanInterrupt, and whatever else LangGraph's documentation shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from workflows.batch import Batch, BatchRequest
from workflows.fields import CodeField
from workflows.hitl import ToolApproval, ToolCall, allowed_by
from workflows.policy import AllowedDecision
from workflows.protocol import ApprovalRequest, Decision, Edit, Respond
from workflows.shapes import (
    TITLE_AT_MOST,
    Readable,
    Schema,
    Shape,
    cut,
    field_of,
    request_of_call,
    text_of,
)

TITLES = ("question", "title", "message", "task", "action", "instruction", "query", "description")


# --- agent-inbox


class _InboxAction(Readable):
    action: str
    args: dict[str, Any]


class _InboxConfig(Readable):
    allow_ignore: bool = False
    allow_respond: bool = False
    allow_edit: bool = False
    allow_accept: bool = False


class _Inbox(Readable):
    action_request: _InboxAction
    config: _InboxConfig
    description: str | None = None


@dataclass(frozen=True)
class Inbox:
    """agent-inbox's HumanInterrupt, and langgraph.prebuilt's: answered by a list of one."""

    asked: _Inbox
    NAMES: ClassVar[dict[str, str]] = {"approve": "accept", "reject": "ignore"}

    def request(self) -> ApprovalRequest:
        config, action = self.asked.config, self.asked.action_request
        flags: dict[AllowedDecision, bool] = {
            "approve": config.allow_accept,
            "edit": config.allow_edit,
            "reject": config.allow_ignore,
            "respond": config.allow_respond,
        }
        allowed: list[AllowedDecision] = [kind for kind, on in flags.items() if on]
        return request_of_call(
            action.action, action.args, self.asked.description or "", allowed, None
        )

    def answer(self, decision: Decision) -> Any:
        if isinstance(decision, Edit):
            action = {"action": self.asked.action_request.action, "args": decision.values}
            return [{"type": "edit", "args": action}]
        if isinstance(decision, Respond):
            return [{"type": "response", "args": decision.text}]
        if decision.type not in self.NAMES:
            raise ValueError(f"agent-inbox knows no {decision.type}")
        return [{"type": self.NAMES[decision.type], "args": None}]


# --- anything


@dataclass(frozen=True)
class Anything:
    """A question, a dict, a string: approved it is answered by True, rejected by False, and a
    response is the text itself."""

    value: Any

    def request(self) -> ApprovalRequest:
        if isinstance(self.value, str):
            return self._asks(self.value, ())
        if not isinstance(self.value, Mapping):
            return self._asks("", (CodeField(label="Asked", value=text_of(self.value)),))
        rest = {str(key): each for key, each in self.value.items()}
        name = next((k for k in TITLES if isinstance(rest.get(k), str) and rest[k].strip()), None)
        title = rest.pop(name) if name else ""
        return self._asks(title, tuple(field_of(key, each) for key, each in rest.items()))

    def _asks(self, title: str, fields: tuple[Any, ...]) -> ApprovalRequest:
        words = title.strip() or "The workflow asks"
        long = len(words) > TITLE_AT_MOST or "\n" in words
        return ApprovalRequest(
            title=cut(" ".join(words.split()), TITLE_AT_MOST),
            details=title if long else "",
            fields=fields,
            allowed_decisions=("approve", "reject", "respond"),
        )

    def answer(self, decision: Decision) -> Any:
        if isinstance(decision, Respond):
            return decision.text
        if decision.type not in ("approve", "reject"):
            raise ValueError(f"the question knows no {decision.type}")
        return decision.type == "approve"


def shape_of(
    value: Any,
    response_schema: Schema | None = None,
    tools: Mapping[str, Schema] | None = None,
) -> Shape:
    """What form the value of an interrupt has. response_schema: of the interrupt, as JSON Schema,
    where it is known. tools: the JSON Schemas of the arguments of the graph's tools, by name."""
    inbox = _Inbox.of(value[0] if isinstance(value, list) and len(value) == 1 else value)
    if inbox is not None:
        return Inbox(inbox)
    batch = BatchRequest.of(value)
    if batch is not None and batch.action_requests:
        if len(batch.action_requests) != len(batch.review_configs):
            raise ValueError("action_requests and review_configs differ in length")
        return Batch(batch, tools or {})
    call = ToolApproval.of(value)
    if call is not None:
        allowed, schema = allowed_by(response_schema)
        return ToolCall(call, allowed, schema or (tools or {}).get(call.name))
    return Anything(value)
