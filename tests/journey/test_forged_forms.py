"""Submissions that no modal would send: another's, forged, repeated, of another version."""

import json
from typing import Any

import pytest

from bot.audit import Tag
from bot.local.sockets import Ack
from bot.records import Change
from tests.clicks import deliver, drawn_click, submit_as
from tests.deployment import Deployment
from tests.journey.test_deciding import TITLE, WANTS, asks, form, says

REJECT = "Reject with a reason"
WORDS = {"reason": "Not like this"}


def told(ack: Ack) -> str:
    assert ack.body is not None
    assert ack.body["response_action"] == "update"
    return ack.body["view"]["blocks"][0]["text"]["text"]


async def pending(deployment: Deployment, thread_id: str) -> None:
    [approval] = await deployment.approvals_of(thread_id)
    assert approval.status == "pending"
    assert approval.votes == ()


async def test_a_form_is_submitted_by_its_opener_only(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        view = await form(deployment, "mara", await deployment.card(TITLE), REJECT)
        ack = await submit_as(deployment, "jonas", view, WORDS)
        assert "opened by someone else" in told(ack)
        await pending(deployment, thread_id)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"digest": "0" * 64}, "drawn for another version of the request"),
        ({"approval": "ap_nobody"}, "no approval that we know of"),
        ({"about": "settle"}, "by another version of Countersign"),
        ({"about": "respond"}, "does not allow to respond"),
        ({"opener": "U00000TOM"}, "opened by someone else"),
        ({"more": "x"}, "opened by someone else"),
    ],
)
async def test_forged_metadata_decides_nothing(
    deployment: Deployment, changed: dict[str, Any], words: str
) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        view = await form(deployment, "mara", await deployment.card(TITLE), REJECT)
        metadata = {**json.loads(view["private_metadata"]), **changed}
        said = {**WORDS, "text": "Not like this"}
        ack = await submit_as(deployment, "mara", view, said, private_metadata=json.dumps(metadata))
        assert words in told(ack)
        await pending(deployment, thread_id)


async def test_who_lost_the_right_meanwhile_is_refused(deployment: Deployment) -> None:
    """The form is open, and then she asked for it herself, as far as the record says."""
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        view = await form(deployment, "mara", await deployment.card(TITLE), REJECT)
        approval = await deployment.settled(thread_id)
        await bot.changes.commit(Change(approval.to(requester="U0000MARA")))
        ack = await submit_as(deployment, "mara", view, WORDS)
        assert "You asked for this" in told(ack)
        await pending(deployment, thread_id)


async def test_a_click_without_the_reason_that_is_wanted_is_refused(
    deployment: Deployment,
) -> None:
    """As a card of before the policy wanted one has it, or a list that decides several."""
    known = asks(WANTS)
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        click = drawn_click(deployment, "mara", await deployment.card(TITLE), "Approve")
        click["actions"][0]["action_id"] = "countersign_approve"
        await deliver(deployment, click)
        await deployment.told("mara", "This wants a reason")
        await pending(deployment, thread_id)


async def test_who_lost_the_right_is_shown_no_changes(deployment: Deployment) -> None:
    async with deployment.instance() as bot:
        thread_id = await deployment.start(amount="50000")
        card = await deployment.card("Refund $50,000.00 to Acme GmbH")
        await form(deployment, "mara", card, "Edit")
        approval = await deployment.settled(thread_id)
        await bot.changes.commit(Change(approval.to(requester="U0000MARA")))
        assert await deployment.person("mara").submit({"field.amount": "40000"}) == {}
        await says(deployment, "mara", "You asked for this")
        await pending(deployment, thread_id)


async def test_a_submission_that_comes_again_changes_nothing(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        view = await form(deployment, "mara", await deployment.card(TITLE), REJECT)
        assert (await submit_as(deployment, "mara", view, WORDS)).ok
        ack = await submit_as(deployment, "mara", view, {"reason": "Another"})
        assert "Already *rejected* by <@U0000MARA>" in told(ack)
        approval = await deployment.settled(thread_id)
        assert getattr(approval.decision, "reason", "") == "Not like this"
        trail = await bot.store.trail(thread_id)
        assert [event.tag for event in trail].count(Tag.REJECTED) == 1


async def test_a_form_without_words_is_not_taken(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot)
        view = await form(deployment, "mara", await deployment.card(TITLE), REJECT)
        ack = await submit_as(deployment, "mara", view, {})
        assert ack.body is not None
        assert set(ack.body["errors"]) == {"reason"}
        await pending(deployment, thread_id)
