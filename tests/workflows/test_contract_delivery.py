"""Contract delivery: what it takes, what it shows, who decides, and when it is delivered; counted
at a stand-in of the provider."""

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dropbox_sign import KEY, Behaviour, DropboxSignServer, Refused
from tests.workflows.rig import MARA, NOW, Rig, Threads, answer, approved, reject
from workflows.catalog import InvalidInput, Workflow
from workflows.connectors.dropbox_sign import DropboxSign, SigningUnclear
from workflows.connectors.files import Files
from workflows.connectors.outbox import TRIAL, Outbox
from workflows.connectors.signing import Signing, TrialSigning
from workflows.effects import EffectNotYet, EffectRefused
from workflows.graphs.contract_delivery import contract_delivery
from workflows.payloads import read_question
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest, Expired
from workflows.runner import ThreadState

PDF = b"%PDF-1.7 a contract"
SHA256 = hashlib.sha256(PDF).hexdigest()
INPUT = {
    "title": "MSA 2027",
    "document": "msa.pdf",
    "parties": "Ada Lovelace <ada@customer.example> Buyer; Jo <jo@acme.example> Seller",
    "message": "Please sign by Friday.",
    "link": "https://files.acme.example/msa.pdf",
}
LEGAL, SIGNATORIES = ("S0000LEGAL",), ("U000JONAS",)


def made(signing: Signing, directory: Path, **groups: tuple[str, ...]) -> Workflow:
    who = {"legal": LEGAL, "signatories": SIGNATORIES, **groups}
    return contract_delivery(signing, Files(directory / "files"), **who)


@dataclass(frozen=True)
class World:
    threads: Threads
    server: DropboxSignServer
    document: Path
    workflow: Workflow

    async def start(self, **values: Any) -> ThreadState:
        return await self.threads.advance(given=self.workflow.read_input({**INPUT, **values}))


async def open_world(
    rig: Rig, directory: Path, server: DropboxSignServer, signing: Signing
) -> World:
    workflow = made(signing, directory)
    graph: Any = workflow.graph
    document = directory / "files" / "msa.pdf"
    document.parent.mkdir(exist_ok=True)
    document.write_bytes(PDF)
    threads = await rig.threads(graph, *workflow.state_types)
    return World(threads, server, document, workflow)


@pytest.fixture
async def world(rig: Rig, tmp_path: Path) -> AsyncGenerator[World, None]:
    async with DropboxSignServer() as server:
        signing = DropboxSign(KEY, server.url, looks=(0.0,))
        yield await open_world(rig, tmp_path, server, signing)


def read(**values: Any) -> dict[str, Any]:
    unused = made(TrialSigning(Outbox(Path("unused"))), Path("unused"))
    return unused.read_input({**INPUT, **values})


def asked(state: ThreadState) -> ApprovalRequest:
    return read_question(state.open[0].value).request


def shown(state: ThreadState) -> list[tuple[str, str]]:
    return [(each.label, getattr(each, "value", "")) for each in asked(state).fields]


# --- what it takes


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"title": " "}, "- title: String should have at least 1 character"),
        ({"title": "a\nb"}, "- title: has line breaks or tabs"),
        ({"document": "../msa.pdf"}, "- document: name a file below COUNTERSIGN_FILES"),
        ({"document": ""}, "- document: String should have at least 1 character"),
        ({"parties": []}, "- parties: List should have at least 1 item"),
        ({"parties": "Ada"}, "- parties.0: 'Ada' is no party, such as Ada Lovelace <ada@"),
        ({"parties": "<ada@b.example> Buyer"}, "names no name; write Ada Lovelace <ada@"),
        ({"parties": "Ada <ada@b.example>"}, "names no role; write Ada Lovelace <ada@"),
        ({"parties": "Ada <ada> Buyer"}, "- parties.0: 'ada' is no e-mail address"),
        ({"parties": f"Ada <a@b.example> {'x' * 41}"}, "the role is longer than 40 characters"),
        ({"parties": ["A <a@b.example> X\nB <b@b.example> Y"]}, "- parties.0: has line breaks"),
        (
            {"parties": "A <a@b.example> Buyer, B <A@b.example> Seller"},
            "- parties: a@b.example: signs once; name each address once",
        ),
        (
            {"parties": [f"N <a{n}@b.example> R" for n in range(11)]},
            "- parties: List should have at most 10 items",
        ),
        ({"message": "x" * 2001}, "- message: String should have at most 2000 characters"),
        ({"message": "a\u202eb"}, "- message: has characters that are not seen"),
        ({"link": "javascript:alert(1)"}, "- link: String should match pattern"),
        ({"due": "tomorrow"}, "- due: Extra inputs are not permitted"),
    ],
)
def test_input_that_does_not_fit_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(**values)
    assert words in str(refused.value)


def test_what_is_read_stays_as_it_is() -> None:
    given = read(parties='"Jo"  <jo@Bücher.example>  Seller', link=None)

    assert given["parties"] == ["Jo <jo@xn--bcher-kva.example> Seller"]
    assert read(**given) == given


# --- who decides


def test_legal_decides_and_then_a_signatory() -> None:
    policy = made(TrialSigning(Outbox(Path("unused"))), Path("unused")).policy
    assert policy is not None
    assert [(each.name, each.approvers) for each in policy.stages] == [
        ("legal", LEGAL),
        ("signatory", SIGNATORIES),
    ]
    assert policy.reason_required == ("reject",)
    policy.check()


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"legal": ()}, "COUNTERSIGN_LEGAL not set: nobody could decide it"),
        ({"signatories": ()}, "COUNTERSIGN_SIGNATORIES not set"),
        ({"legal": (), "signatories": ()}, "COUNTERSIGN_LEGAL and COUNTERSIGN_SIGNATORIES not"),
        ({}, ""),
    ],
)
def test_without_those_who_decide_it_lacks_them(
    groups: dict[str, tuple[str, ...]], words: str
) -> None:
    workflow = made(TrialSigning(Outbox(Path("unused"))), Path("unused"), **groups)
    assert workflow.lacks.startswith(words)
    assert bool(workflow.lacks) == bool(words)
    assert workflow.policy != Policy()


# --- what it shows


async def test_the_request_shows_the_document_and_who_gets_it(world: World) -> None:
    state = await world.start()
    request = asked(state)

    assert request.title == "Contract: MSA 2027"
    assert shown(state) == [
        ("Document", f"msa.pdf (19 bytes)\nSHA-256 {SHA256}"),
        ("Link", "https://files.acme.example/msa.pdf"),
        ("Signs", "Buyer: Ada Lovelace <ada@customer.example>"),
        ("Signs", "Seller: Jo <jo@acme.example>"),
        ("Message", "Please sign by Friday."),
    ]
    assert request.risk == "high"
    assert request.allowed_decisions == ("approve", "reject")


async def test_a_title_that_is_cut_stands_whole_below_it(world: World) -> None:
    state = await world.start(title="x" * 200)

    assert asked(state).title == f"Contract: {'x' * 59}…"
    assert shown(state)[0] == ("Title", "x" * 200)


async def test_a_document_that_is_not_there_is_told_before_anyone_is_asked(world: World) -> None:
    with pytest.raises(EffectRefused, match=r"There is no file none\.pdf among those"):
        await world.start(document="none.pdf")


# --- when it is delivered


async def test_an_approval_delivers_once(world: World) -> None:
    paused = await world.start()
    assert world.server.calls == []

    finished = await world.threads.advance(approved(paused))
    await world.threads.advance(approved(paused))

    [sent] = world.server.requests
    assert sent["files"] == {"msa.pdf": PDF}
    assert sent["metadata"]["countersign_operation"] == "contract_delivery:t-1"
    assert sent["metadata"]["sha256"] == SHA256
    assert finished.values["outcome"] == (
        f"Contract sent to 2 people for signature, {sent['signature_request_id']}"
    )


async def test_neither_a_rejection_nor_a_passed_deadline_delivers(world: World) -> None:
    paused = await world.start()
    finished = await world.threads.advance({paused.open[0].key: reject(paused.open[0])})
    assert finished.values["outcome"] == "not delivered: reject"

    other = await world.threads.advance(given=read(), thread_id="t-2")
    nobody = MARA.model_copy(update={"user": None})
    expired = answer(Expired(by=nobody, at=NOW, digest=asked(other).digest))
    finished = await world.threads.advance({other.open[0].key: expired}, thread_id="t-2")
    assert finished.values["outcome"] == "not delivered: expired"
    assert world.server.calls == []


async def test_only_the_document_that_was_approved_is_delivered(world: World) -> None:
    paused = await world.start()
    world.document.write_bytes(b"%PDF-1.7 another contract")
    with pytest.raises(EffectRefused, match=r"msa\.pdf was changed after it was shown"):
        await world.threads.advance(approved(paused))
    assert world.server.calls == []

    world.document.unlink()
    with pytest.raises(EffectRefused, match=r"There is no file msa\.pdf"):
        await world.threads.advance()

    world.document.write_bytes(PDF)
    await world.threads.advance()
    assert [each["files"] for each in world.server.requests] == [{"msa.pdf": PDF}]


@pytest.mark.parametrize("taken", [True, False])
async def test_a_lost_answer_is_looked_for_and_delivered_once(world: World, taken: bool) -> None:
    world.server.behaviour = Behaviour(lost=taken, before=not taken)
    paused = await world.start()
    with pytest.raises(SigningUnclear):
        await world.threads.advance(approved(paused))
    assert len(world.server.requests) == (1 if taken else 0)

    finished = await world.threads.advance()

    assert finished.finished
    assert len(world.server.requests) == 1


async def test_a_provider_that_asks_for_patience_gets_it_later(world: World) -> None:
    busy = Refused(429, "exceeded_rate", "Too many requests.")
    world.server.behaviour = Behaviour(fails=busy, times=2)
    paused = await world.start()
    for answers in (approved(paused), {}):
        with pytest.raises(EffectNotYet):
            await world.threads.advance(answers)
    await world.threads.advance()

    assert len(world.server.requests) == 1


async def test_a_no_is_told_and_a_later_attempt_may_deliver(world: World) -> None:
    world.server.behaviour = Behaviour(fails=Refused(402, "payment_required", "Upgrade"))
    paused = await world.start()
    with pytest.raises(EffectRefused, match="the account's plan or quota does not cover it"):
        await world.threads.advance(approved(paused))
    finished = await world.threads.advance()

    assert finished.finished
    assert len(world.server.requests) == 1


# --- the trial outbox


async def test_without_a_provider_it_goes_into_the_outbox_and_says_so(
    rig: Rig, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"
    signing = TrialSigning(Outbox(outbox))
    world = await open_world(rig, tmp_path, DropboxSignServer(), signing)
    paused = await world.start()
    assert shown(paused)[0] == ("Trial", TRIAL)
    finished = await world.threads.advance(approved(paused))

    files = {each.suffix: each.read_bytes() for each in outbox.iterdir()}
    assert files[".document"] == PDF
    assert b"ada@customer.example" in files[".json"]
    assert "Trial, nothing was sent" in finished.values["receipt"].summary
    assert await signing.find("contract_delivery:t-1") == finished.values["receipt"]
    assert await signing.find("contract_delivery:t-2") is None


async def test_what_was_approved_for_the_outbox_is_not_sent(rig: Rig, tmp_path: Path) -> None:
    """Someone has set the key meanwhile."""
    async with DropboxSignServer() as server:
        trial = await open_world(rig, tmp_path, server, TrialSigning(Outbox(tmp_path / "outbox")))
        paused = await trial.start()
        world = await open_world(rig, tmp_path, server, DropboxSign(KEY, server.url, looks=(0.0,)))
        with pytest.raises(EffectRefused, match="approved for another way of sending"):
            await world.threads.advance(approved(paused))
        assert server.requests == []
