"""What a card says of preconditions: that there are some, that one did not hold, and what is asked
instead. In the channel, nothing of what has changed about a restricted request."""

from bot.approvals import Approval
from bot.outdating import approvers
from bot.texts import t
from bot.views import rich
from bot.views.rich import Element
from bot.views.text import escape, to_card

CHANGES_AT_MOST = 600
LABELS_AT_MOST = 200


def asked_anew(approval: Approval) -> list[Element]:
    """On top of the card that takes the place of one that is void."""
    if approval.earlier is None:
        return []
    words = t("Asked again: this was approved, and changed before it was carried out.")
    paragraph = rich.paragraph(rich.emoji("leftwards_arrow_with_hook"), rich.text(f" {words}\n"))
    return [paragraph, *_changes(approval, approval.earlier.changes)]


def conditions(approval: Approval, before: str) -> list[str]:
    """Lines below what is asked. before: link to the card whose place it takes; "": none."""
    labels = dict.fromkeys(each.label for each in approval.request.preconditions)
    named = "" if approval.restricted else f": {escape(', '.join(labels), LABELS_AT_MOST)}"
    unchanged = t("Carried out only if unchanged until then")
    instead = t("Instead of a card that is void: {card}", card=to_card(before))
    return [*([f"{unchanged}{named}"] if labels else []), *([instead] if before else [])]


def void(approval: Approval) -> list[Element]:
    """Its verdict, up to when."""
    who = rich.listed([[rich.mention(each)] for each in approvers(approval)])
    sign, void_since = rich.emoji("leftwards_arrow_with_hook"), t("Void, since something changed:")
    approved = t("approved by {who}")
    by = rich.sentence(f" {approved}", {"who": who})
    return [sign, rich.text(f" {void_since}", bold=True), *by]


def changes(approval: Approval) -> list[Element]:
    """Why it is void; nothing where it is not."""
    decision = approval.decision
    found = decision.changes if decision and decision.type == "outdated" else ()
    return _changes(approval, found)


def _changes(approval: Approval, found: tuple[str, ...]) -> list[Element]:
    if approval.restricted or not found:
        return []
    return [rich.quote("\n".join(found), CHANGES_AT_MOST)]
