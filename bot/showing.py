"""show: bring a card that was posted, and the replies that tell its trail, up to the record."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta

from redis.exceptions import RedisError

from bot import steps
from bot.approvals import Approval
from bot.changes import Changes
from bot.channels import concerns
from bot.inslack import MessageRef
from bot.pacing import Later, Pacing
from bot.records import Change
from bot.slack import SlackGateway, Told
from bot.slack_calls import SlackRefused, SlackUnavailable, insist
from bot.store import Store
from bot.telemetry import reference
from bot.views.card import Card, card
from bot.views.people import people_on
from bot.views.trail import people_in, reply
from workflows.clock import Clock
from workflows.lease import LeaseLost, Leases, LeaseTaken, still_held
from workflows.schema import Unreadable

log = logging.getLogger(__name__)

WAIT_FOR_LEASE = timedelta(seconds=1)
# Each with a limit of its own
UPDATING, LOOKING, SEARCHING = "chat.update", "conversations.replies", "conversations.history"
DRAWN_AT_ONCE = 1  # by a process that has clicks to acknowledge
GONE = "message_not_found"
MAYBE_GONE = ("thread_not_found", "cannot_reply_to_message", "cant_update_message")


@dataclass(frozen=True)
class Showing:
    changes: Changes
    leases: Leases
    slack: SlackGateway
    pacing: Pacing
    drawing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DRAWN_AT_ONCE))

    @property
    def store(self) -> Store:
        return self.changes.store

    @property
    def now(self) -> Clock:
        return self.changes.now

    async def show(self, approval_id: str) -> None:
        try:
            async with self.leases.hold(f"card:{approval_id}", wait=WAIT_FOR_LEASE):
                await self._bring_up(approval_id)
        except LeaseTaken:
            log.info("%s is being shown elsewhere", approval_id)
        except LeaseLost:
            await self._drawn_late(approval_id)

    async def draw(self, approval_id: str) -> None:
        """The card alone, at once, for the one who clicked: `show` may wait behind others. Where
        this comes to nothing, `show` is still owed; so it is where many click, whose clicks come
        first."""
        if self.drawing.locked():
            return
        try:
            async with self.drawing, self.leases.hold(f"card:{approval_id}"):
                approval = await self.store.approval(approval_id)
                where = approval.message if approval and not approval.recheck else None
                if approval and where and not approval.delivery and _behind(approval):
                    await self._update(approval, where)
        except LeaseTaken:
            log.info("%s is being shown elsewhere", approval_id)
        except LeaseLost:
            await self._drawn_late(approval_id)
        except (SlackRefused, SlackUnavailable, Unreadable) as error:
            log.info("%s: left to show: %s", approval_id, error)

    async def _drawn_late(self, approval_id: str) -> None:
        """What this process drew last may be older than what the next one drew."""
        log.warning("%s: the lease was lost; the card is drawn again", approval_id)
        await self.changes.change(approval_id, lambda a: Change(a.to(shown=0)), queue=True)

    async def _bring_up(self, approval_id: str) -> None:
        try:
            while await self._show_next(approval_id):
                pass
        except SlackRefused as refused:
            await self._undelivered(approval_id, refused.code)
        except SlackUnavailable as error:
            await self._undelivered(approval_id, str(error), error.retry_after, logging.WARNING)
        except Unreadable as error:
            self.store.pass_over(error)  # who can read it shows it
        except (LeaseLost, RedisError):
            raise
        except Exception as error:  # noqa: BLE001 - a card that cannot be drawn must not come back at once
            number = reference(error, approval_id=approval_id)
            await self._undelivered(approval_id, f"error {number}")

    async def _show_next(self, approval_id: str) -> bool:
        """False where Slack has everything, or has to be left alone for a while."""
        approval = await self.store.approval(approval_id)
        if approval is None:
            return False
        owed = [step.kind for step in steps.due(approval, self.now())]
        if "show" not in owed:
            return False
        if approval.recheck:
            await self._recheck(approval)
        elif approval.message is not None:
            await self._follow(approval, approval.message)
        return True

    async def _follow(self, approval: Approval, where: MessageRef) -> None:
        """Bring the message, then its thread, up to the record; a message that someone deleted
        is posted anew, with the whole trail under it."""
        try:
            if _behind(approval):
                await self._update(approval, where)
            else:
                await self._reply(approval, where)
        except SlackRefused as refused:
            if await self._is_gone(where, refused):
                await self.changes.change(approval.id, lambda a: Change(a.lost()))
            elif _behind(approval) and self._may_reply(approval):
                await self._reply(approval, where)  # the thread tells it, though the card does not
            else:
                raise

    def _may_reply(self, approval: Approval) -> bool:
        """Where a reply has to wait, whatever else is tried meanwhile would be tried for ever."""
        waits = approval.replies_at is not None and approval.replies_at > self.now()
        return approval.replied < approval.trail and not waits

    async def _is_gone(self, where: MessageRef, refused: SlackRefused) -> bool:
        """There may be other reasons: a card that stands is not posted again. One that was deleted
        above its thread leaves an empty place, which has a link and is not ours."""
        if refused.code not in MAYBE_GONE:
            return refused.code == GONE
        try:
            await self.slack.permalink(where)
            async with self._paced(SEARCHING):
                return not await self.slack.stands(where)
        except SlackRefused as also:
            return also.code == GONE

    async def _update(self, approval: Approval, where: MessageRef) -> None:
        revision, now = approval.revision, self.now()
        names = await self.slack.names(people_on(approval))
        drawn = card(approval, names, await self.slack.link_before(approval.earlier))
        async with self._paced(UPDATING):
            await still_held()
            await self.slack.update_card(where, drawn)
            await still_held()
        await self.changes.change(approval.id, lambda a: a.posted(where, revision, now))

    @contextlib.asynccontextmanager
    async def _paced(self, method: str) -> AsyncGenerator[None, None]:
        """The card takes its place at the end of the method's line where it cannot go now."""
        try:
            async with self.pacing.turn(method):
                yield
        except Later as later:
            wait = max(later.seconds, await self.pacing.last_in(method, 0))
            raise SlackUnavailable("ratelimited", wait) from None

    async def _reply(self, approval: Approval, where: MessageRef) -> None:
        number = approval.replied + 1
        events = [
            e for e in await self.store.trail(approval.thread_id) if e.approval_id == approval.id
        ]
        event = events[number - 1]
        people = [*people_in(event), *people_on(approval)]
        drawn = reply(event, await self.slack.names(people), restricted=approval.restricted)
        told = Told(approval.id, number, event.hash)
        try:
            said = await self._say(approval, where, told, drawn) if drawn else None
        except Later as later:
            await self._leave(approval, number, where, later)
            return
        try:
            await still_held()
            await self.changes.change(approval.id, lambda a: Change(a.replied_to(number)))
        except LeaseLost:
            await insist(lambda: self._withdraw(where, approval.id, said))
            raise

    async def _say(
        self, approval: Approval, where: MessageRef, told: Told, drawn: Card
    ) -> MessageRef | None:
        """The cards of the channel go first, where Slack does not take everything at once."""
        ahead = await self.store.unposted(where.channel, self.now())
        async with self.pacing.turn(where.channel, ahead):
            stands = await self._stands(approval, where, told)
            return None if stands else await self.slack.reply(where, told, drawn)

    async def _withdraw(self, where: MessageRef, approval_id: str, said: MessageRef | None) -> None:
        """This process was stopped while it replied, and another may have said the same."""
        again = await self.slack.said_again(where, approval_id) if said else []
        for message in again:
            await self.slack.withdraw(message)

    async def _stands(self, approval: Approval, where: MessageRef, told: Told) -> bool:
        """Has an earlier try, whose answer was lost, already posted this reply?"""
        if approval.reply_tried == told.number:
            async with self.pacing.turn(LOOKING):
                if await self.slack.has_reply(where, told):
                    return True
            now = self.now()
            await self.changes.change(approval.id, lambda a: Change(a.may_come_twice(now)))
        else:
            await self.changes.change(approval.id, lambda a: Change(a.replying(told.number)))
        return False

    async def _recheck(self, approval: Approval) -> None:
        """Redis may have lost its last moments: find out what Slack has been shown. A card that
        is gone meanwhile is posted anew."""
        try:
            where, stand = await self._stand(approval)
        except SlackRefused as refused:
            if approval.message is None or not await self._is_gone(approval.message, refused):
                raise
            await self.changes.change(
                approval.id, lambda a: Change(a.lost().to(recheck=False)), queue=True
            )
            return
        trail = await self.store.trail(approval.thread_id)
        own = [event.hash for event in trail if event.approval_id == approval.id]
        known = {Told(approval.id, number, each) for number, each in enumerate(own, start=1)}
        ahead = any(told not in known for told in stand)
        numbers = [told.number for told in stand if told in known]
        now, replied = self.now(), max(numbers, default=0)
        await self.changes.change(
            approval.id, lambda a: a.rechecked(where, replied, ahead=ahead, now=now), queue=True
        )

    async def _stand(self, approval: Approval) -> tuple[MessageRef | None, list[Told]]:
        """The card as it stands in Slack, if it does, and what its thread tells."""
        where = approval.message
        if where is None:
            channel = approval.posting_in or approval.channel
            async with self._paced(SEARCHING):
                where = await self.slack.find_card(channel, approval.id, approval.requested_at)
        if where is None:
            return None, []
        async with self._paced(LOOKING):
            return where, [told async for told in self.slack.replies(where, approval.id)]

    async def _leave(
        self, approval: Approval, number: int, where: MessageRef, later: Later
    ) -> None:
        """The reply takes its place at the end of the line. An earlier try of which nobody knows
        is still to be looked for; this one certainly posted nothing."""
        now = self.now()
        ahead = await self.store.unposted(where.channel, now)
        wait = max(later.seconds, await self.pacing.last_in(where.channel, ahead))
        at = now + timedelta(seconds=wait)
        tried = number if approval.reply_tried == number else approval.replied
        await self.changes.change(approval.id, lambda a: Change(a.reply_later(at, tried)))

    async def _undelivered(
        self, approval_id: str, code: str, retry_after: float = 0.0, level: int = logging.ERROR
    ) -> None:
        """Told in the log when it is new: for the channel, else for the card. A channel that is
        held already is not held for longer: only a card that is posted tells when it is open."""
        approval = await self.store.approval(approval_id)
        if approval is None:
            return
        now = self.now()
        if concerns(code) != "card":
            channel = approval.message.channel if approval.message else approval.channel
            hold = await self.store.hold(channel)
            if hold is None or hold.retry_at <= now:
                await self.pacing.refused(channel, code)
        elif approval.delivery is None or approval.delivery.code != code:
            log.log(level, "%s: an update or a reply is not in Slack: %s", approval_id, code)
        await self.changes.change(
            approval_id, lambda a: Change(a.undelivered(code, now, retry_after))
        )


def _behind(approval: Approval) -> bool:
    return approval.shown < approval.revision
