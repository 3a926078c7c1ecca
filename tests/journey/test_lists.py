"""`/approvals`: mine first, whatever one looks for, and pages that stay right meanwhile."""

import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from bot.absences import Absence, Absences
from bot.listeners import finding
from bot.local.person import Seen
from bot.records import Change
from bot.services import Services
from tests.bot.samples import approval, approve, request
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.clock import utc_now
from workflows.policy import Policy

MARA, JONAS, TOM = "U0000MARA", "U000JONAS", "U00000TOM"
OTHERS = Policy(approvers=(JONAS,))
MINE = Policy(approvers=(MARA,))


@pytest.fixture
async def bot(deployment: Deployment) -> AsyncGenerator[Services, None]:
    """It only listens: what waits here stays as it was put."""
    async with deployment.instance(works=False) as services:
        yield services


async def put(bot: Services, number: int, title: str = "", **changes: Any) -> None:
    """One that waits, asked `number` minutes after the first."""
    asked = request(title=title or f"Number {number:04}")
    ids = {"id": f"ap_{number:04}", "thread_id": f"t-{number:04}", "team": bot.slack.team}
    at = utc_now() - timedelta(hours=20) + timedelta(minutes=number)
    made = approval(asked, **{**ids, "policy": OTHERS, "requested_at": at, **changes})
    await bot.store.commit(Change(made))


async def decide(bot: Services, number: int) -> None:
    of = await bot.store.approval(f"ap_{number:04}")
    assert of is not None
    await bot.store.commit(of.decide(approve(of, JONAS), utc_now()))


def numbers(page: Seen) -> list[int]:
    return [int(each) for each in re.findall(r"Number (\d{4})", page.words)]


async def types(deployment: Deployment, text: str, said: str) -> Seen:
    """Mara types it; the answer to exactly this command."""
    mara = deployment.person("mara")
    before = {m.ts for m in mara.sees()}
    await mara.command(f"/approvals {text}")

    def new() -> Seen | None:
        return next((m for m in mara.sees() if m.ts not in before), None)

    page = await eventually(f"an answer to {text!r}", new, 30.0)
    assert said in page.words
    return page


async def turns(deployment: Deployment, page: Seen, label: str) -> Seen:
    """Click; the page that is there then, in the place of the one before."""
    before = page.blocks
    await deployment.person("mara").click(page, label)

    def turned() -> Seen | None:
        there = [m for m in deployment.person("mara").sees() if m.ts == page.ts]
        return there[0] if there and there[0].blocks != before else None

    return await eventually("the page is turned", turned, 30.0)


async def test_mine_first_then_the_others_page_by_page(
    bot: Services, deployment: Deployment
) -> None:
    for number in range(12):
        await put(bot, number, policy=MINE if number in (3, 7, 11) else OTHERS)
    first = await types(deployment, "", "12 waiting for a decision, 3 of them for you")
    assert numbers(first) == [3, 7, 11, 0, 1]
    assert first.words.count("waits for you") == 3
    assert first.buttons == ["Next"]
    second = await turns(deployment, first, "Next")
    assert numbers(second) == [2, 4, 5, 6, 8]
    assert second.buttons == ["Previous", "Next"]
    third = await turns(deployment, second, "Next")
    assert (numbers(third), third.buttons) == ([9, 10], ["Previous"])
    again = await turns(deployment, third, "Previous")
    assert numbers(again) == [2, 4, 5, 6, 8]
    back = await turns(deployment, again, "Previous")
    assert numbers(back) == [3, 7, 11, 0, 1]


async def test_no_item_is_skipped_or_shown_twice_while_items_come_and_go(
    bot: Services, deployment: Deployment
) -> None:
    for number in range(10, 24):
        await put(bot, number)
    page = await types(deployment, "all", "14 waiting for a decision")
    seen = numbers(page)
    for number in (10, 11, 14):  # also the one that the page ends with
        await decide(bot, number)
    await put(bot, 5)
    await put(bot, 30)
    page = await turns(deployment, page, "Next")
    seen += numbers(page)
    await decide(bot, 17)
    page = await turns(deployment, page, "Next")
    seen += numbers(page)
    assert (seen, page.buttons) == ([*range(10, 24), 30], ["Previous"])

    page = await turns(deployment, page, "Previous")
    assert numbers(page) == [13, 15, 16, 18, 19]
    page = await turns(deployment, page, "Previous")
    assert numbers(page) == [5, 12, 13, 15, 16], "the first page is a whole one again"
    assert page.buttons == ["Next"]


async def test_a_page_whose_items_have_all_gone_shows_the_last_there_is(
    bot: Services, deployment: Deployment
) -> None:
    for number in range(8):
        await put(bot, number)
    page = await types(deployment, "all", "8 waiting for a decision")
    for number in range(4, 8):
        await decide(bot, number)
    page = await turns(deployment, page, "Next")
    assert (numbers(page), page.buttons) == ([0, 1, 2, 3], [])


async def test_those_asked_in_the_same_moment_are_all_listed(
    bot: Services, deployment: Deployment
) -> None:
    moment = utc_now()
    for number in range(230):
        await put(bot, number, requested_at=moment)
    page = await types(deployment, "all", "230 waiting for a decision")
    seen = numbers(page)
    for _ in range(45):
        page = await turns(deployment, page, "Next")
        seen += numbers(page)
    assert seen == list(range(230))
    assert page.buttons == ["Previous"]


async def test_mine_is_also_what_i_decide_in_the_place_of_another(
    bot: Services, deployment: Deployment
) -> None:
    await put(bot, 1, policy=OTHERS)
    await put(bot, 2, policy=Policy(approvers=("S00FINANCE",)))
    await put(bot, 3, policy=Policy(approvers=(TOM,)))
    await put(bot, 4, policy=Policy(approvers=("S00FINANCE",)), requester=MARA)
    assert numbers(await types(deployment, "mine", "1 waiting for you")) == [2]
    now = utc_now()
    away = Absence(user=JONAS, deputy=MARA, since=now, until=now + timedelta(days=1))
    await Absences(bot.store.redis, bot.store.keys).put(away)
    assert numbers(await types(deployment, "mine", "2 waiting for you")) == [1, 2]
    of = await bot.store.approval("ap_0002")
    assert of is not None
    two = of.to(policy=of.policy.model_copy(update={"quorum": 2}))
    await bot.store.commit(two.decide(approve(two, MARA), now))
    assert numbers(await types(deployment, "mine", "1 waiting for you")) == [1], "voted already"


async def test_filters_are_combined(bot: Services, deployment: Deployment) -> None:
    await put(bot, 1, requester=MARA, title="Number 0001 for Acme & Söhne")
    await put(bot, 2, requester=TOM, title="Number 0002 for ACME", policy=MINE)
    await put(bot, 3, workflow="crm", requester=MARA)
    await put(bot, 4, requester=MARA, requested_at=utc_now() - timedelta(days=3))
    asked: list[tuple[str, list[int]]] = [
        ("requested", [4, 1, 3]),
        ("overdue", [4]),
        ("workflow:refund", [2, 4, 1]),
        ('"acme"', [2, 1]),
        ("“acme & söhne”", [1]),
        ("'T-0003'", [3]),
        ("requested workflow:refund", [4, 1]),
        ("list requested 'acme'", [1]),
        ("mine overdue", []),
        ("all workflow:refund", [4, 1, 2]),
    ]
    for text, expected in asked:
        said = f"{len(expected) or 'Nothing'} found of 4 that wait"
        assert numbers(await types(deployment, text, said)) == expected, text


async def test_nothing_of_a_restricted_request_is_found_or_listed(
    bot: Services, deployment: Deployment
) -> None:
    asked = request(title="Number 0001", summary="Aspirin for Ada", sensitivity="restricted")
    await put(bot, 1, request=asked)
    await types(deployment, '"aspirin"', "Nothing found of 1 that waits")
    page = await types(deployment, "all", "1 waiting for a decision")
    assert numbers(page) == [1]
    assert "Aspirin" not in page.words


async def test_of_thousands_that_wait_a_bounded_number_is_read(
    bot: Services, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        await put(bot, number, policy=MINE if number in (3, 50) else OTHERS)
    monkeypatch.setattr(finding, "LOOKED_AT_MOST", 20)
    monkeypatch.setattr(finding, "COUNTED_AT_MOST", 10)
    counted = "60 waiting for a decision, 1 of them for you (counted among the oldest 10)"
    page = await types(deployment, "", counted)
    assert numbers(page) == [3, 0, 1, 2, 4], "mine is looked for among the oldest"
    seen = numbers(page)
    while "Next" in page.buttons:
        page = await turns(deployment, page, "Next")
        seen += numbers(page)
    assert sorted(seen) == list(range(60)), "each once, mine of later ones among the others"
    page = await types(deployment, '"number 0055"', "Nothing found of 60 that wait")
    assert "_Next_ looks further" in page.words
    page = await turns(deployment, page, "Next")
    assert numbers(page) == [55]
