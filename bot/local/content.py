"""What an app writes: text, blocks, attachments and metadata, checked as Slack checks them.

Used by chat.*, response_url and immediate answers alike.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from bot.local.arguments import ApiError, json_argument
from bot.local.blocks import check_blocks, text_is_too_long
from bot.local.core import Core
from bot.local.fill import fallback_text, filled_blocks
from bot.local.records import Json
from bot.local.workspace import Workspace

CUT = 40_000  # longer texts are truncated by chat.postMessage
METADATA_BYTES = 8_000
ATTACHMENTS = 100


@dataclass(frozen=True)
class Content:
    """None: the argument was not given."""

    text: str | None
    blocks: list[Json] | None
    attachments: list[Json] | None

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.blocks or self.attachments)

    def as_message(self) -> Json:
        """The fields of the stored message."""
        message: Json = {"text": self.text or fallback_text(self.blocks or [])}
        if self.blocks:
            message["blocks"] = filled_blocks(self.blocks)
        if self.attachments:
            message["attachments"] = self.attachments
        return message


def read_content(core: Core, arguments: Json) -> Content:
    """Text and blocks of a call; refuses what Slack would."""
    if arguments.get("as_user"):
        raise ApiError("as_user_not_supported")
    text: str | None = arguments.get("text")
    markdown = arguments.get("markdown_text")
    if markdown is not None:
        if text is not None or arguments.get("blocks") is not None:
            raise ApiError("markdown_text_conflict")
        text = markdown
    blocks = _read_blocks(arguments.get("blocks"))
    attachments = _read_attachments(arguments.get("attachments"))
    if text and arguments.get("link_names"):
        text = link_names(core.workspace, text)
    return Content(text, blocks, attachments)


def _read_blocks(value: Any) -> list[Json] | None:
    if value is None or value == "":
        return None
    blocks: Any = json_argument(value, "invalid_blocks_format")
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    if not blocks:
        return []
    problems = check_blocks(blocks)
    if problems:
        raise ApiError("invalid_blocks", *problems, errors=problems)
    return blocks


def _read_attachments(value: Any) -> list[Json] | None:
    if value is None or value == "":
        return None
    attachments: Any = json_argument(value, "invalid_arguments")
    if not isinstance(attachments, list):
        raise ApiError("invalid_arguments", "must be an array [json-pointer:/attachments]")
    if len(attachments) > ATTACHMENTS:
        raise ApiError("too_many_attachments")
    return attachments


def refuse_long_blocks(content: Content) -> None:
    if content.blocks and text_is_too_long(content.blocks):
        raise ApiError("msg_blocks_too_long")


def link_names(workspace: Workspace, text: str) -> str:
    """What `link_names` does: `@handle` of a user group becomes a mention that notifies."""
    for group in workspace.usergroups.values():
        pattern = rf"(?<![\w|^])@{re.escape(group.handle)}(?![\w-])"
        text = re.sub(pattern, f"<!subteam^{group.id}|@{group.handle}>", text)
    return text


def read_metadata(value: Any) -> Json | None:
    """Metadata as given; an empty object stands for: take it away."""
    if value is None or value == "":
        return None
    metadata: Any = json_argument(value, "invalid_metadata_format")
    if metadata == {}:
        return {}
    if not isinstance(metadata, dict):
        raise ApiError("invalid_metadata_format")
    fields: Json = metadata
    event_type, payload = fields.get("event_type"), fields.get("event_payload")
    if not isinstance(event_type, str) or not event_type or not isinstance(payload, dict):
        raise ApiError("invalid_metadata_format")
    if set(fields) - {"event_type", "event_payload"} or not _flat_enough(payload):
        raise ApiError("invalid_metadata_schema")
    if len(json.dumps(fields)) > METADATA_BYTES:
        raise ApiError("metadata_too_large")
    return fields


def _flat_enough(payload: Json) -> bool:
    """Documented are scalars, objects of scalars, and lists of either."""
    for value in payload.values():
        parts: list[Any] = value if isinstance(value, list) else [value]
        for part in parts:
            inner: list[Any] = list(part.values()) if isinstance(part, dict) else [part]
            if not all(isinstance(one, str | int | float | bool) for one in inner):
                return False
    return True


def bot_fields(core: Core) -> Json:
    """Who wrote it, for a message of the app."""
    workspace = core.workspace
    app = workspace.app
    return {
        "user": app.bot_user_id,
        "bot_id": app.bot_id,
        "app_id": app.id,
        "team": workspace.team.id,
        "bot_profile": {
            "id": app.bot_id,
            "app_id": app.id,
            "user_id": app.bot_user_id,
            "name": app.name,
            "deleted": False,
            "team_id": workspace.team.id,
        },
    }
