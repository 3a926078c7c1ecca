"""How what people do reaches the bot: over Socket Mode or HTTP, with the faults of tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.local.faults import Faults
from bot.local.http_delivery import HttpDelivery
from bot.local.records import Json
from bot.local.sockets import Ack, Kind, Sockets


@dataclass
class Delivery:
    sockets: Sockets
    http: HttpDelivery | None
    faults: Faults
    sent: int = 0

    async def send(self, kind: Kind, payload: Json, *, answerable: bool) -> Ack:
        """Deliver once (or not at all, or twice, by a fault) and give back the acknowledgement."""
        self.sent += 1
        if self.faults.unreachable or self.faults.next_delivery_is_lost():
            return Ack("operation_timeout")
        way = self.http or self.sockets
        if not self.faults.next_delivery_is_doubled():
            return await way.send(kind, payload, answerable=answerable)
        acks = await asyncio.gather(
            way.send(kind, payload, answerable=answerable),
            way.send(kind, payload, answerable=answerable),
        )
        return next((ack for ack in acks if ack.ok), acks[0])

    async def tell(self, payload: Json) -> Ack:
        """An event of Slack's own accord; no fault but that nobody is reached strikes it. One that
        is not acknowledged is sent once more: Slack does so at once, then twice more, minutes
        later."""
        if self.faults.unreachable:
            return Ack("operation_timeout")
        if self.http:
            return await self.http.send("events_api", payload, answerable=False)
        ack = await self.sockets.send("events_api", payload, answerable=False)
        again = {"retry_attempt": 1, "retry_reason": "timeout"}
        if ack.ok or ack.error == "dispatch_failed":  # nobody listens
            return ack
        return await self.sockets.send("events_api", payload, answerable=False, **again)
