"""How Slack reaches this process, and how that ends: what has begun is finished and acknowledged,
what has not is left for another instance. A click is never recorded without an answer."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.listener.async_listener_completion_handler import (
    AsyncCustomListenerCompletionHandler,
)
from slack_bolt.listener.async_listener_start_handler import AsyncCustomListenerStartHandler
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot import listeners
from bot.bolt_app import bolt_app, socket_log
from bot.health import Health
from bot.http_endpoint import PATH, slack_events
from bot.services import Services
from bot.settings import BadSettings, BotSettings
from bot.slack_calls import SlackRefused

log = logging.getLogger(__name__)

# When it stops, in seconds. Slack sends envelopes as long as the connection is there, and sends
# none again: those that come meanwhile are taken, until there is an instant without any.
TAKE_FOR = 1.0  # where such an instant does not come: from then on they are Slack's to complain of
ACK_WITHIN = 3.0  # Slack has given up on a click by then
ANSWER_WITHIN = 3.0  # more, for private answers that are on their way
PING_EVERY = 10.0


class PortTaken(Exception):
    """An HTTP endpoint cannot listen there; the message says why."""


class InFlight:
    """Counts what has begun and not ended."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self) -> None:
        self._count += 1
        self._idle.clear()

    def end(self) -> None:
        self._count -= 1
        if not self._count:
            self._idle.set()

    async def none(self, within: float) -> bool:
        """True at an instant at which there is none; False where that does not come in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._count:  # more may have begun before we were woken
                    await self._idle.wait()
        return not self._count


@contextlib.asynccontextmanager
async def listening(
    settings: BotSettings, services: Services, health: Health | None = None
) -> AsyncGenerator[None, None]:
    """Slack's clicks and commands, by Socket Mode or by signed HTTP. health: told whether Slack
    reaches us; by HTTP it is asked beside Slack's requests."""
    secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
    app = bolt_app(services.slack)
    listeners.register(app, services)
    busy = _counted(app)
    health = health or Health()
    try:
        if settings.app_token:
            token = settings.app_token.get_secret_value()
            async with _socket_mode(app, token, services, health):
                yield
        else:
            site = web.Application()
            site.router.add_post(PATH, slack_events(app, secret))
            health.add_routes(site)
            async with open_port(site, "PORT", settings.port):
                log.info("listening on port %s, path %s", settings.port, PATH)
                yield
    finally:
        await busy.none(ANSWER_WITHIN)


@contextlib.asynccontextmanager
async def _socket_mode(
    app: AsyncApp, token: str, services: Services, health: Health
) -> AsyncGenerator[None, None]:
    try:
        await services.slack.check_app_token(token)
    except SlackRefused as refused:
        raise BadSettings(f"SLACK_APP_TOKEN: Slack refuses it: {refused}") from None
    client = SocketMode(app, token)
    try:
        await client.connect()
        health.connected = client.is_connected
        yield
    finally:
        await client.finish()


class SocketMode(SocketModeClient):
    """Slack's client, which knows what it has taken and not acknowledged yet."""

    def __init__(self, app: AsyncApp, token: str) -> None:
        super().__init__(token, socket_log(), app.client, ping_interval=PING_EVERY)
        self._taken = InFlight()
        self._takes = True
        self._app = app
        self.socket_mode_request_listeners.append(self._handle)

    async def finish(self) -> None:
        """Close the connection at an instant at which everything taken is acknowledged."""
        if not await self._taken.none(TAKE_FOR):
            self._takes = False
            await self._taken.none(ACK_WITHIN)
        await self.close()

    async def enqueue_message(self, message: str) -> None:
        """Every frame that was read comes by here, and is handled in `run_message_listeners`."""
        if self._takes and not self.closed:
            self._taken.begin()
            await super().enqueue_message(message)

    async def process_message(self) -> None:
        try:
            await super().process_message()
        except Exception:  # a frame that is no JSON: nobody handles it
            self._taken.end()
            raise

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        if message.get("type") == "disconnect":
            # Slack wants us to connect anew: what came by this connection is acknowledged by it.
            self._taken.end()
            await self._taken.none(ACK_WITHIN)
            await super().run_message_listeners(message, raw_message)
            return
        try:
            await super().run_message_listeners(message, raw_message)
        finally:
            self._taken.end()

    async def _handle(self, _: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        response = await run_async_bolt_app(self._app, request)
        await send_async_response(self, request, response, time.time())


@contextlib.asynccontextmanager
async def open_port(
    application: web.Application, setting: str, port: int
) -> AsyncGenerator[None, None]:
    """On all interfaces. When it ends it accepts nothing more, and finishes what it has begun."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=ACK_WITHIN)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, port=port).start()
        except OSError as error:
            raise PortTaken(f"{setting} {port} cannot be listened on: {error.strerror}") from None
        yield
    finally:
        await runner.cleanup()


def _counted(app: AsyncApp) -> InFlight:
    """The app's listeners that run, also after they have acknowledged."""
    busy = InFlight()

    async def begins() -> None:
        busy.begin()

    async def ends() -> None:
        busy.end()

    runner = app.listener_runner
    runner.listener_start_handler = AsyncCustomListenerStartHandler(app.logger, begins)
    runner.listener_completion_handler = AsyncCustomListenerCompletionHandler(app.logger, ends)
    return busy
