"""What the modals of decisions are made of: what it is about, and the words that are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.approvals import Approval
from bot.texts import later
from bot.views import rich
from bot.views.alike import in_short
from bot.views.text import Block, plain

DECIDE = "countersign_decide"  # the callback_id of all of them
TEXT_AT_MOST = 1500
SAY_SOMETHING = later("Write something: it is recorded, and shown with the decision.")


@dataclass(frozen=True)
class Read:
    """What a modal said: `said` of the decision, errors by block_id, or the view that asks on."""

    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    view: Mapping[str, Any] | None = None


def subject(approval: Approval) -> Block:
    parts = [rich.text(approval.request.title, 150, bold=True)]
    if approval.alike:
        parts += [rich.text("\n"), rich.emoji("warning"), rich.text(f" {in_short(approval)}")]
    return rich.block(rich.paragraph(*parts), block_id="subject")


def warning(words: str) -> Block:
    sign = rich.emoji("warning")
    return rich.block(rich.paragraph(sign, rich.text(f" {words}", 300)), block_id="warning")


def words_input(name: str, label: str, hint: str, initial: str = "", *, required: bool) -> Block:
    filled = {"initial_value": initial} if initial else {}
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label, 75),
        "hint": plain(hint, 150),
        "optional": not required,
        "element": {
            "type": "plain_text_input",
            "action_id": name,
            "multiline": True,
            "max_length": TEXT_AT_MOST,
            **filled,
        },
    }


def words_of(values: Mapping[str, Any], name: str) -> str:
    """ "" where nothing but space was written."""
    entered: Any = (values.get(name) or {}).get(name) or {}
    return str(entered.get("value") or "").strip()[:TEXT_AT_MOST]
