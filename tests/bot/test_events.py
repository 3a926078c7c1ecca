"""What the workspace tells the bot: groups that change, an app that is removed."""

import logging

import pytest

from bot.listeners.rights import right_of
from bot.policy import Right, Why
from bot.services import Services
from tests.deployment import Deployment
from tests.eventually import eventually

TITLE = "Refund $120.50 to Acme GmbH"


async def test_who_leaves_the_group_may_not_decide_any_more(deployment: Deployment) -> None:
    mara, jonas = deployment.person("mara"), deployment.person("jonas")
    async with deployment.instance():
        await deployment.start()
        card = await deployment.card(TITLE)
        await deployment.slack.change_group("S00FINANCE", [jonas.id])
        await mara.click(card, "Approve")
        await deployment.told("mara", "You are not among those who may decide this")
        await jonas.click(card, "Approve")
        await deployment.reads(card, "Refund done")


async def test_who_joins_the_group_may_decide_at_once(deployment: Deployment) -> None:
    tom = deployment.person("tom")
    async with deployment.instance():
        await deployment.start()
        card = await deployment.card(TITLE)
        await tom.click(card, "Approve")
        await deployment.told("tom", "You are not among those who may decide this")
        await deployment.slack.change_group("S00FINANCE", [tom.id])
        await tom.click(card, "Approve")
        await deployment.reads(card, "Approved by Tom Ferreira")


async def test_who_was_deactivated_decides_nothing_on_any_instance(
    deployment: Deployment,
) -> None:
    """Slack tells one of them, and each has known her for less than a minute."""
    async with deployment.instance() as one, deployment.instance("two") as two:
        thread_id = await deployment.start()
        await deployment.card(TITLE)
        [approval] = await deployment.approvals_of(thread_id)
        mara, team = deployment.person("mara").id, one.slack.team
        for bot in (one, two):
            assert isinstance((await right_of(bot, approval, mara, team))[1], Right)
        await deployment.slack.change_user(mara, deleted=True)
        for bot in (one, two):

            async def refused(bot: Services = bot) -> bool:
                return (await right_of(bot, approval, mara, team))[1] == Why.NOT_A_MEMBER

            await eventually("each has heard of it", refused, 20.0)


async def test_the_operator_reads_that_the_app_was_removed(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    async with deployment.instance():
        with caplog.at_level(logging.ERROR):
            await deployment.slack.uninstall()
            await eventually("it is logged", lambda: "app_uninstalled" in caplog.text)


async def test_a_connection_that_slack_refreshes_or_cuts_comes_back(
    deployment: Deployment,
) -> None:
    sockets = deployment.slack.sockets
    async with deployment.instance():
        await deployment.start()
        card = await deployment.card(TITLE)
        before = sockets.connections[0]
        await deployment.slack.refresh_sockets()
        await eventually(
            "a new connection", lambda: sockets.connections and before not in sockets.connections
        )
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done")
