"""The modals of a decision that a click alone does not make: its reason, its words, its values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.approvals import Approval
from bot.texts import later, t
from bot.views.card import ActionId, meaning
from bot.views.details import about
from bot.views.editing import edit_view, read_edit
from bot.views.modals import Carried, modal
from bot.views.text import Block
from bot.views.words import DECIDE, SAY_SOMETHING, Read, subject, warning, words_input, words_of


@dataclass(frozen=True)
class Form:
    """Texts of the catalog. title: of the modal. label, hint: of the words that it asks for. field:
    of the decision."""

    title: str
    submit: str
    label: str
    hint: str
    field: str = "reason"
    asks_twice: ActionId | None = None


READ_BY = later("The requester reads it, and so does whoever sees the card.")
FORMS = {
    "approve": Form(
        later("Approve with a reason"),
        later("Approve"),
        later("Why?"),
        READ_BY,
        asks_twice=ActionId.APPROVE,
    ),
    "reject": Form(
        later("Reject with a reason"),
        later("Reject"),
        later("Why not?"),
        READ_BY,
        asks_twice=ActionId.REJECT,
    ),
    "respond": Form(
        later("Respond"),
        later("Send"),
        later("What shall the workflow know?"),
        later("It goes back to the workflow as you write it, and closes this question."),
        field="text",
    ),
}


def decision_view(approval: Approval, decision: str, opener: str) -> Block:
    """Asks for what `decision` needs."""
    if decision == "edit":
        return edit_view(approval, opener)
    form = FORMS[decision]
    blocks: list[Block] = [
        subject(approval),
        words_input(form.field, t(form.label), t(form.hint), required=True),
        about(approval),
    ]
    if form.asks_twice and approval.request.risk == "high":
        blocks.insert(1, warning(meaning(approval, form.asks_twice)))
    carried = Carried.of(approval, opener, decision)
    return modal(DECIDE, t(form.title), blocks, carried, t(form.submit))


def read_decision(approval: Approval, carried: Carried, values: Mapping[str, Any]) -> Read | None:
    """None where it is no modal of a decision. values: its state."""
    decision, _, checked = carried.about.partition(":")
    if decision == "edit" and approval.request.editable:
        return read_edit(approval, carried.opener, checked, values)
    if decision not in FORMS:
        return None
    name = FORMS[decision].field
    words = words_of(values, name)
    return Read(said={name: words}) if words else Read(errors={name: t(SAY_SOMETHING)})
