"""A reply to a patient: restricted, only with their consent, and never in their quiet hours.

A decision in quiet hours is not lost: the reply is scheduled for when they are over, where the
patient is. Consent is asked for before anyone decides, is a precondition of the decision, and is
asked for again right before the reply is sent.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from zoneinfo import available_timezones

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from workflows.catalog import Context, Workflow
from workflows.connectors.patients import Patients
from workflows.duplicates import DuplicateKey
from workflows.effects import Receipt
from workflows.fields import CodeField, DateField, TextField
from workflows.hidden import ONE_LINE, VISIBLE
from workflows.hints import MULTILINE
from workflows.hours import WEEK, Hours
from workflows.preconditions import Finding, Precondition, PreconditionFailed
from workflows.protocol import ApprovalRequest, Decision, Editable, request_approval
from workflows.waits import wait_until

HOURS = Hours(days=WEEK, start=8, end=20)  # of the patient's day; all else is quiet
DECIDE_WITHIN = timedelta(days=3)
CONSENT = "consent"
TITLE = "Reply to a patient"  # it stands in the channel, and names nothing


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone, such as Europe/Berlin")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), VISIBLE, ONE_LINE
]
Body = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), VISIBLE, MULTILINE
]


class PatientReplyInput(BaseModel):
    """patient: their id, as the connector knows it. zone: where they are. send_at: not before;
    None: as soon as it is decided and their quiet hours allow it."""

    model_config = ConfigDict(extra="forbid")

    patient: Line
    zone: Zone
    template: Line
    body: Body
    send_at: AwareDatetime | None = None


class ReplyTerms(BaseModel):
    """What a reviewer may change. send_at: none: at once, in the patient's hours."""

    model_config = ConfigDict(extra="forbid")

    body: Annotated[str, StringConstraints(max_length=2000, pattern=r"\S"), MULTILINE]
    send_at: Annotated[AwareDatetime | None, Field(title="Send at")] = None


class PatientReplyState(TypedDict):
    """when: the moment for which it is scheduled. quiet: when it came, it was not their hour.
    consents: as it was when it was last asked."""

    patient: str
    zone: str
    template: str
    body: str
    send_at: str | None
    operation_id: NotRequired[str]
    consents: NotRequired[bool]
    decision: NotRequired[Decision]
    when: NotRequired[str]
    quiet: NotRequired[bool]
    receipt: NotRequired[Receipt]
    outcome: NotRequired[str]


State = PatientReplyState


def patient_reply(patients: Patients) -> Workflow:
    """The workflow, writing through `patients`."""

    async def prepare_reply(state: State, config: RunnableConfig) -> dict[str, Any]:
        """Whether they agree, as it is now; and the id of the operation, from the thread."""
        thread_id = config.get("configurable", {})["thread_id"]
        consents = await patients.consents(state["patient"])
        return {"operation_id": f"patient_reply:{thread_id}", "consents": consents}

    async def send_reply(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        """Consent is checked once more by the ledger, right before the call."""
        key = state["operation_id"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        try:
            receipt = await runtime.context.effects.once(
                key,
                lambda: patients.send(
                    key, patient=state["patient"], template=state["template"], body=state["body"]
                ),
                find=lambda: patients.find(key),
                on=state.get("decision"),
            )
        except PreconditionFailed:
            return {"consents": False}
        return {"receipt": receipt}

    async def consent(asked: Precondition, _now: datetime) -> Finding:
        agrees = await patients.consents(str(asked.arguments["patient"]))
        return Finding(holds=agrees, changes=("The patient has withdrawn their consent",))

    return Workflow(
        name="patient_reply",
        title="Reply to a patient",
        input_model=PatientReplyInput,
        graph=_graph(prepare_reply, send_reply),
        checks={CONSENT: consent},
        examples=('patient=p-4711 zone=Europe/Berlin template=results body="All is well."',),
    )


def _graph(prepare: Any, send: Any) -> StateGraph[State, Context]:
    graph = StateGraph(PatientReplyState, context_schema=Context)
    graph.add_node("prepare_reply", prepare)
    graph.add_node("approval_gate", approval_gate)
    graph.add_node("schedule", schedule)
    graph.add_node("wait", wait)
    graph.add_node("look_at_the_hour", look_at_the_hour)
    graph.add_node("send_reply", send)
    graph.add_node("not_sent", not_sent)
    graph.add_node("done", done)
    graph.add_edge(START, "prepare_reply")
    graph.add_conditional_edges("prepare_reply", may_be_asked)
    graph.add_conditional_edges("approval_gate", route)
    graph.add_edge("schedule", "wait")
    graph.add_edge("wait", "look_at_the_hour")
    graph.add_conditional_edges("look_at_the_hour", may_be_sent)
    graph.add_conditional_edges("send_reply", was_sent)
    graph.add_edge("not_sent", END)
    graph.add_edge("done", END)
    return graph


def may_be_asked(state: State) -> Literal["approval_gate", "not_sent"]:
    """Nobody is asked about what must not be sent."""
    return "approval_gate" if state.get("consents") else "not_sent"


def approval_gate(state: State) -> dict[str, Any]:
    """Ask, and keep the answer; of what the reviewer changed, what is sent from here on."""
    decision = request_approval(reply_request(state))
    if decision.type != "edit":
        return {"decision": decision}
    edited = ReplyTerms.model_validate(decision.values)
    send_at = edited.send_at.isoformat() if edited.send_at else None
    return {"decision": decision, "body": edited.body, "send_at": send_at}


def reply_request(state: State) -> ApprovalRequest:
    """All that is sent, to whom and when; none of it in the channel."""
    at = state["send_at"]
    when = [DateField(label="Send at", value=datetime.fromisoformat(at))] if at else []
    terms = ReplyTerms(body=state["body"], send_at=datetime.fromisoformat(at) if at else None)
    return ApprovalRequest(
        title=TITLE,
        fields=(
            CodeField(label="Patient", value=state["patient"]),
            TextField(label="Template", value=state["template"]),
            *when,
            TextField(label="Their time zone", value=state["zone"]),
        ),
        details=state["body"],
        sensitivity="restricted",
        allowed_decisions=("approve", "reject", "edit"),
        editable=Editable.of(terms),
        preconditions=(
            Precondition(name=CONSENT, label="Consent", arguments={"patient": state["patient"]}),
        ),
        duplicate_of=DuplicateKey(
            parts={"patient": state["patient"], "template": state["template"]}
        ),
        expires_in=DECIDE_WITHIN,
    )


def route(state: State) -> Literal["schedule", "prepare_reply", "not_sent"]:
    """Only an approval sends. What is void, since they do not agree any more, is prepared anew."""
    decision = state.get("decision")
    if decision is None or decision.type in ("reject", "respond", "expired"):
        return "not_sent"
    return "prepare_reply" if decision.type == "outdated" else "schedule"


def schedule(state: State) -> dict[str, Any]:
    """The first moment of the patient's day that is neither before the decision, nor before the
    time that was chosen."""
    earliest = state["decision"].at  # pyright: ignore[reportTypedDictNotRequiredAccess]
    if state["send_at"]:
        earliest = max(earliest, datetime.fromisoformat(state["send_at"]))
    return {"when": HOURS.next_open(earliest, state["zone"]).isoformat()}


def wait(state: State) -> None:
    """Not at all where that moment is the one of the decision."""
    when = datetime.fromisoformat(state["when"])  # pyright: ignore[reportTypedDictNotRequiredAccess]
    decided = state["decision"].at  # pyright: ignore[reportTypedDictNotRequiredAccess]
    if when > decided:
        wait_until(when)


def look_at_the_hour(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """It may be later than it was meant to be: nobody worked, or it was tried for long."""
    now = runtime.context.now()
    when = HOURS.next_open(now, state["zone"])
    return {"when": when.isoformat(), "quiet": when > now}


def may_be_sent(state: State) -> Literal["send_reply", "wait"]:
    return "wait" if state.get("quiet") else "send_reply"


def was_sent(state: State) -> Literal["done", "prepare_reply"]:
    """Where they withdrew their consent before it was: what is so now decides how it goes on."""
    return "done" if state.get("receipt") else "prepare_reply"


def not_sent(state: State) -> dict[str, Any]:
    """Nothing was sent, and the state says why."""
    if not state.get("consents"):
        return {"outcome": "not sent: the patient does not consent"}
    decision = state.get("decision")
    return {"outcome": f"not sent: {decision.type if decision else 'undecided'}"}


def done(state: State) -> dict[str, Any]:
    """One line for whoever reads the state later."""
    receipt = state.get("receipt")
    return {"outcome": f"{receipt.summary}, {receipt.id}"} if receipt else {}
