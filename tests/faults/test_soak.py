"""A short soak in each run of the tests (`make soak` is the long one), and what it would notice."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bot.approvals import Doubt
from bot.audit import AuditEvent, Tag, chain
from bot.inslack import MessageRef
from bot.local.person import Seen
from bot.local.response_urls import Target
from tests.bot.samples import (
    CHANNEL,
    JONAS,
    MARA,
    NOW,
    WHERE,
    actor,
    answer,
    approval,
    approved,
    draft,
    handed_over,
    run,
)
from tests.eventually import eventually
from tests.faults.soak.provider import Provider
from tests.faults.soak.reviewers import RETRY, Click
from tests.faults.soak.soak import soak
from tests.faults.soak.verdict import Thread, judge, settled
from workflows.effects import EffectRefused

PATIENCE = 60.0
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


def card(ts: str = WHERE.ts) -> Seen:
    return Seen(CHANNEL, {"ts": ts})


DONE = handed_over().applied(NOW).concluded("done", "Refund done", NOW).to(message=WHERE)
DOUBTED = approval(id="ap_2", doubt=Doubt(key="refund:1", attempt="a1"))
DOUBT = DOUBTED.to(
    status="answered",
    votes=(answer(DOUBTED, "not_done"),),
    message=MessageRef(channel=CHANNEL, ts="2.2"),
).concluded("done", "Noted as not done", NOW)


def click(
    user: str = MARA, decision: str = "approve", answers: int = 0, approval: str = DONE.id
) -> Click:
    return Click(approval, user, decision, 0.0, Target(user, CHANNEL, uses=answers))


WELL = Thread(
    run=run(status="finished"),
    approvals=[DONE],
    trail=trail(*TOLD),
    effects=1,
    cards=[card()],
    told={DONE.id: told(trail(*TOLD))},
    clicks=[click(), click(JONAS, "reject", answers=1)],
)
REJECTED = WELL.approvals[0].to(status="rejected")
PLANTED = {
    "wrong final states": replace(WELL, run=run(status="failed")),
    "lost decisions": replace(WELL, clicks=[click(JONAS, "reject")]),
    "doubled effects": replace(WELL, effects=2),
    "both branches run": replace(WELL, approvals=[REJECTED]),
    "doubled or missing cards": replace(WELL, cards=[card(), card("1.2")]),
    "doubled, missing or unordered replies": replace(
        WELL, told={DONE.id: ["#0", "#1", "#2", "#2", "#4"]}
    ),
}


def test_a_thread_that_ended_well_is_told_from_one_that_did_not() -> None:
    assert judge(WELL).total() == 0
    assert settled(WELL.run, [WELL.approvals[0].to(shown=3, revision=3)])


@pytest.mark.parametrize("kind", PLANTED)
def test_each_kind_of_violation_is_counted(kind: str) -> None:
    assert judge(PLANTED[kind])[kind] == 1


RETRIED = draft(Tag.RUN_RETRIED, actor=actor(MARA))
MENDED = replace(
    WELL,
    approvals=[DONE, DOUBT],
    trail=chain(None, [*map(draft, TOLD), RETRIED]),
    cards=[card(), card("2.2")],
    told={DONE.id: [*told(trail(*TOLD)), "#5"], DOUBT.id: []},
    clicks=[
        click(MARA, RETRY),
        click(JONAS, RETRY, answers=1),
        click(MARA, "not_done", approval=DOUBT.id),
        click(JONAS, "retry", answers=1, approval=DOUBT.id),
    ],
)


def test_a_thread_that_was_retried_and_in_doubt_may_have_ended_well() -> None:
    assert judge(MENDED).total() == 0
    superseded = DOUBTED.to(status="superseded", message=DOUBT.message)
    assert judge(replace(MENDED, approvals=[DONE, superseded])).total() == 0


def test_a_lost_answer_and_a_lost_retry_are_counted() -> None:
    answered = replace(MENDED, clicks=[click(JONAS, "retry", approval=DOUBT.id)])
    assert judge(answered)["lost decisions"] == 1
    retried = replace(MENDED, trail=trail(*TOLD), told=WELL.told)
    assert judge(retried)["lost decisions"] == 1
    unheard = replace(MENDED, approvals=[DONE, DOUBTED.to(message=DOUBT.message)])
    assert judge(unheard)["wrong final states"] == 1


async def test_the_provider_tells_what_arrived(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "provider.db")
    assert provider.truth("k") == "did not happen"
    with pytest.raises(EffectRefused):
        await provider.send_if_mended("k")
    assert provider.truth("k") == "did not happen"
    provider.mend("k")
    await asyncio.gather(provider.send_if_mended("k"), provider.send("k", loses=False))
    assert provider.truth("k") == "happened"
    assert provider.sent() == {"k": 2}, "it forgives nothing"


async def test_a_call_is_on_its_way_while_its_process_lives(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "provider.db", on_the_way=(PATIENCE, PATIENCE))
    sending = asyncio.create_task(provider.send("k"))
    await eventually("the call was begun", lambda: provider.truth("k") == "is on its way", PATIENCE)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert provider.sent() == {}


def test_a_run_that_is_not_told_to_the_end_has_not_settled() -> None:
    assert not settled(WELL.run, [WELL.approvals[0].to(shown=0)])
    assert not settled(run(status="waiting"), [WELL.approvals[0]])
    assert not settled(run(status="finished"), [])


def test_a_lost_decision_is_one_that_was_acknowledged_and_not_refused() -> None:
    undecided = replace(WELL, approvals=[approved().to(votes=(), status="pending")])
    assert judge(undecided)["lost decisions"] == 1
    refused = replace(WELL, clicks=[click(JONAS, "reject", answers=1)])
    assert judge(refused)["lost decisions"] == 0, "the click that decided was not acknowledged"
