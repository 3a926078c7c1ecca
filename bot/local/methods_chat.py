"""The chat.* methods: what the bot posts, changes, takes back, and whispers to one person."""

from __future__ import annotations

import re

from bot.local.arguments import ApiError
from bot.local.content import (
    CUT,
    Content,
    bot_fields,
    read_content,
    read_metadata,
    refuse_long_blocks,
)
from bot.local.core import Core
from bot.local.fill import fallback_text, filled_blocks
from bot.local.records import Channel, Json
from bot.local.workspace import is_reply

UPDATE_TEXT = 4_000


def post_message(core: Core, arguments: Json) -> Json:
    channel = _writable(core, arguments["channel"])
    content = read_content(core, arguments)
    if content.is_empty:
        raise ApiError("no_text")
    refuse_long_blocks(content)
    metadata = read_metadata(arguments.get("metadata"))
    body = {**bot_fields(core), **content.as_message()}
    body["text"] = body["text"][:CUT]
    if metadata:
        body["metadata"] = metadata
    body |= _thread_fields(core, channel, arguments)
    message = core.workspace.post(channel.id, body)
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def _writable(core: Core, name: str) -> Channel:
    """Where the bot may post: an id, a name, or a person's id for their direct message."""
    workspace = core.workspace
    user = workspace.users.get(name)
    if user is not None:
        if user.is_bot or user.deleted:
            raise ApiError("channel_not_found")
        return workspace.direct_message(user.id)
    found = workspace.channel_named(name)
    channel = core.channel(found.id if found else name)
    if channel.is_archived:
        raise ApiError("is_archived")
    open_to_all = "chat:write.public" in core.scopes and channel.kind == "channels"
    if not core.bot_is_in(channel) and not open_to_all:
        raise ApiError("not_in_channel")
    return channel


def _thread_fields(core: Core, channel: Channel, arguments: Json) -> Json:
    thread_ts = arguments.get("thread_ts")
    if not thread_ts:
        return {}
    parent = core.workspace.find(channel.id, thread_ts)
    if parent is None or is_reply(parent):
        raise ApiError("cannot_reply_to_message")
    fields: Json = {"thread_ts": thread_ts, "parent_user_id": parent.get("user")}
    if arguments.get("reply_broadcast"):
        fields["subtype"] = "thread_broadcast"
    return fields


def update(core: Core, arguments: Json) -> Json:
    channel, message = _own_message(core, arguments, "cant_update_message")
    if channel.is_archived:
        raise ApiError("is_inactive")
    content = read_content(core, arguments)
    if content.is_empty:
        raise ApiError("no_text")
    if len(content.text or "") > UPDATE_TEXT:
        raise ApiError("msg_too_long")
    changes = _changes(core, message, content)
    metadata = read_metadata(arguments.get("metadata"))
    if metadata is not None:
        changes["metadata"] = metadata or None
    changed = core.workspace.change(channel.id, message["ts"], changes)
    return {
        "channel": channel.id,
        "ts": message["ts"],
        "text": changed["text"],
        "message": changed,
    }


def _changes(core: Core, message: Json, content: Content) -> Json:
    """What an update changes: text alone takes the blocks away and marks the message as edited."""
    changes: Json = {}
    if content.blocks:
        if _has_rich_text(message.get("blocks")) and not _has_rich_text(content.blocks):
            raise ApiError("block_mismatch")
        changes["blocks"] = filled_blocks(content.blocks)
        changes["text"] = content.text or fallback_text(content.blocks)
    elif content.text is not None:
        edited = {"user": core.workspace.app.bot_user_id, "ts": core.workspace.next_ts()}
        changes |= {"text": content.text, "blocks": None, "edited": edited}
    if content.attachments is not None:
        changes["attachments"] = content.attachments or None
    return changes


def _has_rich_text(blocks: list[Json] | None) -> bool:
    return any(block["type"] == "rich_text" for block in blocks or [])


def delete(core: Core, arguments: Json) -> Json:
    channel, message = _own_message(core, arguments, "cant_delete_message")
    core.workspace.remove(channel.id, message["ts"])
    return {"channel": channel.id, "ts": message["ts"]}


def _own_message(core: Core, arguments: Json, refusal: str) -> tuple[Channel, Json]:
    channel = core.channel(arguments["channel"])
    message = core.workspace.find(channel.id, arguments["ts"])
    if message is None or message.get("subtype") == "tombstone":
        raise ApiError("message_not_found")
    if not core.by_bot(message):
        raise ApiError(refusal)
    return channel, message


def post_ephemeral(core: Core, arguments: Json) -> Json:
    channel = _writable(core, arguments["channel"])
    content = read_content(core, arguments)
    if content.is_empty:
        raise ApiError("no_text")
    if len(content.text or "") > CUT:
        raise ApiError("msg_too_long")
    if arguments["user"] not in channel.members:
        raise ApiError("user_not_in_channel")
    body = {**bot_fields(core), **content.as_message()}
    thread_ts = arguments.get("thread_ts")
    if thread_ts:
        if core.workspace.find(channel.id, thread_ts) is None:
            raise ApiError("cannot_reply_to_message")
        body["thread_ts"] = thread_ts
    message = core.workspace.whisper(channel.id, arguments["user"], body)
    return {"message_ts": message["ts"]}


def get_permalink(core: Core, arguments: Json) -> Json:
    channel = core.channel(arguments["channel"])
    ts = arguments["message_ts"]
    message = core.workspace.find(channel.id, ts)
    if message is None:
        raise ApiError("message_not_found")
    link = f"{core.url}/archives/{channel.id}/p{re.sub(r'[.]', '', ts)}"
    if is_reply(message):
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}
