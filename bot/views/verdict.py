"""How a card ends: who decided what, when and why, and what came of it."""

from bot.approvals import Approval
from bot.outcomes import ANSWERS
from bot.texts import t
from bot.views import rich
from bot.views.individual import decided_by, was_individual
from bot.views.outdated import changes, void
from bot.views.restricted import held_words, outcome_words
from bot.views.rich import Element
from bot.views.text import Block, line
from workflows.protocol import Decision

WORDS_AT_MOST = 1500


def verdict(approval: Approval, block_id: str) -> Block:
    elements = [rich.paragraph(*_verdict(approval), rich.text("\n"))]
    elements += changes(approval)
    words = _words(approval)
    if words:
        elements.append(rich.quote(words, WORDS_AT_MOST))
    state = _state(approval)
    if state:
        elements.append(rich.paragraph(*state))
    return rich.block(*elements, block_id=block_id)


def _words(approval: Approval) -> str:
    """What was said of the decision, or is the decision."""
    text = getattr(approval.decision, "text", "")
    if approval.doubt:
        return t(ANSWERS.get(text, ""))
    return "" if approval.restricted else text or getattr(approval.decision, "reason", "")


def _verdict(approval: Approval) -> list[Element]:
    when = [rich.text(" "), rich.moment(approval.closed_at)] if approval.closed_at else []
    match approval.status:
        case "superseded":
            words = t("the workflow no longer waits for it.")
            if approval.superseded_by:
                words = t("the workflow went on to another question.")
            sign, said = rich.emoji("fast_forward"), t("No longer asked:")
            return [sign, _bold(f" {said}"), rich.text(f" {words}")]
        case "expired":
            words = t("Expired: nobody decided in time")
            return [rich.emoji("hourglass"), _bold(f" {words}"), *when]
        case "outdated":
            return [*void(approval), *when]
        case status:
            sign = "no_entry" if status == "rejected" else "white_check_mark"
            sign = "pencil2" if was_individual(approval) else sign
            who = {"who": _deciders(approval.decision)}
            said = rich.sentence(f" {t(decided_by(approval))}", who, bold=True)
            return [rich.emoji(sign), *said, *when]


def _deciders(decision: Decision | None) -> list[Element]:
    """`@mara for @jonas and @tom`: all whose votes it took, and whose place they took."""
    if decision is None or not decision.by.user:
        return [rich.text(t("a reviewer"))]
    who = rich.for_absent([rich.mention(decision.by.user)], decision.on_behalf_of)
    others = [[rich.mention(other.user)] for other in decision.also if other.user]
    return rich.listed([who, *others])


def _state(approval: Approval) -> list[Element]:
    outcome = approval.outcome
    if outcome is not None:
        carried_out = approval.status not in ("rejected", "expired", "outdated")
        done = "ballot_box_with_check" if carried_out else "no_entry_sign"
        sign = done if outcome.state == "done" else "x"
        return [rich.emoji(sign), _bold(f" {line(outcome_words(approval), 590)}")]
    if approval.in_doubt:
        words = t("It may have happened: a card of its own asks whether it did.")
        return [rich.emoji("warning"), rich.text(f" {words}")]
    if approval.decision is None:
        return []
    if approval.held:
        held = t("On hold: {why}.", why=held_words(approval))
        words = t("It goes on by itself as soon as a worker has the code for it.")
        return [rich.emoji("double_vertical_bar"), _bold(f" {held}"), rich.text(f" {words}")]
    if approval.goes_on_at:
        at = {"when": rich.moment(approval.goes_on_at)}
        words = rich.sentence(t("To be carried out {when}"), at, bold=True)
        return [rich.emoji("alarm_clock"), rich.text(" "), *words]
    goes_on = t("Resuming …")
    return [rich.emoji("hourglass_flowing_sand"), rich.text(f" {goes_on}")]


def _bold(value: str) -> Element:
    return rich.text(value, 600, bold=True)
