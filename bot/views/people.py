"""Whose names a card and its thread may say."""

from bot.approvals import Approval


def people_on(approval: Approval) -> list[str | None]:
    named = [field.value for field in approval.request.fields if field.kind == "user"]
    return [approval.requester, *named, *(vote.by.user for vote in approval.votes)]
