"""What a reviewer changed: as it was asked and as it shall be, side by side."""

from bot.approvals import Approval
from bot.texts import later, t, tn
from bot.views import rich
from bot.views.differences import changes
from bot.views.rich import Element
from bot.views.text import Block, clean, line
from workflows.protocol import Edit

CHANGES_AT_MOST = 8
VALUE_AT_MOST = 100  # of a value on the card; the modal has it whole
AS_ASKED = later("as it was asked")

Changed = tuple[str, str, str]


def edited(approval: Approval, instead: list[Element] | None = None) -> list[Block]:
    """Nothing where nobody changed anything, or where no channel may show it. instead: of the
    difference, where what was decided is told otherwise."""
    proposal = approval.proposal
    if proposal is None or approval.restricted or approval.status not in ("pending", "edited"):
        return []
    who = rich.mention(proposal.by.user) if proposal.by.user else rich.text(t("a reviewer"))
    words = t("Decided:") if instead else t("Changed:")  # by whom, the verdict and the votes say
    if approval.is_open:
        words = t("Changes proposed by {who}")
        words = t("Decisions proposed by {who}") if instead else words
    said = rich.sentence(f" {words}", {"who": who}, bold=True)
    head = rich.paragraph(rich.emoji("pencil2"), *said, rich.text("\n"))
    name = f"{approval.id}.{approval.revision}.edited"
    told = instead or difference(changes_of(approval, proposal))
    return [rich.block(head, *told, block_id=name)]


def difference(changed: list[Changed]) -> list[Element]:
    """`Amount: $120.50 → $100.00`, a line each."""
    if not changed:
        return [rich.paragraph(rich.text(f" {t(AS_ASKED)}\n"))]
    lines = [each for one in changed[:CHANGES_AT_MOST] for each in _line(*one)]
    left = len(changed) - CHANGES_AT_MOST
    if left > 0:
        more = tn("… and {n} more change", "… and {n} more changes", left)
        lines.append(rich.paragraph(rich.text(more, italic=True)))
    return lines


def fits(approval: Approval) -> bool:
    """Does a card show each change whole?"""
    changed = changes_of(approval, approval.proposal)
    short = all(len(clean(value)) <= VALUE_AT_MOST for each in changed for value in each[1:])
    return short and len(changed) <= CHANGES_AT_MOST


def changes_of(approval: Approval, proposal: Edit | None) -> list[Changed]:
    """Label, value as asked, value as edited; of what differs only."""
    editable = approval.request.editable
    if proposal is None or editable is None:
        return []
    return changes(editable.values, proposal.values, editable.json_schema)


def _line(label: str, before: str, after: str) -> list[Element]:
    name = rich.text(f"{line(label, 75)}: ")
    if "\n" in clean(before + after):  # else a line could pose as another field
        old, new = (rich.preformatted(value, VALUE_AT_MOST) for value in (before, after))
        return [rich.paragraph(name), old, rich.paragraph(rich.text("→")), new]
    old = rich.text(before, VALUE_AT_MOST)
    new = rich.text(after, VALUE_AT_MOST, bold=True)
    return [rich.paragraph(name, old, rich.text(" → "), new, rich.text("\n"))]
