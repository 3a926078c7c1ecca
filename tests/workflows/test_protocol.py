"""What a request may say, what its digest covers, and how a question is read and answered."""

import subprocess
import sys
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from tests.workflows.rig import MARA, NOW
from workflows.duplicates import DuplicateKey
from workflows.fields import CodeField, DateField, DiffField, MoneyField, TextField, UrlField
from workflows.payloads import UnreadableQuestion, read_question, write_answer
from workflows.preconditions import Precondition
from workflows.protocol import (
    DECISION,
    ApprovalRequest,
    Approve,
    Decision,
    Edit,
    Editable,
    Expired,
    Outdated,
    Policy,
    Reject,
    Respond,
)

FIXED = ApprovalRequest(
    title="Refund €120.50 to Müller & Söhne",
    summary="Damaged parcel",
    fields=(
        MoneyField(label="Amount", amount_minor=12050, currency="EUR"),
        DateField(label="Due", value=date(2026, 3, 1)),
        DiffField(label="Status", before=None, after="paid"),
    ),
    details="Two of three",
    risk="high",
)
FIXED_DIGEST = "d4c25c7801e23c8661ef4027ec5f7825a70e283e7a1bacffb4dc497c6b26b3b9"

EDITABLE = Editable(
    json_schema={
        "type": "object",
        "properties": {"amount": {"type": "integer", "minimum": 1}},
        "required": ["amount"],
        "additionalProperties": False,
    },
    values={"amount": 5},
)


def changed(**values: Any) -> ApprovalRequest:
    return ApprovalRequest.model_validate({**FIXED.model_dump(), **values})


# --- ApprovalRequest


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 151}, "title"),
        ({"titel": "x"}, "titel"),
        ({"risk": "huge"}, "risk"),
        ({"allowed_decisions": ()}, "name each allowed decision once, at least one"),
        ({"allowed_decisions": ("approve", "approve")}, "name each allowed decision once"),
        ({"allowed_decisions": ("expired",)}, "allowed_decisions"),
        ({"allowed_decisions": ("approve", "edit")}, "'edit' goes with editable, and only with it"),
        ({"editable": EDITABLE.model_dump()}, "'edit' goes with editable, and only with it"),
        ({"expires_in": timedelta(0)}, "expires_in"),
        ({"remind_after": timedelta(seconds=-1)}, "remind_after"),
        ({"fields": [{"kind": "table", "label": "x"}]}, "kind"),
        ({"fields": [{"kind": "text", "label": "", "value": "x"}]}, "label"),
        ({"fields": [{"kind": "text", "label": "x" * 76, "value": "x"}]}, "label"),
        (
            {"fields": [{"kind": "money", "label": "x", "amount_minor": 1, "currency": "euro"}]},
            "'euro' is not an ISO 4217 currency code",
        ),
        (
            {"fields": [{"kind": "money", "label": "x", "amount_minor": 1.5, "currency": "EUR"}]},
            "amount_minor",
        ),
        ({"fields": [{"kind": "url", "label": "x", "value": "javascript:alert(1)"}]}, "value"),
        ({"fields": [{"kind": "user", "label": "x", "value": "@mara"}]}, "value"),
        ({"fields": [{"kind": "date", "label": "x", "value": "2026-03-01T09:00:00"}]}, "value"),
        ({"policy": {"approvers": ["mara"]}}, "policy.approvers"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        changed(**values)


def test_a_request_is_a_value() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        FIXED.title = "other"  # pyright: ignore[reportAttributeAccessIssue]


# --- digest


def test_the_digest_of_a_fixed_request_is_fixed() -> None:
    """A literal: another process and another release find the same, or open approvals break."""
    assert FIXED.digest == FIXED_DIGEST


def test_another_process_finds_the_same_digest() -> None:
    """Whatever its hash seed: nothing in the digest goes by the order of a set or by id."""
    code = (
        "import sys; from workflows.protocol import ApprovalRequest as R;"
        "print(R.model_validate_json(sys.stdin.read()).digest)"
    )
    told = subprocess.run(  # noqa: S603 - our own interpreter, our own code
        [sys.executable, "-c", code],
        input=FIXED.model_dump_json(),
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == FIXED_DIGEST


def test_the_digest_survives_the_way_through_json() -> None:
    stored = ApprovalRequest.model_validate(FIXED.model_dump(mode="json"))

    assert (stored, stored.digest) == (FIXED, FIXED.digest)


AMOUNT, DUE, STATUS = FIXED.fields
SHOWN: list[dict[str, Any]] = [
    {"title": "Refund €120.50 to Müller & Sohne"},
    {"summary": "Damaged parcel "},
    {"details": ""},
    {"risk": "medium"},
    {"sensitivity": "restricted"},
    {"allowed_decisions": ("approve",)},
    {"allowed_decisions": ("reject", "approve")},
    {"allowed_decisions": ("approve", "reject", "edit"), "editable": EDITABLE},
    {"preconditions": (Precondition(name="version", label="Version", expected="1"),)},
    {"preconditions": (Precondition(name="version", label="Version", expected="2"),)},
    {"fields": (AMOUNT, DUE)},
    {"fields": (DUE, AMOUNT, STATUS)},
    {"fields": (MoneyField(label="Amount", amount_minor=12051, currency="EUR"), DUE, STATUS)},
    {"fields": (MoneyField(label="Amount", amount_minor=12050, currency="USD"), DUE, STATUS)},
    {"fields": (MoneyField(label="amount", amount_minor=12050, currency="EUR"), DUE, STATUS)},
    {"fields": (AMOUNT, DateField(label="Due", value=date(2026, 3, 2)), STATUS)},
    {"fields": (AMOUNT, DUE, DiffField(label="Status", before="", after="paid"))},
    {"fields": (AMOUNT, DUE, STATUS, TextField(label="x", value="1"))},
    {"fields": (AMOUNT, DUE, STATUS, CodeField(label="x", value="1"))},
    {"fields": (AMOUNT, DUE, STATUS, UrlField(label="x", value="https://example.org"))},
]


def test_the_digest_changes_with_whatever_is_shown() -> None:
    digests = [FIXED.digest, *(changed(**values).digest for values in SHOWN)]

    assert len(set(digests)) == len(digests)


def test_the_digest_changes_with_what_may_be_edited() -> None:
    def edited(**values: Any) -> str:
        editable = Editable.model_validate({**EDITABLE.model_dump(), **values})
        return changed(allowed_decisions=("approve", "edit"), editable=editable).digest

    other = {**EDITABLE.json_schema, "title": "other"}
    assert len({edited(), edited(values={"amount": 6}), edited(json_schema=other)}) == 3


def test_every_field_is_either_shown_or_known_not_to_be() -> None:
    """A new field of the request must be put on one side."""
    unshown = {"policy", "expires_in", "remind_after", "duplicate_of"}
    shown = {name for values in SHOWN for name in values}

    assert shown | unshown == set(ApprovalRequest.model_fields)


@pytest.mark.parametrize(
    "values",
    [
        {"policy": Policy(approvers=("U000MARA",))},
        {"expires_in": timedelta(hours=1)},
        {"remind_after": timedelta(hours=1)},
        {"duplicate_of": DuplicateKey(parts={"payee": "Acme"})},
    ],
)
def test_the_digest_does_not_change_with_who_and_when(values: dict[str, Any]) -> None:
    assert changed(**values).digest == FIXED.digest


# --- Editable


class Payment(BaseModel):
    amount: int = Field(gt=0)
    note: str = ""


def test_editable_of_a_model_has_its_schema_and_its_values() -> None:
    editable = Editable.of(Payment(amount=5))

    assert editable.values == {"amount": 5, "note": ""}
    editable.check({"amount": 1})
    with pytest.raises(ValueError, match=r"amount: 0 is less than or equal to the minimum of 0"):
        editable.check({"amount": 0})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"amount": 0}, "amount: 0 is less than the minimum of 1"),
        ({"amount": "5"}, "amount: '5' is not of type 'integer'"),
        ({}, "values: 'amount' is a required property"),
        ({"amount": 1, "to": "me"}, "values: Additional properties are not allowed"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_the_name_of_the_field(
    values: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        EDITABLE.check(values)


def test_a_format_is_checked() -> None:
    schema: dict[str, Any] = {"properties": {"due": {"type": "string", "format": "date"}}}
    editable = Editable(json_schema=schema, values={"due": "2026-03-01"})

    with pytest.raises(ValueError, match="due: 'soon' is not a 'date'"):
        editable.check({"due": "soon"})


def test_present_values_must_fit_and_the_schema_must_be_one() -> None:
    with pytest.raises(ValidationError, match="amount: 0 is less than the minimum"):
        Editable(json_schema=EDITABLE.json_schema, values={"amount": 0})
    with pytest.raises(ValidationError, match="json_schema is not a JSON Schema"):
        Editable(json_schema={"type": "number of cents"}, values={})


# --- questions and answers across the edge


def test_our_own_question_is_read() -> None:
    asked = read_question({"countersign": 1, "request": FIXED.model_dump(mode="json")})

    assert (asked.request, asked.note) == (FIXED, "")
    again = {"countersign": 1, "request": FIXED.model_dump(mode="json"), "note": "changed"}
    assert read_question(again).note == "changed"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"countersign": 2, "request": {}}, "the request's countersign: "),
        ({"countersign": 1}, "the request's request: Field required"),
        ({"countersign": 1, "request": {"title": ""}}, "the request's request.title: "),
        ({"countersign": 1, "request": {"title": "x"}, "more": 1}, "the request's more: "),
        ({"countersign": 1, "request": {"title": "x", "risk": "?"}}, "request.risk: "),
    ],
)
def test_a_form_of_ours_that_is_wrong_is_refused_by_name(value: Any, words: str) -> None:
    with pytest.raises(UnreadableQuestion, match=words):
        read_question(value)


DECISIONS: list[Decision] = [
    Approve(by=MARA, at=NOW, digest=FIXED.digest),
    Edit(by=MARA, at=NOW, digest=FIXED.digest, values={"amount": 6, "deep": [None, {"a": 1.5}]}),
    Reject(by=MARA, at=NOW, digest=FIXED.digest, reason="no"),
    Respond(by=MARA, at=NOW, digest=FIXED.digest, text="Which parcel?"),
    Expired(by=MARA.model_copy(update={"user": None}), at=NOW, digest=FIXED.digest),
    Outdated(by=MARA, at=NOW, digest=FIXED.digest, changes=("Phone: 1 is now 2",)),
]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda each: each.type)
def test_a_decision_comes_through_as_it_was(decision: Decision) -> None:
    assert DECISION.validate_python(write_answer(decision)) == decision
