"""Modals and homes of each person: the stack of three, hashes, external ids.

A view is the JSON that Slack gives back. Whether its blocks are valid is asked elsewhere.
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, field

from bot.local.fill import filled_blocks
from bot.local.records import Json
from bot.local.state_values import initial_state
from bot.local.workspace import Workspace

STACK_LIMIT = 3


class ViewError(Exception):
    """A refusal, in Slack's words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Modals:
    """What is open for whom. Every change of a stack or a home is announced to its person."""

    workspace: Workspace
    _stacks: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    _homes: dict[str, Json] = field(default_factory=dict[str, Json])
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def stack(self, user: str) -> list[Json]:
        """This person's modals, the one on top last."""
        return copy.deepcopy(self._stacks.get(user, []))

    def home(self, user: str) -> Json | None:
        return copy.deepcopy(self._homes.get(user))

    def find(self, view_id: str) -> tuple[str, Json] | None:
        """The person who has this view open, and the view."""
        for user, view in self._all():
            if view["id"] == view_id:
                return user, copy.deepcopy(view)
        return None

    def open(self, user: str, wanted: Json) -> Json:
        """A new stack; what was open is gone."""
        view = self._make(wanted, [])
        self._stacks[user] = [view]
        self._tell(user)
        return copy.deepcopy(view)

    def push(self, user: str, wanted: Json) -> Json:
        stack = self._stacks.get(user, [])
        if not stack:
            raise ViewError("not_found")
        if len(stack) >= STACK_LIMIT:
            raise ViewError("push_limit_reached")
        view = self._make(wanted, stack)
        stack.append(view)
        self._tell(user)
        return copy.deepcopy(view)

    def update(
        self,
        wanted: Json,
        view_id: str | None,
        external_id: str | None = None,
        expected_hash: str | None = None,
    ) -> Json:
        """Put new content into an open view (or home) found by either id."""
        user, view = self._locate(view_id, external_id)
        if expected_hash is not None and expected_hash != view["hash"]:
            raise ViewError("hash_conflict")
        if wanted.get("type") != view["type"]:
            raise ViewError("invalid_arguments")
        self._refuse_taken(wanted, view)
        view.update(self._content(wanted))
        if view["type"] == "home":
            self._tell_home(user, view)
        else:
            self._tell(user)
        return copy.deepcopy(view)

    def publish(self, user: str, wanted: Json, expected_hash: str | None = None) -> Json:
        current = self._homes.get(user)
        if expected_hash is not None and (current is None or current["hash"] != expected_hash):
            raise ViewError("hash_conflict")
        self._refuse_taken(wanted, current)
        if current is None:
            current = self._make(wanted, [])
            self._homes[user] = current
        else:
            current.update(self._content(wanted))
        self._tell_home(user, current)
        return copy.deepcopy(current)

    def close(self, user: str, view_id: str) -> None:
        """Take one view away; the one below shows again."""
        stack = self._stacks.get(user, [])
        self._stacks[user] = [view for view in stack if view["id"] != view_id]
        self._tell(user)

    def clear(self, user: str) -> list[Json]:
        """Close the whole stack; gives back what was open, top first."""
        closed = list(reversed(self._stacks.pop(user, [])))
        self._tell(user)
        return closed

    # -- inside ---------------------------------------------------------------------------------

    def _all(self) -> list[tuple[str, Json]]:
        open_views = [(user, view) for user, stack in self._stacks.items() for view in stack]
        return open_views + list(self._homes.items())

    def _locate(self, view_id: str | None, external_id: str | None) -> tuple[str, Json]:
        for user, view in self._all():
            if view_id is not None and view["id"] == view_id:
                return user, view
            if view_id is None and external_id and view["external_id"] == external_id:
                return user, view
        raise ViewError("not_found")

    def _refuse_taken(self, wanted: Json, current: Json | None) -> None:
        external_id = wanted.get("external_id")
        if not external_id:
            return
        for _, view in self._all():
            if view["external_id"] == external_id and view is not current:
                raise ViewError("duplicate_external_id")

    def _make(self, wanted: Json, stack: list[Json]) -> Json:
        self._refuse_taken(wanted, None)
        view_id = f"V{next(self._count):010d}"
        app = self.workspace.app
        return {
            "id": view_id,
            "team_id": self.workspace.team.id,
            "app_id": app.id,
            "app_installed_team_id": self.workspace.team.id,
            "bot_id": app.bot_id,
            "root_view_id": stack[0]["id"] if stack else view_id,
            "previous_view_id": stack[-1]["id"] if stack else None,
            **self._content(wanted),
        }

    def _content(self, wanted: Json) -> Json:
        blocks = filled_blocks(wanted["blocks"])
        return {
            "type": wanted["type"],
            "title": wanted.get("title"),
            "submit": wanted.get("submit"),
            "close": wanted.get("close"),
            "blocks": blocks,
            "private_metadata": wanted.get("private_metadata") or "",
            "callback_id": wanted.get("callback_id") or "",
            "external_id": wanted.get("external_id") or "",
            "clear_on_close": bool(wanted.get("clear_on_close")),
            "notify_on_close": bool(wanted.get("notify_on_close")),
            "state": {"values": initial_state(blocks)},
            "hash": f"{self.workspace.next_ts()}.{next(self._count):x}",
        }

    def _tell(self, user: str) -> None:
        self.workspace.announce({"type": "view", "stack": self.stack(user)}, user)

    def _tell_home(self, user: str, view: Json) -> None:
        self.workspace.announce({"type": "home", "view": view}, user)
