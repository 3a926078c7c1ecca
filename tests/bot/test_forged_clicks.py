"""Clicks that no page sends: on buttons that mean nothing any more, forged, or from elsewhere."""

import json
from collections.abc import AsyncGenerator

import pytest

from bot.services import Services
from tests.clicks import click_as_drawn, value_of
from tests.deployment import Deployment
from tests.journey.test_refused_clicks import asked, still_pending


@pytest.fixture
async def bot(deployment: Deployment) -> AsyncGenerator[Services, None]:
    async with deployment.instance() as services:
        yield services


async def test_a_superseded_question_says_so(bot: Services, deployment: Deployment) -> None:
    thread_id, card = await asked(deployment)
    approval = await deployment.settled(thread_id)
    await bot.changes.commit(approval.supersede(bot.now()))
    await click_as_drawn(deployment, "mara", card, "Approve")
    await deployment.told("mara", "The workflow no longer asks this")
    assert await deployment.payments.refunds() == []


async def test_a_button_drawn_for_another_digest_is_refused(
    bot: Services, deployment: Deployment
) -> None:
    thread_id, card = await asked(deployment)
    forged = {**json.loads(value_of(card, "Approve")), "digest": "0" * 64}
    await click_as_drawn(deployment, "mara", card, "Approve", value=json.dumps(forged))
    await deployment.told("mara", "drawn for another version of the request")
    await still_pending(deployment, thread_id)


@pytest.mark.parametrize("value", ['{"approval":"ap_nobody","digest":"0"}', "hello", "[]", "{}"])
async def test_an_unknown_button_is_refused(
    bot: Services, deployment: Deployment, value: str
) -> None:
    thread_id, card = await asked(deployment)
    await click_as_drawn(deployment, "mara", card, "Approve", value=value)
    await deployment.told("mara", "This button belongs to no approval that we know of")
    await still_pending(deployment, thread_id)


async def test_someone_of_another_workspace_is_refused(
    bot: Services, deployment: Deployment
) -> None:
    thread_id, card = await asked(deployment)
    await click_as_drawn(deployment, "mara", card, "Approve", team="T0ELSEWHERE")
    await deployment.told("mara", "This belongs to another Slack workspace than yours.")
    await still_pending(deployment, thread_id)
