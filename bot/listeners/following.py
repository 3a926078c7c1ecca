"""What follows once a decision is recorded and acknowledged."""

from typing import Any

from bot.approvals import Approval
from bot.listeners.home import draw
from bot.listeners.payloads import user_of
from bot.services import Services
from bot.telemetry import reference
from bot.views.modals import Carried
from bot.views.text import Block


def in_home(body: dict[str, Any]) -> bool:
    """Was it clicked in App Home, or in a modal that was opened there?"""
    view: dict[str, Any] = body.get("view") or {}
    carried = Carried.read(str(view.get("private_metadata") or ""))
    return view.get("type") == "home" or bool(carried and carried.home)


def opened_in(body: dict[str, Any], view: Block) -> Block:
    """The modal that this click opens, or that takes the place of the one it was in: so that it
    is known where it was opened."""
    if not in_home(body):
        return view
    carried = Carried.read(str(view.get("private_metadata") or ""))
    carried = carried or Carried(opener=user_of(body))
    return {**view, "private_metadata": carried.model_copy(update={"home": True}).text}


async def follow(services: Services, body: dict[str, Any], *records: Any) -> None:
    """What is owed is queued; then the one who clicked sees at once what became of it: on the
    card, and in App Home where they came from there."""
    await services.changes.queue_soon(*records)
    try:
        for record in records:
            if isinstance(record, Approval):
                await services.tasks.showing.draw(record.id)
        if in_home(body):
            await draw(services, user_of(body))
    except Exception as error:  # noqa: BLE001 - it is recorded and said; workers show it, too
        reference(error, listener="follow")
