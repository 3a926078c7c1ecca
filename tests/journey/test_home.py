"""App Home: what waits for whom, what was decided; and deciding from there."""

from typing import Any

from bot.local.person import button_texts, texts_in
from tests.asking import Asking
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.fields import TextField
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

MARA, JONAS, TOM = "U0000MARA", "U000JONAS", "U00000TOM"
TITLE = "Pay the supplier"
WITHIN = 30.0


def asks(policy: Policy, **changes: Any) -> Asking:
    fields = (TextField(label="Invoice", value="R-2026-117"),)
    return Asking(ApprovalRequest(title=TITLE, fields=fields, **changes), policy)


def words(deployment: Deployment, who: str) -> str:
    return "\n".join(texts_in((deployment.person(who).home_view or {}).get("blocks", [])))


async def says(deployment: Deployment, who: str, said: str) -> str:
    return await eventually(
        f"App Home of {who} says {said!r}",
        lambda: words(deployment, who) if said in words(deployment, who) else None,
        WITHIN,
    )


async def test_what_waits_for_me_can_be_decided_there(deployment: Deployment) -> None:
    known = asks(Policy(approvers=("S00FINANCE",)))
    async with deployment.instance(known=known) as bot:
        thread_id = await known.start(bot, requester=TOM)
        card = await deployment.card(TITLE)
        await deployment.settled(thread_id)
        mara, tom = deployment.person("mara"), deployment.person("tom")
        await tom.home()
        told = await says(deployment, "tom", "1 waiting for others")
        assert "Nothing is waiting for you" in told
        assert "R-2026-117" not in told, "a card is shown to whom it asks"
        await mara.home()
        told = await says(deployment, "mara", "1 waiting for you")
        assert "R-2026-117" in told
        assert "Nothing was decided yet" in told

        await mara.click_in(mara.home_view, "Approve")
        told = await says(deployment, "mara", "Approved by Mara Okafor")
        assert "Nothing is waiting for you" in told
        await deployment.reads(card, "Carried out", within=WITHIN)
        assert [decision.by.user for decision in known.done] == [MARA]
        assert mara.modal is None


async def test_who_was_too_late_is_told_in_a_modal_and_sees_why(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA, JONAS)))
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        card = await deployment.card(TITLE)
        mara = deployment.person("mara")
        await mara.home()
        await says(deployment, "mara", "1 waiting for you")
        await deployment.person("jonas").click(card, "Reject")
        await deployment.reads(card, "Nothing was executed", within=WITHIN)
        await mara.click_in(mara.home_view, "Approve")
        modal = await eventually("a modal tells it", lambda: mara.modal, WITHIN)
        assert "Already *rejected* by <@U000JONAS>" in str(modal)
        told = await says(deployment, "mara", "Rejected by Jonas Weber")
        assert "Approve" not in button_texts((mara.home_view or {})["blocks"])
        assert "Nothing is waiting for you" in told


async def test_more_than_fits_is_counted(deployment: Deployment) -> None:
    known = asks(Policy(approvers=(MARA,)))
    async with deployment.instance(known=known) as bot:
        for number in range(7):
            await known.start(bot, f"ask-{number}", requester=TOM)
        async with deployment.store() as store:

            async def all_wait() -> bool:
                return (await store.pending(0, 1))[1] == 7

            await eventually("all wait", all_wait, WITHIN)
        mara = deployment.person("mara")
        await mara.home()
        await says(deployment, "mara", "7 waiting for you")
        view = mara.home_view or {}
        assert button_texts(view["blocks"]).count("Approve") == 5
        assert "… and 2 more: `/approvals mine`" in str(view)
        assert len(view["blocks"]) <= 100
        assert len(deployment.slack.calls_of("views.publish")) == 1
