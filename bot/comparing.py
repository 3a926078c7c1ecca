"""compare: look who else asks the same business, and have them look, too."""

import logging
from dataclasses import dataclass
from typing import Any

from bot.alike import Alike
from bot.approvals import Approval
from bot.changes import Changes
from bot.likeness import LISTED, as_seen, compared, key_of, owes_comparing, resembles, standing
from bot.records import Change
from bot.slack import SlackGateway
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.store import Conflict
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

LOOKED_THROUGH = 4 * LISTED  # of those under a key: some are of its own thread, or gone


@dataclass(frozen=True)
class Comparing:
    changes: Changes
    slack: SlackGateway

    async def compare(self, approval_id: str) -> None:
        store = self.changes.store
        try:
            approval = await store.approval(approval_id)
            if approval is None or not owes_comparing(approval):
                return
            others = await self._others(approval)
            if approval.compared != standing(approval):
                known = {each.id for each in (*others, *approval.alike)}
                for each in sorted(known):
                    await self.changes.change(each, _have_look, queue=True)
            found = [await self._seen(each) for each in others]
            now = self.changes.now()
            await self.changes.change(
                approval_id, lambda a: compared(a, approval, found, now), queue=True
            )
        except Unreadable as error:
            store.pass_over(error)
        except Conflict:
            log.warning("%s: those alike never rest; reconcile asks again", approval_id)

    async def _others(self, approval: Approval) -> list[Approval]:
        """The newest ones, of any status, also those that were asked after it."""
        asked = approval.request.duplicate_of
        if asked is None:
            return []
        since = (approval.requested_at - asked.within).timestamp()
        store = self.changes.store
        ids: Any = await store.redis.zrevrangebyscore(
            store.keys.alike(key_of(approval)), "+inf", since, 0, LOOKED_THROUGH
        )
        found = await store.many(each.decode() for each in ids)
        return [each for each in found if resembles(approval, each)][:LISTED]

    async def _seen(self, other: Approval) -> Alike:
        try:
            link = await self.slack.permalink(other.message) if other.message else ""
        except (SlackRefused, SlackUnavailable) as error:
            log.info("%s: its card has no link now: %s", other.id, error)
            link = ""
        return as_seen(other, link)


def _have_look(other: Approval) -> Change:
    return Change(other.to(wanted=other.wanted + 1))
