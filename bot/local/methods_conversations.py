"""The conversations.* methods: reading channels and threads by page, opening direct messages."""

from __future__ import annotations

import base64
import binascii
import re

from bot.local.arguments import ApiError, invalid_arguments
from bot.local.core import Core
from bot.local.records import Channel, Json, User

MOST = 999
MOST_USERS = 8


def history(core: Core, arguments: Json) -> Json:
    channel = core.channel(arguments["channel"])
    core.require_scope(f"{channel.kind}:history")
    if not core.bot_is_in(channel):
        raise ApiError("not_in_channel")
    messages = _within(core.workspace.messages(channel.id), arguments)
    messages.reverse()
    start = _after_cursor(messages, arguments)
    return _page(messages, start, arguments, 100)


def replies(core: Core, arguments: Json) -> Json:
    channel = core.channel(arguments["channel"])
    core.require_scope(f"{channel.kind}:history")
    ts = arguments["ts"]
    parent = core.workspace.find(channel.id, ts)
    if parent is None or not core.bot_is_in(channel):
        raise ApiError("thread_not_found")
    messages = [parent, *_within(core.workspace.replies(channel.id, ts), arguments)]
    start = _after_cursor(messages, arguments)
    return _page(messages, start, arguments, 1000)


def _within(messages: list[Json], arguments: Json) -> list[Json]:
    """Those between oldest and latest; the bounds themselves only with `inclusive`."""
    oldest = _timestamp(arguments.get("oldest"), "invalid_ts_oldest")
    latest = _timestamp(arguments.get("latest"), "invalid_ts_latest")
    inclusive = bool(arguments.get("inclusive"))

    def is_within(ts: str) -> bool:
        at = _key(ts)
        after = oldest is None or at > oldest or (inclusive and at == oldest)
        before = latest is None or at < latest or (inclusive and at == latest)
        return after and before

    return [message for message in messages if is_within(message["ts"])]


def _key(ts: str) -> tuple[int, int]:
    whole, _, fraction = ts.partition(".")
    return int(whole), int(fraction.ljust(6, "0")[:6] or 0)


def _timestamp(value: str | None, code: str) -> tuple[int, int] | None:
    if value in (None, ""):
        return None
    if re.fullmatch(r"\d+(\.\d*)?", value) is None:
        raise ApiError(code)
    return _key(value)


def _after_cursor(messages: list[Json], arguments: Json) -> int:
    """Where the page begins. A cursor names the first message of its page."""
    cursor = arguments.get("cursor")
    if not cursor:
        return 0
    try:
        words = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError("invalid_cursor") from error
    ts = words.removeprefix("next_ts:")
    for index, message in enumerate(messages):
        if message["ts"] == ts:
            return index
    raise ApiError("invalid_cursor")


def _page(messages: list[Json], start: int, arguments: Json, default: int) -> Json:
    limit = arguments.get("limit", default)
    if limit <= 0:
        raise invalid_arguments("must be greater than 0 [json-pointer:/limit]")
    end = start + min(limit, max(MOST, default))
    shown = messages[start:end]
    if not arguments.get("include_all_metadata"):
        for message in shown:
            message.pop("metadata", None)
    has_more = end < len(messages)
    answer: Json = {"messages": shown, "has_more": has_more, "pin_count": 0}
    if has_more:
        cursor = base64.b64encode(f"next_ts:{messages[end]['ts']}".encode()).decode()
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def info(core: Core, arguments: Json) -> Json:
    channel = core.channel(arguments["channel"])
    core.require_scope(f"{channel.kind}:read")
    fields = _described(core, channel)
    if arguments.get("include_num_members"):
        fields["num_members"] = len(channel.members)
    return {"channel": fields}


def members(core: Core, arguments: Json) -> Json:
    """Ids of users, by page; of a private channel only where the app is in it."""
    channel = core.channel(arguments["channel"])
    core.require_scope(f"{channel.kind}:read")
    start, limit = _number(arguments.get("cursor")), arguments.get("limit", 100)
    if limit <= 0:
        raise invalid_arguments("must be greater than 0 [json-pointer:/limit]")
    end = start + min(limit, MOST)
    more = base64.b64encode(f"user:{end}".encode()).decode() if end < len(channel.members) else ""
    shown = list(channel.members[start:end])
    return {"members": shown, "response_metadata": {"next_cursor": more}}


def _number(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("user:"))
    except (binascii.Error, ValueError) as error:
        raise ApiError("invalid_cursor") from error


def _described(core: Core, channel: Channel) -> Json:
    shared: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "is_mpim": False,
        "is_org_shared": False,
        "context_team_id": core.workspace.team.id,
    }
    if channel.is_im:
        user = core.workspace.users[channel.user or ""]
        return {**shared, "user": user.id, "is_user_deleted": user.deleted, "priority": 0}
    return {
        **shared,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_private": channel.is_private,
        "is_general": channel.name == "general",
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": False,
        "is_member": core.bot_is_in(channel),
        "creator": channel.members[0] if channel.members else "",
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def open_(core: Core, arguments: Json) -> Json:
    """The direct message with one person. Group messages are not played here."""
    if arguments.get("channel"):
        channel = core.channel(arguments["channel"])
        if not channel.is_im:
            raise ApiError("method_not_supported_for_channel_type")
        return _opened(core, channel, arguments)
    user = _one_person(core, str(arguments.get("users") or ""))
    existing = core.workspace.find_direct_message(user.id)
    if existing is None and arguments.get("prevent_creation"):
        raise ApiError("channel_not_found")
    return _opened(core, core.workspace.direct_message(user.id), arguments)


def _one_person(core: Core, users: str) -> User:
    ids = [user for user in users.split(",") if user]
    if not ids:
        raise ApiError("users_list_not_supplied")
    if len(ids) > MOST_USERS:
        raise ApiError("too_many_users")
    if len(ids) > 1:
        core.require_scope("mpim:write")
        raise ApiError("method_not_supported_for_channel_type")
    core.require_scope("im:write")
    user = core.workspace.users.get(ids[0])
    if user is None or user.is_bot:
        raise ApiError("user_not_found")
    if user.deleted:
        raise ApiError("user_disabled")
    return user


def _opened(core: Core, channel: Channel, arguments: Json) -> Json:
    if arguments.get("return_im"):
        return {"channel": _described(core, channel)}
    return {"channel": {"id": channel.id}}
