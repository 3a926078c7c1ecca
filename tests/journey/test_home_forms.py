"""What is opened from App Home is seen there once it is submitted; so is one's own absence."""

from datetime import timedelta
from typing import Any

import pytest

from bot.absences import Absences
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_absence import message_to
from tests.journey.test_home import TITLE, TOM, asks, says, words
from workflows.clock import utc_now
from workflows.policy import Policy

MARA, LENA = "U0000MARA", "U0000LENA"
WITHIN = 40.0
UNTIL, DEPUTY = "Until when", "Who decides in your place"


async def opened(deployment: Deployment, who: str, label: str) -> dict[str, Any]:
    """The modal that this opens in their App Home."""
    person = deployment.person(who)
    await person.click_in(person.home_view, label)
    return await eventually(f"the modal of {label}", lambda: person.modal, WITHIN)


async def test_i_am_away_and_back(deployment: Deployment) -> None:
    known = asks(Policy(approvers=("S00FINANCE",)))
    async with deployment.instance(known=known) as bot:
        mara = deployment.person("mara")
        await mara.home()
        await says(deployment, "mara", "Nothing is waiting for you")
        view = await opened(deployment, "mara", "I am away …")
        now = int(utc_now().timestamp())
        wrong: list[tuple[dict[str, Any], dict[str, str]]] = [
            ({}, {"deputy": "Say until when you are away, or choose"}),
            ({UNTIL: now - 60}, {"until": "That is over already"}),
            ({UNTIL: now + 400 * 86400}, {"until": "That is more than a year away"}),
            ({DEPUTY: MARA}, {"deputy": "You cannot take your own place"}),
            ({DEPUTY: LENA}, {"deputy": "They cannot decide anything"}),
        ]
        for entered, said in wrong:
            errors = await mara.submit(entered)
            assert errors.keys() == said.keys(), entered
            assert all(errors[name].startswith(start) for name, start in said.items()), errors
        assert await Absences(bot.store.redis, bot.store.keys).all() == []

        assert await mara.submit({UNTIL: now + 86400, DEPUTY: TOM}) == {}
        told = await says(deployment, "mara", "You are away until")
        assert "<@U00000TOM> decides in your place" in told
        assert mara.modal is None
        await message_to(deployment, "tom", "you decide in their place")
        again = await opened(deployment, "mara", "Change …")
        filled = [block["element"] for block in again["blocks"]]
        assert filled[0]["initial_date_time"] == now + 86400
        assert filled[1]["initial_user"] == TOM
        await mara.close()
        await mara.click_in(mara.home_view, "I am back")
        await eventually("she is back", lambda: "You are away" not in words(deployment, "mara"))
        assert await Absences(bot.store.redis, bot.store.keys).all() == []
        assert view["title"]["text"] == "Away"


async def test_nobody_leaves_in_anothers_name(deployment: Deployment) -> None:
    known = asks(Policy(approvers=("S00FINANCE",)))
    async with deployment.instance(known=known) as bot:
        mara = deployment.person("mara")
        await mara.home()
        await says(deployment, "mara", "Nothing is waiting for you")
        view = await opened(deployment, "mara", "I am away …")
        values = {"deputy": {"deputy": {"type": "users_select", "selected_user": TOM}}}
        payloads, send = deployment.slack.acts.payloads, deployment.slack.delivery.send
        own = view["private_metadata"].replace(MARA, LENA)
        for who, metadata in (("jonas", view["private_metadata"]), ("lena", own)):
            forged = {**view, "private_metadata": metadata}
            user = deployment.person(who).user
            payload = payloads.view_submission(user, forged, values)
            ack = await send("interactive", payload, answerable=True)
            assert ack.body["response_action"] == "update"
        elsewhere = payloads.view_submission(mara.user, view, values)
        elsewhere["user"]["team_id"] = elsewhere["team"]["id"] = "T0ELSEWHERE"
        ack = await send("interactive", elsewhere, answerable=True)
        assert "Only full members" in str(ack.body)
        assert await Absences(bot.store.redis, bot.store.keys).all() == []


@pytest.mark.parametrize("sensitivity", ["normal", "restricted"])
async def test_home_shows_what_was_decided_in_a_modal_that_it_opened(
    deployment: Deployment, sensitivity: str
) -> None:
    """A restricted one is looked at first, in a modal, and rejected in one above that."""
    known = asks(Policy(approvers=(MARA,)), sensitivity=sensitivity)
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot, requester=TOM)
        await deployment.card(TITLE)
        await deployment.settled(thread_id)
        mara = deployment.person("mara")
        await mara.home()
        await says(deployment, "mara", "1 waiting for you")
        if sensitivity == "restricted":
            view = await opened(deployment, "mara", "Review")
            await mara.click_in(view, "Reject with a reason")
            await eventually("the form", lambda: mara.modal != view and mara.modal, WITHIN)
        else:
            await opened(deployment, "mara", "Reject with a reason")
        assert await mara.submit({"reason": "Paid already"}) == {}
        told = await says(deployment, "mara", "Rejected by Mara Okafor")
        assert "Nothing is waiting for you" in told


async def test_home_shows_what_was_approved_in_a_review(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,)), sensitivity="restricted")
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        await deployment.card(TITLE)
        mara = deployment.person("mara")
        await mara.home()
        await says(deployment, "mara", "1 waiting for you")
        view = await opened(deployment, "mara", "Review")
        await mara.click_in(view, "Approve")
        await says(deployment, "mara", "Approved by Mara Okafor")


async def test_an_absence_that_is_over_is_not_shown(deployment: Deployment) -> None:
    late = timedelta(0)
    known = asks(Policy(approvers=(MARA,)))
    async with deployment.instance(known=known, now=lambda: utc_now() + late):
        await deployment.person("mara").command("/approvals away for 2 hours @tom")
        await message_to(deployment, "tom", "you decide in their place")
        await deployment.person("mara").home()
        await says(deployment, "mara", "You are away until")
        late = timedelta(hours=2)
        await deployment.person("mara").home()
        await says(deployment, "mara", "I am away …")
