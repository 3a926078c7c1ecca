"""What the shapes of foreign questions share: how a call of a tool, or any value, is shown."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from workflows.fields import CodeField, TextField
from workflows.hints import DRAFT, HINTS
from workflows.policy import AllowedDecision
from workflows.protocol import ApprovalRequest, Decision, Editable

TITLE_AT_MOST = 150
LABEL_AT_MOST = 75
STANDARD_WORDS = "Tool execution requires approval"
ORDER: tuple[AllowedDecision, ...] = ("approve", "edit", "reject", "respond")

Schema = Mapping[str, Any]  # a JSON Schema


class Shape(Protocol):
    """One form of asking."""

    def request(self) -> ApprovalRequest:
        """What people are shown."""
        ...

    def answer(self, decision: Decision) -> Any:
        """What the graph is resumed with; ValueError where it would not take it."""
        ...


class Readable(BaseModel):
    model_config = ConfigDict(extra="ignore")

    @classmethod
    def of(cls, value: Any) -> Self | None:
        try:
            return cls.model_validate(value)
        except ValidationError:
            return None


def request_of_call(
    name: str,
    args: Mapping[str, Any],
    description: str,
    allowed: Sequence[AllowedDecision],
    schema: Schema | None,
) -> ApprovalRequest:
    """A request for one call of a tool: each argument is a field, and what may be edited. A model
    may have called it with what does not fit: then a person can still say no, or mend it."""
    kinds: tuple[AllowedDecision, ...] = tuple(kind for kind in ORDER if kind in set(allowed))
    edits = Editable(
        json_schema={**(schema or schema_of(args)), HINTS: {DRAFT: True}}, values=dict(args)
    )
    return ApprovalRequest(
        title=cut(f"Call {name}", TITLE_AT_MOST),
        fields=tuple(field_of(key, value) for key, value in args.items()),
        details=own_words(description, name, args),
        allowed_decisions=kinds,
        editable=edits if "edit" in kinds else None,
    )


def schema_of(args: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of what is there, where the tool's own is not known: the same names and types."""
    return object_of({key: _kind(value) for key, value in args.items()})


def object_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """With all of these, and no others."""
    named = {"properties": dict(properties), "required": list(properties)}
    return {"type": "object", **named, "additionalProperties": False}


def _kind(value: Any) -> dict[str, Any]:
    names: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    names |= {list: "array", dict: "object"}
    name = names.get(type(value))
    return {"type": name} if name else {}


def field_of(label: str, value: Any) -> TextField | CodeField:
    name = cut(label.strip(), LABEL_AT_MOST) or "–"
    if isinstance(value, str):
        return TextField(label=name, value=value)
    return CodeField(label=name, value=text_of(value))


def text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)


def lines_of(args: Mapping[str, Any]) -> str:
    """A line each, `to: "ada@example.com"`: a value of several lines cannot pose as another."""
    return "\n".join(f"{_name(name)}: {_value(value)}" for name, value in args.items()) or "–"


def _name(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def own_words(description: str, name: str, args: Mapping[str, Any]) -> str:
    """What somebody wrote of a call. HumanInTheLoopMiddleware's own words say the call once more,
    which is shown already."""
    said = description.removesuffix(f"\n\nTool: {name}\nArgs: {dict(args)}")
    return "" if said != description and said == STANDARD_WORDS else said


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
