"""Whose names a card and its thread may say."""

from bot.approvals import Approval
from bot.audit import AuditEvent


def people_on(approval: Approval) -> list[str | None]:
    named = [field.value for field in approval.request.fields if field.kind == "user"]
    voters = [who for vote in approval.votes for who in (vote.by.user, vote.on_behalf_of)]
    return [approval.requester, *named, *voters]


def people_in(event: AuditEvent) -> list[str | None]:
    """Who did it, and from whom and to whom something went."""
    users: list[str | None] = [event.actor.user if event.actor else None]
    for key in ("from", "to"):
        value = event.detail.get(key)
        users += [str(each) for each in (value if isinstance(value, list) else [value]) if each]
    return users
