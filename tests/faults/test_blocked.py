"""A deploy that took something away under a paused thread: it is put on hold, it says so, and the
code that can go on does."""

import pytest

from bot import steps
from bot.audit import Tag
from bot.services import Services
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.versions import Urgency, after, mail
from workflows.catalog import Catalog

PATIENCE = 60.0
BEFORE = mail()
UNREADABLE = (
    f"This code of mail cannot read its state: {Urgency.__module__}.Urgency is stored, but not "
    "registered"
)
CHANGED: dict[str, tuple[Catalog, str]] = {
    "its node renamed": (mail("approval"), "It is to go on at ask, which this code of mail lacks"),
    "its workflow gone": (mail(name="letter"), "The workflow mail is not known here"),
    "its state unreadable": (
        mail(types=()),
        UNREADABLE,
    ),
}


async def asked(deployment: Deployment, known: Catalog = BEFORE, *titles: str) -> str:
    """A run that waits for a person, its worker gone."""
    async with deployment.instance("before", known) as bot:
        run = await bot.starter.start_run("mail", {}, thread_id="mail-1")
        for title in titles or ("Send it",):
            await deployment.card(title, within=PATIENCE)
        await eventually("Slack has all", lambda: told(deployment), PATIENCE)
    return run.thread_id


async def told(deployment: Deployment) -> bool:
    approvals = await deployment.approvals_of("mail-1")
    return all((a.shown, a.replied) == (a.revision, a.trail) for a in approvals)


async def tags(deployment: Deployment) -> list[str]:
    return [event["tag"] for event in (await deployment.shown("mail-1"))["trail"]]


async def owed_now(bot: Services) -> list[str]:
    """What reconcile would queue, again and again."""
    records = [record async for record in bot.store.owing(bot.now())]
    return [step.key for record in records for step in steps.due(record, bot.now())]


@pytest.mark.parametrize("name", CHANGED)
async def test_it_is_on_hold_until_the_code_is_back(deployment: Deployment, name: str) -> None:
    changed, why = CHANGED[name]
    await asked(deployment)
    card = await deployment.card("Send it")

    async with deployment.instance("changed", changed) as bot:
        await deployment.person("mara").click(card, "Approve")
        held = await deployment.reads(card, f"On hold: {why}. Nothing was exec", within=PATIENCE)
        assert "Approved by" in held.text
        assert (await deployment.thread(card, 3, within=PATIENCE))[2] == f"On hold: {why}"
        await eventually("Slack has all", lambda: told(deployment), PATIENCE)
        assert await owed_now(bot) == [], "nobody asks before the minute is over"
    run, (approval,) = await deployment.run_of("mail-1"), await deployment.approvals_of("mail-1")
    assert (run.status, run.error, approval.handed_over_at) == ("blocked", why, None)

    await looked_again(deployment, changed)
    assert (await tags(deployment)).count(Tag.RUN_BLOCKED) == 1, "told once"
    (still,) = await deployment.approvals_of("mail-1")
    assert still.revision == approval.revision, "and the card is not drawn again"

    async with deployment.instance("back", BEFORE, now=after(minutes=5)):
        goes_on = await deployment.reads(card, "Sent, m_1", within=PATIENCE)
        replies = await deployment.thread(card, 6, within=PATIENCE)
    assert "On hold" not in goes_on.words
    assert replies[3:] == ["Workflow resumed by back", "Sent, m_1", "Workflow finished"]
    run = await deployment.run_of("mail-1")
    assert (run.status, run.error, run.blocked_at) == ("finished", "", None)
    assert [approval.held for approval in await deployment.approvals_of("mail-1")] == [""]


async def looked_again(deployment: Deployment, changed: Catalog) -> None:
    before = await deployment.run_of("mail-1")

    async def later() -> bool:
        run = await deployment.run_of("mail-1")
        return run.status == "blocked" and run.retry_at > before.retry_at  # pyright: ignore[reportOperatorIssue,reportOptionalOperand]

    async with deployment.instance("changed", changed, now=after(minutes=2)):
        await eventually("it is looked at again", later, PATIENCE)


async def test_what_is_decided_while_it_is_on_hold_is_told_so_at_once(
    deployment: Deployment,
) -> None:
    titles = ("Send it (a)", "Send it (b)")
    await asked(deployment, mail("a", "b"), *titles)
    first, second = [await deployment.card(title) for title in titles]
    async with deployment.instance("changed", mail("c")):
        await deployment.person("mara").click(first, "Approve")
        await deployment.reads(first, "On hold", within=PATIENCE)
        assert "On hold" not in deployment.person("mara").again(second).words
        await deployment.person("mara").click(second, "Reject")
        await deployment.reads(second, "On hold", within=PATIENCE)
    assert (await tags(deployment)).count(Tag.RUN_BLOCKED) == 1
    async with deployment.instance("back", mail("a", "b"), now=after(minutes=5)):
        await deployment.reads(first, "Sent, m_1", within=PATIENCE)
        await deployment.reads(second, "Nothing was executed", within=PATIENCE)


async def test_a_run_that_was_never_begun_waits_for_a_worker_that_knows_its_workflow(
    deployment: Deployment,
) -> None:
    async with deployment.instance("knows", BEFORE, works=False) as bot:
        await bot.starter.start_run("mail", {}, thread_id="mail-1")

    async def blocked() -> bool:
        return (await deployment.run_of("mail-1")).status == "blocked"

    async with deployment.instance("does not", mail(name="letter")):
        await eventually("it is blocked", blocked, PATIENCE)
    async with deployment.instance("knows", BEFORE, now=after(minutes=2)):
        await deployment.card("Send it", within=PATIENCE)
