"""Slack fails, or a process dies, while someone is told by direct message: nothing lost, nothing
twice, and nothing else waits for it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.approvals import Approval
from bot.local.faults import Faults
from bot.records import Change
from bot.services import Services
from tests.asking import Asking
from tests.deployment import CHANNEL, Deployment
from tests.waiting import HandClock, direct
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

MARA, TOM, PIOTR = "U0000MARA", "U00000TOM", "U000PIOTR"
TITLE = "Pay the supplier"
ASKED = f"Asked, and waits for a decision: {TITLE}"
POST, LOOK = "chat.postMessage", "conversations.history"


@dataclass
class Asked:
    """A question whose card stands; nothing runs by itself."""

    deployment: Deployment
    bot: Services
    clock: HandClock

    async def start(self, requester: str = TOM, thread_id: str = "ask-1") -> Approval:
        await self.bot.starter.start_run("ask", {}, thread_id=thread_id, requester=requester)
        await self.bot.tasks.advance(thread_id)
        await self.bot.tasks.post(CHANNEL)
        return await self.approval(thread_id)

    async def approval(self, thread_id: str = "ask-1") -> Approval:
        [approval] = await self.bot.store.approvals_of(thread_id)
        return approval

    async def notify(self, *, after: timedelta = timedelta(0)) -> None:
        self.clock.at += after
        approval = await self.approval()
        await self.bot.tasks.notify(approval.id)

    @property
    def told(self) -> list[str]:
        return [message.text for message in direct(self.deployment, "tom")]


@pytest.fixture
async def asked(deployment: Deployment) -> AsyncGenerator[Asked, None]:
    known = Asking(ApprovalRequest(title=TITLE), Policy(approvers=(MARA,)))
    clock = HandClock()
    async with deployment.instance(known=known, now=clock, works=False, listens=False) as bot:
        yield Asked(deployment, bot, clock)


FAULTS: dict[str, Callable[[Faults, str], None]] = {
    "accepted, and the answer lost": lambda faults, method: faults.lose_answer(method),
    "the connection drops": lambda faults, method: faults.refuse_connection(method),
    "503": lambda faults, method: faults.server_error(method),
    "429": lambda faults, method: faults.rate_limit(method),
    "internal_error": lambda faults, method: faults.error(method, "internal_error"),
    "the token is revoked": lambda faults, method: faults.error(method, "token_revoked"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_is_told_once(asked: Asked, fault: str) -> None:
    await asked.start()
    faults = asked.deployment.slack.faults
    FAULTS[fault](faults, POST)
    await asked.notify()
    assert faults.pending() == 0
    assert len(asked.told) == (fault == "accepted, and the answer lost")
    await asked.notify()  # before its time: nothing is tried
    for _ in range(3):
        await asked.notify(after=timedelta(minutes=10))
    assert asked.told == [ASKED]
    assert (await asked.approval()).notices.due == ()


@pytest.mark.parametrize("method", [LOOK, "conversations.open"])
async def test_nothing_is_sent_while_slack_does_not_say_whether_it_was(
    asked: Asked, method: str
) -> None:
    await asked.start()
    faults = asked.deployment.slack.faults
    faults.lose_answer(POST)
    await asked.notify()
    faults.server_error(method)
    for _ in range(3):
        await asked.notify(after=timedelta(minutes=10))
    assert faults.pending() == 0
    assert asked.told == [ASKED]


async def test_an_app_without_the_scopes_to_look_sends_it_again(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    """Installed before they were wanted: told twice is better than not at all."""
    await asked.start()
    asked.deployment.slack.faults.lose_answer(POST)
    await asked.notify()
    asked.deployment.slack.core.scopes.discard("im:write")
    await asked.notify(after=timedelta(minutes=10))
    assert asked.told == [ASKED, ASKED]
    assert "it may come twice" in caplog.text


@pytest.mark.parametrize("died_after_sending", [True, False])
async def test_a_process_that_died_while_it_told_is_followed_by_one_that_looks(
    asked: Asked, died_after_sending: bool
) -> None:
    approval = await asked.start()
    if died_after_sending:
        await asked.notify()
    told = approval.to(notices=approval.notices.trying())
    await asked.bot.changes.change(approval.id, lambda a: Change(a.to(notices=told.notices)))
    await asked.notify()
    assert asked.told == [ASKED]


async def test_after_a_loss_in_redis_nobody_is_told_again(asked: Asked) -> None:
    """Redis is back without its last moments, in which they were told."""
    approval = await asked.start()
    await asked.notify()
    await asked.bot.changes.change(
        approval.id, lambda a: Change(a.to(notices=approval.notices).doubted())
    )
    await asked.notify()
    assert asked.told == [ASKED]


UNREACHABLE = [
    "cannot_dm_bot",
    "channel_not_found",
    "messages_tab_disabled",
    "user_not_found",
    "restricted_action",
]


@pytest.mark.parametrize("code", UNREACHABLE)
async def test_whom_slack_does_not_let_us_write_to_is_passed_over(
    asked: Asked, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    await asked.start()
    asked.deployment.slack.faults.error(POST, code)
    await asked.notify()
    assert (await asked.approval()).notices.due == ()
    other = await asked.start(thread_id="ask-2")
    asked.deployment.slack.faults.error(POST, code)
    await asked.bot.tasks.notify(other.id)
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert lines == [f"{TOM} cannot be told by direct message: {code}; passed over"]


async def test_one_who_left_blocks_nothing(deployment: Deployment) -> None:
    known = Asking(ApprovalRequest(title=TITLE), Policy(approvers=(MARA,)))
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot, requester=PIOTR)
        card = await deployment.card(TITLE)
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        approval = await deployment.settled(thread_id)
        assert approval.notices.due == ()


async def test_cards_that_wait_go_first(asked: Asked) -> None:
    approval = await asked.start()
    await asked.bot.starter.start_run("ask", {}, thread_id="ask-2")
    await asked.bot.tasks.advance("ask-2")
    await asked.notify()
    assert asked.told == []
    at = (await asked.approval()).notices.at
    assert at
    assert at > asked.clock.at
    await asked.bot.tasks.post(CHANNEL)
    await asked.notify(after=at - asked.clock.at)
    assert asked.told == [ASKED]
    assert approval.notices.due == (2,)


async def test_nobody_is_held_up_by_a_channel_that_takes_no_card(asked: Asked) -> None:
    await asked.start()
    slack = asked.deployment.slack
    slack.workspace.change_channel(CHANNEL, is_archived=True)
    await asked.bot.starter.start_run("ask", {}, thread_id="ask-2")
    await asked.bot.tasks.advance("ask-2")
    await asked.bot.tasks.post(CHANNEL)
    await asked.notify()
    assert asked.told == [ASKED]


async def test_two_processes_at_once_tell_once(asked: Asked) -> None:
    approval = await asked.start()
    async with asked.deployment.instance("two", works=False, listens=False, now=asked.clock) as two:
        await asyncio.gather(asked.bot.tasks.notify(approval.id), two.tasks.notify(approval.id))
    assert asked.told == [ASKED]
