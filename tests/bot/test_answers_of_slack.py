"""What people and the operator are told where Slack refuses, answers oddly or leaves things out."""

import json
import logging
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from bot.bolt_app import socket_log
from bot.local.response_urls import USES
from bot.services import Services
from bot.slack import SlackGateway
from bot.slack_calls import SlackUnavailable, slack_client
from tests.bot.samples import MARA, TEAM
from tests.bot.standin import AUTH, answering
from tests.clicks import deliver, drawn_click
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from tests.journey.test_refused_clicks import asked, still_pending

WHOM = {"users.info": "who is it", "usergroups.users.list": "who is in the group"}
LASTING = ["missing_scope", "paid_teams_only", "unknown_method"]


@pytest.fixture
async def bot(deployment: Deployment) -> AsyncGenerator[Services, None]:
    async with deployment.instance() as services:
        yield services


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]


@pytest.mark.parametrize("method", WHOM)
@pytest.mark.parametrize("code", LASTING)
async def test_what_only_the_operator_can_mend_is_said(
    bot: Services, deployment: Deployment, caplog: pytest.LogCaptureFixture, code: str, method: str
) -> None:
    thread_id, card = await asked(deployment)
    deployment.slack.faults.error(method, code)
    await deployment.person("mara").click(card, "Approve")
    answer = await deployment.told("mara", f"Slack refuses what we need for this (`{code}`)")
    assert "*nothing was recorded*" in answer.text
    assert "minute" not in answer.text
    assert any(code in line for line in errors(caplog))
    await still_pending(deployment, thread_id)


async def test_a_command_says_it_too(
    bot: Services, deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    deployment.slack.faults.error("users.info", "missing_scope", needed="users:read")
    await deployment.person("mara").command("/approvals")
    await deployment.told("mara", "Slack refuses what we need for this (`missing_scope`)")
    assert any("users:read" in line for line in errors(caplog))
    deployment.slack.faults.error("users.info", "internal_error")
    await deployment.person("mara").command("/approvals")
    await deployment.told("mara", "Slack could not tell us who you are. Try again in a minute.")
    assert "internal_error" in caplog.text


@pytest.mark.parametrize("code", ["user_not_found", "user_not_visible"])
async def test_whom_slack_does_not_know_is_no_member(
    bot: Services, deployment: Deployment, code: str
) -> None:
    thread_id, card = await asked(deployment)
    deployment.slack.faults.error("users.info", code)
    await deployment.person("mara").click(card, "Approve")
    await deployment.told("mara", "Only full members of this workspace decide")
    await still_pending(deployment, thread_id)


async def test_a_timeout_is_named_in_the_log(
    bot: Services,
    deployment: Deployment,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.listeners.rights.LOOK_UP", 0.01)
    _, card = await asked(deployment)
    deployment.slack.faults.slow("users.info", 1)
    await deployment.person("mara").click(card, "Approve")
    await deployment.told("mara", "Try again in a minute")
    assert "who may decide: Slack does not answer: TimeoutError" in caplog.text


ODD: dict[str, dict[str, Any]] = {
    "users.info": {"ok": True},
    "usergroups.users.list": {"ok": True},
    "apps.connections.open": {"ok": True},
}


@pytest.mark.parametrize("method", ODD)
async def test_an_answer_that_lacks_what_was_asked_is_none(method: str) -> None:
    async with answering(ODD) as url:
        gateway = SlackGateway(slack_client("xoxb-1", url), TEAM, "U0COUNTER")
        asking = {
            "users.info": gateway.member(MARA, TEAM),
            "usergroups.users.list": gateway.groups(["S00FINANCE"]),
            "apps.connections.open": gateway.check_app_token("xapp-1"),
        }
        wanted = asking.pop(method)
        for other in asking.values():
            other.close()
        with pytest.raises(SlackUnavailable, match="in the answer"):
            await wanted


@pytest.mark.parametrize("told", [{}, {"channel": None}, {"channel": {"id": CHANNEL}}])
async def test_a_channel_of_which_slack_tells_little_is_no_reason_not_to_start(
    told: dict[str, Any],
) -> None:
    about = {"auth.test": AUTH, "conversations.info": {"ok": True, **told}}
    async with answering(about) as url:
        gateway = await SlackGateway.connect(slack_client("xoxb-1", url))
        assert await gateway.why_not_in(CHANNEL) is None


async def test_a_group_message_is_no_channel_for_cards() -> None:
    told = {"ok": True, "channel": {"id": "G0MPIM", "is_mpim": True, "is_member": True}}
    async with answering({"auth.test": AUTH, "conversations.info": told}) as url:
        gateway = await SlackGateway.connect(slack_client("xoxb-1", url))
        assert "group message" in str(await gateway.why_not_in("G0MPIM"))


async def test_a_profile_may_be_null() -> None:
    told = {"ok": True, "user": {"id": MARA, "name": "mara", "profile": None}}
    async with answering({"users.info": told}) as url:
        gateway = SlackGateway(slack_client("xoxb-1", url), TEAM, "U0COUNTER")
        assert (await gateway.member(MARA, TEAM)).name == "mara"


async def test_without_a_response_url_the_channel_is_the_way_back(
    bot: Services, deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    _, card = await asked(deployment)
    click = drawn_click(deployment, "tom", card, "Approve")
    del click["response_url"]
    await deliver(deployment, click)
    await deployment.told("tom", "You are not among those who may decide this")
    await _typed(deployment, "mara", "response_url")
    await deployment.told("mara", "1 waiting for a decision")
    assert errors(caplog) == []


@pytest.mark.parametrize("spent", [{"uses": USES}, {"issued": 0.0}])
async def test_a_response_url_that_is_used_up_or_too_old_is_answered_in_the_channel(
    bot: Services, deployment: Deployment, caplog: pytest.LogCaptureFixture, spent: dict[str, Any]
) -> None:
    _, card = await asked(deployment)
    click = drawn_click(deployment, "tom", card, "Approve")
    target = deployment.slack.response_urls.target_of(click["response_url"])
    for name, value in spent.items():
        setattr(target, name, value)
    await deliver(deployment, click)
    await deployment.told("tom", "You are not among those who may decide this")
    assert len(deployment.slack.calls_of("chat.postEphemeral")) == 1
    assert errors(caplog) == []


async def test_with_no_way_back_it_is_a_line_in_the_log(
    bot: Services, deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    _, card = await asked(deployment)
    click = drawn_click(deployment, "tom", card, "Approve")
    for name in ("response_url", "channel", "container", "trigger_id"):
        del click[name]
    assert (await deliver(deployment, click)).ok
    await eventually("it is logged", lambda: "no way back" in caplog.text)
    assert errors(caplog) == []


@pytest.mark.parametrize(
    ("missing", "answer"),
    [
        ("team_id", "Nothing is waiting"),
        ("text", "Nothing is waiting"),
        ("user_id", "Only full members of this workspace use /approvals."),
    ],
)
async def test_a_command_may_leave_things_out(
    bot: Services, deployment: Deployment, missing: str, answer: str
) -> None:
    await _typed(deployment, "mara", missing)
    await deployment.told("mara", answer)


async def _typed(deployment: Deployment, who: str, missing: str) -> None:
    """`/approvals`, without one of its fields."""
    slack, person = deployment.slack, deployment.person(who)
    channel = slack.workspace.channels[CHANNEL]
    fields, _ = slack.acts.payloads.command(person.user, channel, "/approvals", "", escape=True)
    del fields[missing]
    assert (await slack.delivery.send("slash_commands", fields, answerable=True)).ok


async def test_details_without_a_trigger_are_not_shown(
    bot: Services, deployment: Deployment
) -> None:
    _, card = await asked(deployment)
    click = drawn_click(deployment, "mara", card, "Approve")
    click["actions"][0]["action_id"] = "countersign_details"
    del click["trigger_id"]
    await deliver(deployment, click)
    await deployment.told("mara", "Slack did not open the details.")
    assert deployment.slack.calls_of("views.open") == []


async def test_details_that_come_too_late_may_be_asked_for_again(
    bot: Services, deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    _, card = await asked(deployment)
    click = drawn_click(deployment, "mara", card, "Approve")
    click["actions"][0]["action_id"] = "countersign_details"
    deployment.slack.faults.error("views.open", "expired_trigger_id")
    await deliver(deployment, click)
    await deployment.told("mara", "Click *Show everything* again.")
    assert errors(caplog) == []


@pytest.mark.parametrize("value", [5, None, "9" * 30])
async def test_an_odd_page_is_a_page(bot: Services, deployment: Deployment, value: Any) -> None:
    _, card = await asked(deployment)
    click = drawn_click(deployment, "mara", card, "Approve")
    click["actions"][0] |= {"action_id": "countersign_next", "value": value}
    del click["response_url"]  # it would replace the card
    await deliver(deployment, click)
    await deployment.told("mara", "1 waiting for a decision")


async def test_home_survives_what_slack_and_redis_do(
    bot: Services,
    deployment: Deployment,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: dict[str, Any] = {"type": "app_home_opened", "tab": "home", "event_ts": "1.1"}
    assert (await deployment.slack.send_event(opened)).ok
    assert errors(caplog) == []

    async def away(*_: object) -> None:
        raise ConnectionError("Redis is away")

    monkeypatch.setattr(type(bot.store), "pending", away)
    assert (await deployment.slack.send_event({**opened, "user": MARA})).ok
    await eventually("it is logged", lambda: "listener=home" in caplog.text)


async def test_junk_frames_are_a_line_in_the_log(
    bot: Services, deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    [connection] = deployment.slack.sockets.connections
    junk = ['{"a":', json.dumps({"type": "interactive", "envelope_id": "1", "payload": [1]})]
    for frame in junk:
        await connection.socket.send_str(frame)

    def lines() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == socket_log().name]

    await eventually("each is logged", lambda: len(lines()) == len(junk))
    assert [record.exc_info for record in lines()] == [None, None]
    await deployment.person("mara").command("/approvals")
    await deployment.told("mara", "Nothing is waiting")
