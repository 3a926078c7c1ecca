"""Who is who in the workspace: our own ids, users, and the members of groups and channels."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.policy import GROUPS, Member
from bot.slack_calls import PAGE, SlackRefused, SlackUnavailable, call, given

CACHED_FOR = 60.0  # seconds
NOBODY = ("user_not_found", "user_not_visible")
NO_GROUP = ("no_such_subteam", "subteam_not_found", "channel_not_found", "fetch_members_failed")


@dataclass
class Directory:
    """team: enterprise or team id, as records carry it; bot_user: the id of our own user. All from
    auth.test, which is asked once: that a click counts does not hang on a second answer."""

    client: AsyncWebClient
    team: str
    bot_user: str
    team_name: str = ""
    team_id: str = ""
    enterprise_id: str = ""
    bot_id: str = ""
    monotonic: Callable[[], float] = time.monotonic
    _members: dict[str, tuple[float, Member]] = field(default_factory=dict[str, Any])
    _groups: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict[str, Any])

    @property
    def own_ids(self) -> frozenset[str]:
        """What our workspace goes by: payloads name it by its own id, its enterprise's, or both,
        and a record by the one that it had then."""
        return frozenset({self.team, self.team_id, self.enterprise_id} - {""})

    async def member(self, user: str, *teams: str) -> Member:
        """As users.info tells it, at most a minute old. teams: the ids, of team and enterprise,
        that the click came from: whom we name in a card may click elsewhere."""
        known = self._members.get(user)
        if not known or known[0] <= self.monotonic():
            member = await self._looked_up(user)
            known = (self.monotonic() + CACHED_FOR, member)
            self._members[user] = known
        if self.own_ids.isdisjoint(teams):
            team, also = next(iter(teams), ""), frozenset(teams)
        else:
            team, also = self.team, self.own_ids.union(teams)
        return replace(known[1], team=team, known_as=also)

    async def _looked_up(self, user: str) -> Member:
        """Someone whom Slack does not know is no member; their name is empty."""
        nobody = Member(team="", user=user, name="", full=False)
        if not user:
            return nobody
        try:
            info = given(await call(self.client.users_info(user=user)), "user", dict)
        except SlackRefused as refused:
            if refused.code in NOBODY:
                return nobody
            raise
        flags = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        profile = info.get("profile") or {}
        name = info.get("real_name") or profile.get("real_name") or info.get("name") or user
        full = not any(info.get(flag) for flag in flags) and not self._is_foreign(info)
        offset = info.get("tz_offset")
        return Member(
            team="",
            user=user,
            name=str(name),
            full=full,
            zone=str(info.get("tz") or ""),
            zone_offset=offset if isinstance(offset, int) else 0,
        )

    def _is_foreign(self, info: dict[str, Any]) -> bool:
        """Someone of another workspace, in a channel that we share with it: is_stranger is false
        for them."""
        enterprise = info.get("enterprise_user") or {}
        told = [info.get("team_id"), enterprise.get("enterprise_id"), *enterprise.get("teams", [])]
        ids = {each for each in told if each}
        return bool(ids) and self.own_ids.isdisjoint(ids)

    async def groups(self, approvers: Iterable[str]) -> dict[str, frozenset[str]]:
        """The members of the user groups (S…) and channels (C…, G…) among `approvers`, at most a
        minute old. One that is gone, or that we may not see, has none."""
        wanted = [approver for approver in approvers if approver[0] in GROUPS]
        return {group: await self._group(group) for group in wanted}

    def forget_group(self, group: str) -> None:
        """Its members changed."""
        self._groups.pop(group, None)

    def forget_member(self, user: str) -> None:
        """They were deactivated, or are a guest now; or their name changed."""
        self._members.pop(user, None)

    async def names(self, users: Iterable[str | None]) -> dict[str, str]:
        """Display names by id; a user who cannot be looked up is left out."""
        found: dict[str, str] = {}
        for user in {user for user in users if user}:
            try:
                member = await self.member(user, self.team)
            except (SlackRefused, SlackUnavailable):
                continue
            if member.name:
                found[user] = member.name
        return found

    async def _group(self, group: str) -> frozenset[str]:
        known = self._groups.get(group)
        if known and known[0] > self.monotonic():
            return known[1]
        try:
            users = await (self._in_group(group) if group[0] == "S" else self._in_channel(group))
        except SlackRefused as refused:
            if refused.code not in NO_GROUP:
                raise
            users = frozenset[str]()
        self._groups[group] = (self.monotonic() + CACHED_FOR, users)
        return users

    async def _in_group(self, group: str) -> frozenset[str]:
        found = await call(self.client.usergroups_users_list(usergroup=group))
        return frozenset(given(found, "users", list))

    async def _in_channel(self, channel: str) -> frozenset[str]:
        users: set[str] = set()
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await call(
                self.client.conversations_members(channel=channel, limit=PAGE, **more)
            )
            users.update(given(page, "members", list))
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return frozenset(users)
