"""Who may decide: every refusal, and which comes first."""

from typing import Any

import pytest

from bot.approvals import Approval
from bot.policy import People, Right, Why, authorize, refuse_stale, refuse_stale_retry
from tests.bot.samples import JONAS, MARA, NOW, TOM, after, approval, approved, member, reject
from workflows.policy import Policy

FINANCE = {"S00FINANCE": frozenset({JONAS})}
NOBODY: dict[str, frozenset[str]] = {}


def asked(approvers: tuple[str, ...] = ("S00FINANCE", MARA), **changes: Any) -> Approval:
    may = changes.pop("requester_may_approve", False)
    return approval(policy=Policy(approvers=approvers, requester_may_approve=may), **changes)


CASES: dict[str, tuple[Approval, dict[str, Any], dict[str, frozenset[str]], Why | None]] = {
    "by id": (asked(), {}, FINANCE, None),
    "by id, no group known": (asked(), {}, NOBODY, None),
    "by group": (asked(), {"user": JONAS}, FINANCE, None),
    "group missing": (asked(), {"user": JONAS}, NOBODY, Why.NOT_AN_APPROVER),
    "group empty": (asked(), {"user": JONAS}, {"S00FINANCE": frozenset()}, Why.NOT_AN_APPROVER),
    "another group": (asked(), {"user": JONAS}, {"S0OTHERS": frozenset({JONAS})},
                      Why.NOT_AN_APPROVER),
    "nobody named": (asked(()), {}, FINANCE, Why.NOT_AN_APPROVER),
    "neither": (asked(), {"user": "U0NEITHER"}, FINANCE, Why.NOT_AN_APPROVER),
    "case of ids counts": (asked(), {"user": MARA.lower()}, FINANCE, Why.NOT_AN_APPROVER),
    "other workspace": (asked(), {"team": "T0OTHERS"}, FINANCE, Why.OTHER_WORKSPACE),
    "no workspace told": (asked(), {"team": ""}, FINANCE, Why.OTHER_WORKSPACE),
    "record without a workspace": (asked(team=""), {"team": ""}, FINANCE, Why.OTHER_WORKSPACE),
    "guest": (asked(), {"full": False}, FINANCE, Why.NOT_A_MEMBER),
    "guest in the group": (asked(), {"user": JONAS, "full": False}, FINANCE, Why.NOT_A_MEMBER),
    "requester": (asked(requester=MARA), {}, FINANCE, Why.REQUESTER),
    "requester by group": (asked(requester=JONAS), {"user": JONAS}, FINANCE, Why.REQUESTER),
    "requester who may": (asked(requester=MARA, requester_may_approve=True), {}, FINANCE, None),
    "requester who may, and is no approver":
        (asked(requester_may_approve=True), {"user": TOM}, FINANCE, Why.NOT_AN_APPROVER),
    "no requester": (asked(requester=None), {}, FINANCE, None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_who_may_decide(name: str) -> None:
    of, who, groups, why = CASES[name]

    assert authorize(of, member(**who), People(groups)) == (why or Right(0))


def test_the_first_reason_is_the_one_that_tells_least() -> None:
    """A stranger who is everything else too hears only that the workspace is another."""
    of = asked((), requester=MARA)

    assert authorize(of, member(team="T0OTHERS", full=False)) == Why.OTHER_WORKSPACE
    assert authorize(of, member(full=False)) == Why.NOT_A_MEMBER
    assert authorize(of, member()) == Why.REQUESTER


def decided(kind: str) -> Approval:
    of = approval()
    match kind:
        case "approved":
            return approved(of)
        case "rejected":
            return of.decide(reject(of), NOW).record
        case "expired":
            return of.expire(NOW).record
        case "superseded":
            return of.supersede(NOW).record
        case _:
            return of


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("pending", None),
        ("approved", Why.DECIDED),
        ("rejected", Why.DECIDED),
        ("expired", Why.EXPIRED),
        ("superseded", Why.SUPERSEDED),
    ],
)
def test_a_button_holds_only_while_the_question_is_open(kind: str, why: Why | None) -> None:
    of = decided(kind)

    assert refuse_stale(of, of.digest, "approve", NOW) == why
    if why:  # who comes too late is told that, whatever else is wrong
        assert refuse_stale(of, "other", "edit", NOW) == why


def test_a_button_holds_until_the_deadline_also_while_nobody_closes_it() -> None:
    of = approval(expires_at=after(60))
    assert refuse_stale(of, of.digest, "approve", after(59)) is None
    assert refuse_stale(of, of.digest, "approve", after(60)) == Why.EXPIRED


def test_a_button_drawn_for_another_digest_or_decision_is_refused() -> None:
    of = approval()

    assert refuse_stale(of, of.digest[:12], "approve", NOW) == Why.CHANGED
    assert refuse_stale(of, "", "approve", NOW) == Why.CHANGED
    assert refuse_stale(of, of.digest, "edit", NOW) == Why.NOT_OFFERED
    assert refuse_stale(of, "other", "edit", NOW) == Why.CHANGED


def test_the_one_who_decides_is_never_let_in_by_name() -> None:
    of = asked()
    called_mara = member(user="U0STRANGE", name="Mara Okafor")

    assert authorize(of, called_mara, People(FINANCE)) == Why.NOT_AN_APPROVER


def test_a_retry_counts_on_a_card_that_tells_of_the_failure_and_of_what_was_shown() -> None:
    decided = approved()
    failed = decided.given_up("Not executed: ouch", after(2))

    assert refuse_stale_retry(failed, failed.digest) is None
    assert refuse_stale_retry(failed, "0" * 64) == Why.CHANGED
    for other in (decided, failed.retried(), decided.concluded("failed", "Too late", after(2))):
        assert refuse_stale_retry(other, other.digest) == Why.NOT_FAILED
