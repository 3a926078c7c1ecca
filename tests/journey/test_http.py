"""HTTP instead of Socket Mode: the same journey, and only what Slack signed gets in."""

import hashlib
import hmac
import time
from collections.abc import AsyncGenerator

import aiohttp
import pytest

from bot.services import Services
from tests.deployment import Deployment

TITLE = "Refund $120.50 to Acme GmbH"


@pytest.fixture
async def bot(deployment: Deployment, port: int) -> AsyncGenerator[Services, None]:
    secret = deployment.slack.signing_secret
    async with deployment.instance(
        SLACK_APP_TOKEN=None, SLACK_SIGNING_SECRET=secret, PORT=str(port)
    ) as services:
        deployment.slack.deliver_over_http(f"http://127.0.0.1:{port}/slack/events")
        yield services


async def test_the_journey_over_http(bot: Services, deployment: Deployment) -> None:
    mara = deployment.person("mara")
    await mara.command('/approvals start refund customer="Acme GmbH" amount=120.50 reason=Damaged')
    card = await deployment.card(TITLE)
    await deployment.person("jonas").click(card, "Approve")
    await deployment.reads(card, "Refund done")
    assert len(await deployment.payments.refunds()) == 1


@pytest.mark.parametrize(
    ("secret", "age", "status"),
    [("the right one", 0, 200), ("a wrong one", 0, 401), ("the right one", 60 * 6, 401)],
)
async def test_only_what_slack_signed_just_now_gets_in(
    bot: Services, deployment: Deployment, port: int, secret: str, age: int, status: int
) -> None:
    key = deployment.slack.signing_secret if secret == "the right one" else secret
    body = "command=%2Fapprovals&text=help&user_id=U0000MARA&team_id=T0000ACME"
    stamp = str(int(time.time()) - age)
    signed = hmac.new(key.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={signed}",
    }
    url = f"http://127.0.0.1:{port}/slack/events"
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data=body, headers=headers) as answer,
    ):
        assert answer.status == status


async def test_there_is_nothing_else_at_the_endpoint(bot: Services, port: int) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{port}/") as answer,
    ):
        assert answer.status == 404
