"""Reminders: whose decision is still missing, and when each of them may be told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from bot.approvals import Approval
from bot.audit import Tag
from bot.policy import GROUPS, Member, People, in_place_of, involved
from bot.records import Change

TOLD_AT_MOST = 20  # of a group of hundreds: as many direct messages at a time
LOOK_AGAIN = timedelta(hours=1)  # who is missing changes: votes, groups, absences


@dataclass(frozen=True)
class Known:
    """people, away: at this moment; away: those without a deputy, too. members: who they are, of
    those that may be told."""

    people: People
    away: frozenset[str] = frozenset()
    members: Mapping[str, Member] | None = None

    def member(self, user: str) -> Member | None:
        """None where they are not known, or may not decide anything."""
        found = (self.members or {}).get(user)
        return found if found and found.full else None


def missing(approval: Approval, known: Known) -> list[str]:
    """Those of the open stage who could decide it and have not: the ones that are named first,
    then the members of groups."""
    stage = approval.open_stage
    if not approval.is_open or stage is None:
        return []
    asked = approval.stages[stage]
    return in_charge(approval, asked.approvers, known, asked.without)


def in_charge(
    approval: Approval, approvers: Iterable[str], known: Known, without: Sequence[str] = ()
) -> list[str]:
    """The people that these ids stand for and who may decide; for one who is away, whoever
    decides in their place. without: who have handed their place to others."""
    ids = list(approvers)
    named = [each for each in ids if each[0] not in GROUPS]
    seats = dict.fromkeys([*named, *sorted(known.people.among(ids))])
    free = [seat for seat in seats if seat not in without and approval.vote_of(seat) is None]
    present = (_present(approval, seat, known) for seat in free)
    return list(dict.fromkeys(who for who in present if who and _may(approval, who)))


def _present(approval: Approval, user: str, known: Known) -> str | None:
    if user not in known.away:
        return user
    chain = in_place_of(user, approval, known.people)
    return chain[-1] if chain and chain[-1] not in known.away else None


def _may(approval: Approval, user: str) -> bool:
    return involved(approval, user) is None and approval.vote_of(user) is None


def remind(approval: Approval, known: Known, now: datetime) -> Change:
    """Those whose time has come, and for whom it is day, are reminded; the record says when to
    look again. Each of them at most once every `remind_every`, whatever the others' zones are."""
    at_last = approval.remind_next
    if at_last is None or at_last > now or approval.past_deadline(now):
        return Change(approval)
    every, hours = approval.policy.remind_every, approval.policy.remind_within
    wanted = missing(approval, known)
    members = [member for user in wanted if (member := known.member(user))][:TOLD_AT_MOST]
    at: dict[str, datetime] = {}
    for member in members:
        last = approval.reminded.get(member.user)
        owed = last + every if last else _waiting_since(approval)
        at[member.user] = hours.next_open(max(owed, now), member.zone)
    told = [user for user, when in at.items() if when <= now]
    again = [now + every if user in told else when for user, when in at.items()]
    reminded = {user: when for user, when in approval.reminded.items() if user in wanted}
    record = approval.to(
        remind_at=min([*again, now + LOOK_AGAIN]), reminded=reminded | dict.fromkeys(told, now)
    )
    if not told:
        return Change(record)
    detail: dict[str, JsonValue] = {"users": list(told)}
    detail |= {"others": len(wanted) - len(members)} if len(wanted) > len(members) else {}
    return Change(record, (record.event(Tag.REMINDED, now, detail=detail),))


def _waiting_since(approval: Approval) -> datetime:
    """When the first reminder is due of those whose stage is open: later than it was asked,
    where others had to vote before them."""
    before = [v.at for v in approval.votes if v.stage != approval.open_stage]
    after = approval.request.remind_after or timedelta(0)
    return max([approval.asked_at, *before]) + after
