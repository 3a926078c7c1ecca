"""HubSpot over real HTTP: what is read, written once, and found again after a crash."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from tests.workflows.hubspot import MARK, TOKEN, Answer, HubSpotStandIn, failing
from workflows.connectors.crm import Record
from workflows.connectors.hubspot import HubSpot
from workflows.effects import EffectNotYet, EffectRefused, ProviderAway

KEY = "crm_update:t-1"
NEW = {"phone": "+49 30 2"}


@pytest.fixture
async def standin() -> AsyncGenerator[HubSpotStandIn, None]:
    async with HubSpotStandIn.open() as standin:
        yield standin


@pytest.fixture
def crm(standin: HubSpotStandIn) -> HubSpot:
    return HubSpot(TOKEN, standin.url)


@pytest.fixture
def marking(standin: HubSpotStandIn) -> HubSpot:
    return HubSpot(TOKEN, standin.url, MARK)


async def read(crm: HubSpot, *names: str) -> Record:
    record = await crm.read("contact", "101", names or ("phone",))
    assert record is not None
    return record


async def test_a_record_is_read_with_what_it_is_known_by(crm: HubSpot) -> None:
    record = await read(crm, "phone", "city")
    assert record.values == {
        "phone": "+49 30 1", "city": "", "firstname": "Lena", "lastname": "Vogt",
        "email": "lena@acme.example",
    }  # fmt: skip
    assert (record.name, record.version) == ("Lena Vogt", "2026-03-01T09:00:00.500Z")


async def test_a_version_is_of_what_was_read_and_also_of_what_was_changed_back(
    crm: HubSpot, standin: HubSpotStandIn
) -> None:
    first = await read(crm)
    standin.change("contacts", "101", city="Bern")
    assert await read(crm) == first
    standin.change("contacts", "101", phone="+49 30 9")
    standin.change("contacts", "101", phone="+49 30 1")
    back = await read(crm)
    assert back.values == first.values
    assert back.version != first.version


async def test_a_record_or_a_property_that_is_not_there(
    crm: HubSpot, standin: HubSpotStandIn
) -> None:
    assert await crm.read("deal", "9", ["amount"]) is None
    with pytest.raises(EffectRefused, match="a contact has no property 'fone'"):
        await read(crm, "fone")
    was = await read(crm)
    standin.archive("contacts", "101")
    assert await crm.read("contact", "101", ["phone"]) is None
    assert await crm.find(KEY, was, NEW) is None
    with pytest.raises(EffectRefused, match="no contact 101 any more"):
        await crm.update(KEY, was, NEW)


async def test_it_is_written_as_it_is_given(crm: HubSpot, standin: HubSpotStandIn) -> None:
    receipt = await crm.update(KEY, await read(crm), {**NEW, "city": ""})
    assert (receipt.id, receipt.summary) == ("contact 101", "Contact updated: phone, city")
    assert standin.log == ["contacts 101 phone=+49 30 2 city="]


@pytest.mark.parametrize("marks", [False, True])
async def test_what_was_written_is_found_also_under_later_changes(
    crm: HubSpot, marking: HubSpot, standin: HubSpotStandIn, marks: bool
) -> None:
    its = marking if marks else crm
    was = await read(its)
    assert await its.find(KEY, was, NEW) is None
    await its.update(KEY, was, NEW)
    standin.change("contacts", "101", phone="+49 30 9")
    assert await its.find(KEY, was, NEW) is not None
    assert await its.find(KEY, was, {"phone": "+49 30 3"}) is None or marks


@pytest.mark.parametrize("marks", [False, True])
async def test_what_somebody_else_wrote_is_not_ours(
    crm: HubSpot, marking: HubSpot, standin: HubSpotStandIn, marks: bool
) -> None:
    """Of several properties all have to be so; what was cleared before is told apart, too."""
    its = marking if marks else crm
    was = await read(its, "phone", "city")
    standin.change("contacts", "101", phone="+49 30 2")
    assert await its.find(KEY, was, {**NEW, "city": "Bern"}) is None
    standin.change("contacts", "101", city="Basel")
    standin.change("contacts", "101", city="Bern")
    assert await its.find(KEY, was, {**NEW, "city": "Bern"}) is None


async def test_whole_seconds_are_later_than_the_half_before(
    crm: HubSpot, standin: HubSpotStandIn
) -> None:
    """HubSpot writes `09:00:01Z`, which as text comes after `09:00:01.500Z`."""
    was = await read(crm)  # at :00.500
    await crm.update(KEY, was, NEW)  # at :01
    assert await crm.find(KEY, was, NEW) is not None
    assert (await read(crm)).version == "2026-03-01T09:00:01Z"
    standin.change("contacts", "101", phone="+49 30 3")  # at :01.500
    assert (await read(crm)).version == "2026-03-01T09:00:01.500Z"


async def test_with_a_mark_it_is_certain_also_where_hubspot_formats_a_value(
    marking: HubSpot, crm: HubSpot, standin: HubSpotStandIn
) -> None:
    standin.formats = lambda value: value.replace(" ", "")
    was = await read(marking)
    await marking.update(KEY, was, NEW)
    assert await marking.find(KEY, was, NEW) is not None
    assert await marking.find("crm_update:t-2", was, NEW) is None
    assert await crm.find(KEY, was, NEW) is None  # then it is asked anew, not written over


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (failing(400, "VALIDATION_ERROR", "phone: INVALID"), EffectRefused, "refuses it .400.: ph"),
        (failing(401, "INVALID_AUTHENTICATION"), EffectRefused, "COUNTERSIGN_HUBSPOT_TOKEN"),
        (failing(403, "MISSING_SCOPES"), EffectRefused, "lacks a scope"),
        (
            failing(409, "CONFLICT", "It exists. Existing ID: 7"),
            EffectRefused,
            "ID: 7",
        ),
        (failing(415), EffectRefused, "Unsupported Media Type"),
        (failing(429, "RATE_LIMITS", Retry_After="10"), EffectNotYet, "asks to wait 10 s .429."),
        (failing(423, "LOCKED"), EffectNotYet, "asks to wait .423."),
        (failing(477, "MIGRATION", Retry_After="86400"), EffectNotYet, "wait 86400 s"),
        (failing(500), ProviderAway, "out of order .500."),
        (failing(503), ProviderAway, "out of order .503."),
    ],
)
async def test_what_hubspot_answers_is_final_or_tried_again(
    crm: HubSpot, standin: HubSpotStandIn, answer: Answer, kind: type[Exception], words: str
) -> None:
    was = await read(crm)
    standin.answers = [answer, answer]
    for ask in (lambda: crm.update(KEY, was, NEW), lambda: crm.read("contact", "101", ["phone"])):
        with pytest.raises(kind, match=words):
            await ask()
    assert standin.log == []


async def test_a_wrong_token_an_unknown_and_a_fixed_property_are_refused_by_name(
    crm: HubSpot, standin: HubSpotStandIn
) -> None:
    was = await read(crm)
    with pytest.raises(EffectRefused, match="does not take the token"):
        await replace(crm, token="wrong").read("contact", "101", ["phone"])
    for name, code in (("fone", "PROPERTY_DOESNT_EXIST"), ("hs_object_id", "READ_ONLY_VALUE")):
        with pytest.raises(EffectRefused, match=code):
            await crm.update(KEY, was, {name: "x"})
    assert standin.log == []


async def test_a_lost_answer_and_a_server_that_is_away_are_tried_again(
    crm: HubSpot, standin: HubSpotStandIn
) -> None:
    was = await read(crm)
    standin.answers = [None]
    with pytest.raises(ProviderAway, match="broke off"):
        await crm.update(KEY, was, NEW)
    assert standin.log == ["contacts 101 phone=+49 30 2"]
    assert await crm.find(KEY, was, NEW) is not None
    with pytest.raises(EffectNotYet, match="cannot be reached"):
        await replace(crm, url="http://127.0.0.1:1").read("contact", "101", ["phone"])
