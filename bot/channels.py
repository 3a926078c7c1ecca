"""What Slack says when it takes no card: whom it concerns, and the cure in words."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict

from bot.approvals import Approval
from bot.inslack import RETRY_SLACK
from bot.texts import later

ASK_AGAIN_AT_MOST = timedelta(minutes=1)  # so soon is a card posted once the cause is gone

# Cures are texts of the catalog: cards and lists say them in its language, the log and the command
# line as they stand here.
_TOKEN = later(
    "the bot token is no longer good: install the app again (api.slack.com/apps, your app, Install "
    "App), and set SLACK_BOT_TOKEN if it changed"
)
_SCOPE = later(
    "a scope of manifest.yml is missing: add it to the app, then install the app again "
    "(api.slack.com/apps, your app, Install App)"
)
_MAY_NOT = later(
    "the channel's settings let not everyone post: let the app, or choose another channel"
)
_ARCHIVED = later("the channel is archived: unarchive it, or choose another")

CHANNEL = {
    "channel_not_found": later(
        "there is no such channel, or it is private and the app is not in it: "
        "invite the app there, or choose another channel"
    ),
    "not_in_channel": later("the app is not in the channel: type /invite @Countersign there"),
    "is_archived": _ARCHIVED,
    "is_inactive": _ARCHIVED,
    "channel_is_limited_access": later("the channel is closed to the app: choose another"),
    "messages_tab_disabled": later(
        "direct messages of the app are off: switch on App Home's messages tab, or choose a channel"
    ),
    "restricted_action": _MAY_NOT,
    "restricted_action_read_only_channel": _MAY_NOT,
    "restricted_action_thread_only_channel": _MAY_NOT,
}
THREAD = {  # cards go through all the same
    "restricted_action_non_threadable_channel": later(
        "the channel takes no replies: the card itself is "
        "kept up to date; choose another channel where the thread should tell the rest"
    ),
    "restricted_action_thread_locked": later(
        "the thread was locked: the card itself is kept up to date"
    ),
}
WORKSPACE = {
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "not_allowed_token_type": later(
        "SLACK_BOT_TOKEN is no bot token: set the one that begins with xoxb-"
    ),
    "account_inactive": later(
        "the app was removed from the workspace: install the app again (api.slack.com/apps, your "
        "app, Install App)"
    ),
    "missing_scope": _SCOPE,
    "no_permission": _SCOPE,
    "access_denied": later("the workspace does not let the app in: ask its administrators"),
    "ekm_access_denied": later("the workspace's administrators have suspended posting: ask them"),
    "org_login_required": later("the workspace is being moved to an organization: it will pass"),
    "team_access_not_granted": later(
        "the app was not granted this workspace: ask its administrators"
    ),
    "message_limit_exceeded": later(
        "the workspace has used up its messages: ask its administrators"
    ),
}
AWAY = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
LIMITED = later("Slack takes about one message a second in a channel: it comes by itself")


class Hold(BaseModel):
    """A channel that Slack lets nothing into for now. code: Slack's own, or what kept its answer
    away; since: when that began."""

    model_config = ConfigDict(frozen=True)

    code: str
    tries: int
    since: AwareDatetime
    retry_at: AwareDatetime

    @classmethod
    def after(
        cls, before: "Hold | None", code: str, now: datetime, retry_after: float = 0.0
    ) -> "Hold":
        """One more try was in vain: the next after a pause that doubles, up to a minute, or
        after the seconds that Slack wants."""
        tries = (before.tries if before else 0) + 1
        since = before.since if before and before.code == code else now
        pause = min(RETRY_SLACK * 2 ** min(tries - 1, 10), ASK_AGAIN_AT_MOST)
        at = now + max(pause, timedelta(seconds=retry_after))
        return cls(code=code, tries=tries, since=since, retry_at=at)


class Trouble(NamedTuple):
    """What keeps an approval, or news of it, out of Slack."""

    code: str
    cure: str

    @property
    def words(self) -> str:
        return f"{self.code}: {self.cure}" if self.cure else self.code


def concerns(code: str) -> Literal["card", "channel", "workspace"]:
    """What Slack would refuse in the same way: this one card, its whole channel, or anything."""
    if code in CHANNEL:
        return "channel"
    return "workspace" if code in WORKSPACE else "card"


def cure(code: str) -> str:
    """What someone has to do about it, in words; "" where nobody knows."""
    if code == "ratelimited":
        return LIMITED
    if code.startswith("error "):
        return later("it could not be drawn; the log tells why, under this reference")
    if code in AWAY or code.startswith("http_") or code[:1].isupper():
        return later("Slack does not answer as it should: it is tried again")
    return {**CHANNEL, **THREAD, **WORKSPACE}.get(code, "")


def trouble(approval: Approval, hold: Hold | None) -> Trouble | None:
    """hold: that of the approval's channel. None: Slack has all of it, or soon will."""
    delivery = approval.delivery
    code = delivery.code if delivery else hold.code if hold and not approval.message else ""
    return Trouble(code, cure(code)) if code else None
