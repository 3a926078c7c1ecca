"""Direct messages: one short sentence for the requester or a reviewer, and the way to the card.

A restricted request is named by its title only: no reason, receipt or error, which may quote it.
"""

from collections.abc import Mapping

from bot.approvals import Approval
from bot.audit import AuditEvent, Tag
from bot.concerned import TO_REVIEWERS
from bot.texts import later, t
from bot.views import rich, stored
from bot.views.card import HEADER_AT_MOST, Card, decide_by
from bot.views.individual import INDIVIDUALLY_BY, was_each
from bot.views.rich import Element
from bot.views.text import DECIDED_BY, context, escape, line, requested, to_card

QUOTED_AT_MOST = 500
BY_THREAD = later("Answer in the card's thread, or by *Answer* on the card")
BY_FORM = later("Answer by *Answer* on the card")
BY_SOMEONE = {
    Tag.APPROVED: DECIDED_BY["approved"],
    Tag.EDITED: DECIDED_BY["edited"],
    Tag.REJECTED: DECIDED_BY["rejected"],
    Tag.ANSWERED: DECIDED_BY["answered"],
}
SIGNS = {
    Tag.SHOWN: "memo",
    Tag.INQUIRED: "speech_balloon",
    Tag.APPROVED: "white_check_mark",
    Tag.EDITED: "pencil2",
    Tag.REJECTED: "no_entry",
    Tag.ANSWERED: "speech_balloon",
    Tag.EXPIRED: "hourglass",
    Tag.OUTDATED: "leftwards_arrow_with_hook",
    Tag.SUPERSEDED: "fast_forward",
    Tag.REOPENED: "leftwards_arrow_with_hook",
    Tag.EFFECT_DONE: "ballot_box_with_check",
    Tag.EFFECT_IN_DOUBT: "warning",
    Tag.EFFECT_REFUSED: "x",
    Tag.EFFECT_OUTDATED: "leftwards_arrow_with_hook",
    Tag.RUN_BLOCKED: "double_vertical_bar",
    Tag.RUN_FAILED: "x",
    Tag.RUN_RETRIED: "arrows_counterclockwise",
    Tag.REMINDED: "bell",
    Tag.ESCALATED: "arrow_up",
    Tag.REASSIGNED: "inbox_tray",
}
# What is said, and the key of what the event tells besides.
SAYS = {
    Tag.SHOWN: (later("Asked, and waits for a decision"), ""),
    Tag.EXPIRED: (later("Expired: nobody decided in time"), ""),
    Tag.OUTDATED: (later("Approved, and void: what it rests on has changed"), "why"),
    Tag.SUPERSEDED: (later("No longer asked: the workflow no longer waits for it"), ""),
    Tag.REOPENED: (later("Asked again, and waits for a decision"), ""),
    Tag.EFFECT_DONE: (later("Done"), "text"),
    Tag.EFFECT_IN_DOUBT: (later("It may have happened: someone is asked whether it did"), ""),
    Tag.EFFECT_REFUSED: (later("The provider refused it"), "text"),
    Tag.EFFECT_OUTDATED: (later("Approved, not executed"), "text"),
    Tag.RUN_BLOCKED: (later("On hold: it goes on by itself after an update"), ""),
    Tag.RUN_FAILED: (later("The workflow failed"), "error"),
    Tag.REMINDED: (later("Waits for your decision"), ""),
    Tag.ESCALATED: (later("Escalated: you may decide this too"), ""),
    Tag.REASSIGNED: (later("You are asked to decide this"), "text"),
}


def notice(approval: Approval, event: AuditEvent, names: Mapping[str, str], link: str) -> Card:
    """link: to the card; "" where it has none. names: display names by id."""
    said, more = _said(approval, event, names)
    title = line(approval.request.title, HEADER_AT_MOST) or "–"
    words = rich.text(f" {said}: "), rich.text(title, bold=True)
    parts: list[Element] = [rich.paragraph(rich.emoji(SIGNS[event.tag]), *words)]
    if more:
        parts.append(rich.quote(more, QUOTED_AT_MOST))
    about = [_about(approval)] if event.tag in TO_REVIEWERS else []
    if event.tag == Tag.INQUIRED:
        about = [t(BY_FORM if approval.restricted else BY_THREAD)]
    about += [to_card(link)] if link else []
    blocks = [rich.block(*parts), *([context(" · ".join(about))] if about else [])]
    told = f": {line(more, 200)}" if more else ""
    return Card(text=escape(f"{said}: {title}{told}", 700), blocks=blocks)


def _said(approval: Approval, event: AuditEvent, names: Mapping[str, str]) -> tuple[str, str]:
    """The sentence, and what is quoted under it."""
    restricted = approval.request.sensitivity == "restricted"
    who = _name(event, names)
    if event.tag in BY_SOMEONE:
        more = str(event.detail.get("reason") or event.detail.get("text") or "")
        words = INDIVIDUALLY_BY if was_each(event.detail) else BY_SOMEONE[event.tag]
        return t(words, who=who), "" if restricted else more
    if event.tag == Tag.INQUIRED:
        asked = str(event.detail.get("text") or "")
        said = t("{who} asks you, and waits for your answer", who=who)
        return said, "" if restricted else asked
    if event.tag == Tag.RUN_RETRIED:
        return t("Tried again by {who}", who=who), ""
    outcome = approval.outcome
    if event.tag == Tag.EFFECT_REFUSED and outcome and outcome.run_failed:
        refused = "" if restricted else str(event.detail.get("text") or "")
        return t("The provider refused it, and the workflow failed"), stored.said(refused)
    if event.tag == Tag.SUPERSEDED and outcome and outcome.run_failed:
        return t("Not asked any more"), "" if restricted else stored.said(outcome.text)
    words, key = SAYS[event.tag]
    more = str(event.detail.get(key) or "") if key and not restricted else ""
    return t(words), stored.said(more)


def _name(event: AuditEvent, names: Mapping[str, str]) -> str:
    actor = event.actor
    if actor is None or actor.user is None:
        return t("an operator") if event.tag == Tag.RUN_RETRIED else t("the workflow")
    return line(names.get(actor.user) or actor.name or t("a reviewer"), 80)


def _about(approval: Approval) -> str:
    return f"{decide_by(approval)} · {requested(approval.requester, approval.asked_at)}"
