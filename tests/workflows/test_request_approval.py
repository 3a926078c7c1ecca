"""The one call that a node makes: what it accepts, and why it asks again."""

from typing import Any

import pytest

from tests.workflows.graphs import Log, line, thread
from tests.workflows.rig import MARA, NOW, THREAD, AnyGraph, Rig, Threads, answer, approve
from workflows.payloads import Asked, read_question
from workflows.protocol import (
    AllowedDecision,
    ApprovalRequest,
    Approve,
    Decision,
    Edit,
    Editable,
    Expired,
    Outdated,
    Reject,
    Respond,
    request_approval,
)
from workflows.runner import ThreadState
from workflows.serializer import UnstorableState

EDITABLE = Editable(
    json_schema={"properties": {"amount": {"type": "integer", "minimum": 1}}}, values={"amount": 5}
)
REQUEST = ApprovalRequest(title="Refund")
EVERYTHING = ApprovalRequest(
    title="Refund",
    allowed_decisions=("approve", "edit", "reject", "respond"),
    editable=EDITABLE,
)


def asking(request: ApprovalRequest) -> AnyGraph:
    def ask(state: Log) -> Log:
        return {"decision": request_approval(request)}

    return line(ask=ask)


async def answered(threads: Threads, value: Any) -> ThreadState:
    paused = await threads.look()
    return await threads.advance({paused.open[0].key: value})


def asked_again(state: ThreadState) -> Asked:
    """The one open question, as it is put to people."""
    assert not state.finished
    [question] = state.open
    return read_question(question.value)


async def paused_at(rig: Rig, request: ApprovalRequest) -> Threads:
    threads = await rig.threads(asking(request))
    first = asked_again(await threads.advance())
    assert (first.request, first.note) == (request, "")
    return threads


NOBODY = MARA.model_copy(update={"user": None})


def decisions(digest: str) -> list[Decision]:
    return [
        Approve(by=MARA, at=NOW, digest=digest),
        Edit(by=MARA, at=NOW, digest=digest, values={"amount": 6}),
        Reject(by=MARA, at=NOW, digest=digest, reason="no"),
        Respond(by=MARA, at=NOW, digest=digest, text="Which?"),
        Expired(by=MARA.model_copy(update={"user": None}), at=NOW, digest=digest),
        Outdated(by=NOBODY, at=NOW, digest=digest, changes=("Phone: 1 is now 2",)),
    ]


KINDS = ["approve", "edit", "reject", "respond", "expired", "outdated"]


@pytest.mark.parametrize("number", range(6), ids=KINDS)
async def test_the_node_is_given_the_decision(rig: Rig, number: int) -> None:
    threads = await paused_at(rig, EVERYTHING)
    decision = decisions(EVERYTHING.digest)[number]

    finished = await answered(threads, answer(decision))

    assert finished.finished
    assert finished.values["decision"] == decision


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        "approve",
        "",
        0,
        [],
        ["approve"],
        {"type": "approve"},
        {"type": "accept", "args": None},
        {"decisions": [{"type": "approve"}]},
        {"type": "approve", "digest": REQUEST.digest},
        {**answer(Approve(by=MARA, at=NOW, digest=REQUEST.digest)), "more": 1},
        {**answer(Approve(by=MARA, at=NOW, digest=REQUEST.digest)), "at": "2026-03-01T09:00:00"},
        {**answer(Approve(by=MARA, at=NOW, digest=REQUEST.digest)), "type": "APPROVE"},
    ],
    ids=repr,
)
async def test_what_is_no_decision_is_asked_again(rig: Rig, value: Any) -> None:
    threads = await paused_at(rig, REQUEST)

    again = asked_again(await answered(threads, value))

    assert (again.request, again.note) == (REQUEST, "The answer before this was not a decision.")
    good = await threads.look()
    assert (await threads.advance({good.open[0].key: approve(good.open[0])})).finished


async def test_a_hostile_dict_is_refused_before_it_is_stored(rig: Rig) -> None:
    """It would come back from Redis as an object; the question stays as it was."""
    threads = await paused_at(rig, REQUEST)
    before = await threads.look()
    hostile = {"lc": 2, "type": "constructor", "id": ["workflows", "protocol", "Approve"]}

    with pytest.raises(UnstorableState, match="reserved keys"):
        await answered(threads, hostile)

    assert await threads.look() == before
    assert (await answered(threads, approve(before.open[0]))).finished


async def test_a_decision_on_another_digest_is_asked_again(rig: Rig) -> None:
    threads = await paused_at(rig, REQUEST)
    other = ApprovalRequest(title="Refund more").digest

    again = asked_again(await answered(threads, answer(Approve(by=MARA, at=NOW, digest=other))))

    assert again.note == "The request changed after it was decided, so it is asked again."


@pytest.mark.parametrize("kind", ["approve", "reject", "respond", "edit"])
async def test_a_decision_that_is_not_allowed_is_asked_again(
    rig: Rig, kind: AllowedDecision
) -> None:
    """Also `edit`, which is not allowed where nothing is editable."""
    others: tuple[AllowedDecision, ...] = ("approve", "reject")
    request = ApprovalRequest(
        title="Refund", allowed_decisions=tuple(each for each in others if each != kind)
    )
    threads = await paused_at(rig, request)
    [decision] = [each for each in decisions(request.digest) if each.type == kind]

    again = asked_again(await answered(threads, answer(decision)))

    assert again.note == f"{kind!r} is not among the allowed decisions."


@pytest.mark.parametrize("number", [4, 5])
async def test_what_nobody_decided_needs_no_permission(rig: Rig, number: int) -> None:
    threads = await paused_at(rig, REQUEST)

    finished = await answered(threads, answer(decisions(REQUEST.digest)[number]))

    assert finished.values["decision"].type == KINDS[number]


async def test_edited_values_that_do_not_fit_are_asked_again(rig: Rig) -> None:
    threads = await paused_at(rig, EVERYTHING)
    edit = Edit(by=MARA, at=NOW, digest=EVERYTHING.digest, values={"amount": 0})

    again = asked_again(await answered(threads, answer(edit)))

    assert again.note == "amount: 0 is less than the minimum of 1"


async def test_it_is_asked_again_as_often_as_it_takes(rig: Rig) -> None:
    """Each time it is another question, with a key of its own, and the last reason."""
    threads = await paused_at(rig, REQUEST)
    keys = {(await threads.look()).open[0].key}
    notes: list[str] = []
    for value in (True, answer(Approve(by=MARA, at=NOW, digest="0" * 64)), "approve"):
        state = await answered(threads, value)
        keys.add(state.open[0].key)
        notes.append(asked_again(state).note.split()[1])
    last = await threads.look()

    assert (len(keys), notes) == (4, ["answer", "request", "answer"])
    assert (await threads.advance({last.open[0].key: approve(last.open[0])})).finished


def nothing(state: Log) -> Log:
    return {}


def by_state(state: Log) -> Log:
    amount = (state.get("log") or ["none"])[-1]
    return {"decision": request_approval(ApprovalRequest(title=f"Refund {amount}"))}


def by_code(title: str) -> AnyGraph:
    return asking(ApprovalRequest(title=title))


async def test_what_was_shown_is_what_runs_when_the_code_changed(rig: Rig) -> None:
    """A deploy changed the request between the question and the answer."""
    before = await (await rig.threads(by_code("Refund 5"))).advance()
    deployed = await rig.threads(by_code("Refund 500"))

    state = await deployed.advance({before.open[0].key: approve(before.open[0])})

    again = asked_again(state)
    assert again.request.title == "Refund 500"
    assert again.note == "The request changed after it was decided, so it is asked again."
    assert "decision" not in state.values
    finished = await deployed.advance({state.open[0].key: approve(state.open[0])})
    assert finished.values["decision"].digest == again.request.digest


async def test_what_was_shown_is_what_runs_when_the_state_changed(rig: Rig) -> None:
    """Someone wrote the state of the paused thread: it asks anew, and the old decision is void."""
    threads = await rig.threads(line(prepare=nothing, ask=by_state))
    before = await threads.advance(given={"log": ["5"]})
    async with threads.leases.hold(THREAD):
        await threads.graph.aupdate_state(thread(), {"log": ["500"]}, as_node="prepare")
    state = await threads.advance({before.open[0].key: approve(before.open[0])})
    assert asked_again(state).request.title == "Refund 500"

    state = await threads.advance({state.open[0].key: approve(before.open[0])})

    assert asked_again(state).note.startswith("The request changed after it was decided")
    assert "decision" not in state.values
