"""What happened, as a chain: each event carries the hash of the one before it."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

from workflows.protocol import Actor

GENESIS = "0" * 64


class Tag(StrEnum):
    """`subject:action`; stored, so a name once given stays."""

    RUN_STARTED = "run:started"
    RUN_RESUMED = "run:resumed"
    RUN_SCHEDULED = "run:scheduled"
    RUN_BLOCKED = "run:blocked"
    RUN_FINISHED = "run:finished"
    RUN_FAILED = "run:failed"
    RUN_CANCELLED = "run:cancelled"
    RUN_RETRIED = "run:retried"
    RUN_RETIRED = "run:retired"
    REQUESTED = "approval:requested"
    SHOWN = "approval:shown"
    VIEWED = "approval:viewed"
    VOTED = "approval:voted"
    WITHDRAWN = "approval:withdrawn"
    APPROVED = "approval:approved"
    EDITED = "approval:edited"
    REJECTED = "approval:rejected"
    ANSWERED = "approval:answered"
    EXPIRED = "approval:expired"
    DELEGATED = "approval:delegated"
    REASSIGNED = "approval:reassigned"
    ESCALATED = "approval:escalated"
    REMINDED = "approval:reminded"
    ALIKE = "approval:alike"
    INQUIRED = "approval:inquired"
    REPLIED = "approval:replied"
    REFUSED = "approval:refused"
    SUPERSEDED = "approval:superseded"
    REOPENED = "approval:reopened"
    VOIDED = "approval:voided"
    OUTDATED = "approval:outdated"
    RESTORED = "approval:restored"
    EFFECT_DONE = "effect:done"
    EFFECT_IN_DOUBT = "effect:in_doubt"
    EFFECT_REFUSED = "effect:refused"
    EFFECT_OUTDATED = "effect:outdated"
    EFFECT_SETTLED = "effect:settled"

    @classmethod
    def _missing_(cls, value: object) -> Self:
        """A tag that newer code gave: kept as it is."""
        tag = str.__new__(cls, value)
        tag._name_ = tag._value_ = str(value)
        return tag


class UnknownKey(Exception):
    """An event was signed with a key that is not here; the message is its id."""


@dataclass(frozen=True)
class Keyring:
    """Keys of the chain, by id: the first signs what is written, and any verifies. Without one an
    event has a plain hash, which whoever can write to Redis can compute too."""

    keys: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)

    @property
    def signs_with(self) -> str:
        """Its id; empty where there is none."""
        return next(iter(self.keys), "")

    def hash(self, key: str, content: bytes) -> str:
        """SHA-256 in hex, or HMAC-SHA-256 with that key."""
        if not key:
            return hashlib.sha256(content).hexdigest()
        if key not in self.keys:
            raise UnknownKey(key)
        return hmac.digest(self.keys[key], content, "sha256").hex()


NO_KEYS = Keyring()


class Draft(BaseModel):
    """An event before it has its place in the chain. approval_id: whose card's thread tells it.

    Unlike a record it is never rewritten, so its form is only added to: a tag or a field that
    newer code gave it is kept here as it is stored, and so the chain holds.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    thread_id: str
    tag: Tag
    at: AwareDatetime
    actor: Actor | None = None
    approval_id: str | None = None
    digest: str | None = None
    detail: dict[str, JsonValue] = {}


class AuditEvent(Draft):
    """An event in its thread's chain. seq: from 0, without a gap. key: id of the key of the hash,
    empty where that is plain. hash: SHA-256 or HMAC-SHA-256 (hex) over the canonical JSON of
    all the other fields."""

    seq: int
    previous: str
    key: str = ""
    hash: str = ""

    def digest_of_all(self, keyring: Keyring = NO_KEYS) -> str:
        """What `hash` must be; UnknownKey where it was made with a key that is not here. Taken
        from the event as stored: NaN is null there, and a field that came after it is not."""
        body = json.loads(self.model_dump_json(exclude={"hash"}, exclude_unset=True))
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return keyring.hash(self.key, canonical.encode())


def chain(
    last: AuditEvent | None, drafts: Iterable[Draft], keyring: Keyring = NO_KEYS
) -> list[AuditEvent]:
    """The drafts as the next events after `last` (None: the thread has none yet)."""
    events: list[AuditEvent] = []
    for draft in drafts:
        seq, previous = (last.seq + 1, last.hash) if last else (0, GENESIS)
        made = AuditEvent(**dict(draft), seq=seq, previous=previous, key=keyring.signs_with)
        event = AuditEvent.model_validate_json(made.model_dump_json())  # as it is read again
        last = event.model_copy(update={"hash": event.digest_of_all(keyring)})
        events.append(last)
    return events


def first_broken(events: Iterable[AuditEvent], keyring: Keyring = NO_KEYS) -> int | None:
    """The position of the first event that is not what was written there; None: all is well.
    UnknownKey where one was signed with a key that is not here."""
    expected = GENESIS
    for position, event in enumerate(events):
        intact = event.seq == position and event.previous == expected
        if not intact or event.hash != event.digest_of_all(keyring):
            return position
        expected = event.hash
    return None
