"""Everything that a listener needs, made once and handed in."""

from dataclasses import dataclass

from bot.slack import SlackGateway
from bot.starting import Starter
from bot.store import Store
from bot.tasks import Tasks
from workflows.catalog import Catalog
from workflows.clock import Clock, utc_now


@dataclass(frozen=True)
class Services:
    store: Store
    slack: SlackGateway
    tasks: Tasks
    starter: Starter
    catalog: Catalog
    now: Clock = utc_now
