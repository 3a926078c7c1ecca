"""Everything that a listener needs, made once and handed in."""

from dataclasses import dataclass

from bot.changes import Changes
from bot.slack import SlackGateway
from bot.starting import Starter
from bot.store import Store
from bot.tasks import Tasks
from workflows.catalog import Catalog
from workflows.clock import Clock, utc_now


@dataclass(frozen=True)
class Services:
    """channel: where cards go that name no other. instance: names this process in the trail."""

    store: Store
    slack: SlackGateway
    changes: Changes
    tasks: Tasks
    starter: Starter
    catalog: Catalog
    channel: str
    instance: str
    now: Clock = utc_now
