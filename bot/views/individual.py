"""Several calls of tools in one question: its buttons decide all of them, its form each.

What was decided of each is told call by call: to reject one of them is no approval with changes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.approvals import Approval
from bot.texts import later, t, tn
from bot.views import rich
from bot.views.differences import changes
from bot.views.edits import difference
from bot.views.rich import Element
from bot.views.text import DECIDED_BY, line
from workflows.hints import EACH, HINTS
from workflows.protocol import Editable

LABELS = {
    "approve": later("Approve all"),
    "reject": later("Reject all"),
    "edit": later("Decide each"),
}
INDIVIDUALLY = later("decided individually")
INDIVIDUALLY_BY = later("Decided individually by {who}")
SAID = {
    "approve": ("white_check_mark", later("approved")),
    "edit": ("pencil2", later("approved with changes")),
    "reject": ("no_entry", later("rejected")),
    "respond": ("speech_balloon", later("answered instead")),
}
TITLE_AT_MOST = 75
MESSAGE_AT_MOST = 500
CALLS_AT_MOST = 20


def decides_each(approval: Approval) -> bool:
    editable = approval.request.editable
    hints = editable.json_schema.get(HINTS) if editable else None
    return isinstance(hints, dict) and bool(hints.get(EACH))


def label_of(approval: Approval, decision: str, otherwise: str) -> str:
    """Of a button."""
    if not decides_each(approval):
        return otherwise
    proposed = decision == "approve" and approval.proposal is not None
    if proposed:
        return t("Approve as proposed")
    return t(LABELS[decision]) if decision in LABELS else otherwise


def decided_by(approval: Approval) -> str:
    """How it was decided, a text of the catalog with {who}."""
    return INDIVIDUALLY_BY if was_individual(approval) else DECIDED_BY[approval.status]


def was_individual(approval: Approval) -> bool:
    return approval.status == "edited" and decides_each(approval)


def was_each(detail: Mapping[str, Any]) -> bool:
    """The same of an event, by what it tells of an edit."""
    values = detail.get("values")
    return isinstance(values, dict) and {"decision_1", "decision_2"} <= values.keys()


def decisions_made(approval: Approval) -> list[Element]:
    """`1. pay: rejected`, its message, and what was changed of its arguments; nothing where each
    was not decided, or not so."""
    editable, proposal = approval.request.editable, approval.proposal
    if editable is None or proposal is None or not decides_each(approval):
        return []
    numbers = list(_numbers(proposal.values))
    left = len(numbers) - CALLS_AT_MOST
    drawn = [_call(n, editable, proposal.values) for n in numbers[:CALLS_AT_MOST]]
    more = rich.text(tn("… and {n} more call", "… and {n} more calls", left), italic=True)
    return [*(each for call in drawn for each in call), *([rich.paragraph(more)] * (left > 0))]


def _numbers(values: Mapping[str, Any]) -> Iterator[int]:
    n = 1
    while f"decision_{n}" in values:
        yield n
        n += 1


def _call(n: int, editable: Editable, values: Mapping[str, Any]) -> Iterator[Element]:
    properties: Any = editable.json_schema["properties"]
    title = line(str(properties[f"decision_{n}"]["title"]), TITLE_AT_MOST)
    kind = str(values[f"decision_{n}"])
    before, after = _of_call(n, editable.values), _of_call(n, values)
    changed = changes(before, after, editable.json_schema)
    kind = "edit" if kind == "approve" and changed else kind
    sign, words = SAID.get(kind, ("memo", kind))
    head = [rich.emoji(sign), rich.text(f" {title}: "), rich.text(t(words), bold=True)]
    message = str(values.get(f"message_{n}") or "") if kind in ("reject", "respond") else ""
    yield rich.paragraph(*head, rich.text("\n"))
    if message:
        yield rich.quote(message, MESSAGE_AT_MOST)
    if kind == "edit":
        yield from difference(changed)


def _of_call(n: int, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in values.items() if name.partition(".")[0] == f"args_{n}"}
