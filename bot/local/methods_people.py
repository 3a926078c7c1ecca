"""auth.test, the users.* and the usergroups.* methods: who the bot is, and who is who."""

from __future__ import annotations

from bot.local.arguments import ApiError
from bot.local.core import Core
from bot.local.records import Json, User, Usergroup


def auth_test(core: Core, _arguments: Json) -> Json:
    workspace = core.workspace
    return {
        "url": f"{core.url}/",
        "team": workspace.team.name,
        "user": workspace.users[workspace.app.bot_user_id].name,
        "team_id": workspace.team.id,
        "user_id": workspace.app.bot_user_id,
        "bot_id": workspace.app.bot_id,
        "is_enterprise_install": False,
    }


def users_info(core: Core, arguments: Json) -> Json:
    user = core.workspace.users.get(arguments["user"])
    if user is None:
        raise ApiError("user_not_found")
    fields = described(core, user)
    if arguments.get("include_locale"):
        fields["locale"] = "en-US"
    return {"user": fields}


def users_lookup_by_email(core: Core, arguments: Json) -> Json:
    wanted = arguments["email"].casefold()
    for user in core.workspace.users.values():
        if user.email.casefold() == wanted and not user.deleted:
            return {"user": described(core, user)}
    raise ApiError("users_not_found")


def _profile(core: Core, user: User) -> Json:
    profile: Json = {
        "title": user.title,
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": user.real_name.split()[0],
        "last_name": user.real_name.split()[-1],
        "team": core.workspace.team.id,
    }
    if "users:read.email" in core.scopes:
        profile["email"] = user.email
    return profile


def described(core: Core, user: User) -> Json:
    described: Json = {
        "id": user.id,
        "team_id": core.workspace.team.id,
        "name": user.name,
        "deleted": user.deleted,
        "profile": _profile(core, user),
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }
    if user.is_stranger:
        described["is_stranger"] = True
    if user.deleted:
        return described
    return described | {
        "color": user.color.removeprefix("#"),
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 0,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_guest,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_email_confirmed": True,
        "who_can_share_contact_card": "EVERYONE",
    }


def usergroups_list(core: Core, arguments: Json) -> Json:
    groups = [
        group
        for group in core.workspace.usergroups.values()
        if arguments.get("include_disabled") or not group.disabled
    ]
    return {"usergroups": [_group(core, group, arguments) for group in groups]}


def _group(core: Core, group: Usergroup, arguments: Json) -> Json:
    fields: Json = {
        "id": group.id,
        "team_id": core.workspace.team.id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 1_700_000_000,
        "date_update": 1_700_000_000,
        "date_delete": 1_700_000_000 if group.disabled else 0,
        "auto_type": None,
        "created_by": group.users[0] if group.users else "",
        "updated_by": group.users[0] if group.users else "",
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
    }
    if arguments.get("include_users"):
        fields["users"] = list(group.users)
    if arguments.get("include_count"):
        fields["user_count"] = str(len(group.users))
    return fields


def usergroups_users_list(core: Core, arguments: Json) -> Json:
    group = core.workspace.usergroups.get(arguments["usergroup"])
    if group is None or (group.disabled and not arguments.get("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}
