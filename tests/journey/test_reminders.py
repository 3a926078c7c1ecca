"""Whoever's decision is missing is reminded: by direct message, by day, and no more often than the
policy says; the thread tells whom."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.absences import Absence, Absences
from bot.inslack import MessageRef
from tests.asking import Asking
from tests.deployment import Deployment
from tests.waiting import HandClock, direct, waiting
from workflows.fields import TextField
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

MARA, JONAS, TOM = "U0000MARA", "U000JONAS", "U00000TOM"
TITLE = "Pay the supplier & <!channel>"
BOTH = Policy(approvers=("S00FINANCE",), quorum=2)


def asks(policy: Policy, **changes: Any) -> Asking:
    given: dict[str, Any] = {"title": TITLE, "remind_after": timedelta(hours=2), **changes}
    return Asking(ApprovalRequest(**given), policy)


async def test_those_who_are_missing_are_reminded_each_day(deployment: Deployment) -> None:
    known = asks(BOTH, expires_in=timedelta(days=7))
    async with waiting(deployment, known) as time:
        await known.start(time.bot, requester=TOM)
        card = await deployment.card(TITLE)
        await time.pass_by(hours=2)
        for who in ("mara", "jonas"):
            [told] = await time.direct(who, 1)
            assert told == "Waits for your decision: Pay the supplier &amp; &lt;!channel&gt;"
        [message] = direct(deployment, "mara")
        about = message.blocks[1]["elements"][0]["text"]
        assert f"Requested by <@{TOM}> <!date^" in about
        assert about.startswith("Decide by <!date^")
        link = await time.bot.slack.permalink(MessageRef(channel=card.channel, ts=card.ts))
        assert about.endswith(f" · <{link}|Open the card>")
        assert message.notifies <= {TOM}
        replies = await deployment.thread(card, 2)
        assert replies[1] == "Reminded Mara Okafor, Jonas Weber"

        await deployment.person("mara").click(card, "Approve")
        card = await deployment.reads(card, "1 of 2")
        await time.pass_by(hours=20)
        await time.quiet()
        assert len(direct(deployment, "jonas")) == 1
        await time.pass_by(hours=4)
        await time.direct("jonas", 2)
        await time.quiet()
        assert len(direct(deployment, "mara")) == 1
        assert (await deployment.thread(card, 4))[3:] == ["Reminded Jonas Weber"]

        await deployment.person("jonas").click(card, "Approve")
        await deployment.reads(card, "Carried out")
        await time.pass_by(days=2)
        await time.quiet()
        assert len(direct(deployment, "jonas")) == 2


async def test_nobody_is_woken_up(deployment: Deployment) -> None:
    """Friday 17:30 in Lisbon, 18:30 in Berlin: Tom is told at once, Mara on Monday at nine."""
    known = asks(Policy(approvers=(MARA, TOM)))
    friday = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)
    async with waiting(deployment, known, HandClock(friday)) as time:
        await known.start(time.bot)
        card = await deployment.card(TITLE)
        await time.pass_by(hours=2)
        await time.direct("tom", 1)
        for at in ("2026-03-07T10:00Z", "2026-03-08T12:00Z", "2026-03-09T07:59Z"):
            await time.until(datetime.fromisoformat(at))
            await time.quiet()
        assert direct(deployment, "mara") == []
        await time.until(datetime.fromisoformat("2026-03-09T08:00Z"))
        await time.direct("mara", 1)
        assert (await deployment.thread(card, 3))[1:] == [
            "Reminded Tom Ferreira",
            "Reminded Mara Okafor",
        ]


async def test_the_deputy_is_reminded_in_the_place_of_who_is_away(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,)))
    async with waiting(deployment, known) as time:
        now, store = time.clock(), time.bot.store
        away = Absence(user=MARA, deputy=TOM, since=now, until=now + timedelta(days=7))
        await Absences(store.redis, store.keys).put(away)
        await known.start(time.bot, requester=JONAS)
        await deployment.card(TITLE)
        await time.pass_by(hours=2)
        await time.direct("tom", 1)
        await time.quiet()
        assert direct(deployment, "mara") == []


async def test_what_is_restricted_stays_so(deployment: Deployment) -> None:
    """The title names nothing by itself; all else is for the modal."""
    fields = (TextField(label="Patient", value="Ada Byron"),)
    known = asks(Policy(approvers=(MARA,)), sensitivity="restricted", fields=fields)
    async with waiting(deployment, known) as time:
        await known.start(time.bot, requester=TOM)
        await deployment.card(TITLE)
        await time.pass_by(hours=2)
        await time.direct("mara", 1)
        [message] = direct(deployment, "mara")
        assert "Byron" not in str(message.json)
