"""Whose click it is: the ids that payloads give, in the shapes that Slack's own SDK has recorded,
against the workspace or organization that the bot is installed in."""

from typing import Any

import pytest

from bot.listeners.payloads import channel_of, user_of, workspaces_of
from bot.policy import Why, authorize
from bot.slack import SlackGateway
from bot.slack_calls import SlackUnavailable, slack_client
from tests.bot.samples import approval
from tests.bot.standin import AUTH, answering
from tests.clicks import deliver, drawn_click
from tests.deployment import Deployment
from tests.journey.test_refused_clicks import asked, still_pending
from workflows.policy import Policy

WHO = "W99999"
ORG = {"id": "E111", "name": "Sandbox Org"}
RECORDED: dict[str, Any] = {  # bolt-python, tests/scenario_tests_async/test_block_actions.py
    "type": "block_actions",
    "user": {"id": WHO, "username": "primary-owner", "name": "primary-owner", "team_id": "T111"},
    "team": {
        "id": "T111",
        "domain": "workspace-domain",
        "enterprise_id": "E111",
        "enterprise_name": "Sandbox Org",
    },
}
PLAIN = {**RECORDED, "team": {"id": "T111", "domain": "workspace-domain"}}
OF_ORG = {**PLAIN, "enterprise": ORG, "is_enterprise_install": True, "team": None}
FOREIGN = {**PLAIN, "user": {"id": WHO, "team_id": "T999"}}
OWN: dict[str, dict[str, Any]] = {
    "recorded by bolt": RECORDED,
    "plain": PLAIN,
    "no enterprise": {**PLAIN, "enterprise": None, "is_enterprise_install": False},
    "with its enterprise": {**PLAIN, "enterprise": ORG},
    "org install": OF_ORG,
    "ids as strings": {**PLAIN, "enterprise": "E111", "team": "T111"},
    "only the team": {**PLAIN, "user": {"id": WHO}},
}
ON_GRID: dict[str, dict[str, Any]] = {
    "org install, team untold": {**OF_ORG, "user": {"id": WHO}},
    "of the enterprise": {**RECORDED, "user": {"id": WHO, "team_id": "E111"}},
    "of a sister workspace": {**OF_ORG, "user": {"id": WHO, "team_id": "T222"}},
}
OTHERS: dict[str, dict[str, Any]] = {
    "from outside, in our channel": FOREIGN,
    "from outside, with our enterprise": {**RECORDED, "user": FOREIGN["user"]},
    "from another organization": {**FOREIGN, "team": None, "enterprise": {"id": "E999"}},
    "nothing told": {"user": {"id": WHO}},
    "no team either": {"user": {"id": WHO}, "team": None, "enterprise": None},
}
INSTALLED: dict[str, dict[str, Any]] = {
    "a workspace": {**AUTH},
    "a workspace, enterprise null": {**AUTH, "enterprise_id": None},
    "a workspace on a Grid": {**AUTH, "enterprise_id": "E111"},
}


async def verdict(
    click: dict[str, Any], auth: dict[str, Any], info: dict[str, Any] | None = None, team: str = ""
) -> Why | None:
    """May they? team: the record's; the one of the bot where none is given."""
    told = {"ok": True, "user": {"id": WHO, "name": "owner", **(info or {})}}
    async with answering({"auth.test": auth, "users.info": told}) as url:
        gateway = await SlackGateway.connect(slack_client("xoxb-1", url))
        member = await gateway.member(user_of(click), *workspaces_of(click))
    record = approval(team=team or gateway.team, policy=Policy(approvers=(WHO,)))
    right = authorize(record, member)
    if isinstance(right, Why):
        return right
    assert member.team == gateway.team, "what is recorded is the one id"
    return None


@pytest.mark.parametrize("installed", INSTALLED)
@pytest.mark.parametrize("click", OWN)
async def test_our_own_people_are_known_however_they_are_named(installed: str, click: str) -> None:
    assert await verdict(OWN[click], INSTALLED[installed]) is None


@pytest.mark.parametrize("click", {**OWN, **ON_GRID})
async def test_a_record_from_before_the_workspace_joined_a_grid_is_still_ours(click: str) -> None:
    grid = INSTALLED["a workspace on a Grid"]
    assert await verdict({**OWN, **ON_GRID}[click], grid, team="T111") is None
    assert await verdict({**OWN, **ON_GRID}[click], grid, team="E111") is None


@pytest.mark.parametrize("installed", INSTALLED)
@pytest.mark.parametrize("click", OTHERS)
async def test_other_people_are_refused(installed: str, click: str) -> None:
    assert await verdict(OTHERS[click], INSTALLED[installed]) == Why.OTHER_WORKSPACE


async def test_a_record_of_another_workspace_is_not_ours_to_decide() -> None:
    grid = INSTALLED["a workspace on a Grid"]
    assert await verdict(RECORDED, grid, team="T999") == Why.OTHER_WORKSPACE


@pytest.mark.parametrize(
    "info",
    [
        {"is_stranger": True},
        {"team_id": "T999"},
        {"team_id": "T999", "enterprise_user": {"enterprise_id": "E999", "teams": ["T999"]}},
    ],
)
async def test_what_users_info_says_counts_more_than_the_click(info: dict[str, Any]) -> None:
    """In a channel that is shared with another company, is_stranger is false for its people."""
    assert await verdict(OF_ORG, INSTALLED["a workspace on a Grid"], info) == Why.NOT_A_MEMBER


@pytest.mark.parametrize(
    "info",
    [
        {"team_id": "T111", "profile": None, "enterprise_user": None},
        {"team_id": "T222", "enterprise_user": {"enterprise_id": "E111", "teams": ["T222"]}},
        {"team_id": "T222", "enterprise_user": {"enterprise_id": "E222", "teams": ["T111"]}},
    ],
)
async def test_users_info_of_our_own_people(info: dict[str, Any]) -> None:
    assert await verdict(OF_ORG, INSTALLED["a workspace on a Grid"], info) is None


async def test_cards_stay_good_when_the_workspace_joins_a_grid(deployment: Deployment) -> None:
    async with deployment.instance() as bot:
        thread_id, card = await asked(deployment)
        bot.slack.team = bot.slack.enterprise_id = "E111"  # as after a restart
        click = drawn_click(deployment, "mara", card, "Approve")
        await deliver(deployment, {**click, "enterprise": ORG})
        await deployment.reads(card, "Refund done")
        (approval,) = await deployment.approvals_of(thread_id)
    assert approval.team == "T0000ACME"
    assert approval.decision
    assert approval.decision.by.team == "E111"


@pytest.mark.parametrize("user", [None, {}, {"name": "mara"}, {"id": None}, ""])
async def test_a_click_by_nobody_is_refused(deployment: Deployment, user: Any) -> None:
    async with deployment.instance():
        thread_id, card = await asked(deployment)
        click = drawn_click(deployment, "mara", card, "Approve")
        await deliver(deployment, {**click, "user": user})
        await deployment.told("mara", "Only full members of this workspace decide")
        await still_pending(deployment, thread_id)


def test_what_payloads_leave_out_is_nothing() -> None:
    assert [channel_of(body) for body in ({}, {"channel": None}, {"container": "x"})] == [""] * 3
    assert channel_of({"channel": {"id": "C1"}}) == channel_of({"channel_id": "C1"}) == "C1"
    assert channel_of({"container": {"channel_id": "C1"}}) == "C1"
    assert user_of({"user_id": "U1"}) == user_of({"user": "U1"}) == "U1"


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "no team": ({"ok": True, "user_id": "U1"}, "no team_id in the answer"),
    "no user": ({"ok": True, "team_id": "T1"}, "no user_id in the answer"),
    "team null": ({"ok": True, "team_id": None, "user_id": "U1"}, "no team_id"),
    "team empty": ({"ok": True, "team_id": "", "user_id": "U1"}, "no team_id"),
}


@pytest.mark.parametrize("name", ODD)
async def test_who_we_are_must_be_told_at_start(name: str) -> None:
    """A run with no workspace could never be read again."""
    answer, words = ODD[name]
    async with answering({"auth.test": answer}) as url:
        with pytest.raises(SlackUnavailable, match=words):
            await SlackGateway.connect(slack_client("xoxb-1", url))
