"""A reply to a patient: what it takes, what it shows and where, and when it is sent."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from tests.workflows.rig import MARA
from workflows.catalog import InvalidInput
from workflows.connectors.patients import SqlitePatients
from workflows.effects import EffectRefused
from workflows.graphs.patient_reply import (
    PatientReplyState,
    patient_reply,
    reply_request,
    route,
    schedule,
)
from workflows.protocol import Approve, Outdated, Reject

INPUT = {
    "patient": "p-4711",
    "zone": "Europe/Berlin",
    "template": "results",
    "body": "All is well",
}
DIGEST = "0" * 64


def read(**values: Any) -> PatientReplyState:
    workflow = patient_reply(SqlitePatients(Path("unused")))
    return cast("PatientReplyState", workflow.read_input({**INPUT, **values}))


def scheduled(decided: str, **values: Any) -> str:
    """When a reply is sent that is approved then; both in the patient's own time."""
    state = read(**values)
    at = datetime.fromisoformat(decided)
    state["decision"] = Approve(by=MARA, at=at, digest=DIGEST)
    return schedule(state)["when"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"zone": "Berlin"}, "- zone: 'Berlin' is not an IANA time zone, such as Europe/Berlin"),
        ({"send_at": "2026-03-02T09:00:00"}, "- send_at: Input should have timezone info"),
        ({"body": " "}, "- body: String should have at least 1 character"),
        ({"body": "x" * 2001}, "- body: String should have at most 2000 characters"),
        ({"patient": "a\nb"}, "- patient: has line breaks or tabs"),
        ({"template": "a\u202eb"}, "- template: has characters that are not seen"),
        ({"birthday": "1960"}, "- birthday: Extra inputs are not permitted"),
    ],
)
def test_input_that_does_not_fit_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read(**values)


def test_the_title_names_nothing_and_the_rest_is_restricted() -> None:
    request = reply_request(read(send_at="2026-03-02T09:00:00+01:00"))
    assert request.sensitivity == "restricted"
    assert not any(value in request.title for value in INPUT.values())
    shown = " ".join(str(getattr(each, "value", "")) for each in request.fields) + request.details
    assert all(value in shown for value in INPUT.values())
    assert [each.name for each in request.preconditions] == ["consent"]


@pytest.mark.parametrize(
    ("decided", "sent"),
    [
        ("2026-03-02T08:00:00+01:00", "2026-03-02T08:00:00+01:00"),
        ("2026-03-02T19:59:59+01:00", "2026-03-02T19:59:59+01:00"),
        ("2026-03-02T20:00:00+01:00", "2026-03-03T07:00:00+00:00"),
        ("2026-03-02T03:00:00+01:00", "2026-03-02T07:00:00+00:00"),
        ("2026-03-07T21:00:00+01:00", "2026-03-08T07:00:00+00:00"),  # a Sunday is a day, too
        ("2026-03-28T21:00:00+01:00", "2026-03-29T06:00:00+00:00"),  # the night has 23 hours
        ("2026-10-24T21:00:00+02:00", "2026-10-25T07:00:00+00:00"),  # and this one 25
        ("2026-03-02T03:00:00-08:00", "2026-03-02T03:00:00-08:00"),  # it is noon in Berlin
    ],
)
def test_quiet_hours_are_those_of_the_patients_zone(decided: str, sent: str) -> None:
    assert scheduled(decided) == sent


@pytest.mark.parametrize(
    ("send_at", "sent"),
    [
        ("2026-03-03T10:30:00+01:00", "2026-03-03T10:30:00+01:00"),
        ("2026-03-03T22:30:00+01:00", "2026-03-04T07:00:00+00:00"),
        ("2026-03-01T10:00:00+01:00", "2026-03-02T12:00:00+01:00"),  # it is over
    ],
)
def test_a_chosen_time_holds_within_their_hours(send_at: str, sent: str) -> None:
    assert scheduled("2026-03-02T12:00:00+01:00", send_at=send_at) == sent


def test_only_an_approval_sends_and_what_is_void_is_prepared_anew() -> None:
    about: dict[str, Any] = {"by": MARA, "at": datetime(2026, 3, 2, tzinfo=UTC), "digest": DIGEST}
    decisions = [Approve(**about), Reject(**about), Outdated(**about), None]
    found = [route(cast("PatientReplyState", {"decision": each})) for each in decisions]
    assert found == ["schedule", "not_sent", "prepare_reply", "not_sent"]


async def test_the_desk_sends_once_a_key_and_knows_who_withdrew(tmp_path: Path) -> None:
    desk = SqlitePatients(tmp_path / "new" / "patients.db")
    given = {"patient": "p-4711", "template": "results", "body": "All is well"}
    assert await desk.find("a") is None
    first, again = await desk.send("a", **given), await desk.send("a", **{**given, "body": "No"})
    assert first == again == await desk.find("a")
    assert await desk.messages() == [("a", "p-4711", "results", "All is well")]
    assert not any(value in first.model_dump_json() for value in given.values())
    with pytest.raises(EffectRefused):
        await desk.send("b", **{**given, "body": " "})
    assert await desk.consents("p-4711")
    await desk.withdraw("p-4711")
    await desk.withdraw("p-4711")
    assert not await desk.consents("p-4711")
    assert await desk.consents("p-1")
