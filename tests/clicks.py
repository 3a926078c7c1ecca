"""Clicks that no page would send: stale, forged, from elsewhere; delivered as Slack delivers."""

from typing import Any

from bot.approvals import Approval
from bot.local.person import Seen
from bot.local.sockets import Ack
from bot.views import card as views
from tests.deployment import Deployment


async def click_as_drawn(
    deployment: Deployment,
    who: str,
    card: Seen,
    label: str,
    *,
    value: str | None = None,
    team: str | None = None,
) -> Ack:
    """Click a button of the card as it was seen, whatever became of the message since.

    value: another value than the button has; team: another workspace of the one who clicks.
    """
    payload = drawn_click(deployment, who, card, label)
    if value is not None:
        payload["actions"][0]["value"] = value
    if team is not None:
        payload["user"]["team_id"] = payload["team"]["id"] = team
    return await deliver(deployment, payload)


def drawn_click(deployment: Deployment, who: str, card: Seen, label: str) -> dict[str, Any]:
    """The payload of such a click, for a test to change."""
    slack = deployment.slack
    person = slack.person(who)
    block, button = _button(card, label)
    channel = slack.workspace.channels[card.channel]
    return slack.acts.payloads.message_action(
        person.user, channel, card.json, (block, button, None), {}
    )


async def submit_as(
    deployment: Deployment, who: str, view: dict[str, Any], words: dict[str, str], **changed: Any
) -> Ack:
    """Submit a modal that may be someone else's, or no longer open. words: by block_id (its only
    input has the same action_id). changed: of the view."""
    values = {
        name: {name: {"type": "plain_text_input", "value": text}} for name, text in words.items()
    }
    user = deployment.slack.person(who).user
    payload = deployment.slack.acts.payloads.view_submission(user, {**view, **changed}, values)
    return await deployment.slack.delivery.send("interactive", payload, answerable=True)


async def deliver(deployment: Deployment, payload: dict[str, Any]) -> Ack:
    return await deployment.slack.delivery.send("interactive", payload, answerable=False)


def drawn(approval: Approval) -> Seen:
    """Its card as it stands in no channel: for a click it makes no difference."""
    content = views.card(approval, {})
    message = {"ts": "1700000000.000001", "text": content.text, "blocks": content.blocks}
    return Seen(approval.channel, message)


def value_of(card: Seen, label: str) -> str:
    """What the button carries."""
    return _button(card, label)[1]["value"]


def _button(card: Seen, label: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for block in card.blocks:
        for element in block.get("elements", []) if block["type"] == "actions" else []:
            if element["type"] == "button" and element["text"]["text"] == label:
                return block, element
    raise LookupError(f"there is no button {label!r}")
