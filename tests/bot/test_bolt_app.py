"""What Bolt adds of its own, and whatever else Slack sends: no click is lost by either."""

import contextlib
import logging
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.clicks import deliver, drawn_click
from tests.deployment import Deployment
from tests.journey.test_refused_clicks import TITLE, asked, still_pending

OTHER_BUTTON = "This button belongs to another version of Countersign"


@contextlib.asynccontextmanager
async def listening(deployment: Deployment, over: str) -> AsyncGenerator[None, None]:
    """An instance that Slack reaches by Socket Mode, or over HTTP."""
    if over == "socket":
        async with deployment.instance():
            yield
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    secret = deployment.slack.signing_secret
    async with deployment.instance(SLACK_APP_TOKEN=None, SLACK_SIGNING_SECRET=secret, PORT=port):
        deployment.slack.deliver_over_http(f"http://127.0.0.1:{port}/slack/events")
        yield


async def test_the_first_click_asks_no_second_auth_test(deployment: Deployment) -> None:
    async with deployment.instance():
        _, card = await asked(deployment)
        before = len(deployment.slack.calls_of("auth.test"))
        deployment.slack.faults.error("auth.test", "internal_error")
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done")
        assert len(deployment.slack.calls_of("auth.test")) == before
    deployment.slack.faults.clear()


async def test_what_else_stands_in_the_environment_changes_nothing(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Bolt would take the first two for an installation by OAuth, and warns about the third."""
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "hunter2")
    monkeypatch.setenv("SLACK_BOT_TOKEN", deployment.slack.bot_token)
    caplog.set_level(logging.INFO)
    async with deployment.instance():
        await deployment.start()
        card = await deployment.card(TITLE)
        bolt = [record for record in caplog.records if record.name == "slack_bolt.AsyncApp"]
        assert [record.getMessage() for record in bolt] == []
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done")


USER = {"id": "W111", "username": "primary-owner", "name": "primary-owner", "team_id": "T111"}
COMMON: dict[str, Any] = {
    "team": {"id": "T111", "domain": "workspace-domain"},
    "user": USER,
    "api_app_id": "A111",
    "token": "verification_token",
}
VIEW = {"id": "V111", "type": "modal", "callback_id": "view-id", "state": {"values": {}}}
OTHER: dict[str, dict[str, Any]] = {  # as bolt-python's tests have recorded them
    "view_submission": {**COMMON, "trigger_id": "111.222", "view": VIEW},
    "view_closed": {**COMMON, "view": VIEW, "is_cleared": False},
    "shortcut": {**COMMON, "callback_id": "test-shortcut", "trigger_id": "111.111.xxxxxx"},
    "message_action": {
        **COMMON,
        "callback_id": "test-shortcut",
        "message_ts": "1583637157.000200",
        "message": {"type": "message", "user": "W111", "ts": "1583637157.000200"},
        "channel": {"id": "C111", "name": "dev"},
    },
    "interactive_message": {
        **COMMON,
        "actions": [{"name": "pick_channel_for_fun", "type": "button", "value": "x"}],
        "callback_id": "pick_channel_for_fun",
        "channel": {"id": "C111", "name": "dev"},
        "original_message": {"text": "Which channel changed your life?", "ts": "1.1"},
        "is_app_unfurl": False,
    },
    "block_suggestion": {**COMMON, "action_id": "es_a", "block_id": "es_b", "value": "search"},
    "dialog_submission": {**COMMON, "callback_id": "dialog-callback-id", "submission": {}},
    "dialog_suggestion": {**COMMON, "callback_id": "dialog-callback-id", "value": "search"},
}


@pytest.mark.parametrize("over", ["http", "socket"])
async def test_what_nobody_listens_to_is_acknowledged(deployment: Deployment, over: str) -> None:
    async with listening(deployment, over):
        for kind, payload in OTHER.items():
            assert (await deliver(deployment, {"type": kind, **payload})).ok, kind
        for event in ("app_mention", "message", "channel_archive"):
            ack = await deployment.slack.send_event({"type": event, "channel": "C0APPROVAL"})
            assert ack.ok, event


@pytest.mark.parametrize("over", ["http", "socket"])
async def test_a_button_of_another_version_is_answered(deployment: Deployment, over: str) -> None:
    async with listening(deployment, over):
        thread_id, card = await asked(deployment)
        click = drawn_click(deployment, "mara", card, "Approve")
        click["actions"][0]["action_id"] = "countersign_of_tomorrow"
        assert (await deliver(deployment, click)).ok
        await deployment.told("mara", OTHER_BUTTON)
        await still_pending(deployment, thread_id)


async def test_another_command_is_answered(deployment: Deployment) -> None:
    async with deployment.instance():
        payloads, mara = deployment.slack.acts.payloads, deployment.person("mara")
        channel = deployment.slack.workspace.channels["C0APPROVAL"]
        fields, _ = payloads.command(mara.user, channel, "/other", "", escape=True)
        send = deployment.slack.delivery.send
        assert (await send("slash_commands", fields, answerable=True)).ok
        await deployment.told("mara", "Countersign knows /approvals only.")
