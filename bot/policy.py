"""Who may decide: one function, failing closed, on immutable ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.approvals import Approval


class Why(StrEnum):
    """Why a click is refused. The words are in views/answers.py."""

    UNKNOWN = "unknown"
    CHANGED = "changed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    DECIDED = "decided"
    NOT_OFFERED = "not_offered"
    NOT_FAILED = "not_failed"
    OTHER_WORKSPACE = "other_workspace"
    NOT_A_MEMBER = "not_a_member"
    REQUESTER = "requester"
    NOT_AN_APPROVER = "not_an_approver"


@dataclass(frozen=True)
class Member:
    """A Slack user as users.info tells it. full: neither bot, guest, stranger nor deactivated.
    team: where they belong. known_as: other ids of the same, as of the team in its enterprise."""

    team: str
    user: str
    name: str
    full: bool
    known_as: frozenset[str] = frozenset()


def authorize(
    approval: Approval, member: Member, groups: Mapping[str, frozenset[str]]
) -> Why | None:
    """None where `member` may decide; else why not.

    groups: the members of the user groups that the policy names; one that is missing has none.
    """
    if not approval.team or approval.team not in {member.team, *member.known_as}:
        return Why.OTHER_WORKSPACE
    if not member.full:
        return Why.NOT_A_MEMBER
    if member.user == approval.requester and not approval.policy.requester_may_approve:
        return Why.REQUESTER
    allowed = (
        member.user == approver or member.user in groups.get(approver, frozenset())
        for approver in approval.policy.approvers
    )
    return None if any(allowed) else Why.NOT_AN_APPROVER


def refuse_stale(approval: Approval, digest: str, decision: str, now: datetime) -> Why | None:
    """None where the button still means what it meant when it was drawn."""
    if approval.status == "superseded":
        return Why.SUPERSEDED
    expired = approval.status == "pending" and approval.past_deadline(now)
    if approval.status == "expired" or expired:
        return Why.EXPIRED
    if approval.status != "pending":
        return Why.DECIDED
    if digest != approval.digest:
        return Why.CHANGED
    if decision not in approval.offered:
        return Why.NOT_OFFERED
    return None


def refuse_stale_retry(approval: Approval, digest: str) -> Why | None:
    """None where the card still says that its run failed, and of what was shown."""
    if not (approval.outcome and approval.outcome.run_failed):
        return Why.NOT_FAILED
    return None if digest == approval.digest else Why.CHANGED
