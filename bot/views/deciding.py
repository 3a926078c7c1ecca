"""The modals of a decision that a click alone does not make: its reason, its words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.approvals import Approval
from bot.views import rich
from bot.views.card import MEANS, ActionId
from bot.views.details import about
from bot.views.modals import Carried, modal
from bot.views.text import Block, plain

DECIDE = "countersign_decide"  # the callback_id of all of them
TEXT_AT_MOST = 1500
SAY_SOMETHING = "Write something: it is recorded, and shown with the decision."


@dataclass(frozen=True)
class Form:
    """title: of the modal. label, hint: of the words that it asks for. field: of the decision."""

    title: str
    submit: str
    label: str
    hint: str
    field: str = "reason"
    means: str = ""


FORMS = {
    "approve": Form(
        "Approve with a reason",
        "Approve",
        "Why?",
        "The requester reads it, and so does whoever sees the card.",
        means=MEANS[ActionId.APPROVE],
    ),
    "reject": Form(
        "Reject with a reason",
        "Reject",
        "Why not?",
        "The requester reads it, and so does whoever sees the card.",
        means=MEANS[ActionId.REJECT],
    ),
    "respond": Form(
        "Respond",
        "Send",
        "What shall the workflow know?",
        "It goes back to the workflow as you write it, and closes this question.",
        field="text",
    ),
}


@dataclass(frozen=True)
class Read:
    """What a modal said: `said` of the decision, or errors by block_id."""

    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    errors: Mapping[str, str] = field(default_factory=dict[str, str])


def decision_view(approval: Approval, decision: str, opener: str) -> Block:
    """Asks for the words of `decision`."""
    form = FORMS[decision]
    blocks: list[Block] = [
        subject(approval),
        words_input(form.field, form.label, form.hint, required=True),
        about(approval),
    ]
    if form.means and approval.request.risk == "high":
        blocks.insert(1, warning(form.means))
    carried = Carried.of(approval, opener, decision)
    return modal(DECIDE, form.title, blocks, carried, form.submit)


def read_decision(decision: str, values: Mapping[str, Any]) -> Read:
    """values: the state of the modal."""
    name = FORMS[decision].field
    words = words_of(values, name)
    return Read(said={name: words}) if words else Read(errors={name: SAY_SOMETHING})


def subject(approval: Approval) -> Block:
    title = rich.text(approval.request.title, 150, bold=True)
    return rich.block(rich.paragraph(title), block_id="subject")


def warning(words: str) -> Block:
    sign = rich.emoji("warning")
    return rich.block(rich.paragraph(sign, rich.text(f" {words}", 300)), block_id="warning")


def words_input(name: str, label: str, hint: str, *, required: bool) -> Block:
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
            "focus_on_load": required,
        },
    }


def words_of(values: Mapping[str, Any], name: str) -> str:
    """ "" where nothing but space was written."""
    entered: Any = (values.get(name) or {}).get(name) or {}
    return str(entered.get("value") or "").strip()[:TEXT_AT_MOST]
