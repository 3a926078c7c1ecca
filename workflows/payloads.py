"""A graph's interrupt value -> ApprovalRequest; a Decision -> the value that graph wants back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workflows.breakpoints import breakpoint_request, is_breakpoint
from workflows.foreign import shape_of
from workflows.preconditions import Precondition
from workflows.protocol import MARKER, ApprovalRequest, Decision, require_allowed
from workflows.shapes import Schema


class UnreadableQuestion(Exception):
    """The graph asks in a form that Countersign does not read; the message says which."""


@dataclass(frozen=True)
class Asked:
    """A question as it is put to people. note: why it is asked again, if it is. value: the digest
    of what the graph asks with; "" where no graph asks it."""

    request: ApprovalRequest
    note: str = ""
    value: str = ""


@dataclass(frozen=True)
class Hints:
    """What is known of a question besides its value. response_schema: of the interrupt. tools: the
    JSON Schemas of the arguments of the graph's tools, by name."""

    response_schema: Schema | None = None
    tools: Mapping[str, Schema] = field(default_factory=dict[str, Schema])


NO_HINTS = Hints()
OURS: Any = {MARKER: 1}  # what stands for the value of a question that is ours in any case


class _Own(BaseModel):
    model_config = ConfigDict(extra="forbid")

    countersign: int = Field(le=1)
    request: ApprovalRequest
    note: str = ""


def read_question(value: Any, hints: Hints = NO_HINTS) -> Asked:
    """What an interrupt asks, in our form or any other; UnreadableQuestion where it cannot be
    put to people."""
    if is_breakpoint(value):
        return Asked(breakpoint_request(value), value=asked_digest(value))
    if not _is_own(value):
        try:
            request = shape_of(value, hints.response_schema, hints.tools).request()
            return Asked(request, value=asked_digest(value))
        except ValueError as error:  # pydantic's is one
            raise UnreadableQuestion(f"the graph interrupts with {_form(value)}: {error}") from None
    try:
        own = _Own.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableQuestion(f"the request's {where}: {first['msg']}") from None
    return Asked(own.request, own.note, asked_digest(value))


def write_answer(decision: Decision, value: Any = OURS, hints: Hints = NO_HINTS) -> Any:
    """The decision as the graph reads it back that asked with `value`."""
    if _is_own(value) or is_breakpoint(value):
        return decision.model_dump(mode="json")
    try:
        shape = shape_of(value, hints.response_schema, hints.tools)
        require_allowed(shape.request(), decision)
        return shape.answer(decision)
    except ValueError as error:
        raise UnreadableQuestion(f"the graph does not take the decision: {error}") from None


def asked_digest(value: Any) -> str:
    """SHA-256 (hex) of what a graph asks with: it must be the same when it is answered."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def preconditions_of(value: Any) -> tuple[Precondition, ...]:
    """What a question in our form declares; nothing where it is none, or cannot be read."""
    if not _is_own(value) or not (value.get("request") or {}).get("preconditions"):
        return ()
    try:
        return read_question(value).request.preconditions
    except UnreadableQuestion:
        return ()  # whoever opens it says so


def _is_own(value: Any) -> bool:
    return isinstance(value, dict) and MARKER in value


def _form(value: Any) -> str:
    if isinstance(value, dict):
        keys = ", ".join(sorted(str(key) for key in value)[:8])
        return f"a dict with the keys {keys}"
    return f"a {type(value).__name__}"
