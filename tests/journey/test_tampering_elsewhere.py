"""A failed run's *Retry*, and the command, by someone of another workspace, a guest, or one who has
left: refused, answered, and in the trail where it would have changed an approval."""

from typing import Any

import pytest

from bot.absences import Absences
from bot.local.sockets import Ack
from bot.services import Services
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from tests.journey.test_tampering import (
    ELSEWHERE,
    FOREIGN,
    GUEST,
    LEFT,
    TITLE,
    TOM,
    WITHIN,
    asks,
    click,
    clicked_and_answered,
    deliver,
    kept,
    refusals,
    state,
    the_one,
    whispers,
)


async def test_a_retry_that_was_tampered_with(deployment: Deployment) -> None:
    known = asks()
    known.refuses = "The account is closed"
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        card = await deployment.card(TITLE)
        await deliver(deployment, click(deployment, "mara", card, "Approve"))
        card = await deployment.reads(card, "The account is closed", within=WITHIN)
        await deployment.settled("ask-1", within=WITHIN)
        known.refuses = ""
        for attack in (GUEST, LEFT, FOREIGN):
            payload = click(deployment, attack.who, card, "Retry")
            attack.change(payload, await the_one(bot))
            await clicked_and_answered(deployment, attack.who, payload)
            await kept(bot, deployment, attack, payload)
            assert (await deployment.run_of("ask-1")).status == "failed", attack
        assert known.done == []
        await deployment.person("mara").click(card, "Retry")
        await deployment.reads(card, "Carried out", within=WITHIN)
        assert len(known.done) == 1


async def typed(deployment: Deployment, who: str, text: str, team: str | None = None) -> Ack:
    slack = deployment.slack
    user, channel = slack.person(who).user, slack.workspace.channels[CHANNEL]
    fields, _ = slack.acts.payloads.command(user, channel, "/approvals", text, escape=True)
    fields: dict[str, Any] = {**fields, **({"team_id": team} if team else {})}
    return await slack.delivery.send("slash_commands", fields, answerable=True)


COMMANDS = (
    "",
    "all",
    "show ask-1",
    "start",
    "start ask subject=b",
    "away @tom",
    "escalate ask-1",
    "reassign ask-1 @jonas",
)


@pytest.mark.parametrize(
    ("who", "team", "why"),
    [
        ("mara", ELSEWHERE, "other_workspace"),
        ("lena", None, "not_a_member"),
        ("piotr", None, "not_a_member"),
    ],
)
async def test_the_command_by_a_stranger(
    deployment: Deployment, who: str, team: str | None, why: str
) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        await deployment.card(TITLE)
        await deployment.settled("ask-1", within=WITHIN)
        before = state(await the_one(bot))
        person = deployment.person(who)
        for text in COMMANDS:
            before_it = whispers(deployment, who)
            assert (await typed(deployment, who, text, team)).ok
            await eventually("an answer", lambda n=before_it: whispers(deployment, who) > n, WITHIN)
            answer = await deployment.told(who, "Only full members of this workspace use")
            assert TITLE not in answer.words
        assert state(await the_one(bot)) == before
        await eventually("it is in the trail", lambda: _tried(deployment, bot, who, team), WITHIN)
        assert await refusals(bot) == {(person.id, why)}
        assert await deployment.started() == ["ask-1"]
        assert await Absences(bot.store.redis, bot.store.keys).all() == []
        assert person.modal is None
        tried = [e.detail["decision"] for e in await bot.store.trail("ask-1") if "why" in e.detail]
        assert len(tried) == 1, "once for each person, reason and version"


async def _tried(deployment: Deployment, bot: Services, who: str, team: str | None) -> bool:
    """In the trail at once, or where that took too long, the next time."""
    if await refusals(bot):
        return True
    await typed(deployment, who, "escalate ask-1", team)
    return False
