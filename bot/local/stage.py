"""What `countersign demo` shows: a Redis, the local workspace and two bot instances."""

import asyncio
import contextlib
import inspect
import os
import secrets
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.exceptions import ResponseError

from bot.app import open_store
from bot.local.instances import Instance
from bot.local.person import Person, Seen
from bot.local.redis import EmbeddedRedis
from bot.local.seeds import APPROVALS, FINANCE_APPROVERS, JONAS, MARA
from bot.local.server import LocalSlack
from bot.settings import StoreSettings
from bot.starting import Starter
from bot.store import Store
from bot.trying import nowhere
from workflows.connectors.payments import SqlitePayments

PATIENCE = 60.0  # seconds for a process to start, or for a step of the journey to show
GLANCE = 0.05

T = TypeVar("T")


class StageFailed(Exception):
    """Something did not come to be; the message says what, and what a process said last."""


@dataclass
class Stage:
    """instances: by name, the running ones and the dead."""

    slack: LocalSlack
    redis_url: str
    directory: Path
    store: Store
    starter: Starter
    instances: dict[str, Instance] = field(default_factory=dict[str, Instance])

    @property
    def payments(self) -> SqlitePayments:
        return SqlitePayments(self.directory / "payments.db")

    async def start_instance(self, name: str) -> Instance:
        """A bot process; ready once it listens."""
        before = len(self.slack.sockets.connections)
        instance = await Instance.start(name, ["bot"], self.environment(), self.directory)
        self.instances[name] = instance
        await self.until(f"{name} listens", lambda: len(self.slack.sockets.connections) > before)
        return instance

    async def until(self, what: str, check: Callable[[], T | Awaitable[T | None] | None]) -> T:
        """Ask `check` until its answer is truthy. StageFailed after a minute, or where every
        instance has ended."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            answer = check()
            result = cast("T | None", await answer if inspect.isawaitable(answer) else answer)
            if result:
                return result
            late = asyncio.get_running_loop().time() > deadline
            if late or not any(each.running for each in self.instances.values()):
                words = "\n".join(each.last_words for each in self.instances.values())
                raise StageFailed(f"This did not happen: {what}\n{words}")
            await asyncio.sleep(GLANCE)

    async def start_refund(self, customer: str, amount: str, reason: str, **more: str) -> str:
        """In the name of Tom; answers the thread_id."""
        values = {"customer": customer, "amount": amount, "reason": reason, **more}
        tom = self.person("tom").id
        return (await self.starter.start_run("refund", values, requester=tom)).thread_id

    def person(self, name: str) -> Person:
        return self.slack.person(name)

    def card(self, customer: str) -> Seen | None:
        """The card about this customer, as Mara sees it."""
        cards = [m for m in self.person("mara").sees() if customer in m.text and m.blocks]
        return cards[-1] if cards else None

    def environment(self) -> dict[str, str]:
        return {
            "REDIS_URL": self.redis_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "COUNTERSIGN_CHANNEL": APPROVALS.id,
            "COUNTERSIGN_APPROVERS": FINANCE_APPROVERS.id,
            "COUNTERSIGN_NAMESPACE": self.store.keys.namespace,
            "COUNTERSIGN_PAYMENTS_DB": str(self.directory / "payments.db"),
            "COUNTERSIGN_CRM_DB": str(self.directory / "crm.db"),
            **_graphs(),
            "COUNTERSIGN_FILES": str(self.directory / "files"),
            "COUNTERSIGN_OUTBOX": str(self.directory / "outbox"),
            "COUNTERSIGN_LEGAL": MARA.id,
            "COUNTERSIGN_SIGNATORIES": JONAS.id,
        }


def _graphs() -> dict[str, str]:
    """Those that the demo is asked to serve, found from where it was started."""
    named = os.environ.get("COUNTERSIGN_GRAPHS", "")
    path = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    found = {"COUNTERSIGN_GRAPHS": named, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    return found if named else {}


class _Given(BaseSettings):
    """REDIS_URL, from wherever the other commands read it."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    redis_url: str | None = None


def given_redis_url() -> str | None:
    """What wins over the embedded Redis, where it is set."""
    return _Given().redis_url


@contextlib.asynccontextmanager
async def open_stage(port: int) -> AsyncGenerator[Stage, None]:
    """Everything but the instances. REDIS_URL is used where it is set, under a namespace of
    its own; else a Redis of our own is started. All of it ends with the block, and nothing is
    left. Raises EmbeddedRedisError, StageFailed, RedisNotSuitable, BadSettings."""
    async with contextlib.AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="countersign-")))
        url = given_redis_url()
        if not url:
            url = (await stack.enter_async_context(EmbeddedRedis(directory / "redis"))).url
        slack = await _workspace(stack, port)
        settings = StoreSettings.model_validate(
            {
                "REDIS_URL": url,
                "COUNTERSIGN_NAMESPACE": f"demo-{secrets.token_hex(3)}",
                **nowhere(directory),
            }
        )
        store, starter = await stack.enter_async_context(open_store(settings))
        stack.push_async_callback(_wipe, store)
        stage = Stage(slack, url, directory, store, starter)
        stack.push_async_callback(_stop_all, stage)
        yield stage


async def _workspace(stack: contextlib.AsyncExitStack, port: int) -> LocalSlack:
    """Tokens of its own: a page elsewhere in the browser cannot guess them."""
    bot, app = (f"{kind}-local-{secrets.token_hex(16)}" for kind in ("xoxb", "xapp"))
    try:
        return await stack.enter_async_context(LocalSlack(port, bot_token=bot, app_token=app))
    except OSError as error:
        raise StageFailed(
            f"Port {port} cannot be listened on ({error.strerror}): choose another with --port."
        ) from None


async def _stop_all(stage: Stage) -> None:
    await asyncio.gather(*(each.stop() for each in stage.instances.values()))


async def _wipe(store: Store) -> None:
    """Take everything of this namespace out of the Redis, which may be somebody's own."""
    redis, namespace = store.redis, store.keys.namespace
    threads = [run.thread_id for run in await store.recent_runs(10_000)]
    for index in ("checkpoint", "checkpoint_write"):
        with contextlib.suppress(ResponseError):  # no bot was started, so there is none
            await redis.execute_command("FT.DROPINDEX", f"{namespace}:{index}")
    own = (f"{store.keys.prefix}*", f"{namespace}:*", f"countersign-{namespace}:*")
    for pattern in (*own, *(f"write_keys_zset:{thread_id}:*" for thread_id in threads)):
        async for key in redis.scan_iter(match=pattern, count=1000):
            await redis.delete(key)
