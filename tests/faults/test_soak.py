"""A short soak in each run of the tests (`make soak` is the long one), and what it would notice."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bot.audit import AuditEvent, Tag, chain
from bot.local.person import Seen
from bot.local.response_urls import Target
from tests.bot.samples import (
    CHANNEL,
    JONAS,
    MARA,
    NOW,
    approved,
    draft,
    handed_over,
    run,
)
from tests.faults.soak.reviewers import Click
from tests.faults.soak.soak import soak
from tests.faults.soak.verdict import Thread, judge, settled

TOLD = (Tag.REQUESTED, Tag.APPROVED, Tag.RUN_RESUMED, Tag.EFFECT_DONE, Tag.RUN_FINISHED)


async def test_nothing_is_lost_or_doubled_while_everything_fails(tmp_path: Path) -> None:
    dice = random.Random()  # noqa: S311 - another trouble each time
    result = await soak(tmp_path, 12, 12.0, dice, Console(quiet=True))
    assert result.held, result.words
    assert result.done["clicks acknowledged"] >= 12


def trail(*tags: Tag) -> list[AuditEvent]:
    return chain(None, [draft(tag) for tag in tags])


def told(events: list[AuditEvent]) -> list[str]:
    return [f"#{event.seq}" for event in events]


def card(ts: str = "1.1") -> Seen:
    return Seen(CHANNEL, {"ts": ts})


def click(user: str = MARA, decision: str = "approve", answers: int = 0) -> Click:
    return Click("Refund", user, decision, 0.0, Target(user, CHANNEL, uses=answers))


WELL = Thread(
    run=run(status="finished"),
    approvals=[handed_over().applied(NOW).concluded("done", "Refund done", NOW)],
    trail=trail(*TOLD),
    refunds=1,
    cards=[card()],
    told=told(trail(*TOLD)),
    clicks=[click(), click(JONAS, "reject", answers=1)],
)
REJECTED = WELL.approvals[0].to(status="rejected")
PLANTED = {
    "wrong final states": replace(WELL, run=run(status="failed")),
    "lost decisions": replace(WELL, clicks=[click(JONAS, "reject")]),
    "doubled effects": replace(WELL, refunds=2),
    "both branches run": replace(WELL, approvals=[REJECTED]),
    "doubled or missing cards": replace(WELL, cards=[card(), card("1.2")]),
    "doubled, missing or unordered replies": replace(WELL, told=[*WELL.told[:3], "#2", "#4"]),
}


def test_a_thread_that_ended_well_is_told_from_one_that_did_not() -> None:
    assert judge(WELL).total() == 0
    assert settled(WELL.run, [WELL.approvals[0].to(shown=3, revision=3)])


@pytest.mark.parametrize("kind", PLANTED)
def test_each_kind_of_violation_is_counted(kind: str) -> None:
    assert judge(PLANTED[kind])[kind] == 1


def test_a_run_that_is_not_told_to_the_end_has_not_settled() -> None:
    assert not settled(WELL.run, [WELL.approvals[0].to(shown=0)])
    assert not settled(run(status="waiting"), [WELL.approvals[0]])
    assert not settled(run(status="finished"), [])


def test_a_lost_decision_is_one_that_was_acknowledged_and_not_refused() -> None:
    undecided = replace(WELL, approvals=[approved().to(votes=(), status="pending")])
    assert judge(undecided)["lost decisions"] == 1
    refused = replace(WELL, clicks=[click(JONAS, "reject", answers=1)])
    assert judge(refused)["lost decisions"] == 0, "the click that decided was not acknowledged"
