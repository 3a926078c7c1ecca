"""The audit trail as replies in the card's thread: one sentence an event, with its hash."""

from collections.abc import Callable
from datetime import datetime

from bot.audit import AuditEvent, Tag
from bot.views import rich
from bot.views.card import Card, short
from bot.views.restricted import without_values
from bot.views.rich import Element
from bot.views.text import context, escape, line

Parts = list[Element]

TEXT_AT_MOST = 700  # before it is escaped
SAID_QUIETLY = frozenset({Tag.REMINDED})  # they have their direct message: no mention besides
# The card itself says it; who looked is in the record; who was refused was told.
NOT_TOLD = frozenset({Tag.SHOWN, Tag.VIEWED, Tag.REFUSED})


def reply(event: AuditEvent, names: dict[str, str], *, restricted: bool = False) -> Card | None:
    """None for an event that the thread does not tell. names: display names by user id."""
    if event.tag in NOT_TOLD:
        return None
    sign, parts = _told(without_values(event) if restricted else event)
    if event.tag in SAID_QUIETLY:
        parts = [rich.text(_spoken(part, names)) for part in parts]
    sentence = "".join(_spoken(part, names) for part in parts)
    proof = context(f"Audit #{event.seq} · `{short(event.hash)}`")
    body = rich.block(rich.paragraph(rich.emoji(sign), rich.text(" "), *parts))
    return Card(text=escape(sentence, TEXT_AT_MOST), blocks=[body, proof])


def _told(event: AuditEvent) -> tuple[str, Parts]:
    if event.tag not in _SENTENCES:  # newer code told it
        return "memo", [rich.text(line(event.tag, 80))]
    sign, words = _SENTENCES[event.tag]
    return sign, words(event)


def _by(verb: str) -> Callable[[AuditEvent], Parts]:
    """`Approved by @mara for @jonas on digest 3f9a…: reason`"""

    def words(event: AuditEvent) -> Parts:
        said = _detail(event, "reason") or _detail(event, "text")
        return [
            *_who(verb, event),
            *_instead(event),
            *([rich.text(" on digest "), rich.code(short(event.digest))] if event.digest else []),
            *([rich.text(f": {said}")] if said else []),
        ]

    return words


def _instead(event: AuditEvent) -> Parts:
    absent = str(event.detail.get("on_behalf_of") or "")
    return [rich.text(" for "), rich.mention(absent)] if absent else []


def _voted(event: AuditEvent) -> Parts:
    """`Changes proposed by @mara on digest 3f9a…; …`"""
    edits = event.detail.get("type") == "edit"
    stage = _detail(event, "stage")
    which = f" ({stage})" if stage else ""
    words = _by(f"Changes proposed{which}" if edits else f"One approval{which}")(event)
    void = "; the votes before it are void" if event.detail.get("voided") else ""
    return [*words, rich.text(void)] if void else words


def _delegated(event: AuditEvent) -> Parts:
    """`@mara is away until …: @tom decides in their place`"""
    until = event.detail.get("until")
    when = [rich.text(" until "), rich.moment(datetime.fromisoformat(str(until)))] if until else []
    return [
        _whom(event, "from"),
        rich.text(" is away"),
        *when,
        rich.text(": "),
        _whom(event, "to"),
        rich.text(" decides in their place"),
    ]


def _whom(event: AuditEvent, key: str) -> Element:
    user = str(event.detail.get(key) or "")
    return rich.mention(user) if user else rich.text("someone")


def _reassigned(event: AuditEvent) -> Parts:
    """`Reassigned by @mara to @tom and @lena: note`"""
    to = event.detail.get("to")
    people: Parts = []
    for each in to if isinstance(to, list) else []:
        people += [rich.text(" and " if people else " to "), rich.mention(str(each))]
    whole = event.detail.get("whole")
    verb = "Reassigned" if whole else "Place handed over"
    said = _detail(event, "text")
    return [*_who(verb, event), *people, *([rich.text(f": {said}")] if said else [])]


def _spoken_to(verb: str) -> Callable[[AuditEvent], Parts]:
    """`@mara asks @tom: …`; the mention is what tells them."""

    def words(event: AuditEvent) -> Parts:
        said = _detail(event, "text")
        by = event.actor.user if event.actor else None
        return [
            rich.mention(by) if by else rich.text("Someone"),
            rich.text(verb),
            _whom(event, "to"),
            *([rich.text(f": {said}")] if said else []),
        ]

    return words


def _says(before: str, key: str = "") -> Callable[[AuditEvent], Parts]:
    return lambda event: [rich.text(f"{before}{_detail(event, key)}")]


def _requested(event: AuditEvent) -> Parts:
    return [*_who("Requested", event), rich.text(", digest "), rich.code(short(event.digest or ""))]


def _retried(event: AuditEvent) -> Parts:
    user = event.actor.user if event.actor else None
    return [rich.text("Tried again by "), rich.mention(user) if user else rich.text("an operator")]


def _who(verb: str, event: AuditEvent) -> Parts:
    user = event.actor.user if event.actor else None
    return [rich.text(f"{verb} by "), rich.mention(user) if user else rich.text("the workflow")]


def _reminded(event: AuditEvent) -> Parts:
    """`Reminded Mara Okafor, Jonas Weber and 480 more, who were not written to`"""
    parts = _listed("Reminded ", [rich.mention(str(each)) for each in _ids(event, "users")])
    others = int(str(event.detail.get("others") or 0))
    more = f"; {others} more are missing, and were not written to" if others else ""
    return [*parts, rich.text(more)] if more else parts


def _escalated(event: AuditEvent) -> Parts:
    """`Escalated by @mara to @finance-heads: they may decide this too`"""
    by = _who("Escalated", event) if event.actor else [rich.text("Nobody decided yet: escalated")]
    to = _listed(" to ", [rich.approver(each) for each in _ids(event, "to")])
    return [*by, *to, rich.text(", who may decide this too")]


def _ids(event: AuditEvent, key: str) -> list[str]:
    value = event.detail.get(key)
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each]


def _listed(before: str, people: Parts) -> Parts:
    parts = [rich.text(before)]
    for number, person in enumerate(people):
        parts += [*([rich.text(", ")] if number else []), person]
    return parts


def people_in(event: AuditEvent) -> list[str | None]:
    """Who did it, who is named by it, and from whom and to whom something went."""
    users: list[str | None] = [event.actor.user if event.actor else None]
    return [*users, *(each for key in ("users", "from", "to") for each in _ids(event, key))]


def _detail(event: AuditEvent, key: str) -> str:
    return line(str(event.detail.get(key) or ""), 500)


_SENTENCES: dict[Tag, tuple[str, Callable[[AuditEvent], Parts]]] = {
    Tag.RUN_STARTED: ("rocket", _says("Workflow started")),
    Tag.REQUESTED: ("memo", _requested),
    Tag.APPROVED: ("white_check_mark", _by("Approved")),
    Tag.EDITED: ("pencil2", _by("Approved with changes")),
    Tag.REJECTED: ("no_entry", _by("Rejected")),
    Tag.ANSWERED: ("speech_balloon", _by("Answered")),
    Tag.VOTED: ("ballot_box_with_ballot", _voted),
    Tag.WITHDRAWN: ("leftwards_arrow_with_hook", lambda event: _who("Vote withdrawn", event)),
    Tag.REMINDED: ("bell", _reminded),
    Tag.ESCALATED: ("arrow_up", _escalated),
    Tag.REASSIGNED: ("busts_in_silhouette", _reassigned),
    Tag.INQUIRED: ("speech_balloon", _spoken_to(" asks ")),
    Tag.REPLIED: ("speech_balloon", _spoken_to(" answers ")),
    Tag.DELEGATED: ("palm_tree", _delegated),
    Tag.EXPIRED: ("hourglass", _says("Expired: nobody decided in time")),
    Tag.SUPERSEDED: ("fast_forward", _says("No longer asked: the workflow no longer waits for it")),
    Tag.RESTORED: (
        "warning",
        _says(
            "Redis lost its last moments: what was told here before counts only where the record "
            "still has it"
        ),
    ),
    Tag.VOIDED: ("leftwards_arrow_with_hook", _says("The decision is void: ", "why")),
    Tag.OUTDATED: (
        "leftwards_arrow_with_hook",
        _says("Approved, and void, since what it rests on has changed: ", "why"),
    ),
    Tag.RUN_CANCELLED: ("octagonal_sign", _says("Workflow stopped: ", "why")),
    Tag.REOPENED: ("leftwards_arrow_with_hook", _says("Asked again: the workflow waits for it")),
    Tag.RUN_RESUMED: ("arrow_forward", _says("Workflow resumed by ", "instance")),
    Tag.EFFECT_DONE: ("ballot_box_with_check", _says("", "text")),
    Tag.EFFECT_IN_DOUBT: ("warning", _says("", "text")),
    Tag.EFFECT_REFUSED: ("x", _says("The provider refused: ", "text")),
    Tag.EFFECT_OUTDATED: ("leftwards_arrow_with_hook", _says("Approved, not executed: ", "text")),
    Tag.EFFECT_SETTLED: ("pencil", _says("", "text")),
    Tag.RUN_BLOCKED: ("double_vertical_bar", _says("On hold: ", "reason")),
    Tag.RUN_FINISHED: ("checkered_flag", _says("Workflow finished")),
    Tag.RUN_FAILED: ("x", _says("Workflow failed: ", "error")),
    Tag.RUN_RETRIED: ("arrows_counterclockwise", _retried),
    Tag.RUN_RETIRED: ("file_folder", _says("The workflow's state was deleted")),
}


def _spoken(part: Element, names: dict[str, str]) -> str:
    if part["type"] == "user":
        return names.get(part["user_id"], "someone")
    if part["type"] in ("usergroup", "channel"):
        return "others"
    return part.get("text") or part.get("fallback", "")
