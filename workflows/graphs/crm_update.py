"""CRM update: read the record, ask a person about the difference, write it once.

What was approved is a difference: before and after, field by field. So it rests on the record as
it was shown; where that has changed by then, nothing is written, and the new difference is asked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
)

from workflows.catalog import Context, Workflow
from workflows.connectors.crm import NAMED_BY, Crm, Kind, Record
from workflows.effects import EffectRefused, Receipt
from workflows.fields import DiffField, RequestField, TextField, UrlField
from workflows.hidden import ONE_LINE, VISIBLE
from workflows.hints import MULTILINE
from workflows.policy import Policy
from workflows.preconditions import Finding, Precondition, PreconditionFailed
from workflows.protocol import ApprovalRequest, Decision, Editable, request_approval

DECIDE_WITHIN = timedelta(days=7)
VERSION = "Version of the record"  # no property has spaces in its name
KIND: TypeAdapter[Kind] = TypeAdapter(Kind)
ALREADY_SO = "nothing to change: the record has these values already"
GONE = "not updated: there is no such record"

Property = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,74}$")]
Value = Annotated[str, StringConstraints(max_length=5000), VISIBLE]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=500), VISIBLE, MULTILINE
]


def _object(given: Any) -> Any:
    """As it is typed after `changes=`, too."""
    try:
        return json.loads(given) if isinstance(given, str) else given
    except ValueError:
        raise ValueError('a JSON object, such as {"phone": "+49 30 5550199"}') from None


class CrmUpdateInput(BaseModel):
    """What an update is started with. changes: by the internal name of the property; "" clears
    it. restricted: values are kept out of the channel."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    record: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$"), ONE_LINE]
    changes: Annotated[
        dict[Property, Value],
        BeforeValidator(_object),
        Field(min_length=1, max_length=20, description="the new values, by property"),
    ]
    reason: Reason = ""
    restricted: bool = False


class CrmUpdateState(TypedDict):
    """changes: what is wanted, which a reviewer may have changed. shown: the record as it was
    read last, and as the card shows it; None: there is none."""

    kind: Kind
    record: str
    changes: dict[str, str]
    reason: str
    restricted: bool
    operation_id: NotRequired[str]
    shown: NotRequired[dict[str, Any] | None]
    decision: NotRequired[Decision]
    receipt: NotRequired[Receipt]
    outcome: NotRequired[str]


def crm_update(crm: Crm, policy: Policy | None = None) -> Workflow:
    """The workflow, on the records of `crm`."""
    nodes = _Nodes(crm)
    graph = StateGraph(CrmUpdateState, context_schema=Context)
    graph.add_node("prepare_update", nodes.prepare_update)
    graph.add_node("approval_gate", approval_gate)
    graph.add_node("commit_update", nodes.commit_update)
    graph.add_node("done", done)
    graph.add_edge(START, "prepare_update")
    graph.add_conditional_edges("prepare_update", needs_asking)
    graph.add_conditional_edges("approval_gate", route)
    graph.add_edge("done", END)
    return Workflow(
        name="crm_update",
        title="CRM update",
        input_model=CrmUpdateInput,
        graph=graph,
        policy=policy,
        checks={"record_unchanged": nodes.record_unchanged},
        examples=('kind=contact record=101 changes=\'{"phone": "+49 30 5550199"}\'',),
    )


@dataclass(frozen=True)
class _Nodes:
    """What reaches the CRM."""

    crm: Crm

    async def prepare_update(self, state: CrmUpdateState, config: RunnableConfig) -> dict[str, Any]:
        """The record as it is now. The id comes from the thread: what is asked again and approved
        then is the same operation, of which one is carried out."""
        thread_id = config.get("configurable", {})["thread_id"]
        record = await self.crm.read(state["kind"], state["record"], list(state["changes"]))
        shown = record.model_dump() if record else None
        return {"operation_id": f"crm_update:{thread_id}", "shown": shown}

    async def commit_update(
        self, state: CrmUpdateState, runtime: Runtime[Context]
    ) -> Command[Literal["prepare_update", "done"]]:
        """What has changed since it was approved is prepared anew, and asked."""
        operation_id = state["operation_id"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        was = _record(state)
        values = was.differs(state["changes"])
        try:
            receipt = await runtime.context.effects.once(
                operation_id,
                lambda: self.crm.update(operation_id, was, values),
                find=lambda: self.crm.find(operation_id, was, values),
            )
        except PreconditionFailed:
            return Command(goto="prepare_update")
        return Command(goto="done", update={"receipt": receipt})

    async def record_unchanged(self, declared: Precondition, now: datetime) -> JsonValue | Finding:
        """Its values and its version as they are now, to be compared with those that are shown."""
        del now
        kind, record_id = declared.arguments["kind"], str(declared.arguments["record"])
        expected = declared.expected if isinstance(declared.expected, dict) else {}
        properties = [name for name in expected if name != VERSION]
        present = await self.crm.read(KIND.validate_python(kind), record_id, properties)
        if present is None:
            return Finding(holds=False, changes=(f"There is no {kind} {record_id} any more",))
        return {**{name: present.values[name] for name in properties}, VERSION: present.version}


def needs_asking(state: CrmUpdateState) -> Literal["approval_gate", "done"]:
    shown = state.get("shown")
    if shown is None or not Record.model_validate(shown).differs(state["changes"]):
        return "done"
    return "approval_gate"


def approval_gate(state: CrmUpdateState) -> dict[str, Any]:
    """Ask, and keep the answer; of what the reviewer changed, what is written from here on."""
    decision = request_approval(update_request(state))
    if decision.type != "edit":
        return {"decision": decision}
    edited = {name: str(value) for name, value in decision.values.items()}
    return {"decision": decision, "changes": {**state["changes"], **edited}}


def update_request(state: CrmUpdateState) -> ApprovalRequest:
    """The difference, whole: the card cuts what is long, and the digest covers all of it."""
    was = _record(state)
    changed = was.differs(state["changes"])
    differences = (
        DiffField(label=name, before=was.values[name] or None, after=value or None)
        for name, value in changed.items()
    )
    why = [TextField(label="Reason", value=state["reason"])] if state["reason"] else []
    rests_on = Precondition(
        name="record_unchanged",
        label=f"The {was.kind}, as it is shown",
        expected={**was.values, VERSION: was.version},
        arguments={"kind": was.kind, "record": was.id},
    )
    what = ", ".join(changed) if len(changed) <= 2 else f"{len(changed)} properties"
    named = "" if state["restricted"] else f" of {_short(was.name)}"
    return ApprovalRequest(
        title=f"Update {_short(what)}{named}",
        fields=(*_about(was, changed), *differences, *why),
        sensitivity="restricted" if state["restricted"] else "normal",
        allowed_decisions=("approve", "reject", "edit"),
        editable=_editable(changed),
        preconditions=(rests_on,),
        expires_in=DECIDE_WITHIN,
    )


def route(state: CrmUpdateState) -> Literal["prepare_update", "commit_update", "done"]:
    """Only an approval writes, as asked or edited."""
    decision = state.get("decision")
    if decision is not None and decision.type == "outdated":
        return "prepare_update"
    if decision is None or decision.type not in ("approve", "edit"):
        return "done"
    return "commit_update" if _record(state).differs(state["changes"]) else "done"


def done(state: CrmUpdateState) -> dict[str, Any]:
    """One line for whoever reads the state later."""
    receipt, decision = state.get("receipt"), state.get("decision")
    if receipt is not None:
        return {"outcome": f"{receipt.summary}, {receipt.id}"}
    if state.get("shown") is None:
        return {"outcome": GONE}
    if not _record(state).differs(state["changes"]):
        return {"outcome": ALREADY_SO}
    return {"outcome": f"not updated: {decision.type if decision else 'undecided'}"}


def _about(was: Record, changed: Mapping[str, str]) -> list[RequestField]:
    """Which record it is."""
    called = was.name if was.name.endswith(was.id) else f"{was.name} ({was.id})"
    fields: list[RequestField] = [TextField(label=was.kind.capitalize(), value=called)]
    known_by = NAMED_BY[was.kind][-1]
    if known_by not in changed:
        fields.append(TextField(label=known_by, value=was.values[known_by]))
    if was.url.startswith("https://"):
        fields.append(UrlField(label="Open", value=was.url))
    return fields


def _editable(changed: Mapping[str, str]) -> Editable:
    """The new values, and nothing else."""
    value: dict[str, JsonValue] = {"type": "string", "maxLength": 5000}
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": dict.fromkeys(changed, value),
        "required": list(changed),
        "additionalProperties": False,
    }
    return Editable(json_schema=schema, values=dict(changed))


def _record(state: CrmUpdateState) -> Record:
    shown = state.get("shown")
    if shown is None:
        raise EffectRefused(f"there is no {state['kind']} {state['record']}")
    return Record.model_validate(shown)


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
