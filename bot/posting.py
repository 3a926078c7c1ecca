"""post: the cards of a channel that Slack does not have yet, in the order in which they were asked.

One instance at a time posts in a channel. What concerns the whole channel holds all its cards
back, in order; a card that Slack refuses for itself is passed over until its own next try.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from redis.exceptions import RedisError

from bot.approvals import Approval
from bot.changes import Changes
from bot.channels import concerns
from bot.inslack import MessageRef
from bot.pacing import Later, Pacing
from bot.records import Change
from bot.slack import SlackGateway
from bot.slack_calls import SlackRefused, SlackUnavailable, insist
from bot.store import Store
from bot.telemetry import reference
from bot.views.card import card
from bot.views.people import people_on
from workflows.clock import Clock
from workflows.lease import LeaseLost, Leases, LeaseTaken

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
LOOKING = "conversations.history"
NO_SCOPE = ("missing_scope", "no_permission")


class CannotLook(Exception):
    """Slack lets us post, but not look for our own card."""


@dataclass(frozen=True)
class Posting:
    """instance: names this process in the trail. fallback: the channel for cards whose own
    takes none."""

    changes: Changes
    leases: Leases
    slack: SlackGateway
    pacing: Pacing
    instance: str
    fallback: str | None = None

    @property
    def store(self) -> Store:
        return self.changes.store

    @property
    def now(self) -> Clock:
        return self.changes.now

    async def post(self, channel: str) -> None:
        try:
            async with self.leases.hold(f"channel:{channel}", wait=WAIT_FOR_LEASE) as lease:
                while await self._post_next(channel):
                    await lease.check()
        except (LeaseTaken, LeaseLost):
            log.info("the cards of %s are being posted elsewhere", channel)
        except Later as later:
            log.info("the cards of %s have to wait %.1f s", channel, later.seconds)

    async def _post_next(self, channel: str) -> bool:
        """False where nothing waits, or nothing can be posted for now."""
        approval = await self.store.next_unposted(channel, self.now())
        where = await self._way(channel) if approval else None
        if approval is None or where is None:
            return False
        try:
            await self._post(approval, where)
        except SlackUnavailable as error:
            await self.pacing.refused(where, str(error), logging.WARNING, error.retry_after)
        except CannotLook as error:
            await self._pass_over(approval, str(error))
        except SlackRefused as refused:
            if concerns(refused.code) == "card":
                await self._pass_over(approval, refused.code)
            else:
                await self.pacing.refused(where, refused.code)
        except (Later, LeaseLost, RedisError):
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be drawn must not stop the others
            number = reference(error, approval_id=approval.id)
            await self._pass_over(approval, f"error {number}")
        return True

    async def _way(self, channel: str) -> str | None:
        """Where the channel's next card goes: there, or to the fallback; None: nowhere yet."""
        hold = await self.store.hold(channel)
        if hold is None or hold.retry_at <= self.now():
            return channel
        if self.fallback in (None, channel) or concerns(hold.code) != "channel":
            return None
        other = await self.store.hold(self.fallback)
        return self.fallback if other is None or other.retry_at <= self.now() else None

    async def _post(self, approval: Approval, where: str) -> None:
        """Look for our own message first, unless nobody can have posted it yet."""
        revision, now = approval.revision, self.now()
        async with self.pacing.turn(where):
            found = await self._found(approval, where) if approval.posting_since else None
            message = found or await self._post_new(approval, where)
        shown = 0 if found else revision  # what was found may be older: it is drawn again
        again = bool(approval.posting_since) and not found

        def posted(record: Approval) -> Change:
            record = record.may_come_twice(now) if again else record
            return record.posted(message, shown, now, self.instance)

        try:
            await self.changes.change(approval.id, posted, queue=True)
        except LeaseLost:
            await insist(lambda: self._withdraw(approval.id, message))
            raise
        await self.pacing.taken(where)

    async def _found(self, approval: Approval, where: str) -> MessageRef | None:
        begun_in = approval.posting_in or approval.channel
        since = approval.posting_since or approval.requested_at
        try:
            async with self.pacing.turn(LOOKING):
                return await self.slack.find_card(begun_in, approval.id, since)
        except SlackRefused as refused:
            if refused.code == "unknown_method":
                log.warning("%s: %s is not known here: it may come twice", approval.id, LOOKING)
                return None
            if refused.code in NO_SCOPE:  # others, that nobody has to look for, go through
                raise CannotLook(refused.code) from None
            if begun_in == where or concerns(refused.code) != "channel":
                raise
            return None  # nobody can look there, nor keep a card up to date

    async def _post_new(self, approval: Approval, where: str) -> MessageRef:
        hold = await self.store.hold(approval.channel) if where != approval.channel else None
        now, astray = self.now(), hold.code if hold else ""
        begun = approval.posting(now, where, astray)
        names = await self.slack.names(people_on(begun))
        drawn = card(begun, names, await self.slack.link_before(begun.earlier))
        await self.changes.change(approval.id, lambda a: Change(a.posting(now, where, astray)))
        try:
            return await self.slack.post_card(where, approval.id, drawn)
        except (SlackRefused, SlackUnavailable) as error:
            if isinstance(error, SlackRefused) or error.limited:
                await self.changes.change(approval.id, lambda a: Change(a.not_posted()))
            raise

    async def _withdraw(self, approval_id: str, message: MessageRef) -> None:
        """This process was stopped while it posted, and another has posted the card meanwhile.
        Where nobody has, whoever comes next looks, and finds this one."""
        approval = await self.store.approval(approval_id)
        if approval and approval.message not in (None, message):
            log.warning("%s: was posted elsewhere meanwhile; this card is taken back", approval_id)
            await self.slack.withdraw(message)

    async def _pass_over(self, approval: Approval, code: str) -> None:
        if approval.delivery is None or approval.delivery.code != code:
            log.error("%s: Slack does not take the card: %s", approval.id, code)
        now = self.now()
        await self.changes.change(approval.id, lambda a: Change(a.undelivered(code, now)))
