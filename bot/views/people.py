"""Whose names a card and its thread may say."""

from bot.approvals import Approval


def people_on(approval: Approval) -> list[str | None]:
    named = [field.value for field in approval.request.fields if field.kind == "user"]
    voters = [who for vote in approval.votes for who in (vote.by.user, vote.on_behalf_of)]
    return [approval.requester, *named, *voters, *(each.by for each in approval.alike)]
