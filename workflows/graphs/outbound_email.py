"""Outbound email: fix what is sent, ask a person, send once what they say, tell what happened."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from workflows.addresses import BY_COMMAS, MailboxText, mailbox, shown
from workflows.catalog import Context, Workflow
from workflows.connectors.files import AT_MOST, FilePath, Files, StoredFile, readable_size
from workflows.connectors.mail import Attached, Mail, Mailer
from workflows.connectors.outbox import require_same_way, trial_field
from workflows.effects import EffectRefused, Receipt
from workflows.fields import RequestField, TextField
from workflows.hidden import ONE_LINE, VISIBLE, visible
from workflows.hints import MULTILINE
from workflows.protocol import ApprovalRequest, Decision, Editable, Risk, request_approval

DECIDE_WITHIN = timedelta(days=7)
MANY = 10  # recipients: from here on the card asks twice
SUBJECT_AT_MOST, BODY_AT_MOST = 200, 20_000
# What some scripts need between their letters; a card marks it all the same.
OF_SCRIPTS = str.maketrans("", "", "\u200c\u200d\u200e\u200f")
# The same rules as regular expressions, for what a reviewer makes of it; \Z, since $ would let a
# line break pass at the end.
UNSEEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2060-\u206f\ufeff"
IN_ONE_LINE = rf"^[^\n\t{UNSEEN}]*[^\s{UNSEEN}][^\n\t{UNSEEN}]*\Z"
IN_LINES = rf"^[^{UNSEEN}]*[^\s{UNSEEN}][^{UNSEEN}]*\Z"


def _lines(text: object) -> object:
    return text.replace("\r\n", "\n") if isinstance(text, str) else text


def _readable(text: str) -> str:
    visible(text.translate(OF_SCRIPTS))
    return text


Subject = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=SUBJECT_AT_MOST),
    VISIBLE,
    ONE_LINE,
]
Body = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=BODY_AT_MOST),
    AfterValidator(_readable),
    MULTILINE,
    BeforeValidator(_lines),
]
A_FILE = "a path below the directory of files, such as offers/offer.pdf"


class OutboundEmailInput(BaseModel):
    """What a mail is started with. Of several recipients or files each is an item, or all of them
    are a text with commas."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[list[MailboxText], Field(min_length=1, max_length=50), BY_COMMAS]
    cc: Annotated[list[MailboxText], Field(max_length=50), BY_COMMAS] = []
    bcc: Annotated[list[MailboxText], Field(max_length=50), BY_COMMAS] = []
    subject: Subject
    body: Body
    attachments: Annotated[list[FilePath], Field(max_length=10, description=A_FILE), BY_COMMAS] = []


class MailTerms(BaseModel):
    """What a reviewer may change; all its rules are in its JSON Schema, by which an edit is checked
    before it gets here."""

    model_config = ConfigDict(extra="forbid", regex_engine="python-re")

    subject: Annotated[str, StringConstraints(max_length=SUBJECT_AT_MOST, pattern=IN_ONE_LINE)]
    body: Annotated[str, StringConstraints(max_length=BODY_AT_MOST, pattern=IN_LINES), MULTILINE]


class OutboundEmailState(TypedDict):
    """subject, body: as it was asked for, then as it was approved. sender, trial, files: as they
    were when it was asked; what is sent is that."""

    to: list[str]
    cc: list[str]
    bcc: list[str]
    subject: str
    body: str
    attachments: list[str]
    operation_id: NotRequired[str]
    sender: NotRequired[str]
    trial: NotRequired[str]
    files: NotRequired[list[StoredFile]]
    decision: NotRequired[Decision]
    receipt: NotRequired[Receipt]
    outcome: NotRequired[str]


@dataclass(frozen=True)
class Nodes:
    """Those that reach outside."""

    mailer: Mailer
    files: Files

    async def prepare_email(
        self, state: OutboundEmailState, config: RunnableConfig
    ) -> dict[str, Any]:
        """The payload, fixed before anyone is asked. The id comes from the thread, so that a
        repeat of the node is the same operation."""
        thread_id = config.get("configurable", {})["thread_id"]
        fixed = [await self.files.fix(path) for path in dict.fromkeys(state["attachments"])]
        if sum(each.size for each in fixed) > AT_MOST:
            raise EffectRefused(
                f"The attachments are larger than {readable_size(AT_MOST)} together. "
                "Nothing was sent"
            )
        return {
            "operation_id": f"outbound_email:{thread_id}",
            "sender": str(self.mailer.sender),
            "trial": self.mailer.trial,
            "files": fixed,
        }

    async def send_email(
        self, state: OutboundEmailState, runtime: Runtime[Context]
    ) -> dict[str, Any]:
        """The files are read once more, right before; what is read is what is sent."""
        mail = _mail(state)

        async def send() -> Receipt:
            require_same_way(_fixed(state, "trial"), self.mailer.trial)
            attached = [Attached(each.name, await self.files.read(each)) for each in _files(state)]
            return await self.mailer.send(mail.with_files(attached))

        find = self.mailer.finding(mail)
        return {"receipt": await runtime.context.effects.once(mail.key, send, find)}


def outbound_email(mailer: Mailer, files: Files) -> Workflow:
    """The workflow, sending through `mailer` what lies in `files`."""
    nodes = Nodes(mailer, files)
    graph = StateGraph(OutboundEmailState, context_schema=Context)
    graph.add_node("prepare_email", nodes.prepare_email)
    graph.add_node("approval_gate", approval_gate)
    graph.add_node("send_email", nodes.send_email)
    graph.add_node("reject_email", reject_email)
    graph.add_node("done", done)
    graph.add_edge(START, "prepare_email")
    graph.add_edge("prepare_email", "approval_gate")
    graph.add_conditional_edges("approval_gate", route)
    graph.add_edge("send_email", "done")
    graph.add_edge("reject_email", "done")
    graph.add_edge("done", END)
    return Workflow(
        name="outbound_email",
        title="Send an email",
        input_model=OutboundEmailInput,
        graph=graph,
        state_types=(StoredFile,),
        examples=('to=ada@acme.example subject="Your order" body="It is on its way."',),
    )


def approval_gate(state: OutboundEmailState) -> dict[str, Any]:
    """Ask, and keep the answer; what the reviewer wrote is what is sent from here on."""
    decision = request_approval(email_request(state))
    if decision.type != "edit":
        return {"decision": decision}
    edited = MailTerms.model_validate(decision.values)  # which fit what was asked for
    return {"decision": decision, "subject": edited.subject.strip(), "body": edited.body.strip()}


def email_request(state: OutboundEmailState) -> ApprovalRequest:
    """What the reviewer is shown: all that the mail is made of."""
    people = [*state["to"], *state["cc"], *state["bcc"]]
    risk: Risk = "high" if len(people) >= MANY else "medium"
    more = f" and {len(people) - 1} more" if len(people) > 1 else ""
    return ApprovalRequest(
        title=f"Email to {_short(mailbox(people[0]).address)}{more}",
        fields=(
            *trial_field(_fixed(state, "trial")),
            *_people("To", state["to"]),
            *_people("Cc", state["cc"]),
            *_people("Bcc, hidden from the others", state["bcc"]),
            TextField(label="From", value=_fixed(state, "sender")),
            TextField(label="Subject", value=state["subject"]),
            TextField(label="Body", value=state["body"]),
            *(TextField(label="Attachment", value=each.described) for each in _files(state)),
        ),
        risk=risk,
        allowed_decisions=("approve", "reject", "edit"),
        editable=Editable.of(MailTerms(subject=state["subject"], body=state["body"])),
        expires_in=DECIDE_WITHIN,
    )


def _people(label: str, written: list[str]) -> list[RequestField]:
    """A line each."""
    lines = "\n".join(shown(mailbox(each)) for each in written)
    return [TextField(label=label, value=lines)] if lines else []


def route(state: OutboundEmailState) -> Literal["send_email", "reject_email"]:
    """Only an approval sends, as asked or edited; everything else, a passed deadline too, does
    not."""
    decision = state.get("decision")
    sends = decision is not None and decision.type in ("approve", "edit")
    return "send_email" if sends else "reject_email"


def reject_email(state: OutboundEmailState) -> dict[str, Any]:
    """Nothing was sent, and the state says why."""
    decision = state.get("decision")
    return {"outcome": f"not sent: {decision.type if decision else 'undecided'}"}


def done(state: OutboundEmailState) -> dict[str, Any]:
    """One line for whoever reads the state later."""
    receipt = state.get("receipt")
    return {"outcome": f"{receipt.summary}, {receipt.id}"} if receipt else {}


def _mail(state: OutboundEmailState) -> Mail:
    """Without its files. Its date is when it was approved: the same for each attempt."""
    decision = state["decision"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    return Mail(
        key=_fixed(state, "operation_id"),
        sender=mailbox(_fixed(state, "sender")),
        to=tuple(map(mailbox, state["to"])),
        cc=tuple(map(mailbox, state["cc"])),
        bcc=tuple(map(mailbox, state["bcc"])),
        subject=state["subject"],
        body=state["body"],
        at=decision.at,
    )


def _fixed(state: OutboundEmailState, name: Literal["operation_id", "sender", "trial"]) -> str:
    return state[name]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def _files(state: OutboundEmailState) -> list[StoredFile]:
    return state["files"]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
