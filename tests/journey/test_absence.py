"""Someone is away: who decides in their place is told, may decide, and both names are told."""

import dataclasses
import time
from datetime import timedelta

from bot.absences import Absences
from bot.audit import Tag
from bot.directory import CACHED_FOR
from bot.local.person import Seen
from bot.services import Services
from tests.asking import Asking
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_together import JONAS, MARA, TITLE, TOM, asks
from workflows.clock import utc_now
from workflows.policy import Policy

GROUP = Policy(approvers=("S00FINANCE",))
WITHIN = 40.0


async def message_to(deployment: Deployment, who: str, words: str) -> Seen:
    def there() -> Seen | None:
        return next((m for m in deployment.person(who).direct() if words in m.words), None)

    return await eventually(f"a message {words!r} to {who}", there, WITHIN)


async def asked(deployment: Deployment, bot: Services, known: Asking) -> Seen:
    await known.start(bot)
    return await deployment.card(TITLE)


async def test_what_waits_moves_to_the_deputy_and_back(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        await deployment.person("mara").command("/approvals away until 2099-01-01 @tom")
        await deployment.told("mara", "more than a year away")
        await deployment.person("mara").command("/approvals away for 3 days @tom")
        answer = await deployment.told("mara", "<@U00000TOM> decides in your place")
        assert "You are away until <!date^" in answer.text
        told = await message_to(deployment, "tom", "you decide in their place")
        assert "1 approval waits for you now" in told.words
        assert f"|{TITLE}>" in told.words
        [reply] = [r for r in await deployment.thread(card, 2, within=WITHIN) if "away" in r]
        assert reply.startswith("Mara Okafor is away until ")
        assert reply.endswith(": Tom Ferreira decides in their place")

        await deployment.person("mara").command("/approvals away off")
        await deployment.told("mara", "You are back: nobody decides in your place.")
        await deployment.person("tom").click(card, "Approve")
        await deployment.told("tom", "You are not among those who may decide this")

        await deployment.person("mara").command("/approvals away @tom")
        await deployment.told("mara", "until you type `/approvals away off`")
        await deployment.person("tom").click(card, "Approve")
        await deployment.reads(card, "Carried out", within=WITHIN)
        [decision] = known.done
        assert (decision.by.user, decision.on_behalf_of) == (TOM, MARA)


async def test_it_is_told_once_and_tells_both_names(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        await deployment.person("mara").command("/approvals away @tom")
        await message_to(deployment, "tom", "you decide in their place")
        for _ in range(3):
            await bot.tasks.delegate(MARA)
        trail = await bot.store.trail("ask-1")
        [event] = [each for each in trail if each.tag == Tag.DELEGATED]
        assert (event.detail["from"], event.detail["to"]) == (MARA, TOM)
        said = [m for m in deployment.person("tom").direct() if "you decide" in m.words]
        assert len(said) == 1

        absences = Absences(bot.store.redis, bot.store.keys)
        [absence] = await absences.all()
        await absences.put(absence.model_copy(update={"told": False}))  # it died before that
        await bot.tasks.delegate(MARA)
        trail = await bot.store.trail("ask-1")
        assert [each.tag for each in trail].count(Tag.DELEGATED) == 1
        assert len(await absences.all()) == 1
        assert (await absences.all())[0].told
        said = [m for m in deployment.person("tom").direct() if "you decide" in m.words]
        assert len(said) == 1
        await deployment.person("jonas").click(card, "Reject")
        await deployment.settled("ask-1", within=WITHIN)


async def test_a_deputy_who_may_not_decide_it_gets_nothing(deployment: Deployment) -> None:
    """Tom asked for it: neither he, nor whom he would choose, decides it for Mara."""
    known = asks(Policy(approvers=(MARA,)))
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        card = await deployment.card(TITLE)
        await deployment.person("mara").command("/approvals away @tom")
        told = await message_to(deployment, "tom", "you decide in their place")
        assert "Nothing waits for you now" in told.words
        await deployment.person("tom").command("/approvals away @jonas")
        await message_to(deployment, "jonas", "you decide in their place")
        await deployment.person("tom").click(card, "Approve")
        await deployment.told("tom", "You asked for this")
        await deployment.person("jonas").click(card, "Approve")
        await deployment.told("jonas", "You are not among those who may decide this")
        assert known.done == []


async def test_the_right_ends_with_the_absence(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,)))
    late = timedelta(0)
    async with deployment.instance(known=known, now=lambda: utc_now() + late) as bot:
        card = await asked(deployment, bot, known)
        await deployment.person("mara").command("/approvals away for 2 hours @tom")
        await message_to(deployment, "tom", "you decide in their place")
        late = timedelta(hours=2)
        await click_as_drawn(deployment, "tom", card, "Approve")
        await deployment.told("tom", "You are not among those who may decide this")
        await deployment.person("mara").command("/approvals away")
        await deployment.told("mara", "You are not away")
        assert known.done == []


async def test_nobody_takes_the_place_of_a_deactivated_approver(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA, JONAS)))
    users = deployment.slack.workspace.users
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        await deployment.person("jonas").command("/approvals away @tom")
        await message_to(deployment, "tom", "you decide in their place")
        users[JONAS] = dataclasses.replace(users[JONAS], deleted=True)
        bot.slack.monotonic = lambda: time.monotonic() + 2 * CACHED_FOR
        await deployment.person("tom").click(card, "Approve")
        await deployment.told("tom", "You are not among those who may decide this")


async def test_who_cannot_take_a_place_is_refused_with_what_to_do(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        mara = deployment.person("mara")
        for typed, answer in {
            "@lena": "cannot decide anything: only full members",
            "@countersign": "cannot decide anything: only full members",
            "@piotr": "cannot decide anything: only full members",
            "@mara": "You cannot take your own place",
            "@tom @jonas": "Name one person",
            "until Friday @nobody": "Slack knows nobody as @nobody",
            "until doomsday @tom": "until 2026-12-01 14:00",
        }.items():
            await mara.command(f"/approvals away {typed}")
            refused = await deployment.told("mara", answer)
            assert "Nothing was changed" in refused.text
        assert await Absences(bot.store.redis, bot.store.keys).all() == []
        await mara.command("/approvals away until Friday")
        await deployment.told("mara", "nobody decides in your place")
        await deployment.person("jonas").command("/approvals away for 1 day @mara")
        await deployment.told("jonas", "is away too, and has named nobody")
