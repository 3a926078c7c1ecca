"""Blocks that tests of the page post and look for."""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.local import seeds

Json = dict[str, Any]

CHANNEL = seeds.APPROVALS.id


def text(words: str, kind: str = "mrkdwn") -> Json:
    return {"type": kind, "text": words}


def plain(words: str) -> Json:
    return text(words, "plain_text")


def option(words: str) -> Json:
    return {"text": plain(words), "value": words.lower()}


def card(value: str = "Acme GmbH", block_id: str = "buttons") -> list[Json]:
    confirm = {
        "title": plain("Approve this refund?"),
        "text": text("*$50,000.00* will be paid."),
        "confirm": plain("Approve"),
        "deny": plain("Not yet"),
    }
    approve = {"type": "button", "action_id": "approve", "value": "1", "style": "primary"}
    reject = {"type": "button", "action_id": "reject", "value": "1", "style": "danger"}
    return [
        {"type": "header", "text": plain("Refund $50,000.00")},
        {"type": "section", "fields": [text("*Amount*\n$50,000.00"), text(f"*Customer*\n{value}")]},
        {"type": "context", "elements": [text(f"digest `{value}`")]},
        {
            "type": "actions",
            "block_id": block_id,
            "elements": [
                {**approve, "text": plain("Approve"), "confirm": confirm},
                {**reject, "text": plain("Reject")},
            ],
        },
    ]


def pickers() -> list[Json]:
    kinds = ("users_select", "channels_select", "conversations_select", "datepicker", "timepicker")
    chosen = [option("One"), option("Two")]
    return [
        {
            "type": "static_select",
            "action_id": "one",
            "placeholder": plain("Pick one"),
            "options": chosen,
        },
        {"type": "radio_buttons", "action_id": "radio", "options": chosen},
        {"type": "checkboxes", "action_id": "check", "options": chosen},
        {"type": "overflow", "action_id": "more", "options": chosen},
        {
            "type": "button",
            "action_id": "open",
            "text": plain("Invoice"),
            "url": "https://example.com/invoice",
        },
        *({"type": kind, "action_id": kind} for kind in kinds),
    ]


def rich_text() -> Json:
    words = [
        {"type": "text", "text": "bold", "style": {"bold": True}},
        {"type": "user", "user_id": seeds.TOM.id},
        {"type": "emoji", "name": "eyes"},
        {"type": "link", "url": "https://example.com/", "text": "order"},
    ]
    section = {"type": "rich_text_section", "elements": words}
    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": "quoted"}]}
    code = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "*raw*"}]}
    items = {"type": "rich_text_list", "style": "bullet", "elements": [section]}
    return {"type": "rich_text", "elements": [section, quote, code, items]}


async def post(client: AsyncWebClient, blocks: list[Json], **more: Any) -> str:
    sent = await client.chat_postMessage(channel=CHANNEL, text="a card", blocks=blocks, **more)
    return str(sent["ts"])
