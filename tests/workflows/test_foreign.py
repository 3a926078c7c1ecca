"""The forms in which others' graphs ask, and the answers that they want back."""

from datetime import UTC, datetime
from typing import Any

import pytest

from workflows.payloads import (
    Hints,
    UnreadableQuestion,
    asked_digest,
    read_question,
    write_answer,
)
from workflows.protocol import Actor, Approve, Decision, Edit, Expired, Reject, Respond

BY: dict[str, Any] = {
    "by": Actor(team="T1", user="U000MARA"),
    "at": datetime(2026, 3, 2, tzinfo=UTC),
    "digest": "0" * 64,
}
APPROVE, REJECT = Approve(**BY), Reject(**BY, reason="Too much")
RESPOND, EXPIRED = Respond(**BY, text="On Monday"), Expired(**BY)


def edit(**values: Any) -> Edit:
    return Edit(**BY, values=values)


def action(name: str = "send", **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args or {"to": "a@b.c", "n": 1}, "description": f"about {name}"}


def batched(*actions: dict[str, Any], allowed: tuple[str, ...] = ("approve", "edit", "reject")):
    configs = [{"action_name": a["name"], "allowed_decisions": list(allowed)} for a in actions]
    return {"action_requests": list(actions), "review_configs": configs}


PER_CALL = {"type": "tool_approval", "tool_call_id": "c1", **action()}
INBOX = {
    "action_request": {"action": "send", "args": {"to": "a@b.c"}},
    "config": {
        "allow_ignore": True,
        "allow_respond": True,
        "allow_edit": True,
        "allow_accept": True,
    },
    "description": "please",
}
EDITED = {"name": "send", "args": {"to": "x@b.c", "n": 1}}
HITL_EDIT = {"type": "edit", "edited_action": EDITED}

ALL_ALLOWED = Hints(
    response_schema={
        "oneOf": [
            {"properties": {"type": {"const": kind}}}
            for kind in ("approve", "edit", "reject", "respond")
        ]
    }
)
ANSWERS: list[tuple[Any, Decision, Any]] = [
    (PER_CALL, APPROVE, {"type": "approve"}),
    (PER_CALL, REJECT, {"type": "reject", "message": "Too much"}),
    (PER_CALL, Reject(**BY), {"type": "reject"}),
    (PER_CALL, edit(to="x@b.c", n=1), HITL_EDIT),
    (PER_CALL, RESPOND, {"type": "respond", "message": "On Monday"}),
    (batched(action()), APPROVE, {"decisions": [{"type": "approve"}]}),
    (batched(action()), edit(to="x@b.c", n=1), {"decisions": [HITL_EDIT]}),
    (batched(action(), action("pay")), APPROVE, {"decisions": [{"type": "approve"}] * 2}),
    (
        batched(action(), action("pay")),
        REJECT,
        {"decisions": [{"type": "reject", "message": "Too much"}] * 2},
    ),
    (INBOX, APPROVE, [{"type": "accept", "args": None}]),
    ([INBOX], REJECT, [{"type": "ignore", "args": None}]),
    ([INBOX], RESPOND, [{"type": "response", "args": "On Monday"}]),
    (
        INBOX,
        edit(to="x@b.c"),
        [{"type": "edit", "args": {"action": "send", "args": {"to": "x@b.c"}}}],
    ),
    ("Do you approve?", APPROVE, True),
    ({"question": "Do you approve?"}, REJECT, False),
    ({"question": "When?"}, RESPOND, "On Monday"),
    (7, APPROVE, True),
]


@pytest.mark.parametrize(("value", "decision", "answer"), ANSWERS)
def test_each_graph_gets_the_answer_that_it_reads(
    value: Any, decision: Decision, answer: Any
) -> None:
    assert write_answer(decision, value, ALL_ALLOWED) == answer


@pytest.mark.parametrize("value", [PER_CALL, batched(action()), INBOX, "Ok?", {"a": 1}])
def test_what_the_graph_does_not_know_is_not_handed_over(value: Any) -> None:
    with pytest.raises(UnreadableQuestion, match="expired"):
        write_answer(EXPIRED, value)


def test_calls_of_one_question_are_decided_each_on_its_own() -> None:
    value = batched(action(), action("pay"), action("tell"))
    request = read_question(value).request
    assert request.title == "3 tool calls: send, pay, tell"
    assert request.allowed_decisions == ("approve", "edit", "reject")
    assert request.editable is not None
    values = dict(request.editable.values)
    assert values["args_1.to"] == "a@b.c"
    with pytest.raises(ValueError, match="decision_1"):  # nothing is chosen beforehand
        request.editable.check(values)
    changed: dict[str, Any] = {
        **values,
        "decision_1": "approve",
        "args_1.to": "x@b.c",
        "decision_2": "reject",
        "message_2": "No",
        "decision_3": "approve",
    }
    request.editable.check(changed)
    assert write_answer(edit(**changed), value) == {
        "decisions": [HITL_EDIT, {"type": "reject", "message": "No"}, {"type": "approve"}]
    }
    with pytest.raises(ValueError, match="decision_2"):
        request.editable.check({**changed, "decision_2": "respond"})
    with pytest.raises(ValueError, match="args_1"):
        request.editable.check({**changed, "args_1.to": 5})


def test_a_response_of_one_of_several_needs_its_text() -> None:
    value = batched(action(), action("ask"), allowed=("respond",))
    request = read_question(value).request
    assert request.allowed_decisions == ("edit",)
    assert request.editable is not None
    responds = {"decision_1": "respond", "decision_2": "respond", "message_2": "b"}
    responded: Any = {**request.editable.values, **responds}
    with pytest.raises(ValueError, match="message_1"):
        request.editable.check(responded)
    request.editable.check({**responded, "message_1": "a"})


def test_the_tools_own_schema_is_what_an_edit_must_fit() -> None:
    schema = {"type": "object", "properties": {"to": {"type": "string", "maxLength": 3}}}
    asked = read_question(batched(action(to="abc")), Hints(tools={"send": schema}))
    assert asked.request.editable is not None
    with pytest.raises(ValueError, match="to"):
        asked.request.editable.check({"to": "abcd"})


NESTED: dict[str, Any] = {
    "type": "object",
    "properties": {"address": {"$ref": "#/$defs/Address"}},
    "required": ["address"],
    "$defs": {"Address": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def test_arguments_that_are_no_fields_of_a_form_are_held_to_their_schema_all_the_same() -> None:
    """Its $defs are the tool's own, wherever its schema stands."""
    value = batched(action(address={"city": "Graz"}), action("pay"))
    request = read_question(value, Hints(tools={"send": NESTED})).request
    assert request.editable is not None
    both = {"decision_1": "approve", "decision_2": "approve"}
    good: Any = {**request.editable.values, **both, "args_1": {"address": {"city": "Linz"}}}
    request.editable.check(good)
    with pytest.raises(ValueError, match=r"args_1\.address\.city"):
        request.editable.check({**good, "args_1": {"address": {"city": 7}}})
    said = write_answer(edit(**good), value, Hints(tools={"send": NESTED}))
    edited = {"name": "send", "args": {"address": {"city": "Linz"}}}
    assert said["decisions"][0] == {"type": "edit", "edited_action": edited}


def test_a_question_without_a_title_of_its_own_has_one() -> None:
    assert read_question({"a": 1}).request.title == "The workflow asks"
    assert read_question("x" * 400).request.details == "x" * 400
    long = read_question({"question": "one\ntwo", "draft": "text"}).request
    assert (long.title, long.details) == ("one two", "one\ntwo")
    assert [field.label for field in long.fields] == ["draft"]


@pytest.mark.parametrize("value", [{**batched(action()), "review_configs": []}, {"": ""}, [], None])
def test_whatever_it_is_it_is_a_request_or_said_to_be_none(value: Any) -> None:
    try:
        request = read_question(value).request
    except UnreadableQuestion as error:
        assert "the graph interrupts with" in str(error)  # noqa: PT017 - either is right
    else:
        assert request.digest


def test_a_changed_question_has_another_digest() -> None:
    assert asked_digest(PER_CALL) == asked_digest({**PER_CALL})
    assert asked_digest(PER_CALL) != asked_digest({**PER_CALL, "name": "pay"})
