"""The composition root: settings in, running processes out."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web
from docket import Docket, Worker
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from slack_sdk.web.async_client import AsyncWebClient

from bot.advancing import Advancing
from bot.changes import Changes
from bot.comparing import Comparing
from bot.connecting import own, payments
from bot.delegating import Delegating
from bot.doctor import Doctor
from bot.health import Health, redis_answers, worker_polls
from bot.looking import Looking
from bot.noticing import Noticing
from bot.pacing import Pacing
from bot.posting import Posting
from bot.queue import Queue, passing_over
from bot.redis_check import require_suitable
from bot.reminding import Reminding
from bot.retiring import Retiring
from bot.sending import sending
from bot.services import Services
from bot.serving import listening, open_port
from bot.settings import BadSettings, BotSettings, StoreSettings
from bot.showing import Showing
from bot.slack import SlackGateway
from bot.slack_calls import SlackRefused, SlackUnavailable, slack_client
from bot.starting import Starter
from bot.stopping import Stop, until_told
from bot.store import Store
from bot.supervising import supervised
from bot.tasks import Tasks
from bot.telemetry import reference
from bot.texts import speak
from workflows.catalog import Catalog
from workflows.checkpointer import FencedRedisSaver
from workflows.clock import Clock, utc_now
from workflows.effects import EffectLedger
from workflows.lease import Leases
from workflows.loading import BadTarget, installed, named
from workflows.policy import Policy, PolicyError
from workflows.runner import Runner

log = logging.getLogger(__name__)

CONNECTIONS = 60  # to Redis, of one process; whoever needs one more waits
LEASE = timedelta(seconds=15)
REDELIVERY = timedelta(seconds=45)  # longer than a drain takes, and than the lease
DRAIN = 20.0  # seconds that a stopping worker gives to what it has begun
AFTER = 4.0  # more, to close what it has open; then it ends, whether Redis answers or not
LISTENERS = 8.0  # seconds in which a bot stops listening, before it stops its worker
SLOTS = 20  # tasks that a worker does at a time
RECONCILE_EVERY = 2.0  # seconds


def catalog(settings: StoreSettings) -> Catalog:
    """The workflows of this deployment: ours, those of installed packages, and those that are
    named. BadSettings where one of them is not there, or two have one name."""
    ours = [*own(settings), *sending(settings)]
    try:
        given = [*installed(), *named(settings.graphs)]
    except BadTarget as problem:
        raise BadSettings(f"COUNTERSIGN_GRAPHS (or --graph): {problem}") from problem
    known = {workflow.name: workflow for workflow in ours}
    for workflow in given:
        if workflow.name in known:
            raise BadSettings(
                f"COUNTERSIGN_GRAPHS (or --graph): there are two workflows {workflow.name!r}; "
                "name one otherwise: name=path.to:graph"
            )
        known[workflow.name] = workflow
    return Catalog(known.values())


def policies(known: Catalog, default: Policy) -> dict[str, Policy]:
    """Who decides, by workflow. BadSettings where that would be nobody, unless it is lacking
    anyhow: nobody then starts it."""
    chosen = {name: workflow.decided_by(default) for name, workflow in known.items()}
    problems: list[str] = []
    for name, policy in sorted(chosen.items()):
        if known[name].lacks:
            continue
        try:
            policy.check()
        except PolicyError as problem:
            problems.append(f"The policy of the workflow {name} {problem}")
    if problems:
        raise BadSettings(*problems)
    return chosen


@dataclass(frozen=True)
class Doors:
    """How a process reaches what is outside of it: the real clients, unless a fault kit hands in
    its own. queue: on which the docket's steps are added. effects: through which graphs call."""

    redis: Callable[[str], Redis]
    slack: Callable[[str, str], AsyncWebClient]
    queue: Callable[[Docket], Queue]
    effects: Callable[[Redis, str, Clock], EffectLedger] = EffectLedger


@contextlib.asynccontextmanager
async def open_store(
    settings: StoreSettings, now: Clock = utc_now, doors: Doors | None = None
) -> AsyncGenerator[tuple[Store, Starter], None]:
    """What the command line needs: records, and a way to start runs. RedisNotSuitable where the
    server is not what it must be."""
    doors = doors or REAL
    redis = doors.redis(settings.redis_url.get_secret_value())
    try:
        for warning in await require_suitable(redis):
            print(f"WARNING: Redis: {warning}", file=sys.stderr)  # noqa: T201 - whatever the log level
        store = Store(redis, settings.namespace, settings.keyring)
        async with _docket(settings) as docket:
            queue = doors.queue(docket)
            yield store, Starter(store, queue, catalog(settings), now, settings.retention)
    finally:
        await redis.aclose()


@contextlib.asynccontextmanager
async def open_records(settings: StoreSettings) -> AsyncGenerator[Store, None]:
    """To be read: no graph has to be there for it."""
    redis = connect(settings.redis_url.get_secret_value())
    try:
        await require_suitable(redis)
        yield Store(redis, settings.namespace, settings.keyring)
    finally:
        await redis.aclose()


@contextlib.asynccontextmanager
async def open_services(
    settings: BotSettings,
    known: Catalog | None = None,
    now: Clock = utc_now,
    doors: Doors | None = None,
) -> AsyncGenerator[Services, None]:
    """Everything that a bot or a worker is made of, connected and checked. From here on this
    process says everything in the language of the settings."""
    known = known or catalog(settings)
    chosen = policies(known, settings.default_policy)
    async with open_store(settings, now, doors) as (store, starter):
        client = (doors or REAL).slack(settings.bot_token.get_secret_value(), settings.api_url)
        slack = await SlackGateway.connect(client)
        await _check_channels(slack, settings)
        changes = Changes(store, starter.queue, now)
        leases = Leases(store.redis, store.keys.prefix, LEASE)
        instance = settings.instance or f"{socket.gethostname()}#{os.getpid()}"
        effects = (doors or REAL).effects(store.redis, store.keys.prefix, now)
        speak(settings.language)
        advancing = Advancing(
            changes=changes,
            runner=Runner(known, await _saver(settings, store.redis, known), effects),
            effects=effects,
            leases=leases,
            policies=chosen,
            channel=settings.channel,
            team=slack.team,
            instance=instance,
        )
        yield Services(
            slack=slack,
            changes=changes,
            tasks=_tasks(advancing, slack, settings.fallback_channel),
            starter=Starter(store, starter.queue, known, now, settings.retention),
            catalog=known,
            channel=settings.channel,
            instance=instance,
        )


def _tasks(advancing: Advancing, slack: SlackGateway, fallback: str | None) -> Tasks:
    changes, leases = advancing.changes, advancing.leases
    pacing = Pacing(changes.store, changes.now)
    return Tasks(
        changes=changes,
        advancing=advancing,
        comparing=Comparing(changes, slack),
        posting=Posting(changes, leases, slack, pacing, advancing.instance, fallback),
        showing=Showing(changes, leases, slack, pacing),
        noticing=Noticing(changes, leases, slack, pacing),
        reminding=Reminding(changes, slack),
        retiring=Retiring(changes, advancing.runner, leases),
        delegating=Delegating(changes, leases, slack),
        looking=Looking(changes, leases, slack),
    )


@contextlib.asynccontextmanager
async def open_doctor(
    settings: StoreSettings, known: Catalog | None = None, doors: Doors | None = None
) -> AsyncGenerator[Doctor, None]:
    """What looks at all runs with the code that is installed here; nothing is written."""
    known = known or catalog(settings)
    redis = (doors or REAL).redis(settings.redis_url.get_secret_value())
    try:
        warnings = await require_suitable(redis)
        store = Store(redis, settings.namespace, settings.keyring)
        effects = EffectLedger(redis, store.keys.prefix)
        saver = FencedRedisSaver(redis, namespace=settings.namespace, state_types=known.state_types)
        await saver.asetup_reading()
        yield Doctor(store, Runner(known, saver, effects), effects, warnings)
    finally:
        await redis.aclose()


async def _check_channels(slack: SlackGateway, settings: BotSettings) -> None:
    """BadSettings where a card certainly could not be posted."""
    channels = {
        "COUNTERSIGN_CHANNEL": settings.channel,
        "COUNTERSIGN_FALLBACK_CHANNEL": settings.fallback_channel,
    }
    found = [(name, id_, id_ and await slack.why_not_in(id_)) for name, id_ in channels.items()]
    problems = [f"{name}: {id_}: {problem}" for name, id_, problem in found if problem]
    if problems:
        raise BadSettings(*problems)


async def _saver(settings: StoreSettings, redis: Redis, known: Catalog) -> FencedRedisSaver:
    saver = FencedRedisSaver(redis, namespace=settings.namespace, state_types=known.state_types)
    await saver.asetup()
    return saver


@dataclass(frozen=True)
class Roles:
    """What this process does."""

    listens: bool
    works: bool


async def serve(settings: BotSettings, roles: Roles) -> None:
    """Run until SIGTERM or SIGINT: stop listening first, then finish what is in flight. What a
    broken worker raises ends the process too: one that does nothing must not look alive."""
    within = LISTENERS + DRAIN + 3 * AFTER if roles.listens else DRAIN + AFTER
    await until_told(lambda stop: _serving(settings, roles, stop), within)


async def _serving(settings: BotSettings, roles: Roles, stop: Stop) -> None:
    async with open_services(settings) as services, contextlib.AsyncExitStack() as stack:
        stop.starting = False
        with stop.ending():
            await _until_one_ends(settings, roles, services, stack, stop)


async def _until_one_ends(
    settings: BotSettings,
    roles: Roles,
    services: Services,
    stack: contextlib.AsyncExitStack,
    stop: Stop,
) -> None:
    """Whatever has begun when it returns is on the stack."""
    ends: list[asyncio.Task[Any]] = [asyncio.create_task(stop.told.wait())]
    health = await stack.enter_async_context(watched(settings, services))
    if roles.works:
        beside = supervised(services, health, DRAIN + 2 * AFTER)
        worker = beside if roles.listens else working(services, health)
        ends.append(await stack.enter_async_context(worker))
    if roles.listens:
        slack = listening(settings, services, health)
        ready = asyncio.create_task(stack.enter_async_context(slack))
        await asyncio.wait([ready, *ends], return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            await ready
        else:  # to stop before Slack has answered
            ready.cancel()
            await asyncio.wait([ready])
    health.started = True
    log.info("%s is ready in %s", services.instance, services.slack.team_name)
    log.info("refunds: %s", payments(settings).told)
    ended, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    health.stopping = True
    log.info("%s is stopping", services.instance)
    for each in ended:
        each.result()


@contextlib.asynccontextmanager
async def watched(settings: BotSettings, services: Services) -> AsyncGenerator[Health, None]:
    """What /healthz and /readyz say; on a port of their own where one is set."""
    health = Health({"redis": redis_answers(services.store.redis)})
    async with contextlib.AsyncExitStack() as stack:
        if settings.health_port is not None:
            application = web.Application()
            health.add_routes(application)
            endpoint = open_port(application, "COUNTERSIGN_HEALTH_PORT", settings.health_port)
            await stack.enter_async_context(endpoint)
        yield health


@contextlib.asynccontextmanager
async def working(
    services: Services, health: Health | None = None
) -> AsyncGenerator[asyncio.Task[None], None]:
    """A docket worker beside whatever else this process does. Gives the task that is the worker:
    it ends by itself only when it is broken. When it stops it begins nothing more, finishes for
    DRAIN seconds, and hands the rest back."""
    services.tasks.register()
    docket = services.changes.queue.docket
    async with (
        contextlib.AsyncExitStack() as stack,
        Worker(
            docket,
            name=services.instance,
            concurrency=SLOTS,
            redelivery_timeout=REDELIVERY,
            reconnection_delay=timedelta(seconds=1),
            minimum_check_interval=timedelta(milliseconds=50),
            scheduling_resolution=timedelta(milliseconds=250),
            fallback_task=passing_over(),
        ) as worker,
    ):
        asking = asyncio.create_task(reconciling(services.tasks))
        running = asyncio.create_task(worker.run_forever())
        if health is not None:
            redis = services.store.redis
            health.live["worker"] = worker_polls(redis, docket, services.instance, running)
        try:
            yield running
        finally:
            services.tasks.advancing.drain()
            running.cancel()
            await _cancelled(asking)
            handing_back = asyncio.create_task(_hand_back(running))
            stack.callback(handing_back.cancel)  # once the worker, which closes next, is done


async def _hand_back(running: asyncio.Task[None]) -> None:
    """This cancel goes to the tasks that the worker waits for: docket gives them to another."""
    await asyncio.sleep(DRAIN)
    await _cancelled(running)


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Ended, whatever it does: a client of Redis that waits for an answer swallows a cancel."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)


async def reconciling(tasks: Tasks) -> None:
    """Ask again and again what is owed. A loop of its own, and no task of docket's: it mends
    what docket lost, too."""
    while True:
        try:
            await tasks.reconcile()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round is due
            reference(error, doing="reconcile")
        await asyncio.sleep(RECONCILE_EVERY)


def connect(url: str) -> Redis:
    """A client whose callers wait for a connection, and whose commands survive a lost one."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=20,
        protocol=2,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 3),
    )
    return Redis.from_pool(pool)


REAL = Doors(redis=connect, slack=slack_client, queue=Queue.on)


def _docket(settings: StoreSettings) -> Docket:
    return Docket(
        name=f"countersign-{settings.namespace}", url=settings.redis_url.get_secret_value()
    )


def why_slack_failed(error: SlackRefused | SlackUnavailable, settings: BotSettings) -> str:
    """What an operator reads when auth.test fails at start."""
    if isinstance(error, SlackRefused):
        return f"Slack refuses SLACK_BOT_TOKEN: {error}. Install the app again and copy its token."
    return f"Slack does not answer at {settings.api_url} ({error}). Is SLACK_API_URL right?"
