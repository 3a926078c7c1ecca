"""Dropbox Sign: what is asked of it, and what its answers mean for whether it was sent."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from aiohttp import web

from tests.dropbox_sign import KEY, Behaviour, DropboxSignServer, Refused
from workflows.connectors.dropbox_sign import DropboxSign, SigningUnclear
from workflows.connectors.signing import Contract, Party
from workflows.effects import EffectNotYet, EffectRefused

OPERATION = "contract_delivery:t-1"
PDF = b"%PDF-1.7 a contract"
CONTRACT = Contract(
    title="MSA 2027",
    message="Please sign by Friday.\n.\nGrüße",
    parties=(
        Party("Ada Lovelace", "ada@customer.example", "Buyer"),
        Party("Jürgen Müller", "jm@xn--bcher-kva.example", "Seller"),
    ),
    file_name="Vertrag größer.pdf",
    sha256="ab" * 32,
)


@pytest.fixture
async def server() -> AsyncGenerator[DropboxSignServer, None]:
    async with DropboxSignServer() as server:
        yield server


def client(server: DropboxSignServer, key: str = KEY, *, test: bool = False) -> DropboxSign:
    return DropboxSign(key, server.url, test=test, looks=(0.0, 0.0, 0.0))


async def test_what_it_is_asked(server: DropboxSignServer) -> None:
    receipt = await client(server).send(OPERATION, CONTRACT, PDF)

    [sent] = server.requests
    assert sent["files"] == {"Vertrag größer.pdf": PDF}
    assert sent["signers"] == [
        ("Ada Lovelace", "ada@customer.example"),
        ("Jürgen Müller", "jm@xn--bcher-kva.example"),
    ]
    assert (sent["title"], sent["message"].replace("\r\n", "\n")) == (
        "MSA 2027",
        CONTRACT.message,
    )
    assert not sent["test_mode"]
    assert sent["metadata"]["countersign_operation"] == OPERATION
    assert sent["metadata"]["sha256"] == CONTRACT.sha256
    assert sent["metadata"]["roles"] == "Buyer; Seller"
    assert receipt.id == sent["signature_request_id"]
    assert receipt.summary == "Contract sent to 2 people for signature"
    assert receipt.data == {"details_url": sent["details_url"]}


async def test_the_longest_that_a_workflow_takes_fits(server: DropboxSignServer) -> None:
    parties = tuple(Party("n" * 80, f"a{n}@b.example", "r" * 40) for n in range(10))
    longest = replace(CONTRACT, parties=parties, title="t" * 200, message="m" * 2000)
    await client(server).send(f"contract_delivery:{'x' * 128}", longest, PDF)

    assert len(server.requests) == 1


async def test_without_a_message_there_is_none(server: DropboxSignServer) -> None:
    await client(server).send(OPERATION, replace(CONTRACT, message=""), PDF)

    assert server.requests[0]["message"] == ""


async def test_test_mode_says_that_it_binds_nobody(server: DropboxSignServer) -> None:
    testing = client(server, test=True)
    receipt = await testing.send(OPERATION, CONTRACT, PDF)

    assert server.requests[0]["test_mode"]
    assert "binds nobody" in testing.trial
    assert receipt.summary == "Test mode, binding nobody: contract sent to 2 people for signature"


# --- what it answers

NO = {
    400: Refused(400, "convert_failed", "The file could not be converted", "files[0]"),
    402: Refused(402, "payment_required", "Upgrade your plan"),
    403: Refused(403, "forbidden", "Not allowed"),
    404: Refused(404, "not_found", "Not found"),
    409: Refused(409, "conflict", "Conflict"),
    410: Refused(410, "deleted", "Deleted"),
}
WORDS = {
    400: r"\(convert_failed: The file could not be converted, in files\[0\]\)",
    402: r"\(payment_required: Upgrade your plan\); the account's plan or quota",
    403: r"\(forbidden: Not allowed\); the account may not do this",
    404: r"\(not_found: Not found\); check COUNTERSIGN_DROPBOX_SIGN_URL",
    409: r"\(conflict: Conflict\)$",
    410: r"\(deleted: Deleted\)$",
}


@pytest.mark.parametrize("status", NO)
async def test_a_no_is_told_with_its_cure(server: DropboxSignServer, status: int) -> None:
    server.behaviour = Behaviour(fails=NO[status])
    with pytest.raises(EffectRefused, match=f"Dropbox Sign refuses it {WORDS[status]}"):
        await client(server).send(OPERATION, CONTRACT, PDF)
    assert server.requests == []


async def test_a_wrong_key_is_told_and_never_shown(server: DropboxSignServer) -> None:
    with pytest.raises(EffectRefused, match="check COUNTERSIGN_DROPBOX_SIGN_KEY") as refused:
        await client(server, "key-guess-hunter3").send(OPERATION, CONTRACT, PDF)
    assert "hunter" not in str(refused.value)
    with pytest.raises(EffectRefused, match="check COUNTERSIGN_DROPBOX_SIGN_KEY"):
        await client(server, "key-guess-hunter3").find(OPERATION)


async def test_it_asks_for_patience(server: DropboxSignServer) -> None:
    server.behaviour = Behaviour(fails=Refused(429, "exceeded_rate", "Too many requests."))
    with pytest.raises(EffectNotYet, match="exceeded_rate: Too many requests"):
        await client(server).send(OPERATION, CONTRACT, PDF)


async def test_it_is_not_reached() -> None:
    async with DropboxSignServer() as server:
        gone = client(server)
    with pytest.raises(EffectNotYet, match=r"was not reached \(ConnectError\)"):
        await gone.send(OPERATION, CONTRACT, PDF)


UNCLEAR = {
    "maintenance": Behaviour(fails=Refused(503, "maintenance", "Back soon")),
    "unknown": Behaviour(fails=Refused(500, "unknown", "Oops")),
    "not their own words": Behaviour(fails=web.Response(status=502, text="<html>Bad gateway")),
    "a proxy's timeout": Behaviour(fails=web.Response(status=408)),
    "an answer that is none": Behaviour(fails=web.Response(text="<html>")),
    "an answer of something else": Behaviour(fails=web.json_response({"account": {}})),
    "a redirection": Behaviour(fails=web.Response(status=302, headers={"Location": "/"})),
    "hung up before": Behaviour(before=True),
    "hung up after": Behaviour(lost=True),
}


@pytest.mark.parametrize("behaviour", UNCLEAR.values(), ids=list(UNCLEAR))
async def test_where_nobody_knows(server: DropboxSignServer, behaviour: Behaviour) -> None:
    server.behaviour = replace(behaviour)
    with pytest.raises(SigningUnclear):
        await client(server).send(OPERATION, CONTRACT, PDF)
    found = await client(server).find(OPERATION)
    assert (found is not None) == behaviour.lost


# --- looking for it


@pytest.mark.parametrize(
    ("behind", "unlisted"), [(0, 9), (9, 0), (2, 2)], ids=["search", "list", "later"]
)
async def test_it_is_found_though_the_search_is_behind(
    server: DropboxSignServer, behind: int, unlisted: int
) -> None:
    receipt = await client(server).send(OPERATION, CONTRACT, PDF)
    server.behaviour = Behaviour(behind=behind, unlisted=unlisted)

    assert await client(server).find(OPERATION) == receipt


async def test_another_operation_is_not_it(server: DropboxSignServer) -> None:
    await client(server).send("contract_delivery:t-10", CONTRACT, PDF)

    assert await client(server).find(OPERATION) is None


async def test_who_cannot_look_does_not_say_that_there_is_nothing(
    server: DropboxSignServer,
) -> None:
    await client(server).send(OPERATION, CONTRACT, PDF)
    with pytest.raises(EffectNotYet):
        await DropboxSign(KEY, "http://127.0.0.1:1/v3/", looks=(0.0,)).find(OPERATION)
