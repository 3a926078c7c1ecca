"""LocalSlack: the whole workspace on one loopback port. A stand-in for trying out and for tests.

async with LocalSlack() as slack:
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.local.acts import Acts
from bot.local.app_events import AppEvents
from bot.local.client_api import ClientApi, nothing_cached, only_this_machine
from bot.local.core import Core
from bot.local.delivery import Delivery
from bot.local.faults import Faults
from bot.local.http_delivery import HttpDelivery
from bot.local.interactions import Payloads
from bot.local.modals import Modals
from bot.local.person import Person
from bot.local.rates import RateLimits
from bot.local.records import Command, Json, Seed
from bot.local.response_urls import ResponseUrls
from bot.local.seeds import ACME, COMMANDS
from bot.local.sockets import Ack, Reason, Sockets
from bot.local.triggers import Triggers
from bot.local.web_api import Call, Tokens, WebApi
from bot.local.workspace import Workspace

HOST = "127.0.0.1"
ACK_SECONDS = 3.0
PAGE = Path(__file__).parent / "page"
MOST_BODY = 2 * 1024 * 1024

DEFAULT_SCOPES = (
    "commands",
    "chat:write",
    "users:read",
    "usergroups:read",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "im:write",
    "im:history",
)


DEFAULT_EVENTS = ("message.channels", "message.groups", "user_change")


class LocalSlack:
    """An async context manager. Without `request_url` the bot is reached by Socket Mode.

    `clock` decides ts, trigger_ids, response_urls and rate limits; `ack_seconds` is real time.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        bot_token: str = "xoxb-local-countersign",  # noqa: S107
        app_token: str = "xapp-local-countersign",  # noqa: S107
        signing_secret: str = "local-signing-secret",  # noqa: S107
        clock: Callable[[], float] = time.time,
        seed: Seed = ACME,
        commands: Iterable[Command] = COMMANDS,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        events: Iterable[str] = DEFAULT_EVENTS,
        request_url: str | None = None,
        rate_limits: bool = False,
        ack_seconds: float = ACK_SECONDS,
    ) -> None:
        self._port = port
        self._ack_seconds = ack_seconds
        self.signing_secret = signing_secret
        self.faults = Faults()
        self.tokens = Tokens(bot_token, app_token)
        self.workspace = Workspace(seed, clock)
        modals = Modals(self.workspace)
        self.core = Core(self.workspace, modals, Triggers(clock), set(scopes))
        self.sockets = Sockets(self.workspace.app.id, ack_seconds, self._count_connections)
        self.delivery = Delivery(self.sockets, None, self.faults)
        if request_url:
            self.deliver_over_http(request_url)
        self.response_urls = ResponseUrls(self.core, self.faults)
        limits = RateLimits(clock) if rate_limits else None
        self.web_api = WebApi(self.core, self.tokens, self.faults, self._new_socket, limits)
        by_name = {command.command: command for command in commands}
        payloads = Payloads(self.core, self.response_urls)
        self.events = AppEvents(self.core, payloads, self.delivery, frozenset(events))
        self.acts = Acts(payloads, self.delivery, self.response_urls, by_name, self.events)
        self._client = ClientApi(self.core, self.acts, self.sockets)
        self._runner: web.AppRunner | None = None
        self.url = ""

    # -- life -----------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        port: int = self._runner.addresses[0][1]
        self.url = self.core.url = f"http://{HOST}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()
        await self.events.close()
        await self.sockets.close()
        if self.delivery.http is not None:
            await self.delivery.http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(
            middlewares=[nothing_cached, only_this_machine], client_max_size=MOST_BODY
        )
        router = application.router
        router.add_route("*", "/api/{method}", self.web_api.handle)
        router.add_get("/socket/link", self.sockets.handle)
        router.add_post("/response/{kind}/{team}/{key}", self.response_urls.handle)
        self._client.add_routes(router)
        router.add_get("/", _index)
        router.add_get(r"/archives/{channel:\w+}/p{seconds:\d+}{fraction:\d{6}}", _permalink)
        if PAGE.is_dir():
            router.add_static("/page", PAGE)
        return application

    @property
    def bot_token(self) -> str:
        return self.tokens.bot

    @property
    def app_token(self) -> str:
        return self.tokens.app

    @property
    def api_url(self) -> str:
        """For `AsyncWebClient(base_url=...)`."""
        return f"{self.url}/api/"

    # -- for tests ------------------------------------------------------------------------------

    @property
    def calls(self) -> list[Call]:
        """Every call of the Web API so far, in order."""
        return self.web_api.calls

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def person(self, name: str) -> Person:
        """Someone of the workspace, by id, handle or name, to act and to look."""
        user = self.workspace.user_named(name)
        if user is None:
            raise LookupError(f"nobody here is called {name!r}")
        return Person(user, self.core, self.acts)

    async def close_sockets(self) -> None:
        """Cut all Socket Mode connections without a word."""
        await self.sockets.close()

    async def refresh_sockets(self, reason: Reason = "refresh_requested") -> None:
        """Ask every Socket Mode connection to go and come again, as Slack does now and then."""
        await self.sockets.disconnect(reason)

    def deliver_over_http(self, request_url: str) -> HttpDelivery:
        """From now on the bot is reached by signed requests to this address."""
        self.delivery.http = HttpDelivery(request_url, self.signing_secret, self._ack_seconds)
        return self.delivery.http

    async def send_event(self, event: Json) -> Ack:
        return await self.acts.send_event(event)

    async def change_group(self, group: str, users: Iterable[str]) -> Ack:
        """Change who is in a user group; the bot hears of it by subteam_members_changed."""
        before = set(self.workspace.usergroups[group].users)
        after = self.workspace.change_usergroup(group, tuple(users)).users
        event: dict[str, Any] = {
            "type": "subteam_members_changed",
            "subteam_id": group,
            "team_id": self.workspace.team.id,
            "date_previous_update": int(self.workspace.clock()),
            "date_update": int(self.workspace.clock()),
            "added_users": sorted(set(after) - before),
            "added_users_count": len(set(after) - before),
            "removed_users": sorted(before - set(after)),
            "removed_users_count": len(before - set(after)),
        }
        return await self.send_event(event)

    async def change_user(self, user: str, **changes: object) -> None:
        """Someone becomes a guest, or leaves; the bot hears of it by user_change."""
        self.workspace.change_user(user, **changes)
        await self.events.user_changed(user)

    async def uninstall(self) -> None:
        """The app is removed: tokens stop working, and it is told so."""
        self.tokens.revoked = True
        bot = self.workspace.app.bot_user_id
        await self.send_event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot]}})
        await self.send_event({"type": "app_uninstalled"})

    def _new_socket(self) -> str:
        return self.sockets.new_address(self.url.replace("http", "ws", 1))

    def _count_connections(self, count: int) -> None:
        self.workspace.announce({"type": "connections", "count": count})


async def _index(_request: web.Request) -> web.StreamResponse:
    index = PAGE / "index.html"
    if not index.is_file():
        return web.Response(text="The page is not installed.", status=404)
    return web.FileResponse(index)


async def _permalink(request: web.Request) -> web.StreamResponse:
    """What chat.getPermalink answers, opened: the page, at the thread of that message."""
    at = request.match_info
    ts = request.query.get("thread_ts", f"{at['seconds']}.{at['fraction']}")
    page = request.rel_url.with_path("/").with_query(channel=at["channel"], thread=ts)
    raise web.HTTPFound(page)
