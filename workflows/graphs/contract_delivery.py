"""Contract delivery: fix the document, ask legal and then a signatory, have it signed, once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from workflows.addresses import BY_COMMAS, mailbox, shown
from workflows.catalog import Context, Workflow
from workflows.connectors.files import FilePath, Files, StoredFile
from workflows.connectors.outbox import require_same_way, trial_field
from workflows.connectors.signing import Contract, Party, Signing
from workflows.effects import Receipt
from workflows.fields import HttpUrl, RequestField, TextField, UrlField
from workflows.hidden import ONE_LINE, VISIBLE
from workflows.hints import MULTILINE
from workflows.policy import Policy, Stage
from workflows.protocol import ApprovalRequest, Decision, request_approval

DECIDE_WITHIN = timedelta(days=14)
ROLE_AT_MOST = 40
WRITTEN = re.compile(r"(?P<who>.*<[^<>]*>)\s*(?P<role>.*)", re.DOTALL)
A_PARTY = "Ada Lovelace <ada@acme.example> Buyer"
A_FILE = "a path below the directory of files, such as contracts/msa.pdf"

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), VISIBLE]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), VISIBLE, ONE_LINE
]


def party(text: str) -> Party:
    """`Ada Lovelace <ada@acme.example> Buyer`. ValueError says what is wrong."""
    written = WRITTEN.fullmatch(text.strip())
    if written is None:
        raise ValueError(f"{text!r} is no party, such as {A_PARTY}")
    who, role = mailbox(written["who"]), written["role"].strip()
    if not who.name or not role:
        raise ValueError(f"{text!r} names no {'role' if who.name else 'name'}; write {A_PARTY}")
    if len(role) > ROLE_AT_MOST:
        raise ValueError(f"the role is longer than {ROLE_AT_MOST} characters")
    return Party(who.name, who.address, role)


def _canonical(text: str) -> str:
    one = party(text)
    return f"{one.name} <{one.email}> {one.role}"


def _each_once(parties: list[str]) -> list[str]:
    emails = [party(each).email.lower() for each in parties]
    twice = sorted({each for each in emails if emails.count(each) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)}: signs once; name each address once")
    return parties


PartyText = Annotated[str, VISIBLE, ONE_LINE, AfterValidator(_canonical)]


class ContractDeliveryInput(BaseModel):
    """What a delivery is started with. link: where those who decide can read the document."""

    model_config = ConfigDict(extra="forbid")

    title: Line
    document: Annotated[FilePath, Field(description=A_FILE)]
    parties: Annotated[
        list[PartyText],
        Field(min_length=1, max_length=10, description=f"such as {A_PARTY}"),
        BY_COMMAS,
        AfterValidator(_each_once),
    ]
    message: Annotated[Text, MULTILINE] = ""
    link: HttpUrl | None = None


class ContractDeliveryState(TypedDict):
    """trial, file: as they were when it was asked; what is sent is that."""

    title: str
    document: str
    parties: list[str]
    message: str
    link: str | None
    operation_id: NotRequired[str]
    trial: NotRequired[str]
    file: NotRequired[StoredFile]
    decision: NotRequired[Decision]
    receipt: NotRequired[Receipt]
    outcome: NotRequired[str]


@dataclass(frozen=True)
class Nodes:
    """Those that reach outside."""

    signing: Signing
    files: Files

    async def prepare_contract(
        self, state: ContractDeliveryState, config: RunnableConfig
    ) -> dict[str, Any]:
        """The payload, fixed before anyone is asked. The id comes from the thread, so that a
        repeat of the node is the same operation."""
        thread_id = config.get("configurable", {})["thread_id"]
        return {
            "operation_id": f"contract_delivery:{thread_id}",
            "trial": self.signing.trial,
            "file": await self.files.fix(state["document"]),
        }

    async def deliver_contract(
        self, state: ContractDeliveryState, runtime: Runtime[Context]
    ) -> dict[str, Any]:
        """The document is read once more, right before; what is read is what is sent."""
        key = _fixed(state, "operation_id")

        async def send() -> Receipt:
            require_same_way(_fixed(state, "trial"), self.signing.trial)
            document = await self.files.read(_file(state))
            return await self.signing.send(key, _contract(state), document)

        effects = runtime.context.effects
        return {"receipt": await effects.once(key, send, find=lambda: self.signing.find(key))}


def contract_delivery(
    signing: Signing, files: Files, *, legal: Sequence[str], signatories: Sequence[str]
) -> Workflow:
    """The workflow, sending through `signing` what lies in `files`. legal, signatories: ids of the
    users and user groups who decide, one after the other; where one of them is empty it cannot be
    started, and says so."""
    nodes = Nodes(signing, files)
    graph = StateGraph(ContractDeliveryState, context_schema=Context)
    graph.add_node("prepare_contract", nodes.prepare_contract)
    graph.add_node("approval_gate", approval_gate)
    graph.add_node("deliver_contract", nodes.deliver_contract)
    graph.add_node("reject_contract", reject_contract)
    graph.add_node("done", done)
    graph.add_edge(START, "prepare_contract")
    graph.add_edge("prepare_contract", "approval_gate")
    graph.add_conditional_edges("approval_gate", route)
    graph.add_edge("deliver_contract", "done")
    graph.add_edge("reject_contract", "done")
    graph.add_edge("done", END)
    return Workflow(
        name="contract_delivery",
        title="Deliver a contract",
        input_model=ContractDeliveryInput,
        graph=graph,
        policy=two_stages(legal, signatories),
        state_types=(StoredFile,),
        examples=(f'title="MSA 2027" document=contracts/msa.pdf parties="{A_PARTY}"',),
        lacks=_missing(legal, signatories),
    )


def two_stages(legal: Sequence[str], signatories: Sequence[str]) -> Policy:
    """Legal first, then a signatory; a rejection has a reason. One person has one vote, so that
    nobody passes both."""
    return Policy(
        stages=(
            Stage(name="legal", approvers=tuple(legal)),
            Stage(name="signatory", approvers=tuple(signatories)),
        ),
        reason_required=("reject",),
    )


def _missing(legal: Sequence[str], signatories: Sequence[str]) -> str:
    needed = {"COUNTERSIGN_LEGAL": legal, "COUNTERSIGN_SIGNATORIES": signatories}
    empty = [name for name, ids in needed.items() if not ids]
    return (
        f"{' and '.join(empty)} not set: nobody could decide it. Name users (U…) and user groups "
        "(S…), by commas"
        if empty
        else ""
    )


def approval_gate(state: ContractDeliveryState) -> dict[str, Any]:
    """Ask, and keep the answer."""
    return {"decision": request_approval(contract_request(state))}


def contract_request(state: ContractDeliveryState) -> ApprovalRequest:
    """What both stages are shown: the document by its digest, and everybody who gets it."""
    parties = [party(each) for each in state["parties"]]
    link: list[RequestField] = (
        [UrlField(label="Link", value=state["link"])] if state["link"] else []
    )
    whole = _short(state["title"]) == state["title"]
    title = [] if whole else [TextField(label="Title", value=state["title"])]
    message = [TextField(label="Message", value=state["message"])] if state["message"] else []
    return ApprovalRequest(
        title=f"Contract: {_short(state['title'])}",
        fields=(
            *trial_field(_fixed(state, "trial")),
            *title,
            TextField(label="Document", value=_file(state).described),
            *link,
            *(TextField(label="Signs", value=_described(each)) for each in parties),
            *message,
        ),
        risk="high",
        expires_in=DECIDE_WITHIN,
    )


def _described(one: Party) -> str:
    return f"{one.role}: {shown(mailbox(f'{one.name} <{one.email}>'))}"


def route(state: ContractDeliveryState) -> Literal["deliver_contract", "reject_contract"]:
    """Only an approval delivers; everything else, a passed deadline too, does not."""
    decision = state.get("decision")
    delivers = decision is not None and decision.type == "approve"
    return "deliver_contract" if delivers else "reject_contract"


def reject_contract(state: ContractDeliveryState) -> dict[str, Any]:
    """Nothing was sent, and the state says why."""
    decision = state.get("decision")
    return {"outcome": f"not delivered: {decision.type if decision else 'undecided'}"}


def done(state: ContractDeliveryState) -> dict[str, Any]:
    """One line for whoever reads the state later."""
    receipt = state.get("receipt")
    return {"outcome": f"{receipt.summary}, {receipt.id}"} if receipt else {}


def _contract(state: ContractDeliveryState) -> Contract:
    file = _file(state)
    return Contract(
        title=state["title"],
        message=state["message"],
        parties=tuple(map(party, state["parties"])),
        file_name=file.name,
        sha256=file.sha256,
    )


def _fixed(state: ContractDeliveryState, name: Literal["operation_id", "trial"]) -> str:
    return state[name]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def _file(state: ContractDeliveryState) -> StoredFile:
    return state["file"]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
