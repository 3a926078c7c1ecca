"""How far Slack has got with an approval: its card, and the thread that tells its trail."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

from bot.audit import Draft, Tag
from bot.notices import Notices
from bot.records import Change, Record
from bot.texts import later
from workflows.protocol import Actor

RESTORED_NOTE = later(  # stored and compared
    "Redis lost its last moments and this card was set back: what its thread told before counts "
    "only where the record still has it. Please decide again."
)
RETRY_SLACK = timedelta(seconds=1)  # doubled with each try, up to the next
RETRY_SLACK_AT_MOST = timedelta(minutes=5)
LOOK_AFTER = timedelta(minutes=1)  # several times a lease


class MessageRef(BaseModel):
    """Where the card stands."""

    model_config = ConfigDict(frozen=True)

    channel: str
    ts: str


class Delivery(BaseModel):
    """What Slack said when the card or a reply was last refused. code: Slack's own error."""

    model_config = ConfigDict(frozen=True)

    code: str
    tries: int
    retry_at: AwareDatetime


class Earlier(BaseModel):
    """What was asked before, and is void: another approval, where its card stands, and what has
    changed since it was approved, in words, a line each."""

    model_config = ConfigDict(frozen=True)

    approval: str
    message: MessageRef | None
    changes: tuple[str, ...]


class InSlack(Record):
    """revision: counts what a reader of the card would notice; shown: the revision that Slack
    has. trail: how many events tell of it; replied: how many of them Slack has. posting_since,
    posting_in and reply_tried: what was begun and not yet known to have arrived, so that the next
    try looks before it posts. astray: why the card stands in another channel, in Slack's word.
    deleted: how many messages of it are gone. replies_at: no reply before, others wait. recheck:
    Redis may have forgotten what Slack was shown. look_at: when Slack is looked through for what
    may stand there twice. note: why it is asked again, for people.
    earlier: instead of what, where that was approved and then changed.
    notices: what people are still to be told by direct message."""

    id: str
    thread_id: str
    channel: str
    note: str = ""
    earlier: Earlier | None = None
    message: MessageRef | None = None
    revision: int = 1
    shown: int = 0
    trail: int = 0
    replied: int = 0
    posting_since: AwareDatetime | None = None
    posting_in: str = ""
    astray: str = ""
    deleted: int = 0
    reply_tried: int = 0
    recheck: bool = False
    look_at: AwareDatetime | None = None
    replies_at: AwareDatetime | None = None
    delivery: Delivery | None = None
    notices: Notices = Notices()

    @property
    def is_open(self) -> bool:
        """Does it wait for a decision?"""
        raise NotImplementedError

    @property
    def terms(self) -> str:
        """The digest of what it shows."""
        raise NotImplementedError

    def posting(self, now: datetime, where: str = "", astray: str = "") -> Self:
        """About to post the card: whoever comes next looks for it first, and there."""
        where = where or self.channel
        since = self.posting_since if where == (self.posting_in or self.channel) else None
        return self.to(posting_since=since or now, posting_in=where, astray=astray)

    def posted(
        self, message: MessageRef, revision: int, now: datetime, instance: str = ""
    ) -> Change:
        """Slack has the card, drawn from `revision`; instance: who posted it."""
        record = self.to(message=message, shown=revision, posting_since=None, delivery=None)
        if self.message is not None:
            return Change(record)
        detail: dict[str, JsonValue] = {**message.model_dump(), "instance": instance}
        detail |= {"instead_of": self.channel, "because": self.astray} if self.astray else {}
        detail |= {"deleted_before": self.deleted} if self.deleted else {}
        return Change(record, (record.event(Tag.SHOWN, now, detail=detail),))

    def lost(self) -> Self:
        """The message is gone: it is posted anew, and its thread told from the beginning."""
        anew = self.to(message=None, posting_since=None, shown=0, replied=0, reply_tried=0)
        return anew.to(deleted=self.deleted + 1, astray="", replies_at=None)

    def doubted(self) -> Self:
        """Redis restarted or failed over, and may have lost its last moments: Slack is compared
        with this record before anything is said there again."""
        return self.to(recheck=True, notices=self.notices.doubted(self.trail))

    def rechecked(
        self, message: MessageRef | None, replied: int, *, ahead: bool, now: datetime
    ) -> Change:
        """Compared. replied: the replies that stand there and are still so. ahead: Slack tells
        what this record no longer knows; then it is asked again, and people are told why."""
        stands = {"message": message, "posting_since": None, "shown": 0, "replied": replied}
        record = self.to(**stands, reply_tried=0, recheck=False)
        found = message if self.message is None else None  # the trail does not tell it yet
        shown = (record.event(Tag.SHOWN, now, detail=found.model_dump()),) if found else ()
        if not ahead:
            return Change(record, shown)
        if record.is_open:
            record = record.to(note=RESTORED_NOTE)
        return Change(record, (*shown, record.event(Tag.RESTORED, now)))

    def may_come_twice(self, now: datetime) -> Self:
        """Posted once more after a try that left no trace: its author may only be asleep."""
        return self.to(look_at=now + LOOK_AFTER)

    def replying(self, number: int) -> Self:
        return self.to(reply_tried=number)

    def reply_later(self, at: datetime, tried: int) -> Self:
        """No reply before; the card itself does not wait. tried: as in reply_tried."""
        return self.to(reply_tried=tried, replies_at=at)

    def replied_to(self, number: int) -> Self:
        """The first `number` events of the trail stand in the thread."""
        return self.to(replied=number, delivery=None, replies_at=None)

    def undelivered(self, code: str, now: datetime, retry_after: float = 0.0) -> Self:
        """Slack did not take it: try again later, for as long as it takes. retry_after:
        seconds, where Slack says."""
        tries = (self.delivery.tries if self.delivery else 0) + 1
        pause = min(RETRY_SLACK * 2 ** min(tries - 1, 10), RETRY_SLACK_AT_MOST)
        at = now + max(pause, timedelta(seconds=retry_after))
        return self.to(delivery=Delivery(code=code, tries=tries, retry_at=at))

    def not_posted(self) -> Self:
        """Slack certainly did not take the card: there is nothing to look for."""
        return self.to(posting_since=None)

    def event(
        self,
        tag: Tag,
        now: datetime,
        actor: Actor | None = None,
        detail: dict[str, JsonValue] | None = None,
    ) -> Draft:
        return Draft(
            thread_id=self.thread_id,
            tag=tag,
            at=now,
            actor=actor,
            approval_id=self.id,
            digest=self.terms,
            detail=detail or {},
        )

    def revised(self, **changes: object) -> Self:
        """With changes that a reader of the card would notice."""
        return self.to(revision=self.revision + 1, **changes)
