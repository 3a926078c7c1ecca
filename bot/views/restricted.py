"""A restricted request in the channel: who and when, and never what. Whatever might carry a value
(the question, what was answered, a provider's words, an error) is in the modal that Review opens,
and in the record."""

from bot.approvals import Approval
from bot.audit import AuditEvent, Tag
from bot.doubts import MOVED_ON, SAYS
from bot.outcomes import CARRIED_OUT, PLAIN
from bot.texts import later, t
from bot.views import rich, stored
from bot.views.rich import Element

OURS = PLAIN | {MOVED_ON, *SAYS.values()}
NOTICE = later(
    "Restricted: what is asked and answered is shown only to those who may decide, "
    "and each look is in the audit trail."
)
ASKED_AGAIN = later("It is asked again.")
SEE_THE_TRAIL = later("the audit trail tells why")
# Of what an event tells, only these ids and words of ours stay; for the rest, where it has any:
KEPT = (
    "on_behalf_of",
    "instance",
    "type",
    "stage",
    "voided",
    "from",
    "to",
    "until",
    "whole",
    "next",
)
INSTEAD: dict[str, dict[str, str]] = {
    Tag.EFFECT_DONE: {"text": CARRIED_OUT},
    Tag.EFFECT_IN_DOUBT: {
        "text": later("It may have happened: a card of its own asks whether it did")
    },
    Tag.EFFECT_REFUSED: {"text": SEE_THE_TRAIL},
    Tag.EFFECT_OUTDATED: {"text": later("the audit trail tells what has changed")},
    Tag.OUTDATED: {"why": later("the audit trail tells what")},
    Tag.EFFECT_SETTLED: {"text": later("The doubt is cleared up")},
    Tag.RUN_BLOCKED: {"reason": SEE_THE_TRAIL},
    Tag.RUN_FAILED: {"error": SEE_THE_TRAIL},
}


def notice() -> Element:
    """On the card, where the question would stand."""
    return rich.paragraph(rich.emoji("lock"), rich.text(f" {t(NOTICE)}\n"))


def outcome_words(approval: Approval) -> str:
    """What became of the decision, as the channel may read it; "" where it is not known yet."""
    outcome = approval.outcome
    if outcome is None:
        return ""
    if not approval.restricted or outcome.text in OURS:
        return stored.said(outcome.text)
    if outcome.state == "done":
        return t(CARRIED_OUT)
    return t("It failed: {command} tells why", command=_show(approval))


def held_words(approval: Approval) -> str:
    if approval.restricted:
        return t("{command} tells why", command=_show(approval))
    return stored.held(approval.held)


def _show(approval: Approval) -> str:
    return f"countersign show {approval.thread_id}"


def without_values(event: AuditEvent) -> AuditEvent:
    """The event as a thread in the channel may tell it."""
    kept = {key: value for key, value in event.detail.items() if key in KEPT}
    instead = {key: t(words) for key, words in INSTEAD.get(event.tag, {}).items()}
    return event.model_copy(update={"detail": {**kept, **instead}})
