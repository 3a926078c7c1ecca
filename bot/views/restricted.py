"""A restricted request in the channel: who and when, and never what. Whatever might carry a value
(the question, what was answered, a provider's words, an error) is in the modal that Review opens,
and in the record."""

from pydantic import JsonValue

from bot.approvals import Approval
from bot.audit import AuditEvent, Tag
from bot.doubts import MOVED_ON, SAYS
from bot.outcomes import PLAIN
from bot.views import rich
from bot.views.rich import Element

OURS = PLAIN | {MOVED_ON, *SAYS.values()}
NOTICE = (
    " Restricted: what is asked and answered is shown only to those who may decide, "
    "and each look is in the audit trail.\n"
)
ASKED_AGAIN = "It is asked again."
# Of what an event tells, only these ids and words of ours stay; for the rest, where it has any:
KEPT = ("on_behalf_of", "instance", "type", "stage", "voided", "from", "to", "until", "whole")
INSTEAD: dict[str, dict[str, JsonValue]] = {
    Tag.EFFECT_DONE: {"text": "Carried out"},
    Tag.EFFECT_IN_DOUBT: {"text": "It may have happened: a card of its own asks whether it did"},
    Tag.EFFECT_REFUSED: {"text": "the audit trail tells why"},
    Tag.EFFECT_OUTDATED: {"text": "the audit trail tells what has changed"},
    Tag.OUTDATED: {"why": "the audit trail tells what"},
    Tag.EFFECT_SETTLED: {"text": "The doubt is cleared up"},
    Tag.RUN_BLOCKED: {"reason": "the audit trail tells why"},
    Tag.RUN_FAILED: {"error": "the audit trail tells why"},
}


def notice() -> Element:
    """On the card, where the question would stand."""
    return rich.paragraph(rich.emoji("lock"), rich.text(NOTICE))


def outcome_words(approval: Approval) -> str:
    """What became of the decision, as the channel may read it; "" where it is not known yet."""
    outcome = approval.outcome
    if outcome is None:
        return ""
    if not approval.restricted or outcome.text in OURS:
        return outcome.text
    if outcome.state == "done":
        return "Carried out"
    return f"It failed: countersign show {approval.thread_id} tells why"


def held_words(approval: Approval) -> str:
    if approval.restricted:
        return f"countersign show {approval.thread_id} tells why"
    return approval.held


def without_values(event: AuditEvent) -> AuditEvent:
    """The event as a thread in the channel may tell it."""
    kept = {key: value for key, value in event.detail.items() if key in KEPT}
    return event.model_copy(update={"detail": {**kept, **INSTEAD.get(event.tag, {})}})
