"""A reply to a patient: reviewed where nobody else sees it, sent in their hours, with consent."""

import json
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.approvals import Approval
from bot.local.person import Seen, texts_in
from bot.services import Services
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from tests.fhir_standin import CATEGORY, TOKEN, FhirStandIn
from tests.journey.test_deciding import form
from tests.waiting import HandClock, direct

TITLE = "Reply to a patient"
VALUES = ("p-4711", "Chicago", "results-of-labs", "All is well, Mrs. Kim")
GIVEN = {
    "patient": VALUES[0],
    "zone": f"America/{VALUES[1]}",
    "template": VALUES[2],
    "body": VALUES[3],
}
NOON = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)  # in Chicago
NIGHT = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)  # 22:00 there
MORNING = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)  # 8:00 there
WITHIN = 60.0


@dataclass(frozen=True)
class Desk:
    """A deployment, its clock and the thread of one reply."""

    deployment: Deployment
    clock: HandClock
    thread_id: str = "reply-1"

    async def ask(self, bot: Services, **more: Any) -> Seen:
        values = {**GIVEN, **more}
        requester = self.deployment.person("tom").id
        await bot.starter.start_run(
            "patient_reply", values, thread_id=self.thread_id, requester=requester
        )
        return await self.deployment.card(TITLE, within=WITHIN)

    async def review(self, card: Seen, label: str = "Approve") -> None:
        modal = await form(self.deployment, "mara", card, "Review")
        assert VALUES[3] in "\n".join(texts_in(modal["blocks"]))
        mara = self.deployment.person("mara")
        await mara.click_in(mara.modal, label)

    async def approval(self) -> Approval:
        return (await self.deployment.approvals_of(self.thread_id))[-1]

    async def waits(self) -> datetime:
        async def scheduled() -> datetime | None:
            return (await self.deployment.run_of(self.thread_id)).wakes_at

        return await eventually("it is scheduled", scheduled, WITHIN)

    async def until(self, status: str) -> None:
        async def so() -> bool:
            return (await self.deployment.run_of(self.thread_id)).status == status

        await eventually(f"the run is {status}", so, WITHIN)

    @property
    def sent(self) -> Any:
        return self.deployment.patients.messages()

    def said_in_slack(self) -> str:
        """All that Slack was given, whole: messages, replies, private answers, direct messages and
        what buttons carry."""
        workspace, mara = self.deployment.slack.workspace, self.deployment.person("mara")
        cards = mara.sees()
        replies = [each.json for card in cards for each in mara.replies(card)]
        whispers = [workspace.whispers(CHANNEL, each.id) for each in workspace.users.values()]
        written = [m.json for who in ("mara", "tom", "jonas") for m in direct(self.deployment, who)]
        seen = [each.json for each in cards]
        return json.dumps([seen, replies, whispers, written], ensure_ascii=False)


@pytest.fixture
def desk(deployment: Deployment) -> Desk:
    return Desk(deployment, HandClock(NOON))


@pytest.fixture(autouse=True)
async def nothing_leaks(desk: Desk, caplog: pytest.LogCaptureFixture) -> AsyncGenerator[None, None]:
    """Whatever a test did: no value of the patient's is in Slack, in a log or in a key's name."""
    caplog.set_level(logging.INFO)
    for ours in ("bot", "workflows", "httpx", "aiohttp"):
        caplog.set_level(logging.DEBUG, ours)
    yield
    logged = "\n".join(caplog.handler.format(each) for each in caplog.get_records("call"))
    said = desk.said_in_slack()
    async with desk.deployment.store() as store:
        names = [key async for key in store.redis.scan_iter(f"*{desk.deployment.namespace}*")]
        trail = [event.tag for event in await store.trail(desk.thread_id)]
    assert trail
    assert logged
    for value in VALUES:
        assert value not in said
        assert value not in logged
        assert not any(value.encode() in name for name in names)


async def test_by_day_it_is_sent_at_once_and_once(desk: Desk) -> None:
    async with desk.deployment.instance(now=desk.clock) as bot:
        card = await desk.ask(bot)
        await desk.review(card)
        await desk.deployment.reads(card, "Carried out", within=WITHIN)
        await desk.until("finished")
        await desk.deployment.settled(desk.thread_id, within=WITHIN)
    assert await desk.sent == [
        ("patient_reply:reply-1", *(GIVEN[k] for k in ("patient", "template", "body")))
    ]


async def test_at_night_it_is_scheduled_and_outlives_whoever_scheduled_it(desk: Desk) -> None:
    desk.clock.at = NIGHT
    async with desk.deployment.instance("one", now=desk.clock) as bot:
        card = await desk.ask(bot)
        await desk.review(card)
        card = await desk.deployment.reads(card, "To be carried out ", within=WITHIN)
        assert "Approved by Mara Okafor" in card.text
        assert await desk.waits() == MORNING
    desk.clock.at = MORNING - timedelta(seconds=1)
    async with desk.deployment.instance("two", now=desk.clock) as bot:
        await bot.tasks.advance(desk.thread_id)
        assert await desk.sent == []
        desk.clock.at = MORNING
        await desk.deployment.reads(card, "Carried out", within=WITHIN)
        await desk.until("finished")
    assert len(await desk.sent) == 1


async def test_woken_in_the_next_night_it_waits_once_more(desk: Desk) -> None:
    """No worker ran by day."""
    desk.clock.at = NIGHT
    async with desk.deployment.instance("one", now=desk.clock) as bot:
        await desk.review(await desk.ask(bot))
        assert await desk.waits() == MORNING
    desk.clock.at = NIGHT + timedelta(days=1)
    async with desk.deployment.instance("two", now=desk.clock):

        async def again() -> bool:
            return await desk.waits() == MORNING + timedelta(days=1)

        await eventually("it waits for the next morning", again, WITHIN)
        assert await desk.sent == []
        desk.clock.at = MORNING + timedelta(days=1)
        await desk.until("finished")
    assert len(await desk.sent) == 1


async def test_consent_that_is_withdrawn_while_it_waits_sends_nothing(desk: Desk) -> None:
    desk.clock.at = NIGHT
    async with desk.deployment.instance(now=desk.clock) as bot:
        card = await desk.ask(bot)
        await desk.review(card)
        await desk.waits()
        await desk.deployment.patients.withdraw(VALUES[0])
        desk.clock.at = MORNING
        await desk.until("finished")
        await desk.deployment.settled(desk.thread_id, within=WITHIN)
        card = desk.deployment.person("mara").again(card)
        approval = await desk.approval()
        trail = await bot.store.trail(desk.thread_id)
    assert await desk.sent == []
    assert "Not executed: changed since it was approved" in card.words
    assert "The patient has withdrawn their consent" in json.dumps([e.detail for e in trail])
    assert approval.outcome is not None
    assert approval.outcome.state == "failed"


async def test_consent_that_is_withdrawn_before_the_decision_voids_it(desk: Desk) -> None:
    async with desk.deployment.instance(now=desk.clock) as bot:
        card = await desk.ask(bot)
        await desk.deployment.patients.withdraw(VALUES[0])
        await desk.review(card)
        await desk.until("finished")
        await desk.deployment.settled(desk.thread_id, within=WITHIN)
        assert (await desk.approval()).status == "outdated"
    assert await desk.sent == []


async def test_nobody_is_asked_about_who_does_not_consent(desk: Desk) -> None:
    await desk.deployment.patients.withdraw(VALUES[0])
    async with desk.deployment.instance(now=desk.clock) as bot:
        await bot.starter.start_run("patient_reply", GIVEN, thread_id=desk.thread_id)
        await desk.until("finished")
        assert await bot.store.approvals_of(desk.thread_id) == []
    assert await desk.sent == []


async def test_a_reviewer_chooses_when(desk: Desk) -> None:
    """Within the patient's hours: what is chosen in the night is sent in the morning."""
    async with desk.deployment.instance(now=desk.clock) as bot:
        card = await desk.ask(bot)
        await desk.review(card, "Edit")
        mara = desk.deployment.person("mara")
        modal = await eventually(
            "the form", lambda: mara.modal and mara.modal["submit"] and mara.modal, WITHIN
        )
        names = [b["block_id"] for b in modal["blocks"] if b["type"] == "input"]
        assert [n for n in names if "send_at" in n], names
        assert (
            await mara.submit({next(n for n in names if "send_at" in n): int(NIGHT.timestamp())})
            == {}
        )
        assert await desk.waits() == MORNING
        desk.clock.at = MORNING
        await desk.until("finished")
    assert len(await desk.sent) == 1


async def test_by_a_fhir_server_it_is_one_message(desk: Desk) -> None:
    """Though its answer is lost; and no address names anyone."""
    async with FhirStandIn.open() as server:
        server.agrees(VALUES[0])
        server.trouble.append("lost")
        given: dict[str, Any] = {
            "COUNTERSIGN_FHIR_BASE": server.base,
            "COUNTERSIGN_FHIR_TOKEN": TOKEN,
            "COUNTERSIGN_FHIR_CONSENT": CATEGORY,
        }
        async with desk.deployment.instance(now=desk.clock, **given) as bot:
            card = await desk.ask(bot)
            await desk.review(card)
            mara = desk.deployment.person("mara")
            await eventually("it is recorded", lambda: mara.modal, WITHIN)

            async def mended() -> bool:
                desk.clock.at += timedelta(seconds=5)  # the next attempt is due
                await bot.tasks.reconcile()
                return (await desk.deployment.run_of(desk.thread_id)).status == "finished"

            await eventually("the run is finished", mended, WITHIN)
            await desk.deployment.reads(card, "Carried out", within=WITHIN)
        assert [each["payload"] for each in server.messages] == [[{"contentString": VALUES[3]}]]
        assert not any(value in address for value in VALUES for address in server.addresses)
    assert await desk.sent == []
