"""A graph's interrupt value -> ApprovalRequest; a Decision -> the value that graph wants back."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workflows.protocol import ApprovalRequest, Decision


class UnreadableQuestion(Exception):
    """The graph asks in a form that Countersign does not read; the message says which."""


@dataclass(frozen=True)
class Asked:
    """A question as it is put to people. `note` says why it is asked again, if it is."""

    request: ApprovalRequest
    note: str = ""


class _Own(BaseModel):
    model_config = ConfigDict(extra="forbid")

    countersign: int = Field(le=1)
    request: ApprovalRequest
    note: str = ""


def read_question(value: Any) -> Asked:
    """What an interrupt asks; UnreadableQuestion where the form is not known."""
    if not (isinstance(value, dict) and "countersign" in value):
        raise UnreadableQuestion(
            f"the graph interrupts with {_form(value)}; use workflows.protocol.request_approval"
        )
    try:
        own = _Own.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableQuestion(f"the request's {where}: {first['msg']}") from None
    return Asked(own.request, own.note)


def write_answer(decision: Decision) -> dict[str, Any]:
    """The decision as `request_approval` reads it back."""
    return decision.model_dump(mode="json")


def _form(value: Any) -> str:
    if isinstance(value, dict):
        keys = ", ".join(sorted(str(key) for key in value)[:8])
        return f"a dict with the keys {keys}"
    return f"a {type(value).__name__}"
