"""Everything that a listener needs, made once and handed in."""

from dataclasses import dataclass

from bot.changes import Changes
from bot.slack import SlackGateway
from bot.starting import Starter
from bot.store import Store
from bot.tasks import Tasks
from workflows.catalog import Catalog
from workflows.clock import Clock


@dataclass(frozen=True)
class Services:
    """channel: where cards go that name no other. instance: names this process in the trail."""

    slack: SlackGateway
    changes: Changes
    tasks: Tasks
    starter: Starter
    catalog: Catalog
    channel: str
    instance: str

    @property
    def store(self) -> Store:
        return self.changes.store

    @property
    def now(self) -> Clock:
        return self.changes.now
