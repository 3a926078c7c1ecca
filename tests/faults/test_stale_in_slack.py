"""A process that was stopped in the middle of a call to Slack, for longer than its lease: what
it says then is taken back, or said again as it is now."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest

from bot import steps
from bot.inslack import LOOK_AFTER
from bot.services import Services
from bot.slack_calls import SlackRefused
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually

TITLE = "Refund $120.50 to Acme GmbH"
Pair = tuple[Services, Services]


@pytest.fixture
async def pair(deployment: Deployment) -> AsyncGenerator[Pair, None]:
    """Two instances that do nothing by themselves."""
    one = deployment.instance("one", listens=False, works=False)
    two = deployment.instance("two", listens=False, works=False)
    async with one as first, two as second:
        yield first, second


async def lease_runs_out(services: Services, name: str) -> None:
    keys = [key async for key in services.store.redis.scan_iter(f"*lease:{name}*")]
    assert keys
    await services.store.redis.delete(*keys)


async def cards(deployment: Deployment) -> list[str]:
    return [seen.ts for seen in deployment.person("mara").sees() if seen.blocks]


async def asked(pair: Pair, deployment: Deployment) -> str:
    """A question is open, and its card not posted."""
    thread_id = await deployment.start()
    await pair[0].tasks.advance(thread_id)
    (approval,) = await deployment.approvals_of(thread_id)
    await pair[0].tasks.compare(approval.id)
    return approval.id


async def test_a_card_that_another_has_posted_meanwhile_is_taken_back(
    pair: Pair, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    approval_id = await asked(pair, deployment)
    post = one.slack.post_card

    async def stopped(*about: Any) -> Any:
        await lease_runs_out(one, f"channel:{CHANNEL}")
        await two.tasks.post(CHANNEL)
        assert len(await cards(deployment)) == 1
        return await post(*about)

    monkeypatch.setattr(one.slack, "post_card", stopped)
    deployment.slack.faults.server_error("chat.delete")  # no record knows: it has to insist
    await one.tasks.post(CHANNEL)
    approval = await one.store.approval(approval_id)
    assert approval is not None
    assert approval.message is not None
    assert await cards(deployment) == [approval.message.ts]


async def test_a_reply_that_another_has_written_meanwhile_is_taken_back(
    pair: Pair, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    approval_id = await asked(pair, deployment)
    await one.tasks.post(CHANNEL)
    reply, faults = one.slack.reply, deployment.slack.faults

    async def stopped(*about: Any) -> Any:
        await lease_runs_out(one, f"card:{approval_id}")
        await two.tasks.show(approval_id)
        faults.error("conversations.replies", "internal_error")  # it insists on taking it back
        faults.lose_answer("chat.delete")
        return await reply(*about)

    monkeypatch.setattr(one.slack, "reply", stopped)
    await one.tasks.show(approval_id)
    assert faults.pending() == 0
    (card,) = [seen for seen in deployment.person("mara").sees() if seen.blocks]
    assert len(deployment.person("mara").replies(card)) == 1


class Killed(BaseException):
    """The end of a process, before it could take anything back."""


async def look(pair: Pair, approval_id: str) -> None:
    """A while later: what is owed then."""
    later = pair[1].changes.now() + 2 * LOOK_AFTER
    approval = await pair[1].store.approval(approval_id)
    assert approval is not None
    assert "look" in [step.kind for step in steps.due(approval, later)]
    changes = replace(pair[1].changes, now=lambda: later)
    await replace(pair[1].tasks.looking, changes=changes).look(approval_id)
    approval = await pair[1].store.approval(approval_id)
    assert approval is not None
    assert approval.look_at is None


async def test_a_card_whose_author_died_before_taking_it_back(
    pair: Pair, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    approval_id = await asked(pair, deployment)
    post = one.slack.post_card

    async def stopped(*about: Any) -> Any:
        await lease_runs_out(one, f"channel:{CHANNEL}")
        await two.tasks.post(CHANNEL)
        await post(*about)
        raise Killed

    monkeypatch.setattr(one.slack, "post_card", stopped)
    with pytest.raises(Killed):
        await one.tasks.post(CHANNEL)
    approval = await one.store.approval(approval_id)
    assert approval is not None
    assert approval.message is not None
    assert len(await cards(deployment)) == 2
    await look(pair, approval_id)
    assert await cards(deployment) == [approval.message.ts]


async def test_a_reply_whose_author_died_before_taking_it_back(
    pair: Pair, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    approval_id = await asked(pair, deployment)
    await one.tasks.post(CHANNEL)
    reply = one.slack.reply

    async def stopped(*about: Any) -> Any:
        await lease_runs_out(one, f"card:{approval_id}")
        await two.tasks.show(approval_id)
        await reply(*about)
        raise Killed

    monkeypatch.setattr(one.slack, "reply", stopped)
    with pytest.raises(Killed):
        await one.tasks.show(approval_id)
    (card,) = [seen for seen in deployment.person("mara").sees() if seen.blocks]
    first, second = deployment.person("mara").replies(card)
    assert first.text == second.text
    await look(pair, approval_id)
    assert [each.ts for each in deployment.person("mara").replies(card)] == [first.ts]


async def test_a_card_that_was_drawn_late_is_drawn_again_as_it_is(
    pair: Pair, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows the buttons of a question that was decided and shown as decided meanwhile."""
    one, two = pair
    approval_id = await asked(pair, deployment)
    await one.tasks.post(CHANNEL)
    await one.tasks.show(approval_id)
    await one.changes.change(approval_id, lambda a: a.supersede(one.now()))
    update = one.slack.update_card

    async def stopped(*about: Any) -> Any:
        await lease_runs_out(one, f"card:{approval_id}")
        await two.tasks.show(approval_id)
        return await update(*about)

    monkeypatch.setattr(one.slack, "update_card", stopped)
    await one.tasks.show(approval_id)
    approval = await one.store.approval(approval_id)
    assert approval is not None
    assert approval.shown < approval.revision, "whoever comes next draws it again"


async def test_a_reply_that_is_refused_posts_no_card_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack has other reasons than a card that is gone."""
    async with deployment.instance(listens=False) as bot:

        async def refuse(*_about: Any) -> None:
            raise SlackRefused("cannot_reply_to_message")

        monkeypatch.setattr(bot.slack, "reply", refuse)
        thread_id = await deployment.start()

        async def noted() -> bool:
            found = await deployment.approvals_of(thread_id)
            return bool(found and found[0].delivery and found[0].delivery.tries > 1)

        await eventually("it is tried again after a pause", noted, within=30)
    assert len(await cards(deployment)) == 1


async def test_a_card_that_slack_does_not_change_any_more_does_not_silence_its_thread(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment.instance() as bot:
        thread_id = await deployment.start()
        card = await deployment.card(TITLE)
        await deployment.settled(thread_id)

        async def refuse(*_about: Any) -> None:
            raise SlackRefused("cant_update_message")

        monkeypatch.setattr(bot.slack, "update_card", refuse)
        await deployment.person("mara").click(card, "Approve")
        told = await deployment.thread(card, 5, within=30)
    assert told[-1] == "Workflow finished"
