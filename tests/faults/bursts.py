"""Many questions at once, asked of a Slack that is as slow as the real one and plays faster."""

import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.app import open_services, working
from bot.approvals import Approval
from bot.local.person import Seen
from bot.local.rates import RateLimits
from bot.records import Change
from bot.runs import Run
from bot.services import Services
from tests.bot.samples import POLICY, question, request
from tests.deployment import CHANNEL, Deployment
from workflows.payloads import Asked

SECOND = 0.01  # of ours, that one of Slack's takes here
POSTING = "chat.postMessage"
CALM = 600.0  # seconds of ours: what was slowed down once stays so for the whole test


def limits(posts_per_minute: int = 300) -> RateLimits:
    return RateLimits(lambda: time.monotonic() / SECOND, posts_per_minute=posts_per_minute)


@dataclass
class Burst:
    """titles: of the questions, in the order in which they were asked."""

    deployment: Deployment
    titles: list[str] = field(default_factory=list[str])

    @contextlib.asynccontextmanager
    async def instance(self, name: str) -> AsyncGenerator[Services, None]:
        """A worker for which a second of Slack's is as long as Slack takes it to be here."""
        settings = self.deployment.settings(COUNTERSIGN_INSTANCE=name)
        async with open_services(settings) as services:
            tasks = services.tasks
            pacing = replace(tasks.posting.pacing, second=SECOND, calm=CALM)
            posting = replace(tasks.posting, pacing=pacing)
            showing = replace(tasks.showing, pacing=pacing)
            quick = replace(services, tasks=replace(tasks, posting=posting, showing=showing))
            async with working(quick):
                yield quick

    async def ask(self, services: Services, count: int, channel: str = CHANNEL) -> list[Approval]:
        """As many runs, each waiting at its one question."""
        first = services.now() - timedelta(hours=1)
        asked: list[Approval] = []
        for number in range(len(self.titles), len(self.titles) + count):
            title = f"Question {number:03}"
            change = _asked(title, number, first + timedelta(seconds=number), services, channel)
            await services.changes.commit(*change)
            self.titles.append(title)
            asked.append(change[1].record)
        return asked

    @property
    def posted(self) -> int:
        """How many cards Slack has taken, cheaper than a look at all of them."""
        calls = self.deployment.slack.calls_of(POSTING)
        return sum(
            1 for call in calls if call.status in (0, 200) and not call.arguments.get("thread_ts")
        )

    def cards(self) -> list[str]:
        """The titles of the cards in the channel, as they stand there."""
        return [_title(message) for message in self.deployment.person("mara").sees()]

    def replies(self) -> list[list[str]]:
        """What the thread below each card says."""
        person = self.deployment.person("mara")
        return [[reply.text for reply in person.replies(card)] for card in person.sees()]


def _asked(
    title: str, number: int, at: datetime, services: Services, channel: str
) -> tuple[Change, Change]:
    started = Run.start(
        thread_id=f"burst-{number}",
        workflow="refund",
        workflow_version="1",
        values={},
        requester=None,
        channel=None,
        team=services.slack.team,
        now=at,
    )
    run: Run = started.record.wait(at)
    asked = request(title=title)
    which = question(asked, f"ap_{title[-3:]}")
    opened = Approval.open(run, which, Asked(asked), policy=POLICY, channel=channel, now=at)
    return Change(run, started.events), opened


def _title(message: Seen) -> str:
    headers = [block["text"]["text"] for block in message.blocks if block["type"] == "header"]
    return headers[0] if headers else message.text
