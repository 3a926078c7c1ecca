"""Slack takes no card in the channel, or someone deletes one: it is said, and mended by itself."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from bot.app import open_services
from bot.channels import Hold
from bot.local.server import LocalSlack
from bot.report import pending_rows, pending_table, thread_text
from bot.services import Services
from bot.settings import BadSettings
from tests.bot.printed import printed
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from tests.faults.bursts import POSTING, Burst

TITLE = "Refund $120.50 to Acme GmbH"
PATIENCE = 60.0
OTHER = "C00GENERAL"


def without_the_app(slack: LocalSlack) -> dict[str, Any]:
    members = slack.workspace.channels[CHANNEL].members
    return {"members": tuple(m for m in members if m != slack.workspace.app.bot_user_id)}


def archive(slack: LocalSlack) -> Callable[[], Any]:
    slack.workspace.change_channel(CHANNEL, is_archived=True)
    return lambda: slack.workspace.change_channel(CHANNEL, is_archived=False)


def throw_out(slack: LocalSlack) -> Callable[[], Any]:
    members = slack.workspace.channels[CHANNEL].members
    slack.workspace.change_channel(CHANNEL, **without_the_app(slack))
    return lambda: slack.workspace.change_channel(CHANNEL, members=members)


def revoke(slack: LocalSlack) -> Callable[[], Any]:
    slack.tokens.revoked = True
    return lambda: setattr(slack.tokens, "revoked", False)


CLOSED: dict[str, tuple[Callable[[LocalSlack], Callable[[], Any]], str]] = {
    "is_archived": (archive, "unarchive it"),
    "not_in_channel": (throw_out, "/invite @Countersign"),
    "token_revoked": (revoke, "set SLACK_BOT_TOKEN"),
}


async def held(deployment: Deployment) -> Hold:
    async def is_held() -> Hold | None:
        async with deployment.store() as store:
            return await store.hold(CHANNEL)

    return await eventually("the channel is held", is_held, PATIENCE)


async def its_time_has_come(bot: Services) -> None:
    """The pause after the last refusal is over."""
    hold = await bot.store.hold(CHANNEL)
    assert hold is not None
    assert hold.retry_at > bot.now()
    await bot.store.put_hold(CHANNEL, hold.model_copy(update={"retry_at": bot.now()}))


@pytest.mark.parametrize("code", CLOSED)
async def test_a_channel_that_takes_no_card_is_told_and_gets_it_once_it_does(
    deployment: Deployment, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    close, cure = CLOSED[code]
    burst = Burst(deployment)
    async with deployment.instance(listens=False, works=False) as bot:
        (asked,) = await burst.ask(bot, 1)
        reopen = close(deployment.slack)
        for _ in range(3):
            await bot.tasks.post(CHANNEL)
            await its_time_has_come(bot)
        shown = printed(thread_text(await deployment.shown(asked.thread_id)))
        listed = printed(pending_table(await pending_rows(bot.store, 10), wide=True))
        for said in (shown, listed):
            assert code in said
            assert cure in said
        reopen()
        await bot.tasks.post(CHANNEL)
        assert burst.cards() == burst.titles
        assert await bot.store.hold(CHANNEL) is None
        assert code not in printed(thread_text(await deployment.shown(asked.thread_id)))
    assert len(deployment.slack.calls_of(POSTING)) == 4
    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == 1, "once, and not at every try"
    assert code in errors[0]
    assert cure in errors[0]


async def test_slack_says_why_a_card_is_not_there_yet(deployment: Deployment) -> None:
    async with deployment.instance():
        throw_out(deployment.slack)
        thread_id = await deployment.start()
        await held(deployment)
        await deployment.person("mara").command("/approvals")
        await deployment.told("mara", "not_in_channel")
        await deployment.person("mara").command(f"/approvals show {thread_id}")
        await deployment.told("mara", "/invite @Countersign there")


async def test_the_fallback_channel_is_used_and_the_card_says_where_it_should_stand(
    deployment: Deployment,
) -> None:
    async with deployment.instance(COUNTERSIGN_FALLBACK_CHANNEL=OTHER) as bot:
        reopen = throw_out(deployment.slack)
        thread_id = await deployment.start()
        approval = await deployment.settled(thread_id, PATIENCE)
        assert approval.message is not None
        assert (approval.message.channel, approval.channel) == (OTHER, CHANNEL)
        (card,) = [m for m in deployment.person("mara").sees(OTHER) if TITLE in m.words]
        assert f"<#{CHANNEL}>" in card.words
        assert "not_in_channel" in card.words
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done", within=PATIENCE)
        reopen()
        await its_time_has_come(bot)
        await deployment.start(customer="Nordlicht")
        await deployment.card("Refund $120.50 to Nordlicht", within=PATIENCE)


async def test_a_revoked_token_is_no_reason_for_the_fallback(deployment: Deployment) -> None:
    async with deployment.instance(listens=False, COUNTERSIGN_FALLBACK_CHANNEL=OTHER):
        before = len(deployment.person("mara").sees(OTHER))
        reopen = revoke(deployment.slack)
        thread_id = await deployment.start()
        await held(deployment)
        reopen()
        await deployment.settled(thread_id, PATIENCE)
        assert len(deployment.person("mara").sees(OTHER)) == before
        assert len(deployment.person("mara").sees()) == 1


async def test_a_post_of_unknown_fate_is_looked_for_before_the_fallback_gets_it(
    deployment: Deployment,
) -> None:
    """Its answer was lost, then the channel was archived: the card stands there already."""
    deployment.slack.faults.lose_answer(POSTING)
    async with deployment.instance(
        listens=False, works=False, COUNTERSIGN_FALLBACK_CHANNEL=OTHER
    ) as bot:
        burst = Burst(deployment)
        (approval,) = await burst.ask(bot, 1)
        await bot.tasks.post(CHANNEL)
        archive(deployment.slack)
        await bot.store.put_hold(CHANNEL, Hold.after(None, "is_archived", bot.now(), 600))
        await bot.tasks.post(CHANNEL)
        found = await bot.store.approval(approval.id)
        assert found is not None
        assert found.message is not None
        assert found.message.channel == CHANNEL


async def test_a_card_that_is_refused_for_itself_is_passed_over(deployment: Deployment) -> None:
    burst = Burst(deployment)
    async with deployment.instance(listens=False, works=False) as bot:
        refused, *_ = await burst.ask(bot, 3)
        deployment.slack.faults.error(POSTING, "invalid_blocks")
        await bot.tasks.post(CHANNEL)
        assert burst.cards() == burst.titles[1:]
        stands = await bot.store.approval(refused.id)
        assert stands is not None
        assert stands.delivery is not None
        assert stands.delivery.code == "invalid_blocks"

        async def posted() -> bool:
            await bot.tasks.post(CHANNEL)
            return len(burst.cards()) == 3

        await eventually("its own retry", posted, PATIENCE)
        assert burst.cards() == [*burst.titles[1:], burst.titles[0]]


async def test_what_was_decided_before_it_was_posted_is_posted_as_decided(
    deployment: Deployment,
) -> None:
    burst = Burst(deployment)
    async with deployment.instance(listens=False, works=False) as bot:
        (approval,) = await burst.ask(bot, 1)
        await bot.changes.change(approval.id, lambda a: a.supersede(bot.now()))
        await bot.tasks.post(CHANNEL)
        (card,) = deployment.person("mara").sees()
        assert "No longer asked" in card.words
        assert card.buttons == []


async def test_a_deleted_card_is_posted_again_with_a_note_when_approvals_finds_out(
    deployment: Deployment,
) -> None:
    async with deployment.instance():
        thread_id = await deployment.start()
        card = await deployment.card(TITLE)
        await deployment.settled(thread_id, PATIENCE)
        deployment.person("mara").delete(card)
        await deployment.person("mara").command("/approvals")
        await deployment.told("mara", "the card was deleted; it is posted again")

        async def stands_again() -> bool:
            (approval,) = await deployment.approvals_of(thread_id)
            return bool(approval.message and approval.message.ts != card.ts)

        await eventually("it is posted again", stands_again, PATIENCE)
        again = await deployment.card(TITLE)
        assert "Posted again: the message before it was deleted" in again.words
        await deployment.thread(again, 1, within=PATIENCE)
        await deployment.person("mara").command("/approvals")
        await deployment.told("mara", "Open the card")
        cards = [m for m in deployment.person("mara").sees() if TITLE in m.words]
        assert len([card for card in cards if not card.is_ephemeral]) == 1


@pytest.mark.parametrize("code", ["missing_scope", "unknown_method", "internal_error"])
async def test_a_slack_that_does_not_tell_about_the_channel_is_no_reason_not_to_start(
    deployment: Deployment, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    deployment.slack.faults.error("conversations.info", code)
    async with open_services(deployment.settings()):
        assert f"{CHANNEL}: {code}" in caplog.text


async def test_a_fallback_that_takes_no_cards_is_refused_at_start(deployment: Deployment) -> None:
    for channel, words in (("C0ARCHIVED", "is archived"), ("C0NOWHERE", "no such channel")):
        settings = deployment.settings(COUNTERSIGN_FALLBACK_CHANNEL=channel)
        with pytest.raises(BadSettings, match=f"COUNTERSIGN_FALLBACK_CHANNEL: .*{words}"):
            async with open_services(settings):
                pass
