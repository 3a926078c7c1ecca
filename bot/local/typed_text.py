"""Text as a person types it, turned into what Slack stores: escaped, mentions resolved."""

from __future__ import annotations

import re

from bot.local.workspace import Workspace


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def with_mentions(workspace: Workspace, text: str, *, labels: bool) -> str:
    """`@name` and `#channel` as Slack's markup; `labels`: with `|name`, as in slash commands."""

    def person(match: re.Match[str]) -> str:
        name = match["name"]
        user = next((u for u in workspace.users.values() if u.name == name), None)
        if user is not None:
            return f"<@{user.id}|{name}>" if labels else f"<@{user.id}>"
        if name in ("here", "channel", "everyone"):
            return f"<!{name}>"
        group = next((g for g in workspace.usergroups.values() if g.handle == name), None)
        return f"<!subteam^{group.id}|@{name}>" if group else match[0]

    def place(match: re.Match[str]) -> str:
        channel = workspace.channel_named(match["name"])
        return f"<#{channel.id}|{channel.name}>" if channel else match[0]

    text = re.sub(r"(?<![\w@])@(?P<name>[a-z0-9][a-z0-9._-]*[a-z0-9])", person, text)
    return re.sub(r"(?<![\w#])#(?P<name>[a-z0-9][a-z0-9_-]*)", place, text)
