"""A page of what waits, as one person may see it: theirs first, or whatever they look for.

Bounded, however much waits: a page reads LOOKED_AT_MOST records (for LOOKED_FOR seconds), and the
next goes on from there; "mine first" and the counts rest on the oldest of them.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from bot.approvals import Approval
from bot.listeners.rights import UNSURE, people_of
from bot.policy import Member, People, Right, authorize, refuse_closed
from bot.query import Place, Query, Turn
from bot.services import Services
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.views.listing import Count, Page
from bot.waiting import edge, how_many, waiting
from workflows.policy import Policy

LOOKED_AT_MOST = 1500  # records, 0.1 to 0.2 ms each
LOOKED_FOR = 1.0  # seconds, and COUNTED_FOR beside that: guard.ANSWER_WITHIN is for all
COUNTED_AT_MOST = 1000
COUNTED_FOR = 0.5
FAR = 1e12  # a time that nothing was asked after
LAST = "~"  # after every id
ASKED_WITHIN = 1.0  # seconds, for Slack to say who is in a group

Part = Callable[[Approval], Awaitable[bool]]


@dataclass
class Reader:
    """Who looks, and what they may decide now. unsure: Slack did not tell who is in a group."""

    services: Services
    member: Member
    unsure: bool = False
    _people: dict[Policy, People] = field(default_factory=dict[Policy, People])

    async def may_decide(self, approval: Approval) -> bool:
        """Does it wait for their vote?"""
        closed = refuse_closed(approval, self.services.now())
        if closed or approval.vote_of(self.member.user):
            return False
        right = authorize(approval, self.member)
        if right in UNSURE:
            right = authorize(approval, self.member, await self._known(approval))
        return isinstance(right, Right)

    async def _known(self, approval: Approval) -> People:
        """The same for all that one policy covers: asked once."""
        key = approval.policy
        if key not in self._people:
            try:
                async with asyncio.timeout(ASKED_WITHIN):
                    self._people[key] = await people_of(self.services, approval)
            except (SlackRefused, SlackUnavailable, TimeoutError):
                self.unsure, self._people[key] = True, People()
        return self._people[key]


async def find(reader: Reader, turn: Turn, size: int) -> Page:
    """The page; where all behind a place has gone meanwhile, the last one that there is."""
    query, place = turn.query, turn.place
    store = reader.services.store
    if place is None and query.scope == "first":
        last = await edge(store, LOOKED_AT_MOST)
    else:
        last = place.edge if place else None
    found = await _Pages(reader, query, last, size).at(place)
    total = await how_many(store)
    count = await _counted(reader, query)
    items, before, after = found
    mine = [a.id for a in items if await reader.may_decide(a)]
    return Page(items, query, total, count, frozenset(mine), before, after, reader.unsure)


async def _counted(reader: Reader, query: Query) -> Count:
    """How many fit, and how many of these wait for the reader."""
    looked = fits = mine = 0
    user, now = reader.member.user, reader.services.now()
    late = _after(COUNTED_FOR)
    async for approval in waiting(reader.services.store, None):
        if looked and (looked == COUNTED_AT_MOST or late()):
            return Count(fits, mine, looked)
        looked += 1
        if query.fits(approval, user, now):
            theirs = await reader.may_decide(approval)
            mine += theirs
            fits += theirs or query.scope != "mine"
    return Count(fits, mine, None)


def _after(seconds: float) -> Callable[[], bool]:
    """Has so much time passed since?"""
    clock = asyncio.get_running_loop().time
    begun = clock()
    return lambda: clock() - begun > seconds


@dataclass(frozen=True)
class _Pages:
    reader: Reader
    query: Query
    edge: float | None
    size: int

    async def at(self, place: Place | None) -> tuple[list[Approval], Place | None, Place | None]:
        """The items, and where the pages before and after them begin."""
        back = bool(place and place.back)
        items, further = await self._collect(place, back=back)
        if back and further is None:  # the beginning is reached: a whole page from there
            items, further, place, back = *await self._collect(None, back=False), None, False
        if not items and place and not further:
            end = Place(at=FAR, id=LAST, part=len(self._parts) - 1, back=True)
            items, further = await self._collect(end, back=True)
            return [a for _, a in reversed(items)], further, None
        if back:
            items.reverse()
            after = self._place(*items[-1], back=False) if items else None
            return [a for _, a in items], further, after
        first = self._place(*items[0], back=True) if place and items else None
        return [a for _, a in items], first, further

    async def _collect(
        self, place: Place | None, *, back: bool
    ) -> tuple[list[tuple[int, Approval]], Place | None]:
        """As many as a page has, in the order in which they are met; and where to go on."""
        items: list[tuple[int, Approval]] = []
        looked, late = 0, _after(LOOKED_FOR)
        last: tuple[int, Approval] | None = None
        async for part, approval in self._walk(place, back=back):
            if last and (looked == LOOKED_AT_MOST + self._more_for_mine or late()):
                return items, self._place(*last, back=back)
            looked += 1
            if await self._parts[part](approval):
                if len(items) == self.size:
                    return items, self._place(*items[-1], back=back)
                items.append((part, approval))
            last = part, approval
        return items, None

    @property
    def _more_for_mine(self) -> int:
        return LOOKED_AT_MOST if self.query.scope == "first" else 0

    def _place(self, part: int, approval: Approval, *, back: bool) -> Place:
        at = approval.requested_at.timestamp()
        return Place(at=at, id=approval.id, part=part, back=back, edge=self.edge)

    async def _walk(
        self, place: Place | None, *, back: bool
    ) -> AsyncGenerator[tuple[int, Approval], None]:
        parts = list(range(len(self._parts)))
        begin = min(place.part, parts[-1]) if place else 0
        order = parts[begin::-1] if back else parts[begin:]
        for part in order:
            async for approval in waiting(self.reader.services.store, place, back=back):
                if part == 0 and self._beyond(approval) and not back:
                    break
                yield part, approval
            place = self._end_of_mine if back else None

    @property
    def _end_of_mine(self) -> Place | None:
        return None if self.edge is None else Place(at=self.edge, id=LAST)

    def _beyond(self, approval: Approval) -> bool:
        return self.edge is not None and approval.requested_at.timestamp() > self.edge

    @property
    def _parts(self) -> list[Part]:
        if self.query.scope == "first":
            return [self._mine, self._others]
        return [self._mine] if self.query.scope == "mine" else [self._fits]

    async def _mine(self, approval: Approval) -> bool:
        near = not self._beyond(approval)
        return near and await self._fits(approval) and await self.reader.may_decide(approval)

    async def _others(self, approval: Approval) -> bool:
        return await self._fits(approval) and not await self._mine(approval)

    async def _fits(self, approval: Approval) -> bool:
        return self.query.fits(approval, self.reader.member.user, self.reader.services.now())
