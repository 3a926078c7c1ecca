"""Who asked for it is told by direct message what becomes of it: each thing once, in order."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.approvals import Approval
from bot.services import Services
from tests.asking import Asking
from tests.bot.samples import approve, reject
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.waiting import direct, waiting
from workflows.fields import TextField
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest, Decision

MARA, TOM = "U0000MARA", "U00000TOM"
TITLE = "Pay the supplier"


def asks(**changes: Any) -> Asking:
    return Asking(ApprovalRequest(title=TITLE, **changes), Policy(approvers=(MARA,)))


async def test_from_the_question_to_the_receipt(deployment: Deployment) -> None:
    async with deployment.instance():
        await deployment.start(requester=TOM)
        title = "Refund $120.50 to Acme GmbH"
        card = await deployment.card(title)
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done")
        told = await _told(deployment, 3)
        assert told[:2] == [
            f"Asked, and waits for a decision: {title}",
            f"Approved by Mara Okafor: {title}",
        ]
        assert told[2].startswith(f"Done: {title}: Refund done: $120.50, re_")
        way = direct(deployment, "tom")[0].blocks[1]["elements"][0]["text"]
        assert way.endswith("|Open the card>")
        assert card.ts.replace(".", "") in way


async def test_a_rejection_and_its_reason(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        await deployment.card(TITLE)
        await _reject(deployment, bot, "Twice & <!channel>")
        assert (await _told(deployment, 2))[1] == (
            f"Rejected by Mara Okafor: {TITLE}: Twice &amp; &lt;!channel&gt;"
        )
        assert [message.notifies for message in direct(deployment, "tom")] == [set(), set()]


async def test_a_failure_and_that_it_is_tried_again(deployment: Deployment) -> None:
    known = asks()
    known.refuses = "The account is closed"
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        card = await deployment.card(TITLE)
        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "The account is closed")
        told = await _told(deployment, 3)
        refused = "The provider refused it, and the workflow failed"
        assert told[2] == f"{refused}: {TITLE}: The account is closed"
        known.refuses = ""
        await deployment.person("mara").click(card, "Retry")
        await deployment.reads(card, "Carried out")
        told = await _told(deployment, 5)
        assert told[3:] == [
            f"Tried again by Mara Okafor: {TITLE}",
            f"Done: {TITLE}: Carried out, r_1",
        ]


async def test_what_is_restricted_stays_so(deployment: Deployment) -> None:
    fields = (TextField(label="Patient", value="Ada Byron"),)
    known = asks(sensitivity="restricted", fields=fields)
    known.refuses = "Ada Byron is not insured"
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        await deployment.card(TITLE)
        await _decide(deployment, bot, approve)
        told = await _told(deployment, 3)
        assert told[2] == f"The provider refused it, and the workflow failed: {TITLE}"
        assert "Byron" not in str([message.json for message in direct(deployment, "tom")])


@pytest.mark.parametrize("requester", [None, MARA])
async def test_nobody_is_told_what_they_did_themselves(
    deployment: Deployment, requester: str | None
) -> None:
    """A workflow that nobody asked for tells nobody."""
    policy = Policy(approvers=(MARA,), requester_may_approve=True)
    known = Asking(ApprovalRequest(title=TITLE), policy)
    async with waiting(deployment, known) as time:
        await known.start(time.bot, requester=requester)
        card = await deployment.card(TITLE)
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        await time.quiet()
        told = [message.text.split(":")[0] for message in direct(deployment, "mara")]
        assert told == (["Asked, and waits for a decision", "Done"] if requester else [])


async def test_what_happened_before_an_upgrade_is_not_told_afterwards(
    deployment: Deployment,
) -> None:
    """As it was stored by code that told nobody."""
    known = asks()
    async with waiting(deployment, known) as time:
        thread_id = await known.start(time.bot, requester=TOM)
        await deployment.card(TITLE)
        await time.quiet()
    async with deployment.store() as store:
        [approval] = await store.approvals_of(thread_id)
        before = approval.model_dump(mode="json", exclude={"notices", "version"})
        await store.redis.hset(
            store.keys.approval(approval.id), "body", json.dumps({**before, "schema_version": 1})
        )
    async with waiting(deployment, known) as time:
        await _reject(deployment, time.bot, "")
        told = await time.direct("tom", 2)
        await time.quiet()
        assert [each.split(":")[0] for each in told] == [
            "Asked, and waits for a decision",
            "Rejected by Mara Okafor",
        ]
        assert len(direct(deployment, "tom")) == 2


async def _told(deployment: Deployment, count: int) -> list[str]:
    def told() -> list[str] | None:
        texts = [message.text for message in direct(deployment, "tom")]
        return texts if len(texts) >= count else None

    return await eventually(f"{count} messages to Tom", told, 60.0)


async def _reject(deployment: Deployment, bot: Services, reason: str) -> None:
    await _decide(deployment, bot, lambda a: reject(a, reason=reason))


async def _decide(
    deployment: Deployment, bot: Services, decision: Callable[[Approval], Decision]
) -> None:
    [thread_id] = await deployment.started()
    [approval] = await deployment.approvals_of(thread_id)
    await bot.changes.change(
        approval.id,
        lambda a: a.decide(decision(a), bot.now()),
        queue=True,
    )
