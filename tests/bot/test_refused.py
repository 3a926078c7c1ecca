"""A refused click is in the trail: once for each person and reason, never told in the thread, and
never in the way of the refusal."""

import json
import logging
from typing import Any

import pytest

from bot.approvals import Approval
from bot.audit import AuditEvent, Tag, chain
from bot.policy import Why
from bot.refused import KEPT_AT_MOST, refused
from bot.store import Conflict
from bot.views.trail import reply
from tests.bot.samples import JONAS, MARA, NOW, actor, approval
from tests.clicks import click_as_drawn, value_of
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_refused_clicks import asked


def told(of: Approval, trail: list[AuditEvent], by: str, why: Why) -> list[AuditEvent]:
    change = refused(of, trail, actor(by), why, "approve", NOW)
    drafts = change.events if change else ()
    return [*trail, *chain(trail[-1] if trail else None, drafts)]


def test_a_click_is_kept_once_for_each_person_reason_and_version() -> None:
    of = approval()
    trail = told(of, [], JONAS, Why.CHANGED)
    for _ in range(3):
        trail = told(of, trail, JONAS, Why.CHANGED)
    assert [event.tag for event in trail] == [Tag.REFUSED]
    assert trail[0].detail == {"why": "changed", "decision": "approve"}
    trail = told(of, trail, MARA, Why.CHANGED)
    trail = told(of, trail, JONAS, Why.VOTED)
    trail = told(of.to(digest="0" * 64), trail, JONAS, Why.CHANGED)
    assert len(trail) == 4
    assert reply(trail[0], {}) is None


def test_however_many_click_the_trail_has_an_end() -> None:
    trail: list[AuditEvent] = []
    for number in range(KEPT_AT_MOST + 20):
        trail = told(approval(), trail, f"U{number:04}", Why.NOT_AN_APPROVER)
    assert len(trail) == KEPT_AT_MOST


async def refusals(deployment: Deployment, thread_id: str) -> list[tuple[str, str]]:
    async with deployment.store() as store:
        events = [e for e in await store.trail(thread_id) if e.tag == Tag.REFUSED]
    return [(str(e.actor.user if e.actor else ""), str(e.detail["why"])) for e in events]


async def test_who_was_refused_and_why_is_in_the_trail(deployment: Deployment) -> None:
    async with deployment.instance():
        thread_id, card = await asked(deployment, requester=MARA)
        forged = {**json.loads(value_of(card, "Approve")), "digest": "0" * 64}
        for _ in range(2):
            for who in ("mara", "tom", "lena"):
                await click_as_drawn(deployment, who, card, "Approve")
            await click_as_drawn(deployment, "jonas", card, "Approve", value=json.dumps(forged))
            await click_as_drawn(deployment, "jonas", card, "Approve", team="T0ELSEWHERE")
        expected = {
            (MARA, "requester"),
            ("U00000TOM", "not_an_approver"),
            ("U0000LENA", "not_a_member"),
            (JONAS, "changed"),
            (JONAS, "other_workspace"),
        }

        async def all_there() -> list[tuple[str, str]] | None:
            found = await refusals(deployment, thread_id)
            return found if set(found) == expected else None

        assert len(await eventually("they are kept", all_there, 30)) == len(expected)
        await deployment.settled(thread_id, within=30)
        assert len(await deployment.thread(card, 1)) == 1


@pytest.mark.parametrize("error", [Conflict("x"), ConnectionError("gone"), TimeoutError()])
async def test_what_cannot_be_kept_is_refused_all_the_same(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise error

    async with deployment.instance() as bot:
        thread_id, card = await asked(deployment)
        await deployment.settled(thread_id, within=30)
        with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
            patched.setattr(bot.store, "commit", fails)
            await click_as_drawn(deployment, "tom", card, "Approve")
            await deployment.told("tom", "You are not among those who may decide this")
        assert "refused, and not in the trail" in caplog.text
        assert await refusals(deployment, thread_id) == []


async def test_a_forged_value_leaves_a_line_in_the_log(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    async with deployment.instance():
        _, card = await asked(deployment)
        with caplog.at_level(logging.WARNING):
            await click_as_drawn(deployment, "mara", card, "Approve", value="[]")
            await deployment.told("mara", "belongs to no approval that we know of")
        assert f"a click on nothing that we know: '': {MARA}" in caplog.text
