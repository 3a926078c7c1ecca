"""Each way to decide, each way to tamper with it: refused, in the trail, answered; and what is
delivered once more, after it counted, changes nothing."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from bot.approvals import Approval
from bot.audit import Tag
from bot.local.fill import elements_of
from bot.local.person import Seen
from bot.local.sockets import Ack
from bot.local.state_values import options_of
from bot.services import Services
from tests.asking import Asking
from tests.clicks import deliver
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually
from workflows.policy import Policy
from workflows.protocol import ApprovalRequest, Editable

MARA, JONAS, TOM, LENA, PIOTR = "U0000MARA", "U000JONAS", "U00000TOM", "U0000LENA", "U000PIOTR"
ELSEWHERE, OLD, NOBODY = "T0ELSEWHERE", "0" * 64, "ap_nobody"
TITLE = "Pay the supplier"
WITHIN = 30.0
EDITABLE = Editable(
    json_schema={"type": "object", "properties": {"note": {"type": "string"}}},
    values={"note": "as agreed"},
)
NAMED = (MARA, LENA, PIOTR)  # a guest, and one who left, are among them


def asks(quorum: int = 1, **more: Any) -> Asking:
    request = ApprovalRequest(
        title=TITLE,
        allowed_decisions=("approve", "edit", "reject", "respond"),
        editable=EDITABLE,
        **more,
    )
    return Asking(request, Policy(approvers=NAMED, quorum=quorum, escalate_to=(JONAS,)))


Change = Callable[[dict[str, Any], Approval], None]


def _as_it_is(_: dict[str, Any], __: Approval) -> None:
    pass


@dataclass(frozen=True)
class Attack:
    """who: does it. why: the reason in the trail; "": of nothing that is known, there is none.
    change: of the payload."""

    who: str
    why: str
    change: Change = _as_it_is


def _elsewhere(payload: dict[str, Any], _: Approval) -> None:
    payload["user"]["team_id"] = payload["team"]["id"] = ELSEWHERE


def _other(place: Callable[[Approval], str], value: str) -> Change:
    """Another value in all that the page hands back to us."""

    def change(payload: dict[str, Any], approval: Approval) -> None:
        for action in payload.get("actions", []):
            for part in (action, action.get("selected_option") or {}):
                if "value" in part:
                    part["value"] = part["value"].replace(place(approval), value)
        view = payload.get("view", {})
        if "private_metadata" in view:
            metadata = view["private_metadata"].replace(place(approval), value)
            view["private_metadata"] = metadata

    return change


def _own(user: str) -> Change:
    """As if they had opened it themselves."""

    def change(payload: dict[str, Any], _: Approval) -> None:
        view = payload["view"]
        view["private_metadata"] = view["private_metadata"].replace(MARA, user)
        view["private_metadata"] = view["private_metadata"].replace(TOM, user)

    return change


GUEST, LEFT = Attack("lena", "not_a_member"), Attack("piotr", "not_a_member")
FOREIGN = Attack("mara", "other_workspace", _elsewhere)
STALE = Attack("mara", "changed", _other(lambda each: each.terms, OLD))
UNKNOWN = Attack("mara", "", _other(lambda each: each.id, NOBODY))
CLICKS = {
    "Approve": (GUEST, LEFT, FOREIGN, STALE, UNKNOWN),
    "Reject": (GUEST, LEFT, FOREIGN, STALE, UNKNOWN),
    "Reject with a reason": (GUEST, LEFT, FOREIGN, STALE, UNKNOWN),
    "Edit": (GUEST, LEFT, FOREIGN, STALE, UNKNOWN),
    "Respond": (GUEST, LEFT, FOREIGN, STALE, UNKNOWN),
    "Withdraw my vote": (GUEST, LEFT, FOREIGN, STALE, UNKNOWN),
    "Reassign …": (GUEST, LEFT, FOREIGN, UNKNOWN),  # they carry no digest: a form comes first
    "Ask back …": (GUEST, LEFT, FOREIGN, UNKNOWN),
    "Escalate": (GUEST, LEFT, FOREIGN, Attack("jonas", "not_an_approver"), UNKNOWN),
    "Answer": (GUEST, LEFT, FOREIGN, Attack("jonas", "not_asked"), UNKNOWN),
    "Review": (GUEST, LEFT, FOREIGN, Attack("tom", "requester"), UNKNOWN),
}


def click(deployment: Deployment, who: str, card: Seen, label: str) -> dict[str, Any]:
    """A button, or what is chosen in a menu."""
    slack = deployment.slack
    for block in card.blocks:
        for element in elements_of(block):
            of_menu = {each["text"]["text"]: each["value"] for each in options_of(element)}
            if label in of_menu or (element.get("text") or {}).get("text") == label:
                clicked = (block, element, of_menu.get(label))
                channel = slack.workspace.channels[card.channel]
                user = slack.person(who).user
                return slack.acts.payloads.message_action(user, channel, card.json, clicked, {})
    raise LookupError(label)


async def the_one(bot: Services) -> Approval:
    [approval] = await bot.store.approvals_of("ask-1")
    return approval


def state(approval: Approval) -> Any:
    return (approval.status, approval.votes, approval.inquiries, approval.policy)


async def refusals(bot: Services) -> set[tuple[str, str]]:
    kept = [each for each in await bot.store.trail("ask-1") if each.tag == Tag.REFUSED]
    return {(each.actor.user or "" if each.actor else "", str(each.detail["why"])) for each in kept}


async def kept(
    bot: Services, deployment: Deployment, attack: Attack, payload: dict[str, Any]
) -> None:
    """In the trail; where it could not be written at once, then the next time."""
    mark = (deployment.person(attack.who).id, attack.why)

    async def there() -> bool:
        if not attack.why or mark in await refusals(bot):
            return True
        await submitted(deployment, payload)
        return mark in await refusals(bot)

    await eventually(f"{mark} in the trail", there, WITHIN)


def whispers(deployment: Deployment, who: str) -> int:
    return len(deployment.slack.workspace.whispers(CHANNEL, deployment.person(who).id))


async def clicked_and_answered(deployment: Deployment, who: str, payload: dict[str, Any]) -> None:
    before = whispers(deployment, who)
    assert (await deliver(deployment, payload)).ok
    await eventually("an answer", lambda: whispers(deployment, who) > before, WITHIN)


async def prepared(deployment: Deployment, bot: Services, label: str) -> Seen:
    """The card, as it has to be for this to be on it."""
    card = await deployment.card(TITLE)
    if label == "Withdraw my vote":
        await deliver(deployment, click(deployment, "mara", card, "Approve"))
    if label == "Answer":
        await opened(deployment, "mara", card, "Ask back …")
        assert await deployment.person("mara").submit({"text": "Which parcel?"}) == {}
    if label in ("Withdraw my vote", "Answer"):
        return await deployment.reads(
            card, {"Answer": "Waits for"}.get(label, "1 of 2"), within=WITHIN
        )
    return card


async def opened(deployment: Deployment, who: str, card: Seen, label: str) -> dict[str, Any]:
    await deliver(deployment, click(deployment, who, card, label))
    person = deployment.person(who)
    return await eventually(f"the form of {label}", lambda: person.modal, WITHIN)


@pytest.mark.parametrize("label", CLICKS)
async def test_a_click_that_was_tampered_with(deployment: Deployment, label: str) -> None:
    quorum = 2 if label == "Withdraw my vote" else 1
    known = asks(quorum, sensitivity="restricted" if label == "Review" else "normal")
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        card = await prepared(deployment, bot, label)
        before = state(await the_one(bot))
        for attack in CLICKS[label]:
            payload = click(deployment, attack.who, card, label)
            attack.change(payload, await the_one(bot))
            await clicked_and_answered(deployment, attack.who, payload)
            await kept(bot, deployment, attack, payload)
            assert state(await the_one(bot)) == before, attack
            assert deployment.person(attack.who).modal is None, attack
        assert known.done == []


Values = dict[str, Any]
FORMS: dict[str, Values] = {
    "Reject with a reason": {"reason": {"reason": {"value": "No"}}},
    "Respond": {"text": {"text": {"value": "Monday"}}},
    "Edit": {"field.note": {"value": {"value": "another"}}},
    "Reassign …": {"people": {"people": {"selected_users": [JONAS]}}},
    "Ask back …": {"text": {"text": {"value": "Which parcel?"}}},
    "Answer": {"text": {"text": {"value": "The second"}}},
}
SUBMITTED = (
    Attack("jonas", "other_opener"),
    Attack("lena", "not_a_member", _own(LENA)),
    Attack("piotr", "not_a_member", _own(PIOTR)),
)


async def submitted(deployment: Deployment, payload: dict[str, Any]) -> Ack:
    return await deployment.slack.delivery.send("interactive", payload, answerable=True)


def says_no(ack: Ack) -> bool:
    view = (ack.body or {}).get("view") or {}
    return view.get("title", {}).get("text") == "Not recorded"


@pytest.mark.parametrize("label", FORMS)
async def test_a_form_that_was_tampered_with_and_one_that_comes_again(
    deployment: Deployment, label: str
) -> None:
    known, who = asks(), "tom" if label == "Answer" else "mara"
    async with deployment.instance(known=known) as bot:
        await known.start(bot, requester=TOM)
        card = await prepared(deployment, bot, label)
        view = await opened(deployment, who, card, label)
        values = FORMS[label]
        before = state(await the_one(bot))
        foreign = Attack(who, "other_workspace", _elsewhere)
        stale = Attack(who, "changed", STALE.change)
        unknown = Attack(who, "", UNKNOWN.change)
        for attack in (*SUBMITTED, foreign, unknown, *([stale] if label != "Answer" else [])):
            payload = submission(deployment, attack.who, view, values)
            attack.change(payload, await the_one(bot))
            assert says_no(await submitted(deployment, payload)), attack
            await kept(bot, deployment, attack, payload)
            assert state(await the_one(bot)) == before, attack

        recorded = submission(deployment, who, view, values)
        assert not says_no(await submitted(deployment, recorded))
        after = state(await the_one(bot))
        assert after != before
        for _ in range(2):
            assert says_no(await submitted(deployment, recorded))
            assert state(await the_one(bot)) == after


def submission(
    deployment: Deployment, who: str, view: dict[str, Any], values: Values
) -> dict[str, Any]:
    user = deployment.person(who).user
    return deployment.slack.acts.payloads.view_submission(user, deepcopy(view), values)
