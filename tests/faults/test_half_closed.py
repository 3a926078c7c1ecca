"""Slack takes some of it: a card but no reply, a post but no look, an update of one card and not of
another. What is refused keeps nothing else waiting, and nothing is asked for without end."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from bot.approvals import Approval
from bot.records import Change
from bot.services import Services
from tests.deployment import CHANNEL, Deployment
from tests.faults.bursts import POSTING, Burst

UPDATING, SEARCHING, LOOKING = "chat.update", "conversations.history", "conversations.replies"
LONG = 1000  # seconds, that no test waits


@pytest.fixture
async def bot(deployment: Deployment) -> AsyncGenerator[Services, None]:
    """It does nothing by itself."""
    async with deployment.instance(listens=False, works=False) as services:
        yield services


async def now(bot: Services, approval: Approval) -> Approval:
    found = await bot.store.approval(approval.id)
    assert found is not None
    return found


async def posted(bot: Services, burst: Burst, count: int) -> list[Approval]:
    """Cards that nobody has replied to."""
    asked = await burst.ask(bot, count)
    await bot.tasks.post(CHANNEL)
    assert len(burst.cards()) == count
    return asked


async def retry(bot: Services, approval: Approval) -> None:
    """The pause after the last refusal is over."""
    await bot.changes.change(approval.id, lambda a: Change(a.to(delivery=None)))


async def test_a_card_that_cannot_change_is_not_tried_again_while_its_reply_waits(
    bot: Services, deployment: Deployment
) -> None:
    (approval,) = await posted(bot, Burst(deployment), 1)
    await bot.changes.change(approval.id, lambda a: a.supersede(bot.now()))
    deployment.slack.faults.error(UPDATING, "edit_window_closed", times=30)
    deployment.slack.faults.rate_limit(POSTING, retry_after=LONG)
    await bot.tasks.show(approval.id)
    assert len(deployment.slack.calls_of(UPDATING)) == 2, "before the reply, and after it"
    stands = await now(bot, approval)
    assert stands.delivery is not None
    assert stands.delivery.code == "edit_window_closed"


@pytest.mark.parametrize(
    "code", ["restricted_action_thread_locked", "restricted_action_non_threadable_channel"]
)
async def test_a_channel_that_takes_no_replies_takes_cards(
    bot: Services, deployment: Deployment, code: str
) -> None:
    burst = Burst(deployment)
    (approval,) = await posted(bot, burst, 1)
    deployment.slack.faults.error(POSTING, code)
    await bot.tasks.show(approval.id)
    assert (await now(bot, approval)).delivery is not None
    await burst.ask(bot, 1)
    await bot.tasks.post(CHANNEL)
    assert burst.cards() == burst.titles


async def test_updates_in_vain_keep_no_card_out_for_longer(
    bot: Services, deployment: Deployment
) -> None:
    """Of a hundred cards each is tried again, and each is refused: that is no hundred tries."""
    first, second = await posted(bot, Burst(deployment), 2)
    deployment.slack.workspace.change_channel(CHANNEL, is_archived=True)
    await bot.tasks.show(first.id)
    hold = await bot.store.hold(CHANNEL)
    assert hold is not None
    await bot.tasks.show(second.id)
    assert (await now(bot, second)).delivery is not None
    assert await bot.store.hold(CHANNEL) == hold


async def test_who_may_post_and_not_look_holds_up_the_card_in_question_only(
    bot: Services, deployment: Deployment
) -> None:
    burst = Burst(deployment)
    await burst.ask(bot, 1)
    deployment.slack.faults.lose_answer(POSTING)
    await bot.tasks.post(CHANNEL)
    (first,) = [record async for record in bot.store.open_approvals()]
    assert first.posting_since is not None
    await bot.store.drop_hold(CHANNEL)
    await burst.ask(bot, 2)
    deployment.slack.faults.error(SEARCHING, "missing_scope")
    await bot.tasks.post(CHANNEL)
    stands = await now(bot, first)
    assert (stands.message, stands.delivery and stands.delivery.code) == (None, "missing_scope")
    assert burst.cards() == burst.titles
    await retry(bot, first)
    await bot.tasks.post(CHANNEL)
    assert (await now(bot, first)).message is not None
    assert burst.cards() == burst.titles, "found, and not posted again"


@pytest.mark.parametrize("thread", [False, True])
async def test_a_card_that_is_gone_when_redis_comes_back_is_posted_again(
    bot: Services, deployment: Deployment, thread: bool
) -> None:
    burst = Burst(deployment)
    (approval,) = await posted(bot, burst, 1)
    if thread:
        await bot.tasks.show(approval.id)
    (card,) = deployment.person("mara").sees()
    deployment.person("mara").delete(card)
    await bot.changes.change(approval.id, lambda a: Change(a.doubted()))
    await bot.tasks.show(approval.id)
    await bot.tasks.post(CHANNEL)
    stands = await now(bot, approval)
    assert stands.message is not None
    assert (stands.deleted, stands.recheck) == (1, False)
    assert burst.cards()[-1] == burst.titles[0]


@pytest.mark.parametrize("method", [UPDATING, POSTING])
async def test_the_empty_place_of_a_deleted_card_is_not_the_card(
    bot: Services, deployment: Deployment, method: str
) -> None:
    """Slack keeps it above a thread; whatever it answers then, it is not message_not_found."""
    (approval,) = await posted(bot, Burst(deployment), 1)
    await bot.tasks.show(approval.id)
    (card,) = deployment.person("mara").sees()
    deployment.person("mara").delete(card)
    await bot.changes.change(approval.id, lambda a: a.supersede(bot.now()))
    if method == POSTING:
        stands = await now(bot, approval)
        await bot.changes.change(approval.id, lambda a: Change(a.to(shown=stands.revision)))
    code = "cant_update_message" if method == UPDATING else "cannot_reply_to_message"
    deployment.slack.faults.error(method, code)
    await bot.tasks.show(approval.id)
    assert deployment.slack.faults.pending() == 0
    stands = await now(bot, approval)
    assert (stands.message, stands.deleted) == (None, 1)


@pytest.mark.parametrize("method", [SEARCHING, LOOKING])
async def test_whoever_compares_waits_as_slack_wants(
    bot: Services, deployment: Deployment, method: str
) -> None:
    """After a restart of Redis all that is open is compared: one is told to wait, all obey."""
    burst = Burst(deployment)
    asked = await (posted(bot, burst, 2) if method == LOOKING else burst.ask(bot, 2))
    deployment.slack.faults.rate_limit(method, retry_after=LONG)
    for approval in asked:
        await bot.changes.change(approval.id, lambda a: Change(a.doubted()))
        await bot.tasks.show(approval.id)
    assert len(deployment.slack.calls_of(method)) == 1
    for approval in asked:
        stands = await now(bot, approval)
        assert stands.delivery is not None
        assert stands.delivery.code == "ratelimited"
        assert stands.delivery.retry_at > bot.now() + timedelta(seconds=LONG / 2)


async def test_ratelimited_in_an_answer_of_its_own_keeps_all_others_waiting_too(
    bot: Services, deployment: Deployment
) -> None:
    """HTTP 200, and no Retry-After: certainly not posted, so nothing is looked for."""
    burst = Burst(deployment)
    (approval,) = await burst.ask(bot, 1)
    deployment.slack.faults.error(POSTING, "ratelimited")
    await bot.tasks.post(CHANNEL)
    assert (await now(bot, approval)).posting_since is None
    assert await bot.store.hold(CHANNEL) is None
    assert await bot.store.redis.exists(f"{bot.store.keys.prefix}pace:slow:{CHANNEL}")
    assert len(deployment.slack.calls_of(POSTING)) == 1


async def test_a_reply_that_may_stand_is_still_looked_for_after_a_wait(
    bot: Services, deployment: Deployment
) -> None:
    """Its answer was lost; then Slack wanted to be left alone before anyone could look."""
    (approval,) = await posted(bot, Burst(deployment), 1)
    deployment.slack.faults.lose_answer(POSTING)
    await bot.tasks.show(approval.id)
    await retry(bot, approval)
    deployment.slack.faults.rate_limit(LOOKING, retry_after=LONG)
    await bot.tasks.show(approval.id)
    assert (await now(bot, approval)).replies_at is not None
    keys = [key async for key in bot.store.redis.scan_iter(f"{bot.store.keys.prefix}pace:*")]
    await bot.store.redis.delete(*keys)
    await bot.changes.change(approval.id, lambda a: Change(a.to(replies_at=None)))
    await bot.tasks.show(approval.id)
    (card,) = deployment.person("mara").sees()
    assert len(deployment.person("mara").replies(card)) == 1
    stands = await now(bot, approval)
    assert stands.replied == stands.trail


async def test_a_reply_that_had_to_wait_certainly_does_not_stand(
    bot: Services, deployment: Deployment
) -> None:
    (approval,) = await posted(bot, Burst(deployment), 1)
    deployment.slack.faults.rate_limit(POSTING, retry_after=LONG)
    await bot.tasks.show(approval.id)
    stands = await now(bot, approval)
    assert stands.replies_at is not None
    assert stands.reply_tried == 0
