"""What `countersign demo` shows: a Redis, the local workspace and two bot instances."""

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bot.app import open_store
from bot.local.instances import Instance
from bot.local.person import Person, Seen
from bot.local.redis import EmbeddedRedis
from bot.local.seeds import APPROVALS, FINANCE_APPROVERS
from bot.local.server import LocalSlack
from bot.settings import StoreSettings
from bot.starting import Starter
from bot.store import Store
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
        instance = await Instance.start(name, ["bot"], self._environment(), self.directory)
        self.instances[name] = instance
        await self.until(f"{name} listens", lambda: len(self.slack.sockets.connections) > before)
        return instance

    async def until(self, what: str, check: Callable[[], T | None]) -> T:
        """Ask `check` until its answer is truthy. StageFailed after a minute, or where every
        instance has ended."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            answer = check()
            if answer:
                return answer
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

    def _environment(self) -> dict[str, str]:
        return {
            "REDIS_URL": self.redis_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "COUNTERSIGN_CHANNEL": APPROVALS.id,
            "COUNTERSIGN_APPROVERS": FINANCE_APPROVERS.id,
            "COUNTERSIGN_NAMESPACE": self.store.keys.namespace,
            "COUNTERSIGN_PAYMENTS_DB": str(self.directory / "payments.db"),
        }


@contextlib.asynccontextmanager
async def open_stage(port: int) -> AsyncGenerator[Stage, None]:
    """Everything but the instances. REDIS_URL is used where it is set, under a namespace of
    its own; else a Redis of our own is started. All of it ends with the block."""
    async with contextlib.AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="countersign-")))
        url = os.environ.get("REDIS_URL")
        if not url:
            url = (await stack.enter_async_context(EmbeddedRedis(directory / "redis"))).url
        slack = await stack.enter_async_context(LocalSlack(port))
        settings = StoreSettings.model_validate(
            {
                "REDIS_URL": url,
                "COUNTERSIGN_NAMESPACE": f"demo-{secrets.token_hex(3)}",
                "COUNTERSIGN_PAYMENTS_DB": directory / "payments.db",
            }
        )
        store, starter = await stack.enter_async_context(open_store(settings))
        stage = Stage(slack, url, directory, store, starter)
        stack.push_async_callback(_stop_all, stage)
        yield stage


async def _stop_all(stage: Stage) -> None:
    await asyncio.gather(*(each.stop() for each in stage.instances.values()))
