"""Whom a reviewer asked back answers in the thread: once, however often Slack delivers it; what
others write there, or what was written before, is no answer and is kept nowhere."""

import asyncio
import logging
from typing import Any

import pytest

from bot.approvals import Approval
from bot.audit import Tag
from bot.listeners.hearing import Said, as_read
from bot.local.app_events import message_event
from bot.local.person import Seen
from bot.local.sockets import Ack
from bot.services import Services
from tests.asking import Asking
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from tests.journey.test_ask_back import GROUP, SECRET, asked, question
from tests.journey.test_together import JONAS, TITLE, TOM, asks
from workflows.protocol import ApprovalRequest

WITHIN = 40.0


async def the_one(bot: Services) -> Approval:
    [approval] = await bot.store.approvals_of("ask-1")
    return approval


async def answers(bot: Services) -> list[str]:
    return [each.answer for each in (await the_one(bot)).inquiries]


async def deliver(deployment: Deployment, payload: dict[str, Any]) -> Ack:
    return await deployment.slack.delivery.send("events_api", payload, answerable=False)


async def kept_in_trail(
    deployment: Deployment, bot: Services, payload: dict[str, Any], why: str
) -> None:
    """At once, or where that took too long, the next time that it comes."""

    async def there() -> bool:
        trail = [e for e in await bot.store.trail("ask-1") if e.tag == Tag.REFUSED]
        if why in [event.detail["why"] for event in trail]:
            return True
        await deliver(deployment, payload)
        return False

    await eventually(f"{why} in the trail", there, WITHIN)


def told(deployment: Deployment, who: str, card: Seen, text: str, **more: Any) -> dict[str, Any]:
    """The payload of a message that stands nowhere: for what no client would send."""
    slack = deployment.slack
    message = {"type": "message", "user": slack.person(who).id, "team": slack.workspace.team.id}
    message |= {"text": text, "ts": slack.workspace.next_ts(), "thread_ts": card.ts}
    event = message_event(slack.core, slack.workspace.channels[card.channel], message)
    return slack.acts.payloads.event({**event, "channel_type": "channel", **more})


async def test_the_requester_answers_in_the_thread(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which parcel?")
        assert "Their reply in the thread counts as the answer" in card.words
        deployment.person("tom").says("The 2nd, ask @jonas & <see>", thread=card)
        card = await deployment.reads(card, "The 2nd, ask @Jonas Weber & <see>", within=WITHIN)
        assert "Waits for " not in card.words
        replies = await deployment.thread(card, 4, within=WITHIN)
        assert "Mara Okafor asks Tom Ferreira: Which parcel?" in replies
        assert replies[3].startswith("Tom Ferreira answers Mara Okafor: The 2nd, ask ")
        [event] = [e for e in await bot.store.trail("ask-1") if e.tag == Tag.REPLIED]
        assert event.actor
        assert event.actor.user == TOM
        [written] = [r for r in deployment.person("tom").replies(card) if "see" in r.text][:1]
        assert event.detail["message"] == written.ts
        assert JONAS not in deployment.person("mara").again(card).notifies


async def test_it_counts_once_however_often_it_is_delivered(deployment: Deployment) -> None:
    """At once on two instances, and once more when the next question is open."""
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot, deployment.instance("two", known=known):
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which parcel?")
        payload = told(deployment, "tom", card, "The second")
        for ack in await asyncio.gather(*(deliver(deployment, payload) for _ in range(4))):
            assert ack.ok
        card = await deployment.reads(card, "The second", within=WITHIN)
        before = told(deployment, "tom", card, "Said before the next question")
        card = await question(deployment, card, "mara", "And why?")
        for late in (payload, before):
            assert (await deliver(deployment, late)).ok
        assert await answers(bot) == ["The second", ""]
        tags = [event.tag for event in await bot.store.trail("ask-1")]
        assert (tags.count(Tag.REPLIED), tags.count(Tag.REFUSED)) == (1, 0)
        assert deployment.slack.workspace.whispers(CHANNEL, TOM) == []


async def test_nothing_else_is_an_answer_and_nothing_of_it_is_kept(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        deployment.person("tom").says("words before", thread=card)
        card = await question(deployment, card, "mara", "Which parcel?")
        other = deployment.person("tom").says("words in the channel")
        others = [
            told(deployment, "jonas", card, "words of Jonas"),
            told(deployment, "tom", other, "words elsewhere"),
            told(deployment, "tom", card, "words of a bot", bot_id="B0OTHER"),
            told(deployment, "tom", card, "words", subtype="message_changed", hidden=True),
            told(deployment, "tom", card, "words", subtype="bot_message"),
            told(deployment, "tom", card, "words", subtype="message_deleted"),
            told(deployment, "tom", card, "  "),
            told(deployment, "tom", card, "words", thread_ts=None),
            told(deployment, "tom", card, "words", user=None),
            told(deployment, "tom", card, "words", channel="C00GENERAL"),
        ]
        for payload in others:
            assert (await deliver(deployment, payload)).ok
        deployment.person("jonas").delete(deployment.person("jonas").says("words", thread=card))
        counts = told(deployment, "tom", card, "", subtype="file_share", files=[{"name": "a.pdf"}])
        assert (await deliver(deployment, counts)).ok
        await deployment.reads(card, "📎 a.pdf", within=WITHIN)
        assert await answers(bot) == ["📎 a.pdf"]
        kept = [event.model_dump_json() for event in await bot.store.trail("ask-1")]
        assert "words" not in f"{kept} {(await the_one(bot)).model_dump_json()}"
        assert "words" not in caplog.text


async def test_of_a_restricted_request_the_form_only_counts(deployment: Deployment) -> None:
    known = Asking(ApprovalRequest(title=TITLE, sensitivity="restricted"), GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which dose?")
        assert "a reply in the thread does not count" in card.words
        deployment.person("tom").says(SECRET, thread=card)
        answer = await deployment.told("tom", "everyone in the channel reads this thread")
        assert answer.json["thread_ts"] == card.ts
        assert await answers(bot) == [""]
        again = told(deployment, "tom", card, SECRET)
        await kept_in_trail(deployment, bot, again, "form_only")
        assert SECRET not in str(await bot.store.trail("ask-1"))


async def test_who_has_become_a_guest_answers_nothing(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which parcel?")
        foreign = told(deployment, "tom", card, "From elsewhere", team="T0ELSEWHERE")
        assert (await deliver(deployment, foreign)).ok
        await deployment.told("tom", "This belongs to another Slack workspace than yours.")
        await kept_in_trail(deployment, bot, foreign, "other_workspace")
        await deployment.slack.change_user(TOM, is_restricted=True)
        deployment.person("tom").says("The second", thread=card)
        await deployment.told("tom", "Only full members of this workspace decide")
        assert await answers(bot) == [""]
        again = told(deployment, "tom", card, "The second")
        await kept_in_trail(deployment, bot, again, "not_a_member")


async def test_what_was_not_recorded_is_not_acknowledged_and_comes_again(
    deployment: Deployment, port: int
) -> None:
    """Over HTTP; Slack did not say who it is."""
    known, secret = asks(GROUP), deployment.slack.signing_secret
    async with deployment.instance(
        known=known, SLACK_APP_TOKEN=None, SLACK_SIGNING_SECRET=secret, PORT=str(port)
    ) as bot:
        way = deployment.slack.deliver_over_http(f"http://127.0.0.1:{port}/slack/events")
        card = await asked(deployment, bot, known)
        card = await question(deployment, card, "mara", "Which parcel?")
        await deployment.settled("ask-1", within=WITHIN)
        before = len(way.statuses)
        bot.slack.forget_member(TOM)
        deployment.slack.faults.server_error("users.info")
        deployment.person("tom").says("The second", thread=card)
        await deployment.reads(card, "The second", within=WITHIN)
        assert way.statuses[before:] == [503, 200]
        assert await answers(bot) == ["The second"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("&lt;b&gt; &amp;amp;", "<b> &amp;"),
        ("<@U00000TOM> <@U0000GONE> <@U1|x>", "@Tom @someone @x"),
        ("<#C1|general> <#C2>", "#general #C2"),
        ("<!here> <!subteam^S1|@finance> <!date^1^{date}|Monday>", "@here @finance Monday"),
        ("<https://a.example> <https://a.example|the bill>", "https://a.example the bill (https://a.example)"),
        ("x" * 2001, "x" * 1998 + " …"),
    ],
)  # fmt: skip
def test_an_answer_is_kept_as_it_is_read(text: str, words: str) -> None:
    said = Said("U1", "C1", "1.1", "1.2", text, (), ())
    assert as_read(said, {"U00000TOM": "Tom"}) == words


async def test_without_open_questions_nothing_is_looked_up(deployment: Deployment) -> None:
    known = asks(GROUP)
    async with deployment.instance(known=known) as bot:
        card = await asked(deployment, bot, known)
        await deployment.settled("ask-1", within=WITHIN)
        calls = len(deployment.slack.calls)
        assert (await deliver(deployment, told(deployment, "tom", card, "Well, well"))).ok
        assert len(deployment.slack.calls) == calls
        key = bot.store.keys.asked_back(TOM)
        assert await bot.store.redis.exists(key) == 0
        await question(deployment, card, "mara", "Which parcel?")
        assert await bot.store.redis.zcard(key) == 1
        await deployment.person("jonas").click(deployment.person("jonas").again(card), "Reject")
        await deployment.settled("ask-1", within=WITHIN)

        async def gone() -> bool:
            return not await bot.store.redis.exists(key)

        await eventually("the index holds it no more", gone, WITHIN)
