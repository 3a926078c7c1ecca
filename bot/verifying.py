"""Is the trail of a thread what was written, and are its records the sum of it? Tells the first
event that is not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from bot.approvals import Approval
from bot.audit import GENESIS, AuditEvent, Keyring, UnknownKey
from bot.folding import disagreements
from bot.runs import Run
from bot.slack import Told
from bot.views.trail import NOT_TOLD


@dataclass(frozen=True)
class Finding:
    """What is wrong with a thread. seq: of the first event that is; None: it is a record, or the
    end of the trail."""

    thread_id: str
    seq: int | None
    what: str


@dataclass(frozen=True)
class Rules:
    """unsigned_until: events of before may have a plain hash though there are keys."""

    keyring: Keyring
    unsigned_until: datetime | None = None


@dataclass(frozen=True)
class Thread:
    """As it is stored. trail: JSON texts."""

    thread_id: str
    trail: Sequence[str | bytes]
    run: Run | None
    approvals: Sequence[Approval]


def verify(thread: Thread, rules: Rules) -> list[Finding]:
    """The first event that is not what was written there; where all are, what of the records is
    not the sum of them."""
    events: list[AuditEvent] = []
    for position, text in enumerate(thread.trail):
        try:
            events.append(AuditEvent.model_validate_json(text))
        except ValidationError:
            return [Finding(thread.thread_id, position, "cannot be read: it was changed")]
    broken = _first_broken(thread.thread_id, events, rules)
    if broken:
        return [broken]
    told = disagreements(events, thread.run, thread.approvals)
    return [Finding(thread.thread_id, None, words) for words in told]


def _first_broken(thread_id: str, events: Sequence[AuditEvent], rules: Rules) -> Finding | None:
    expected, signed = GENESIS, False
    for position, event in enumerate(events):
        what = (
            _out_of_place(events, position)
            or _not_as_written(event, rules)
            or _plain(event, rules, signed=signed)
            or ("" if event.thread_id == thread_id else f"belongs to {event.thread_id}")
            or ("" if event.previous == expected else "does not follow from the one before it: one "
                "of the two was replaced")
        )  # fmt: skip
        if what:
            return Finding(thread_id, position, what)
        expected, signed = event.hash, signed or bool(event.key)
    return None


def _out_of_place(events: Sequence[AuditEvent], position: int) -> str:
    found = events[position].seq
    if found == position:
        return ""
    if any(event.seq == position for event in events[position + 1 :]):
        return f"stands later: #{found} stands in its place (inserted, or in another order)"
    if found > position:
        return f"was removed: #{found} follows"
    return f"is #{found} once more: it was inserted"


def _not_as_written(event: AuditEvent, rules: Rules) -> str:
    try:
        return "" if event.hash == event.digest_of_all(rules.keyring) else "was changed"
    except UnknownKey as missing:
        return (
            f"was signed with the key {missing}, which COUNTERSIGN_AUDIT_KEY does not have: "
            "it cannot be verified"
        )


def _plain(event: AuditEvent, rules: Rules, *, signed: bool) -> str:
    """Whoever can write to Redis can make a plain hash; so it is none once keys are used."""
    if event.key or not (signed or rules.keyring.signs_with):
        return ""
    early = rules.unsigned_until is not None and event.at < rules.unsigned_until
    return "" if early and not signed else "is not signed (older ones: --unsigned-until)"


def verify_replies(
    approval: Approval, events: Sequence[AuditEvent], stand: Iterable[Told]
) -> list[Finding]:
    """Compared with the replies that stand in Slack: what differs there, and what is missing."""
    own = [event for event in events if event.approval_id == approval.id]
    by_number = {told.number: told for told in stand}
    found: list[Finding] = []
    for number, event in enumerate(own[: approval.replied], start=1):
        told = by_number.pop(number, None)
        if told is None and event.tag not in NOT_TOLD:
            found.append(Finding(event.thread_id, event.seq, "has no reply in Slack"))
        elif told is not None and told.event != event.hash:
            found.append(Finding(event.thread_id, event.seq, "differs from its reply in Slack"))
    found += [
        Finding(approval.thread_id, None, f"Slack has a reply {number} of {approval.id}, and the "
                "trail ends before it")
        for number in sorted(by_number)
        if number > len(own)
    ]  # fmt: skip
    return found
