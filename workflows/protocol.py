"""What a graph asks a person, what the person answers, and `request_approval`, which does both.

An author of a workflow needs `ApprovalRequest`, `request_approval` and the decisions; Slack is
not known here.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from jsonschema import Draft202012Validator, FormatChecker, SchemaError
from jsonschema import ValidationError as SchemaMisfit
from jsonschema.exceptions import best_match
from langgraph.types import interrupt
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)
from referencing.exceptions import Unresolvable

from workflows.duplicates import DuplicateKey
from workflows.fields import RequestField, SlackUserId
from workflows.hints import DRAFT, HINTS
from workflows.policy import AllowedDecision, Policy
from workflows.preconditions import Precondition

MARKER = "countersign"  # the key by which our own questions are told from any other interrupt

ThreadId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,127}$")]
Risk = Literal["low", "medium", "high"]
Sensitivity = Literal["normal", "restricted"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Editable(_Value):
    """The values that a reviewer may change, and the JSON Schema that they must fit; where the
    schema says that they are a draft (workflows/hints.py), once they are submitted."""

    json_schema: dict[str, JsonValue]
    values: dict[str, JsonValue]

    @classmethod
    def of(cls, values: BaseModel) -> Self:
        """From a pydantic model instance: its schema, and its present values."""
        return cls(
            json_schema=type(values).model_json_schema(), values=values.model_dump(mode="json")
        )

    @model_validator(mode="after")
    def _schema_and_values_fit(self) -> Self:
        _require_schema(json.dumps(self.json_schema, sort_keys=True))
        hints = self.json_schema.get(HINTS)
        if not (isinstance(hints, dict) and hints.get(DRAFT)):
            self.check(self.values)
        return self

    def check(self, values: Mapping[str, JsonValue]) -> None:
        """ValueError that names the field, unless the values fit the schema."""
        error = best_match(misfits(self.json_schema, values))
        if error is not None:
            where = ".".join(str(part) for part in error.absolute_path) or "values"
            raise ValueError(f"{where}: {error.message}")


@lru_cache(maxsize=256)
def _require_schema(text: str) -> None:
    """Kept, since it takes milliseconds, and each reading of a record asks it."""
    try:
        Draft202012Validator.check_schema(json.loads(text))
    except SchemaError as error:
        raise ValueError(f"json_schema is not a JSON Schema: {error.message}") from None


def misfits(json_schema: Mapping[str, Any], values: Mapping[str, JsonValue]) -> list[SchemaMisfit]:
    """All in which the values do not fit; ValueError where the schema cannot be used."""
    validator = Draft202012Validator(json_schema, format_checker=FormatChecker())
    try:
        return list(validator.iter_errors(dict(values)))
    except Unresolvable as missing:
        raise ValueError(f"json_schema refers to {missing.ref}, and has no such part") from None


class ApprovalRequest(_Value):
    """What a person is asked. All of it but who and when (`policy`, `expires_in`,
    `remind_after`) and `duplicate_of` is shown, and is what the digest covers.

    duplicate_of: what makes others the same business; the card tells of those in other threads.

    sensitivity: where it is restricted (patient data, say), only the title stands in the channel;
    all else is shown to those who may decide, in a modal, and each look is in the audit trail. So
    the title must name nothing that is to be kept.

    preconditions: what must still be so when it is decided, and again right before the effect;
    else the approval is void, and the graph is told so (`Outdated`).
    """

    title: Annotated[str, StringConstraints(min_length=1, max_length=150, strip_whitespace=True)]
    summary: str = ""
    fields: tuple[RequestField, ...] = ()
    details: str = ""
    risk: Risk = "medium"
    sensitivity: Sensitivity = "normal"
    allowed_decisions: tuple[AllowedDecision, ...] = ("approve", "reject")
    editable: Editable | None = None
    preconditions: Annotated[tuple[Precondition, ...], Field(max_length=20)] = ()
    policy: Policy | None = None
    expires_in: Annotated[timedelta, Field(gt=timedelta(0))] | None = None
    remind_after: Annotated[timedelta, Field(gt=timedelta(0))] | None = None
    duplicate_of: DuplicateKey | None = None

    @model_validator(mode="after")
    def _decisions_make_sense(self) -> Self:
        if not self.allowed_decisions or len(set(self.allowed_decisions)) != len(
            self.allowed_decisions
        ):
            raise ValueError("allowed_decisions: name each allowed decision once, at least one")
        if ("edit" in self.allowed_decisions) != (self.editable is not None):
            raise ValueError("allowed_decisions: 'edit' goes with editable, and only with it")
        return self

    @model_serializer(mode="wrap")
    def _as_it_was(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what came later as before there was any: the same digest, and for older code."""
        dumped: dict[str, Any] = dump(self)
        if not self.preconditions:
            dumped.pop("preconditions", None)
        if self.duplicate_of is None:
            dumped.pop("duplicate_of", None)
        return dumped

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the canonical JSON of what is shown."""
        unshown = {"policy", "expires_in", "remind_after", "duplicate_of"}
        if self.sensitivity == "normal":  # as it was before there was another
            unshown.add("sensitivity")
        shown = self.model_dump(mode="json", exclude=unshown)
        canonical = json.dumps(
            shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


class Actor(_Value):
    """Who decided, by immutable ids. `user` is None where nobody did (a deadline passed)."""

    team: str
    user: SlackUserId | None
    name: str = ""


class _Decided(_Value):
    """on_behalf_of: whose place `by` takes, who is away. stage: of the policy, from 0. also: the
    others whose votes it took."""

    by: Actor
    at: AwareDatetime
    digest: str
    on_behalf_of: SlackUserId | None = None
    stage: int = 0
    also: tuple[Actor, ...] = ()


class Approve(_Decided):
    type: Literal["approve"] = "approve"
    reason: str = ""


class Edit(_Decided):
    """Approved with other values; `values` fit the request's schema."""

    type: Literal["edit"] = "edit"
    values: dict[str, JsonValue]
    reason: str = ""


class Reject(_Decided):
    type: Literal["reject"] = "reject"
    reason: str = ""


class Respond(_Decided):
    type: Literal["respond"] = "respond"
    text: str


class Expired(_Decided):
    """Nobody decided in time. Not a rejection: what it means is the graph's to say."""

    type: Literal["expired"] = "expired"


class Outdated(_Decided):
    """Approved, and void: a precondition does not hold any more. Nobody decided this; a graph goes
    back with it to the node that prepares, and asks for what is so now. changes: in words."""

    type: Literal["outdated"] = "outdated"
    changes: tuple[str, ...] = ()


BY_NOBODY = ("expired", "outdated")  # told to any graph that asks, whatever it allows

Decision = Annotated[
    Approve | Edit | Reject | Respond | Expired | Outdated, Field(discriminator="type")
]
DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)


def request_approval(request: ApprovalRequest) -> Decision:
    """Pause this node until a person has decided on exactly this request.

    The node runs again from its top when it resumes, so build the request from state only. An
    answer that is no decision, is not allowed, or was given on another digest is asked again:
    what was shown is what runs. Use it once per node.

    Whatever is neither `approve` nor `edit` executes nothing: nobody decided in time (`expired`),
    or what was approved has changed (`outdated`). This node would only ask the same once more, so
    it is the graph that goes back and prepares anew.
    """
    note = ""
    while True:
        answer = interrupt(_question(request, note))
        try:
            return _accepted(request, answer)
        except ValueError as error:
            note = str(error)


def _question(request: ApprovalRequest, note: str) -> dict[str, Any]:
    return {MARKER: 1, "request": request.model_dump(mode="json"), "note": note}


def _accepted(request: ApprovalRequest, answer: Any) -> Decision:
    try:
        decision = DECISION.validate_python(answer)
    except ValidationError:
        raise ValueError("The answer before this was not a decision.") from None
    if decision.digest != request.digest:
        raise ValueError("The request changed after it was decided, so it is asked again.")
    if decision.type not in BY_NOBODY:
        require_allowed(request, decision)
    return decision


def require_allowed(request: ApprovalRequest, decision: Decision) -> None:
    """ValueError unless the request allows it, and what was edited fits."""
    if decision.type not in request.allowed_decisions:
        raise ValueError(f"{decision.type!r} is not among the allowed decisions.")
    if isinstance(decision, Edit) and request.editable is not None:
        request.editable.check(decision.values)
