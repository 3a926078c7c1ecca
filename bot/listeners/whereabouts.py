"""Where the cards in a private answer stand: links to them, and what there is to say instead."""

import asyncio
import contextlib
from collections.abc import Sequence

from bot.approvals import Approval
from bot.channels import Trouble, trouble
from bot.inslack import MessageRef
from bot.records import Change
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.texts import later, t
from bot.views.listing import Whereabouts

LINKS_WITHIN = 1.0  # seconds
GONE = later("the card was deleted; it is posted again")


async def whereabouts(
    services: Services, approvals: Sequence[Approval], *, look: bool = True
) -> Whereabouts:
    """A card that waits for a decision and is found to be deleted is posted again. look: at each
    message, which is a call of Slack more."""
    links: dict[str, str] = {}
    notes: dict[str, str] = {}
    gone: list[tuple[Approval, MessageRef]] = []
    for approval in approvals:
        hold = await services.store.hold(approval.channel) if not approval.message else None
        problem = trouble(approval, hold)
        notes |= {approval.id: _words(problem)} if problem else {}
    with contextlib.suppress(TimeoutError):  # the list is worth more than its links
        async with asyncio.timeout(LINKS_WITHIN):
            for approval, there in [(each, each.message) for each in approvals if each.message]:
                waits = look and approval.status == "pending"
                link = await _link(services, there, look=waits)
                links |= {approval.id: link} if link else {}
                gone += [(approval, there)] if link is None else []
    for approval, message in gone:
        await _post_again(services, approval, message)
        notes[approval.id] = t(GONE)
    return Whereabouts(links, notes)


def _words(problem: Trouble) -> str:
    """As problem.words, in the language of the deployment."""
    return f"{problem.code}: {t(problem.cure)}" if problem.cure else problem.code


async def _link(services: Services, where: MessageRef, *, look: bool) -> str | None:
    """None: the message is gone; "": Slack does not tell. Of a deleted card with a thread Slack
    keeps an empty place, which has a link; so where it matters, the message is looked at."""
    try:
        link = await services.slack.permalink(where)
        return link if not look or await services.slack.stands(where) else None
    except SlackRefused as refused:
        return None if refused.code == "message_not_found" else ""
    except SlackUnavailable:
        return ""  # the list is worth more than one link


async def _post_again(services: Services, approval: Approval, gone: MessageRef) -> None:
    def lost(now: Approval) -> Change:
        return Change(now.lost() if now.message == gone else now)

    await services.changes.change(approval.id, lost, queue=True)
