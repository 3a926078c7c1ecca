"""A small real Bolt app to stand behind the workspace in tests: over Socket Mode and over HTTP."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import TestServer
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.records import Json
from bot.local.server import LocalSlack
from tests.eventually import eventually
from tests.local.shapes import asked, modal, section, text_input

WHY = modal(asked(text_input(), block_id="why"), callback_id="why", notify_on_close=True)


@dataclass
class Heard:
    """What reached the app: (what, body)."""

    bodies: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])

    def of(self, what: str) -> list[Json]:
        return [body for name, body in self.bodies if name == what]


# What the modal's submission is answered, by what was entered.
ANSWERS: dict[str, Json] = {
    "bad": {"response_action": "errors", "errors": {"why": "not good enough"}},
    "wrong block": {"response_action": "errors", "errors": {"nowhere": "x"}},
    "next": {"response_action": "push", "view": modal(section("second"))},
    "other": {"response_action": "update", "view": modal(section("changed"))},
    "broken": {"response_action": "update", "view": modal(section("x" * 3001))},
    "enough": {"response_action": "clear"},
}


@dataclass
class Listeners:
    """`/approvals` answers at once, buttons open a modal, the modal says no to `bad`."""

    heard: Heard

    async def command(self, ack: Any, body: Json) -> None:
        self.heard.bodies.append(("command", body))
        await ack(text=f"you said: {body['text']}")

    async def approve(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        self.heard.bodies.append(("action", body))
        await client.views_open(trigger_id=body["trigger_id"], view=WHY)
        await ack()

    async def why(self, ack: Any, body: Json) -> None:
        self.heard.bodies.append(("submission", body))
        said = body["view"]["state"]["values"]["why"]["why"]["value"]
        await ack(**ANSWERS.get(said, {}))

    async def closed(self, ack: Any, body: Json) -> None:
        self.heard.bodies.append(("closed", body))
        await ack()

    async def home(self, event: Json, body: Json, client: AsyncWebClient) -> None:
        self.heard.bodies.append(("event", body))
        view = {"type": "home", "blocks": [section(f"Hello <@{event['user']}>")]}
        await client.views_publish(user_id=event["user"], view=view)

    async def note(self, body: Json) -> None:
        self.heard.bodies.append(("event", body))


def bolt_app(slack: LocalSlack, heard: Heard) -> AsyncApp:
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    app = AsyncApp(client=client, signing_secret=slack.signing_secret)
    listeners = Listeners(heard)
    app.command("/approvals")(listeners.command)
    app.action("approve")(listeners.approve)
    app.shortcut("ask")(listeners.approve)
    app.view("why")(listeners.why)
    app.view_closed("why")(listeners.closed)
    app.event("app_home_opened")(listeners.home)
    for name in ("subteam_members_changed", "app_uninstalled", "tokens_revoked"):
        app.event(name)(listeners.note)
    return app


@asynccontextmanager
async def over_sockets(slack: LocalSlack, connections: int = 1) -> AsyncGenerator[list[Heard]]:
    """So many instances of the app, each with a connection of its own."""
    heard = [Heard() for _ in range(connections)]
    before = len(slack.sockets.connections)
    handlers = [AsyncSocketModeHandler(bolt_app(slack, one), slack.app_token) for one in heard]
    for handler in handlers:
        await handler.connect_async()
    await eventually(
        "the bot is connected", lambda: len(slack.sockets.connections) == before + connections
    )
    try:
        yield heard
    finally:
        for handler in handlers:
            await handler.close_async()


@asynccontextmanager
async def over_http(slack: LocalSlack) -> AsyncGenerator[Heard]:
    heard = Heard()
    server = TestServer(bolt_app(slack, heard).web_app("/slack/events"))
    await server.start_server()
    slack.deliver_over_http(str(server.make_url("/slack/events")))
    try:
        yield heard
    finally:
        await server.close()
