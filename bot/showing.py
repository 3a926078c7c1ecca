"""show: bring a card, and the replies that tell its trail, up to the record."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from redis.exceptions import RedisError

from bot.approvals import Approval, MessageRef
from bot.changes import Changes
from bot.records import Change
from bot.slack import SlackGateway, SlackRefused, SlackUnavailable, Told
from bot.store import Store
from bot.telemetry import reference
from bot.views.card import card
from bot.views.trail import reply
from workflows.clock import Clock
from workflows.lease import LeaseLost, Leases, LeaseTaken
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
GONE = ("message_not_found", "thread_not_found", "cannot_reply_to_message")


@dataclass(frozen=True)
class Showing:
    """instance: names this process in the trail."""

    changes: Changes
    leases: Leases
    slack: SlackGateway
    instance: str

    @property
    def store(self) -> Store:
        return self.changes.store

    @property
    def now(self) -> Clock:
        return self.changes.now

    async def show(self, approval_id: str) -> None:
        try:
            async with self.leases.hold(f"card:{approval_id}", wait=WAIT_FOR_LEASE):
                while await self._show_next(approval_id):
                    pass
        except (LeaseTaken, LeaseLost):
            log.info("%s is being shown elsewhere", approval_id)
        except SlackRefused as refused:
            await self._undelivered(approval_id, refused.code, logging.ERROR)
        except SlackUnavailable as error:
            await self._undelivered(approval_id, str(error), logging.WARNING, error.retry_after)
        except Unreadable as error:
            self.store.pass_over(error)  # who can read it shows it
        except RedisError:
            raise
        except Exception as error:  # noqa: BLE001 - a card that cannot be drawn must not come back at once
            number = reference(error, approval_id=approval_id)
            await self._undelivered(approval_id, f"error {number}", logging.ERROR)

    async def _show_next(self, approval_id: str) -> bool:
        """False where Slack has everything, or has to be left alone for a while."""
        approval = await self.store.approval(approval_id)
        if approval is None:
            return False
        if approval.delivery and approval.delivery.retry_at > self.now():
            return False
        if approval.recheck:
            await self._recheck(approval)
        elif approval.message is None:
            await self._post(approval)
        elif approval.shown < approval.revision or approval.replied < approval.trail:
            await self._follow(approval, approval.message)
        else:
            return False
        return True

    async def _follow(self, approval: Approval, where: MessageRef) -> None:
        """Bring the message, then its thread, up to the record; a message that someone deleted
        is posted anew, with the whole trail under it."""
        try:
            if approval.shown < approval.revision:
                await self._update(approval, where)
            else:
                await self._reply(approval, where)
        except SlackRefused as refused:
            if refused.code not in GONE:
                raise
            await self.changes.change(approval.id, lambda a: Change(a.lost()))

    async def _post(self, approval: Approval) -> None:
        """Look for our own message first, unless nobody can have posted it yet."""
        revision, now = approval.revision, self.now()
        found = None
        if approval.posting_since:
            since = approval.posting_since
            found = await self.slack.find_card(approval.channel, approval.id, since)
        else:
            await self.changes.change(approval.id, lambda a: Change(a.posting(now)))
        where = found or await self._post_new(approval)
        shown = 0 if found else revision  # what was found may be older: it is drawn again
        await self.changes.change(approval.id, lambda a: a.posted(where, shown, now, self.instance))

    async def _post_new(self, approval: Approval) -> MessageRef:
        drawn = card(approval, await self._names(approval))
        try:
            return await self.slack.post_card(approval.channel, approval.id, drawn)
        except SlackRefused:
            await self.changes.change(approval.id, lambda a: Change(a.not_posted()))
            raise

    async def _update(self, approval: Approval, where: MessageRef) -> None:
        revision, now = approval.revision, self.now()
        await self.slack.update_card(where, card(approval, await self._names(approval)))
        await self.changes.change(approval.id, lambda a: a.posted(where, revision, now))

    async def _reply(self, approval: Approval, where: MessageRef) -> None:
        number = approval.replied + 1
        events = [
            e for e in await self.store.trail(approval.thread_id) if e.approval_id == approval.id
        ]
        event = events[number - 1]
        actor = event.actor.user if event.actor else None
        drawn = reply(event, await self._names(approval, actor))
        told = Told(approval.id, number, event.hash)
        if drawn and not await self._stands(approval, where, told):
            await self.slack.reply(where, told, drawn)
        await self.changes.change(approval.id, lambda a: Change(a.replied_to(number)))

    async def _stands(self, approval: Approval, where: MessageRef, told: Told) -> bool:
        """Has an earlier try, whose answer was lost, already posted this reply?"""
        if approval.reply_tried == told.number:
            return await self.slack.has_reply(where, told)
        await self.changes.change(approval.id, lambda a: Change(a.replying(told.number)))
        return False

    async def _recheck(self, approval: Approval) -> None:
        """Redis may have lost its last moments: find out what Slack has been shown."""
        where = approval.message
        if where is None:
            where = await self.slack.find_card(approval.channel, approval.id, approval.requested_at)
        stand = [told async for told in self.slack.replies(where, approval.id)] if where else []
        trail = await self.store.trail(approval.thread_id)
        own = [event.hash for event in trail if event.approval_id == approval.id]
        known = {Told(approval.id, number, each) for number, each in enumerate(own, start=1)}
        ahead = any(told not in known for told in stand)
        numbers = [told.number for told in stand if told in known]
        now, replied = self.now(), max(numbers, default=0)
        await self.changes.change(
            approval.id, lambda a: a.rechecked(where, replied, ahead=ahead, now=now)
        )

    async def _undelivered(
        self, approval_id: str, code: str, level: int, retry_after: float = 0.0
    ) -> None:
        log.log(level, "%s: the card or a reply did not reach Slack: %s", approval_id, code)
        now = self.now()
        await self.changes.change(
            approval_id, lambda a: Change(a.undelivered(code, now, retry_after))
        )

    async def _names(self, approval: Approval, actor: str | None = None) -> dict[str, str]:
        named = [field.value for field in approval.request.fields if field.kind == "user"]
        voters = [vote.by.user for vote in approval.votes]
        return await self.slack.names([approval.requester, actor, *named, *voters])
