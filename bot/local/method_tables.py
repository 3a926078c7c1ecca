"""The Web API methods we serve: arguments, scopes, rate tier and every error each may answer.

A test holds these tables to Slack's own list. A method that answers an error not listed here is a
mistake of the stand-in, and fails loudly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Type = Literal["string", "boolean", "number", "json"]
Caller = Literal["bot", "app"]

# What any method may answer, documented for all of them at once.
COMMON_ERRORS = frozenset(
    {
        "not_authed",
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "not_allowed_token_type",
        "missing_scope",
        "ratelimited",
        "invalid_arguments",
        "invalid_json",
        "json_not_object",
        "invalid_form_data",
        "missing_post_type",
        "invalid_post_type",
        "unknown_method",
        "fatal_error",
        "internal_error",
        "service_unavailable",
        "request_timeout",
    }
)


@dataclass(frozen=True)
class Method:
    """One method's contract. `per_minute` 0: special limits (see rates.py)."""

    name: str
    per_minute: int
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    errors: frozenset[str] = frozenset()
    scopes: tuple[str, ...] = ()
    caller: Caller = "bot"
    types: dict[str, Type] = field(default_factory=dict[str, Type])

    def type_of(self, argument: str) -> Type:
        return self.types.get(argument, TYPES.get(argument, "string"))


TYPES: dict[str, Type] = {
    "attachments": "json",
    "blocks": "json",
    "metadata": "json",
    "unfurled_attachments": "json",
    "view": "json",
    "file_ids": "json",
    "as_user": "boolean",
    "link_names": "boolean",
    "mrkdwn": "boolean",
    "reply_broadcast": "boolean",
    "unfurl_links": "boolean",
    "unfurl_media": "boolean",
    "include_all_metadata": "boolean",
    "include_count": "boolean",
    "include_disabled": "boolean",
    "include_locale": "boolean",
    "include_num_members": "boolean",
    "include_users": "boolean",
    "inclusive": "boolean",
    "prevent_creation": "boolean",
    "return_im": "boolean",
    "limit": "number",
}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_HISTORY_SCOPES = _words("channels:history groups:history im:history mpim:history")
_PAGE = "cursor include_all_metadata inclusive latest limit oldest"
_VIEW_ERRORS = "duplicate_external_id view_too_large"
_TRIGGER_ERRORS = "exchanged_trigger_id expired_trigger_id invalid_trigger_id"

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("auth.test", 0),
        Method(
            "apps.connections.open",
            50,
            errors=frozenset(_words("insecure_request forbidden_team missing_args")),
            caller="app",
        ),
        Method(
            "chat.postMessage",
            0,
            required=("channel",),
            optional=_words(
                "as_user attachments blocks current_draft_last_updated_ts icon_emoji icon_url"
                " link_names markdown_text metadata mrkdwn parse reply_broadcast text thread_ts"
                " unfurl_links unfurl_media username"
            ),
            errors=frozenset(
                _words(
                    "as_user_not_supported cannot_reply_to_message channel_not_found invalid_blocks"
                    " invalid_blocks_format invalid_metadata_format invalid_metadata_schema"
                    " is_archived markdown_text_conflict metadata_too_large msg_blocks_too_long"
                    " no_text not_in_channel restricted_action too_many_attachments"
                )
            ),
            scopes=("chat:write",),
        ),
        Method(
            "chat.update",
            50,
            required=("channel", "ts"),
            optional=_words(
                "as_user attachments blocks file_ids link_names markdown_text metadata parse"
                " reply_broadcast text unfurled_attachments"
            ),
            errors=frozenset(
                _words(
                    "as_user_not_supported block_mismatch cant_update_message channel_not_found"
                    " edit_window_closed invalid_blocks invalid_blocks_format"
                    " invalid_metadata_format invalid_metadata_schema is_inactive"
                    " markdown_text_conflict message_not_found metadata_too_large msg_too_long"
                    " no_text too_many_attachments update_failed"
                )
            ),
            scopes=("chat:write",),
        ),
        Method(
            "chat.delete",
            50,
            required=("channel", "ts"),
            optional=("as_user",),
            errors=frozenset(_words("cant_delete_message channel_not_found message_not_found")),
            scopes=("chat:write",),
        ),
        Method(
            "chat.postEphemeral",
            100,
            required=("channel", "user"),
            optional=_words(
                "as_user attachments blocks icon_emoji icon_url link_names markdown_text parse text"
                " thread_ts username"
            ),
            errors=frozenset(
                _words(
                    "cannot_reply_to_message channel_not_found invalid_blocks invalid_blocks_format"
                    " is_archived markdown_text_conflict msg_too_long no_text not_in_channel"
                    " restricted_action too_many_attachments user_not_in_channel"
                )
            ),
            scopes=("chat:write",),
        ),
        Method(
            "chat.getPermalink",
            0,
            required=("channel", "message_ts"),
            errors=frozenset(_words("channel_not_found message_not_found")),
        ),
        Method(
            "conversations.history",
            50,
            required=("channel",),
            optional=_words(_PAGE),
            errors=frozenset(
                _words(
                    "channel_not_found invalid_cursor invalid_ts_latest invalid_ts_oldest"
                    " not_in_channel"
                )
            ),
            scopes=_HISTORY_SCOPES,
        ),
        Method(
            "conversations.replies",
            50,
            required=("channel", "ts"),
            optional=_words(_PAGE),
            errors=frozenset(
                _words(
                    "channel_not_found invalid_cursor invalid_ts_latest invalid_ts_oldest"
                    " thread_not_found"
                )
            ),
            scopes=_HISTORY_SCOPES,
        ),
        Method(
            "conversations.info",
            50,
            required=("channel",),
            optional=("include_locale", "include_num_members"),
            errors=frozenset(("channel_not_found",)),
            scopes=_words("channels:read groups:read im:read mpim:read"),
        ),
        Method(
            "conversations.members",
            100,
            required=("channel",),
            optional=("cursor", "limit"),
            errors=frozenset(_words("channel_not_found fetch_members_failed invalid_cursor")),
            scopes=_words("channels:read groups:read im:read mpim:read"),
        ),
        Method(
            "conversations.open",
            50,
            optional=_words("channel prevent_creation return_im users"),
            errors=frozenset(
                _words(
                    "channel_not_found method_not_supported_for_channel_type not_enough_users"
                    " too_many_users user_disabled user_not_found users_list_not_supplied"
                )
            ),
            scopes=_words("channels:manage groups:write im:write mpim:write"),
        ),
        Method(
            "users.info",
            100,
            required=("user",),
            optional=("include_locale",),
            errors=frozenset(("user_not_found",)),
            scopes=("users:read",),
        ),
        Method(
            "users.lookupByEmail",
            50,
            required=("email",),
            errors=frozenset(("users_not_found",)),
            scopes=("users:read.email",),
        ),
        Method(
            "usergroups.list",
            20,
            optional=_words("include_count include_disabled include_users team_id"),
            errors=frozenset(("plan_upgrade_required",)),
            scopes=("usergroups:read",),
        ),
        Method(
            "usergroups.users.list",
            20,
            required=("usergroup",),
            optional=("include_disabled", "team_id"),
            errors=frozenset(("no_such_subteam", "plan_upgrade_required")),
            scopes=("usergroups:read",),
        ),
        Method(
            "views.open",
            100,
            required=("view",),
            optional=("interactivity_pointer", "trigger_id"),
            errors=frozenset(_words(f"{_VIEW_ERRORS} {_TRIGGER_ERRORS}")),
        ),
        Method(
            "views.push",
            100,
            required=("view",),
            optional=("interactivity_pointer", "trigger_id"),
            errors=frozenset(
                _words(f"{_VIEW_ERRORS} {_TRIGGER_ERRORS} not_found push_limit_reached")
            ),
        ),
        Method(
            "views.update",
            100,
            required=("view",),
            optional=("external_id", "hash", "view_id"),
            errors=frozenset(_words(f"{_VIEW_ERRORS} hash_conflict not_found")),
        ),
        Method(
            "views.publish",
            100,
            required=("user_id", "view"),
            optional=("hash",),
            errors=frozenset(_words(f"{_VIEW_ERRORS} hash_conflict not_enabled")),
        ),
    )
}
