"""A run: one start of one workflow under one thread_id, from queued to finished."""

from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, JsonValue

from bot.audit import Draft, Tag
from bot.records import Change, Record
from bot.texts import later, listed, t
from workflows.protocol import Actor, ThreadId

RunStatus = Literal["queued", "running", "waiting", "blocked", "finished", "failed", "cancelled"]

MAX_ATTEMPTS = 10  # about a quarter of an hour: most outages of a provider are over by then
BACKOFF = timedelta(seconds=2)  # doubled with each attempt
BACKOFF_AT_MOST = timedelta(minutes=5)
ELSEWHERE = timedelta(minutes=1)  # before a worker looks again whether its code can go on
RETENTION = timedelta(days=30)
OTHER_WORKFLOW = later("another workflow ({mine}, not {theirs})")
OTHER_REQUESTER = later("another requester ({mine}, not {theirs})")
OTHER_CHANNEL = later("another channel ({mine}, not {theirs})")


class NotFailed(Exception):
    """The run is not failed, so there is nothing to try again; the message says what it is."""


class OtherInput(Exception):
    """The thread_id belongs to a run with another workflow, input, requester or channel."""


class Run(Record):
    """attempts: how often it was tried since it last got on. error: of the last attempt, in
    words for people. effects_noted: keys of the effects that the trail tells already. retried_at:
    when a person had it tried again, until it is. wakes_at: it waits for this time, and then goes
    on by itself. blocked_at: since when no worker had the code to go on. retention:
    how long the graph's state outlives the run; retiring_at: when its end began, from which there
    is no way back."""

    thread_id: ThreadId
    workflow: str
    workflow_version: str
    input: dict[str, JsonValue]
    requester: str | None = None
    channel: str | None = None
    status: RunStatus = "queued"
    attempts: int = 0
    retry_at: AwareDatetime | None = None
    error: str = ""
    effects_noted: tuple[str, ...] = ()
    retried_at: AwareDatetime | None = None
    wakes_at: AwareDatetime | None = None
    blocked_at: AwareDatetime | None = None
    retention: timedelta = RETENTION
    retiring_at: AwareDatetime | None = None
    retired_at: AwareDatetime | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @classmethod
    def start(
        cls,
        *,
        thread_id: str,
        workflow: str,
        workflow_version: str,
        values: dict[str, JsonValue],
        requester: str | None,
        channel: str | None,
        team: str,
        now: datetime,
        retention: timedelta = RETENTION,
    ) -> Change:
        run = cls(
            thread_id=thread_id,
            workflow=workflow,
            workflow_version=workflow_version,
            input=values,
            requester=requester,
            channel=channel,
            team=team,
            retention=retention,
            created_at=now,
            updated_at=now,
        )
        detail: dict[str, JsonValue] = {"workflow": workflow, "input": values}
        return Change(run, (run.event(Tag.RUN_STARTED, now, _person(team, requester), detail),))

    @property
    def closed(self) -> bool:
        return self.status in ("finished", "failed", "cancelled")

    @property
    def retired(self) -> bool:
        """Its graph's state is gone, or about to be: it cannot be gone on with."""
        return self.retiring_at is not None

    def same_start(self, other: Self, *, same_input: bool) -> Self:
        """This run, where `other` would start the same; OtherInput, which names what differs,
        where it would not."""
        differs = [
            t(words, mine=mine or t("none"), theirs=theirs or t("none"))
            for words, mine, theirs in (
                (OTHER_WORKFLOW, self.workflow, other.workflow),
                (OTHER_REQUESTER, self.requester, other.requester),
                (OTHER_CHANNEL, self.channel, other.channel),
            )
            if mine != theirs
        ]
        if not same_input:
            differs.insert(0, t("another input"))
        if differs:
            words = t(
                "The thread {thread} belongs to a run of {workflow} with {differences}. Choose "
                "another --thread-id, or leave it out.",
                thread=repr(self.thread_id),
                workflow=self.workflow,
                differences=listed(differs),
            )
            raise OtherInput(words)
        return self

    def begin(self, now: datetime) -> Self:
        """An attempt is counted before it is made, so that one that kills its worker counts."""
        return self.to(
            status="running",
            attempts=self.attempts + 1,
            retry_at=None,
            retried_at=None,
            wakes_at=None,
            updated_at=now,
        )

    def wait(self, now: datetime, until: datetime | None = None) -> Self:
        """The graph waits for a person, or for a time."""
        return self._got_on("waiting", now).to(wakes_at=until)

    def drained(self, now: datetime) -> Self:
        """Stopped on request before it was done; another worker goes on at once."""
        return self._got_on("queued", now)

    def finish(self, now: datetime) -> Self:
        return self._got_on("finished", now)

    def _got_on(self, status: RunStatus, now: datetime) -> Self:
        return self.to(status=status, attempts=0, error="", blocked_at=None, updated_at=now)

    def block(self, reason: str, now: datetime) -> Self:
        """This code cannot go on, and nothing was tried; another worker's may, in a minute."""
        since = self.blocked_at or now
        return self.leave(reason, now).to(status="blocked", attempts=0, blocked_at=since)

    def stumble(self, error: str, now: datetime) -> Self:
        """An attempt failed: another after a pause, until the bound is reached."""
        if self.attempts >= MAX_ATTEMPTS:
            return self.fail(error, now)
        pause = min(BACKOFF * 2 ** max(0, self.attempts - 1), BACKOFF_AT_MOST)
        return self.to(error=error, retry_at=now + pause, blocked_at=None, updated_at=now)

    def leave(self, error: str, now: datetime) -> Self:
        """Not for this worker: another may know better, and is asked in a minute."""
        return self.to(error=error, retry_at=now + ELSEWHERE, updated_at=now)

    def cancel(self, now: datetime) -> Self:
        """A person stopped it; nothing is left to do."""
        return self._got_on("cancelled", now)

    def fail(self, error: str, now: datetime) -> Self:
        return self.to(status="failed", error=error, retry_at=None, blocked_at=None, updated_at=now)

    def retire(self, now: datetime) -> Self:
        """From here on the state of its graph may be gone; the record and its trail stay."""
        return self.to(retiring_at=now)

    def forgotten(self, now: datetime) -> Change:
        """The state of its graph is gone."""
        return Change(self.to(retired_at=now), (self.event(Tag.RUN_RETIRED, now),))

    def retry(self, now: datetime, actor: Actor | None, approval_id: str | None) -> Change:
        """A person has a failed run tried again, with all its attempts; NotFailed where it is
        not, or has retired. actor: None is an operator. approval_id: whose card's thread tells
        it."""
        if self.status != "failed":
            raise NotFailed(f"The run {self.thread_id} is {self.status}, not failed.")
        if self.retired:
            raise NotFailed(
                f"The run {self.thread_id} has retired: the state of its graph is gone. Start it "
                "again instead."
            )
        run = self.to(
            status="queued", attempts=0, error="", retry_at=None, retried_at=now, updated_at=now
        )
        detail: dict[str, JsonValue] = {"error": self.error}
        return Change(run, (run.event(Tag.RUN_RETRIED, now, actor, detail, approval_id),))

    def event(
        self,
        tag: Tag,
        now: datetime,
        actor: Actor | None = None,
        detail: dict[str, JsonValue] | None = None,
        approval_id: str | None = None,
    ) -> Draft:
        return Draft(
            thread_id=self.thread_id,
            tag=tag,
            at=now,
            actor=actor,
            approval_id=approval_id,
            detail=detail or {},
        )


def _person(team: str, user: str | None) -> Actor | None:
    return Actor(team=team, user=user) if user else None
