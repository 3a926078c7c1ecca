"""Who may decide: one function, failing closed, on immutable ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from bot.approvals import Approval
from workflows.fields import UserField
from workflows.policy import Stage

GROUPS = "SCG"  # what ids of user groups and of channels begin with


class Why(StrEnum):
    """Why a click is refused. The words are in views/answers.py."""

    UNKNOWN = "unknown"
    CHANGED = "changed"
    TAKEN_BACK = "taken_back"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    DECIDED = "decided"
    NOT_OFFERED = "not_offered"
    NOT_TOGETHER = "not_together"
    NOT_FAILED = "not_failed"
    OTHER_WORKSPACE = "other_workspace"
    NOT_A_MEMBER = "not_a_member"
    REQUESTER = "requester"
    NAMED = "named"
    RAISED = "raised"
    NOT_THEIR_TURN = "not_their_turn"
    VOTED = "voted"
    NO_VOTE = "no_vote"
    UNSEEN = "unseen"
    UNSAID = "unsaid"
    NOT_AN_APPROVER = "not_an_approver"
    MAY_NOT_REASSIGN = "may_not_reassign"
    NO_REQUESTER = "no_requester"
    ASKED_ALREADY = "asked_already"
    ASKED_ENOUGH = "asked_enough"
    NOT_ASKED = "not_asked"
    NOTHING_ASKED = "nothing_asked"
    FORM_ONLY = "form_only"
    ASKED_MEANWHILE = "asked_meanwhile"
    OTHER_OPENER = "other_opener"


STRANGERS = (Why.OTHER_WORKSPACE, Why.NOT_A_MEMBER)


@dataclass(frozen=True)
class Member:
    """A Slack user as users.info tells it. full: neither bot, guest, stranger nor deactivated.
    team: where they belong. known_as: other ids of the same, as of the team in its enterprise.
    zone: their time zone, by its IANA name; zone_offset: in seconds east of UTC."""

    team: str
    user: str
    name: str
    full: bool
    known_as: frozenset[str] = frozenset()
    zone: str = ""
    zone_offset: int = 0


@dataclass(frozen=True)
class Right:
    """What a vote counts for: a stage of the policy, in one's own place or an absent approver's."""

    stage: int
    on_behalf_of: str | None = None


@dataclass(frozen=True)
class People:
    """What is known of others than the one who clicks.

    groups: the members of the user groups and channels that the policy names; one that is missing
    has none. deputies: by each who is away, who takes their place.
    """

    groups: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    deputies: Mapping[str, str] = field(default_factory=dict[str, str])

    def among(self, approvers: Iterable[str]) -> frozenset[str]:
        """The users that these ids stand for."""
        found: set[str] = set()
        for approver in approvers:
            found |= self.groups.get(approver, frozenset()) if approver[0] in GROUPS else {approver}
        return frozenset(found)

    def of(self, stage: Stage) -> frozenset[str]:
        """The users who may pass it."""
        return self.among(stage.approvers) - set(stage.without)


NOBODY_KNOWN = People()


def authorize(
    approval: Approval, member: Member, people: People = NOBODY_KNOWN, *, any_stage: bool = False
) -> Right | Why:
    """What `member` may decide now; else why not. any_stage: for what decides nothing, such as
    looking at it; else the stage counts that is open."""
    barred = refuse_person(approval, member)
    if barred is not None:
        return barred
    open_stage = approval.open_stage
    now = range(len(approval.stages)) if any_stage or open_stage is None else [open_stage]
    for stage in now:
        right = _right(approval, stage, member, people)
        if right is not None:
            return right
    later = [i for i, _ in enumerate(approval.stages) if i not in now]
    if any(_right(approval, stage, member, people) for stage in later):
        return Why.NOT_THEIR_TURN
    return Why.NOT_AN_APPROVER


def refuse_person(approval: Approval, member: Member) -> Why | None:
    """Why this person may never decide this, whoever the approvers are."""
    if not approval.team or approval.team not in {member.team, *member.known_as}:
        return Why.OTHER_WORKSPACE
    if not member.full:
        return Why.NOT_A_MEMBER
    return involved(approval, member.user)


def involved(
    approval: Approval, user: str, values: Mapping[str, JsonValue] | None = None
) -> Why | None:
    """Separation of duties: who asked for it, and whom it names, do not decide it; nor whom an
    edit would name, the one that is proposed or `values`."""
    policy = approval.policy
    if user == approval.requester and not policy.requester_may_approve:
        return Why.REQUESTER
    shown = (f for f in approval.request.fields if isinstance(f, UserField) and f.value == user)
    named = [{field.label} for field in shown]
    editable = approval.request.editable
    proposed = approval.proposal.values if approval.proposal else {}
    for edited in (editable.values if editable else {}, proposed, values or {}):
        named += [_labels(approval, key) for key, value in edited.items() if _names(value, user)]
    return Why.NAMED if any(each.isdisjoint(policy.named_may_approve) for each in named) else None


def _labels(approval: Approval, key: str) -> set[str]:
    """What a field of the edit goes by: its key, and its title."""
    editable = approval.request.editable
    fields = editable.json_schema.get("properties") if editable else None
    about = fields.get(key) if isinstance(fields, dict) else None
    title = about.get("title") if isinstance(about, dict) else None
    return {key, *([title] if isinstance(title, str) else [])}


def _names(value: JsonValue, user: str) -> bool:
    if isinstance(value, dict):
        return any(_names(each, user) for each in value.values())
    if isinstance(value, list):
        return any(_names(each, user) for each in value)
    return value == user


def deputy_of(approval: Approval, absent: str, people: People) -> str | None:
    """Who takes the place that `absent` has in any stage of it; None: they have none to give."""
    named = any(absent in people.of(stage) for stage in approval.stages)
    if not named or approval.vote_of(absent) is not None:
        return None
    chain = in_place_of(absent, approval, people)
    return chain[0] if chain and involved(approval, chain[0]) is None else None


def _right(approval: Approval, stage: int, member: Member, people: People) -> Right | None:
    """One's own place, else that of the absent one who is nearest in a chain of deputies."""
    approvers = people.of(approval.stages[stage])
    if member.user in approvers:
        return Right(stage)
    places: list[tuple[int, str]] = []
    for absent in approvers:
        chain = in_place_of(absent, approval, people) if approval.vote_of(absent) is None else []
        places += [(chain.index(member.user), absent)] if member.user in chain else []
    return Right(stage, min(places)[1]) if places else None


def in_place_of(absent: str, approval: Approval, people: People) -> list[str]:
    """Who may take this place: the deputy, and theirs where they are away too. One who may not
    decide it may not choose who does either, and one who has voted is not away from it: there the
    chain ends."""
    chain: list[str] = []
    who = absent
    while involved(approval, who) is None and who in people.deputies:
        who = people.deputies[who]
        if who in (absent, *chain) or approval.vote_of(who) is not None:
            break
        chain.append(who)
    return chain


def refuse_stale(approval: Approval, terms: str, decision: str, now: datetime) -> Why | None:
    """None where the button still means what it meant when it was drawn."""
    closed = refuse_closed(approval, now)
    if closed is not None:
        return closed
    if terms != approval.terms:
        return Why.CHANGED
    if decision not in approval.offered:
        return Why.NOT_OFFERED
    return None


def refuse_taken_back(approval: Approval, user: str, drawn: int) -> Why | None:
    """None where no vote of theirs was taken back since what they clicked was drawn, as revision
    `drawn`: else it may be the very click that was taken back, delivered once more. Nobody else's
    click is concerned."""
    return Why.TAKEN_BACK if drawn < approval.taken_back.get(user, 0) else None


def refuse_closed(approval: Approval, now: datetime) -> Why | None:
    """None while it can still be decided."""
    if approval.status in ("superseded", "outdated"):
        return Why.SUPERSEDED
    expired = approval.status == "pending" and approval.past_deadline(now)
    if approval.status == "expired" or expired:
        return Why.EXPIRED
    return Why.DECIDED if approval.status != "pending" else None


def refuse_bulk(approval: Approval) -> Why | None:
    """None where it may be decided together with others: low risk, nothing kept out of sight, no
    duplicate of another, and the policy lets it."""
    request = approval.request
    plain = request.risk == "low" and request.sensitivity == "normal"
    plain = plain and not (approval.doubt or approval.alike)
    return None if approval.policy.bulk and plain else Why.NOT_TOGETHER


def refuse_voted(approval: Approval, user: str, decision: str) -> Why | None:
    """None where this vote would be another than they have: a second one changes nothing."""
    return Why.VOTED if decision == "approve" and approval.vote_of(user) else None


def refuse_unseen(approval: Approval, user: str) -> Why | None:
    """A restricted request is decided by who has looked at it as it stands: its card shows
    nothing of what it asks."""
    unseen = approval.restricted and approval.seen.get(user) != approval.terms
    return Why.UNSEEN if unseen else None


def refuse_unsaid(approval: Approval, decision: str, reason: str) -> Why | None:
    """Why this decision does not count without words. A response is words already."""
    wanted = decision != "respond" and decision in approval.policy.reason_required
    return Why.UNSAID if wanted and not reason.strip() else None


def refuse_stale_retry(approval: Approval, terms: str) -> Why | None:
    """None where the card still says that its run failed, and of what was shown."""
    if not (approval.outcome and approval.outcome.run_failed):
        return Why.NOT_FAILED
    return None if terms == approval.terms else Why.CHANGED
