"""A burst of questions on two instances: every card once and in order, as fast as Slack allows."""

from bot.app import SLOTS
from bot.local.rates import RateLimits
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from tests.faults.bursts import POSTING, Burst, limits

PATIENCE = 300.0  # seconds; a few are enough


async def refuse_one(rates: RateLimits) -> None:
    """Others post in the channel until one of our messages is told to wait."""
    before = rates.refused

    def told() -> bool:
        rates.crowd(POSTING, CHANNEL)
        return rates.refused > before

    await eventually("someone is told to wait", told, PATIENCE)


async def test_five_hundred_questions_are_posted_in_order_each_once(
    deployment: Deployment,
) -> None:
    """Slack says how fast, from the first card on, and now and then an answer is lost."""
    slack, burst = deployment.slack, Burst(deployment)
    slack.web_api.rates = rates = limits()
    async with burst.instance("one") as one, burst.instance("two"):
        await burst.ask(one, 1)
        await refuse_one(rates)
        await burst.ask(one, 499)
        for posted in (100, 200):
            await eventually("more cards", lambda n=posted: burst.posted >= n, PATIENCE)
            slack.faults.lose_answer(POSTING)
            await refuse_one(rates)
        await eventually("500 cards", lambda: burst.posted >= 500, PATIENCE)
        assert slack.faults.pending() == 0, "a lost answer was never met"
    assert burst.cards() == burst.titles
    assert rates.early == 0, "somebody called before Slack allowed it again"


async def test_the_replies_of_a_burst_come_after_its_cards_each_once(
    deployment: Deployment,
) -> None:
    """Slack complains when cards and replies are on their way already."""
    slack, burst = deployment.slack, Burst(deployment)
    slack.web_api.rates = rates = limits()
    async with burst.instance("one") as one, burst.instance("two"):
        asked = await burst.ask(one, 20)
        await refuse_one(rates)
        slack.faults.lose_answer(POSTING)
        for approval in asked:
            await deployment.settled(approval.thread_id, PATIENCE)
    assert burst.cards() == burst.titles
    assert [len(thread) for thread in burst.replies()] == [1] * 20
    assert rates.early <= 2 * SLOTS, "more than what was on its way already"
