"""look: take back what stands in Slack twice, after a message whose fate nobody knew.

Whoever was stopped while it posted takes its own message back when it wakes. One that is killed
then cannot: so Slack is looked through once more, a while after somebody else posted the same.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from bot.approvals import Approval
from bot.changes import Changes
from bot.inslack import MessageRef
from bot.records import Change
from bot.slack import SlackGateway
from bot.slack_calls import SlackRefused, SlackUnavailable
from workflows.lease import LeaseLost, Leases, LeaseTaken

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
LATER = timedelta(minutes=5)  # where Slack cannot be asked now


@dataclass(frozen=True)
class Looking:
    changes: Changes
    leases: Leases
    slack: SlackGateway

    async def look(self, approval_id: str) -> None:
        try:
            async with self.leases.hold(f"card:{approval_id}", wait=WAIT_FOR_LEASE):
                await self._look(approval_id)
        except (LeaseTaken, LeaseLost):
            log.info("%s is being shown elsewhere", approval_id)

    async def _look(self, approval_id: str) -> None:
        approval = await self.changes.store.approval(approval_id)
        now = self.changes.now()
        if approval is None or approval.look_at is None or approval.look_at > now:
            return
        again = None
        try:
            if approval.message is not None:
                await self._take_back(approval, approval.message)
        except (SlackRefused, SlackUnavailable) as error:
            log.info("%s: was not looked for doubles: %s", approval_id, error)
            again = now + LATER if isinstance(error, SlackUnavailable) else None
        await self.changes.change(approval_id, lambda a: Change(a.to(look_at=again)))

    async def _take_back(self, approval: Approval, where: MessageRef) -> None:
        for message in await self.slack.doubles(where, approval.id, approval.requested_at):
            log.warning("%s: stands twice; %s is taken back", approval.id, message.ts)
            await self.slack.withdraw(message)
