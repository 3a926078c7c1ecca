"""Short ways to write blocks and views, and to read what Slack refuses."""

from collections.abc import Awaitable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.local.records import Json

Client = Any  # an AsyncWebClient; the SDK types every field of its answers as optional


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "text", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(label: str = "Approve", action_id: str = "approve", **more: Any) -> Json:
    return {"type": "button", "text": plain(label), "action_id": action_id, **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def options(count: int = 1) -> list[Json]:
    return [{"text": plain(f"Option {n}"), "value": f"o{n}"} for n in range(count)]


def select(count: int = 2, **more: Any) -> Json:
    return {"type": "static_select", "action_id": "pick", "options": options(count), **more}


def text_input(action_id: str = "why", **more: Any) -> Json:
    return {"type": "plain_text_input", "action_id": action_id, **more}


def asked(element: Json, label: str = "Why?", **more: Any) -> Json:
    """An input block."""
    return {"type": "input", "label": plain(label), "element": element, **more}


def modal(*blocks: Json, **more: Any) -> Json:
    return {
        "type": "modal",
        "title": plain("Title"),
        "submit": plain("Send"),
        "blocks": list(blocks) or [section()],
        **more,
    }


def home(*blocks: Json, **more: Any) -> Json:
    return {"type": "home", "blocks": list(blocks) or [section()], **more}


def preformatted(text: str) -> Json:
    inner = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [inner]}


async def refused(call: Awaitable[object]) -> Json:
    """The answer of a call that has to be refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    answer: Any = caught.value.response.data  # type: ignore[union-attr]
    return answer


async def error_of(call: Awaitable[object]) -> str:
    return (await refused(call))["error"]
