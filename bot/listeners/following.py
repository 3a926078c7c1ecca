"""What follows once a decision is recorded and acknowledged."""

from typing import Any

from bot.approvals import Approval
from bot.listeners.home import draw
from bot.listeners.payloads import user_of
from bot.services import Services
from bot.telemetry import reference


async def follow(services: Services, body: dict[str, Any], *records: Any) -> None:
    """What is owed is queued; then the one who clicked sees at once what became of it: on the
    card, and in App Home where they clicked there."""
    await services.changes.queue_soon(*records)
    try:
        for record in records:
            if isinstance(record, Approval):
                await services.tasks.showing.draw(record.id)
        if (body.get("view") or {}).get("type") == "home":
            await draw(services, user_of(body))
    except Exception as error:  # noqa: BLE001 - it is recorded and said; workers show it, too
        reference(error, listener="follow")
