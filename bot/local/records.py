"""What the local workspace knows: people, channels, groups, commands, and the app itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Team:
    id: str
    name: str
    domain: str


@dataclass(frozen=True)
class App:
    id: str
    name: str
    bot_id: str
    bot_user_id: str


@dataclass(frozen=True)
class Command:
    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = True


@dataclass(frozen=True)
class User:
    id: str
    name: str
    real_name: str
    title: str = ""
    email: str = ""
    color: str = "#4a5568"
    tz: str = "Europe/Berlin"
    is_admin: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    deleted: bool = False

    @property
    def is_guest(self) -> bool:
        return self.is_restricted or self.is_ultra_restricted


@dataclass(frozen=True)
class Channel:
    id: str
    name: str
    members: tuple[str, ...]
    topic: str = ""
    is_private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    is_im: bool = False
    user: str | None = None
    created: int = 1_700_000_000

    @property
    def kind(self) -> str:
        """Which scope family covers it: channels, groups or im."""
        if self.is_im:
            return "im"
        return "groups" if self.is_private else "channels"


@dataclass(frozen=True)
class Usergroup:
    id: str
    handle: str
    name: str
    users: tuple[str, ...]
    disabled: bool = False


@dataclass(frozen=True)
class Seed:
    """The people and places a workspace starts with."""

    team: Team
    app: App
    users: tuple[User, ...]
    channels: tuple[Channel, ...]
    usergroups: tuple[Usergroup, ...] = field(default=())
