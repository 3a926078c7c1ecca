"""Patients by a FHIR server: consent as it is written down, one message an operation, no leaks."""

import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.fhir_standin import CATEGORY, JSON, TOKEN, FhirStandIn, Trouble
from workflows.connectors.fhir import FhirPatients
from workflows.effects import EffectInDoubt, EffectRefused, Receipt

WORDS = {"patient": "p-4711", "template": "results", "body": "All is well, Mrs. Kim"}
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncGenerator[FhirStandIn, None]:
    async with FhirStandIn.open() as server:
        server.patients.add("p-4711")
        yield server


@pytest.fixture
def patients(server: FhirStandIn) -> FhirPatients:
    return FhirPatients(server.base, CATEGORY, SecretStr(TOKEN), lambda: NOW)


async def send(patients: FhirPatients, key: str = "patient_reply:a", **changed: str) -> Receipt:
    return await patients.send(key, **{**WORDS, **changed})


@pytest.mark.parametrize(
    ("consents", "agrees"),
    [
        ([], False),
        ([{}], True),
        ([{"kind": "deny"}], False),
        ([{}, {"kind": "deny"}], False),
        ([{"status": "inactive"}], False),
        ([{"category": [{"coding": [{"system": "http://loinc.org", "code": "other"}]}]}], False),
        ([{"of": "p-1"}], False),
        ([{"provision": {"type": "permit", "period": {"end": "2026-03-01"}}}], False),
        ([{"provision": {"type": "permit", "period": {"end": "2026"}}}], True),
        ([{"provision": {"type": "permit", "period": {"start": "2026-03-03T00:00:00Z"}}}], False),
        ([{}, {"provision": {"type": "deny", "period": {"end": "2025-12"}}}], True),
        ([{"provision": {}}], False),
    ],
)
async def test_consent_is_what_is_written_down_and_in_force(
    patients: FhirPatients, server: FhirStandIn, consents: list[dict[str, Any]], agrees: bool
) -> None:
    for each in consents:
        server.agrees(**{"of": "p-4711", **each})
    assert await patients.consents("p-4711") is agrees


@pytest.mark.parametrize("name", ["p-4711,Patient/p-1", "p 1", "", "../Consent", "x" * 65])
async def test_what_is_no_id_asks_for_nobody(
    patients: FhirPatients, server: FhirStandIn, name: str
) -> None:
    """Else the consent of another would count for this one."""
    server.agrees("p-1")
    with pytest.raises(EffectRefused, match="no id of FHIR"):
        await patients.consents(name)
    with pytest.raises(EffectRefused, match="no id of FHIR"):
        await send(patients, patient=name)


async def test_a_message_is_sent_once_and_found(
    patients: FhirPatients, server: FhirStandIn
) -> None:
    assert await patients.find("patient_reply:a") is None
    first, again = await send(patients), await send(patients)

    assert first == again == await patients.find("patient_reply:a")
    (made,) = server.messages
    assert made["subject"] == {"reference": "Patient/p-4711"}
    assert made["payload"] == [{"contentString": WORDS["body"]}]
    assert first.id == f"Communication/{made['id']}"
    await send(patients, "patient_reply:b")
    assert len(server.messages) == 2


@pytest.mark.parametrize("trouble", ["lost", "away", "500", "429"])
async def test_what_may_have_happened_is_looked_for(
    patients: FhirPatients, server: FhirStandIn, trouble: Trouble
) -> None:
    server.trouble.append(trouble)
    with pytest.raises((httpx.HTTPError, ConnectionError)):
        await send(patients)
    found = await patients.find("patient_reply:a")
    assert (found is not None) == (trouble == "lost")
    assert await send(patients) in (found, await patients.find("patient_reply:a"))
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("changed", "token", "words"),
    [
        ({"patient": "p-of-nobody"}, TOKEN, r"does not take it \(422\)"),
        ({"body": ""}, TOKEN, r"does not take it \(422\)"),
        ({}, "another", r"refuses our token \(401\)"),
    ],
)
async def test_what_the_server_refuses_was_not_sent(
    server: FhirStandIn, changed: dict[str, str], token: str, words: str
) -> None:
    patients = FhirPatients(server.base, CATEGORY, SecretStr(token))
    with pytest.raises(EffectRefused, match=words) as refused:
        await send(patients, **changed)
    assert server.messages == []
    assert "p-" not in str(refused.value)


async def test_one_that_was_not_sent_says_so_and_two_are_for_a_person(
    patients: FhirPatients, server: FhirStandIn
) -> None:
    await send(patients)
    server.messages[0]["status"] = "not-done"
    with pytest.raises(EffectRefused, match="did not send it: Communication/m1 is not-done"):
        await send(patients)
    server.messages.append(server.messages[0])
    for asking in (send(patients), patients.find("patient_reply:a")):
        with pytest.raises(EffectInDoubt, match="more than one message of patient_reply:a"):
            await asking


async def test_more_than_a_page_of_consents_is_nobodys_to_weigh(
    patients: FhirPatients, server: FhirStandIn
) -> None:
    for _ in range(101):
        server.agrees("p-4711")
    with pytest.raises(EffectRefused, match="more than 100 resources Consent"):
        await patients.consents("p-4711")


async def test_no_value_is_in_an_address_a_log_an_error_or_a_receipt(
    patients: FhirPatients, server: FhirStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    server.agrees("p-4711")
    with caplog.at_level(logging.INFO):
        await patients.consents("p-4711")
        receipt = await send(patients)
        server.trouble.append("500")
        with pytest.raises(ConnectionError) as failed:
            await send(patients, "patient_reply:b")
    assert caplog.records, "httpx tells of each request"
    said = f"{server.addresses} {caplog.text} {failed.value!r} {receipt!r} {patients!r}"
    for value in (*WORDS.values(), TOKEN):
        assert value not in said


MESSAGE = {
    "resourceType": "Communication",
    "status": "in-progress",
    "identifier": [{"system": "s", "value": "v"}],
    "subject": {"reference": "Patient/p-4711"},
    "payload": [{"contentString": "Hello"}],
}


@pytest.mark.parametrize(
    ("path", "sent", "headers", "status"),
    [
        ("Communication", {"json": MESSAGE}, {}, 201),
        ("Communication", {"json": MESSAGE}, {"Content-Type": "application/json"}, 415),
        ("Communication", {"json": MESSAGE}, {"Accept": "text/html"}, 406),
        ("Communication", {"json": MESSAGE}, {"Authorization": ""}, 401),
        ("Communication", {"json": {**MESSAGE, "status": "sent"}}, {}, 422),
        ("Communication", {"json": {**MESSAGE, "mood": "calm"}}, {}, 422),
        ("Consent/_search", {"json": {}}, {}, 415),
        ("Consent/_search", {"data": {"name": "Kim"}}, {"Content-Type": ""}, 400),
    ],
)
async def test_the_stand_in_is_as_strict_as_the_specification(
    server: FhirStandIn, path: str, sent: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    own = {"Authorization": f"Bearer {TOKEN}", "Accept": JSON, "Content-Type": JSON, **headers}
    if not own["Content-Type"]:
        del own["Content-Type"]
    async with httpx.AsyncClient(base_url=f"{server.base}/", headers=own) as client:
        assert (await client.post(path, **sent)).status_code == status
