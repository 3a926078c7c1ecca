"""The views.* methods: modals by trigger_id, their updates, and App Home."""

from __future__ import annotations

from typing import Any

from bot.local.arguments import ApiError, invalid_arguments, json_argument
from bot.local.blocks import check_view, view_is_too_large
from bot.local.core import Core
from bot.local.modals import ViewError
from bot.local.records import Json


def checked_view(value: Any, *kinds: str) -> Json:
    """The view of a call or of a response_action; refuses what Slack would."""
    view: Any = json_argument(value, "invalid_arguments")
    if isinstance(view, dict) and view_is_too_large(view):
        raise ApiError("view_too_large")
    problems = check_view(view, *kinds)
    if problems:
        raise invalid_arguments(*problems)
    return view


def open_(core: Core, arguments: Json) -> Json:
    view = checked_view(arguments["view"], "modal")
    trigger = core.triggers.look(_trigger_id(arguments))
    opened = _refusing(lambda: core.modals.open(trigger.user, view))
    trigger.used = True
    return {"view": opened}


def push(core: Core, arguments: Json) -> Json:
    view = checked_view(arguments["view"], "modal")
    trigger = core.triggers.look(_trigger_id(arguments))
    if trigger.view_id is None:
        raise ApiError("not_found")
    pushed = _refusing(lambda: core.modals.push(trigger.user, view))
    trigger.used = True
    return {"view": pushed}


def update(core: Core, arguments: Json) -> Json:
    view_id, external_id = arguments.get("view_id"), arguments.get("external_id")
    if not view_id and not external_id:
        raise invalid_arguments("missing required field: view_id or external_id")
    view = checked_view(arguments["view"], "modal", "home")
    updated = _refusing(
        lambda: core.modals.update(view, view_id, external_id, arguments.get("hash"))
    )
    return {"view": updated}


def publish(core: Core, arguments: Json) -> Json:
    view = checked_view(arguments["view"], "home")
    user = core.workspace.users.get(arguments["user_id"])
    if user is None or user.is_bot:
        raise invalid_arguments("user not found [json-pointer:/user_id]")
    published = _refusing(lambda: core.modals.publish(user.id, view, arguments.get("hash")))
    return {"view": published}


def _trigger_id(arguments: Json) -> str | None:
    return arguments.get("trigger_id") or arguments.get("interactivity_pointer")


def _refusing(change: Any) -> Json:
    try:
        return change()
    except ViewError as error:
        raise ApiError(error.code) from error
