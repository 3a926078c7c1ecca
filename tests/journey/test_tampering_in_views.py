"""The same where it is decided in a view: App Home, a review, several together; and a start."""

from copy import deepcopy
from typing import Any

from bot.audit import Tag
from bot.local.fill import elements_of
from bot.services import Services
from tests.asking import Asking
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.journey.test_shortcut import SHORTCUT, filled, form
from tests.journey.test_tampering import (
    ELSEWHERE,
    JONAS,
    LENA,
    MARA,
    OLD,
    PIOTR,
    TITLE,
    TOM,
    WITHIN,
    asks,
    opened,
    refusals,
    says_no,
    state,
    submitted,
    the_one,
)
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest

BULK = Policy(approvers=(MARA, JONAS, LENA, PIOTR), bulk=True)


def click(deployment: Deployment, who: str, view: dict[str, Any], label: str) -> dict[str, Any]:
    """On a button of this view, which may be another's."""
    for block in view["blocks"]:
        for element in elements_of(block):
            if (element.get("text") or {}).get("text") == label:
                user, drawn = deployment.person(who).user, deepcopy(view)
                payloads = deployment.slack.acts.payloads
                return payloads.view_action(user, drawn, (block, element, None), {})
    raise LookupError(label)


async def answer_to(deployment: Deployment, who: str) -> str:
    """The modal in which it stands."""
    person = deployment.person(who)
    return str(await eventually(f"an answer to {who}", lambda: person.modal, WITHIN))


def elsewhere(payload: dict[str, Any]) -> dict[str, Any]:
    payload["user"]["team_id"] = payload["team"]["id"] = ELSEWHERE
    return payload


def stale(payload: dict[str, Any], terms: str) -> dict[str, Any]:
    payload["actions"][0]["value"] = payload["actions"][0]["value"].replace(terms, OLD)
    return payload


async def all_refused(
    bot: Services, deployment: Deployment, view: dict[str, Any], *, again: int
) -> None:
    """Approve in this view: as a guest, as one who left, from elsewhere, of another version."""
    terms, before = (await the_one(bot)).terms, state(await the_one(bot))
    tampered = {
        (LENA, "not_a_member"): click(deployment, "lena", view, "Approve"),
        (PIOTR, "not_a_member"): click(deployment, "piotr", view, "Approve"),
        (MARA, "other_workspace"): elsewhere(click(deployment, "mara", view, "Approve")),
        (MARA, "changed"): stale(click(deployment, "mara", view, "Approve"), terms),
    }
    for mark, payload in tampered.items():
        assert (await submitted(deployment, payload)).ok
        await _kept(bot, deployment, payload, mark)
        assert state(await the_one(bot)) == before
    recorded = click(deployment, "mara", view, "Approve")
    await submitted(deployment, recorded)
    approved = state(await the_one(bot))
    assert approved[0] == "approved"
    for _ in range(again):
        await submitted(deployment, recorded)
        assert state(await the_one(bot)) == approved
    tags = [event.tag for event in await bot.store.trail("ask-1")]
    assert tags.count(Tag.APPROVED) == 1


async def test_in_app_home(deployment: Deployment) -> None:
    known = asks()
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        await deployment.card(TITLE)
        mara = deployment.person("mara")
        await mara.home()
        view = await eventually("App Home", lambda: mara.home_view, WITHIN)
        await all_refused(bot, deployment, view, again=2)
        for who in ("lena", "piotr", "mara"):
            assert ":no_entry_sign:" in await answer_to(deployment, who)


async def test_in_a_review(deployment: Deployment) -> None:
    known = asks(sensitivity="restricted")
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        card = await deployment.card(TITLE)
        view = await opened(deployment, "mara", card, "Review")
        await all_refused(bot, deployment, view, again=2)
        assert "Already *approved*" in await answer_to(deployment, "mara")


async def test_several_together(deployment: Deployment) -> None:
    known = Asking(ApprovalRequest(title=TITLE, risk="low"), BULK)
    async with deployment.instance(known=known) as bot:
        for number in (1, 2):
            await known.start(bot, f"ask-{number}", requester=TOM)
            await deployment.settled(f"ask-{number}", within=WITHIN)
        mara = deployment.person("mara")
        await mara.command("/approvals")
        page = await deployment.told("mara", "of them for you")
        for who in ("lena", "jonas"):  # a list is its reader's: to others theirs is shown
            await click_as_drawn(deployment, who, page, "Decide several …")
        await deployment.told("lena", "nothing left here that you could decide")
        await mara.click(page, "Decide several …")
        view = await eventually("the modal", lambda: mara.modal, WITHIN)
        terms = (await the_one(bot)).terms
        jonas = _several(deployment, "jonas", view)
        assert says_no(await submitted(deployment, jonas))
        await _kept(bot, deployment, jonas, (JONAS, "other_opener"))
        tampered = {
            (LENA, "not_a_member"): _several(deployment, "lena", view),
            (PIOTR, "not_a_member"): _several(deployment, "piotr", view),
            (MARA, "other_workspace"): elsewhere(_several(deployment, "mara", view)),
            (MARA, "changed"): _several(deployment, "mara", view, (terms, OLD)),
        }
        for mark, payload in tampered.items():
            carried = payload["view"]["private_metadata"]
            payload["view"]["private_metadata"] = carried.replace(MARA, mark[0])
            assert "*0 of 2 approved*" in str((await submitted(deployment, payload)).body)
            await _kept(bot, deployment, payload, mark)
            assert known.done == []
        recorded = _several(deployment, "mara", view)
        assert "*2 of 2 approved*" in str((await submitted(deployment, recorded)).body)
        for _ in range(2):
            ack = await submitted(deployment, recorded)
            assert str(ack.body).count("Already *approved*") == 2
        await eventually("both, once", lambda: len(known.done) == 2, WITHIN)


def _several(
    deployment: Deployment, who: str, view: dict[str, Any], changed: tuple[str, str] = ("", "")
) -> dict[str, Any]:
    """Both marked, and approved."""
    values: dict[str, Any] = {"decision": {"decision": {"selected_option": {"value": "approve"}}}}
    for block in view["blocks"]:
        if block["block_id"].startswith("pick."):
            [option] = deepcopy(block["element"]["options"])
            option["value"] = option["value"].replace(*changed) if changed[0] else option["value"]
            values[block["block_id"]] = {"pick": {"selected_options": [option]}}
    user = deployment.person(who).user
    return deployment.slack.acts.payloads.view_submission(user, deepcopy(view), values)


async def _kept(
    bot: Services, deployment: Deployment, payload: dict[str, Any], mark: tuple[str, str]
) -> None:
    async def there() -> bool:
        if mark in await refusals(bot):
            return True
        await submitted(deployment, payload)
        return mark in await refusals(bot)

    await eventually(f"{mark} in the trail", there, WITHIN)


async def test_the_form_that_starts_something(deployment: Deployment) -> None:
    async with deployment.instance():
        view = await form(deployment)
        values = {
            name: {"value": {"type": "plain_text_input", "value": text}}
            for name, text in filled().items()
        }
        payloads = deployment.slack.acts.payloads
        for who, opener in (("mara", TOM), ("lena", LENA), ("piotr", PIOTR), ("tom", TOM)):
            user = deployment.person(who).user
            payload = payloads.view_submission(user, deepcopy(view), values)
            carried = view["private_metadata"].replace(TOM, opener)
            payload["view"]["private_metadata"] = carried
            ack = await submitted(deployment, elsewhere(payload) if who == "tom" else payload)
            assert "Not started" in str(ack.body) or "opened by someone else" in str(ack.body)
        assert await deployment.started() == []
        tom = payloads.view_submission(deployment.person("tom").user, deepcopy(view), values)
        for _ in range(3):
            assert "Started *refund*" in str((await submitted(deployment, tom)).body)
        assert len(await deployment.started()) == 1


async def test_the_menu_that_asks_what_to_start(deployment: Deployment) -> None:
    async with deployment.instance():
        slack = deployment.slack
        for who in ("piotr", "tom"):
            payload = slack.acts.payloads.shortcut(deployment.person(who).user, SHORTCUT)
            await submitted(deployment, elsewhere(payload) if who == "tom" else payload)
            assert "Only full members" in await answer_to(deployment, who)
