"""What Slack's payloads say, whatever they leave out: ids are read here, and `""` is nobody."""

from typing import Any


def action_of(body: dict[str, Any]) -> dict[str, Any]:
    """The one that was clicked."""
    return body["actions"][0]


def value_of(body: dict[str, Any]) -> str:
    """Of a button, or of what was chosen in a menu."""
    action = action_of(body)
    chosen = action.get("selected_option") or {}
    return str(action.get("value") or chosen.get("value") or "")


def modal_of(body: dict[str, Any]) -> str:
    """The id of the modal in which it was clicked; "" where it was not in one."""
    view = body.get("view") or {}
    return str(view.get("id") or "") if view.get("type") == "modal" else ""


def user_of(body: dict[str, Any]) -> str:
    return _id(body.get("user") or body.get("user_id"))


def channel_of(body: dict[str, Any]) -> str:
    container = body.get("container")
    there = container.get("channel_id") if isinstance(container, dict) else ""
    return _id(body.get("channel") or body.get("channel_id") or there)


def workspaces_of(body: dict[str, Any]) -> tuple[str, ...]:
    """Ids of the workspace that the user belongs to: of its enterprise first, and of the team.

    `team` is where the click happened, and null on org installs: it speaks for the user only
    where nothing says that they are from elsewhere, as people in a shared channel are.
    """
    user, team = body.get("user"), body.get("team") or body.get("team_id")
    at, enterprise = _id(team), _id(team, "enterprise_id")
    own = _id(user, "team_id") if isinstance(user, dict) else ""
    ids = [_id(body.get("enterprise") or body.get("enterprise_id")), own]
    if own in ("", at, enterprise):
        ids[1:1] = [enterprise, at]
    return tuple(dict.fromkeys(each for each in ids if each))


def _id(value: Any, key: str = "id") -> str:
    """Of `{"id": ...}`, or of an id that stands alone."""
    if isinstance(value, dict):
        return _id(value.get(key))
    return value if isinstance(value, str) and key == "id" else ""
