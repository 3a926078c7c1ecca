"""The audit trail as replies in the card's thread: one sentence an event, with its hash."""

from collections.abc import Callable
from datetime import datetime

from bot.audit import AuditEvent, Tag
from bot.texts import later, t, tn
from bot.views import rich, stored
from bot.views.card import Card, short
from bot.views.individual import INDIVIDUALLY_BY, was_each
from bot.views.restricted import without_values
from bot.views.rich import Element
from bot.views.text import DECIDED_BY, context, escape, line

Parts = list[Element]

TEXT_AT_MOST = 700  # before it is escaped
NAMED_AT_MOST = 10  # of those who are next
# How whoever is asked back answers
THREAD = later("a reply here is the answer")
FORM = later("the answer is given by *Answer* on the card")
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
    audit = t("Audit #{number}", number=event.seq)
    how = f" · {t(FORM if restricted else THREAD)}" if event.tag == Tag.INQUIRED else ""
    proof = context(f"{audit} · `{short(event.hash)}`{how}")
    body = rich.block(rich.paragraph(rich.emoji(sign), rich.text(" "), *parts))
    return Card(text=escape(sentence, TEXT_AT_MOST), blocks=[body, proof])


def _told(event: AuditEvent) -> tuple[str, Parts]:
    if event.tag not in _SENTENCES:  # newer code told it
        return "memo", [rich.text(line(event.tag, 80))]
    sign, words = _SENTENCES[event.tag]
    return sign, words(event)


def _by(words: str) -> Callable[[AuditEvent], Parts]:
    """`Approved by @mara for @jonas on digest 3f9a…: reason`. words: of the catalog, as are all
    in this module."""

    def told(event: AuditEvent) -> Parts:
        said = _detail(event, "reason") or stored.answer(_detail(event, "text"))
        who = rich.for_absent([_actor(event)], str(event.detail.get("on_behalf_of") or ""))
        stage = _detail(event, "stage")
        parts = rich.sentence(t(words), {"who": who, "stage": stage})
        if event.digest:
            digest = {"told": parts, "digest": rich.code(short(event.digest))}
            parts = rich.sentence(t("{told} on digest {digest}"), digest)
        return _with(parts, said)

    return told


def _edited(event: AuditEvent) -> Parts:
    each = was_each(event.detail)
    return _by(INDIVIDUALLY_BY if each else DECIDED_BY["edited"])(event)


def _with(told: Parts, said: str) -> Parts:
    """And what they said with it."""
    return [*told, rich.text(f": {said}")] if said else told


def _voted(event: AuditEvent) -> Parts:
    """`Changes proposed by @mara on digest 3f9a…; …`. The mention of who is next tells them."""
    if event.detail.get("type") == "edit":
        words = later("Changes proposed by {who}")
        in_stage = later("Changes proposed ({stage}) by {who}")
    else:
        words, in_stage = later("One approval by {who}"), later("One approval ({stage}) by {who}")
    told = _by(in_stage if _detail(event, "stage") else words)(event)
    if event.detail.get("voided"):
        told = rich.sentence(t("{told}; the votes before it are void"), {"told": told})
    asked = [rich.approver(each) for each in _ids(event, "next")[:NAMED_AT_MOST]]
    if not asked:
        return told
    return rich.sentence(
        t("{told}; now it waits for {whom}"), {"told": told, "whom": _listed(asked)}
    )


def _delegated(event: AuditEvent) -> Parts:
    """`@mara is away until …: @tom decides in their place`"""
    people = {"who": _whom(event, "from"), "deputy": _whom(event, "to")}
    until = event.detail.get("until")
    if not until:
        return rich.sentence(t("{who} is away: {deputy} decides in their place"), people)
    when = rich.moment(datetime.fromisoformat(str(until)))
    words = t("{who} is away until {when}: {deputy} decides in their place")
    return rich.sentence(words, {**people, "when": when})


def _whom(event: AuditEvent, key: str) -> Element:
    user = str(event.detail.get(key) or "")
    return rich.mention(user) if user else rich.text(t("someone"))


def _reassigned(event: AuditEvent) -> Parts:
    """`Reassigned by @mara to @tom and @lena: note`"""
    to = event.detail.get("to")
    people = [[rich.mention(str(each))] for each in (to if isinstance(to, list) else [])]
    parts = {"who": _actor(event), "whom": rich.listed(people) or rich.text(t("someone"))}
    words = t("Place handed over by {who} to {whom}")
    if event.detail.get("whole"):
        words = t("Reassigned by {who} to {whom}")
    return _with(rich.sentence(words, parts), _detail(event, "text"))


def _spoken_to(words: str) -> Callable[[AuditEvent], Parts]:
    """`@mara asks @tom: …`; the mention is what tells them."""

    def told(event: AuditEvent) -> Parts:
        by = event.actor.user if event.actor else None
        who = rich.mention(by) if by else rich.text(t("Someone"))
        parts = rich.sentence(t(words), {"who": who, "whom": _whom(event, "to")})
        return _with(parts, _detail(event, "text"))

    return told


def _says(words: str, key: str = "") -> Callable[[AuditEvent], Parts]:
    """words: with what the event tells under `key` in the place of `{more}`."""
    return lambda event: rich.sentence(t(words), {"more": stored.said(_detail(event, key))})


def _tells(key: str) -> Callable[[AuditEvent], Parts]:
    return lambda event: [rich.text(stored.said(_detail(event, key)))]


def _requested(event: AuditEvent) -> Parts:
    parts = {"who": _actor(event), "digest": rich.code(short(event.digest or ""))}
    return rich.sentence(t("Requested by {who}, digest {digest}"), parts)


def _retried(event: AuditEvent) -> Parts:
    who = _actor(event, t("an operator"))
    return rich.sentence(t("Tried again by {who}"), {"who": who})


def _withdrawn(event: AuditEvent) -> Parts:
    return rich.sentence(t("Vote withdrawn by {who}"), {"who": _actor(event)})


def _actor(event: AuditEvent, otherwise: str = "") -> Element:
    user = event.actor.user if event.actor else None
    return rich.mention(user) if user else rich.text(otherwise or t("the workflow"))


def _reminded(event: AuditEvent) -> Parts:
    """`Reminded Mara Okafor, Jonas Weber; 480 more are missing, and were not written to`"""
    people = _listed([rich.mention(str(each)) for each in _ids(event, "users")])
    parts = rich.sentence(t("Reminded {whom}"), {"whom": people})
    others = int(str(event.detail.get("others") or 0))
    if not others:
        return parts
    more = tn(
        "{n} more is missing, and was not written to",
        "{n} more are missing, and were not written to",
        others,
    )
    return [*parts, rich.text(f"; {more}")]


def _escalated(event: AuditEvent) -> Parts:
    """`Escalated by @mara to @finance-heads, who may decide this too`"""
    whom = _listed([rich.approver(each) for each in _ids(event, "to")])
    words = t("Nobody decided yet: escalated to {whom}, who may decide this too")
    if event.actor:
        words = t("Escalated by {who} to {whom}, who may decide this too")
    return rich.sentence(words, {"who": _actor(event), "whom": whom})


def _scheduled(event: AuditEvent) -> Parts:
    until = event.detail.get("until")
    if not until:
        return [rich.text(t("The workflow waits for a time"))]
    at = rich.moment(datetime.fromisoformat(str(until)))
    return rich.sentence(t("The workflow waits, and goes on {when}"), {"when": at})


def _alike(event: AuditEvent) -> Parts:
    """`Looks like a duplicate of refund-1, refund-2`"""
    threads = ", ".join(line(each, 130) for each in _ids(event, "threads"))
    words = t("Looks like a duplicate of {threads}")
    return rich.sentence(words, {"threads": threads or t("another request")})


def _ids(event: AuditEvent, key: str) -> list[str]:
    value = event.detail.get(key)
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each]


def _listed(people: Parts) -> Parts:
    return [part for each in people for part in (rich.text(", "), each)][1:]


def people_in(event: AuditEvent) -> list[str | None]:
    """Who did it, who is named by it, from whom and to whom something went, and who is next."""
    users: list[str | None] = [event.actor.user if event.actor else None]
    return [*users, *(each for key in ("users", "from", "to", "next") for each in _ids(event, key))]


def _detail(event: AuditEvent, key: str) -> str:
    return line(str(event.detail.get(key) or ""), 500)


_SENTENCES: dict[Tag, tuple[str, Callable[[AuditEvent], Parts]]] = {
    Tag.RUN_STARTED: ("rocket", _says(later("Workflow started"))),
    Tag.REQUESTED: ("memo", _requested),
    Tag.APPROVED: ("white_check_mark", _by(DECIDED_BY["approved"])),
    Tag.EDITED: ("pencil2", _edited),
    Tag.REJECTED: ("no_entry", _by(DECIDED_BY["rejected"])),
    Tag.ANSWERED: ("speech_balloon", _by(DECIDED_BY["answered"])),
    Tag.VOTED: ("ballot_box_with_ballot", _voted),
    Tag.WITHDRAWN: ("leftwards_arrow_with_hook", _withdrawn),
    Tag.REMINDED: ("bell", _reminded),
    Tag.ALIKE: ("warning", _alike),
    Tag.ESCALATED: ("arrow_up", _escalated),
    Tag.REASSIGNED: ("busts_in_silhouette", _reassigned),
    Tag.INQUIRED: ("speech_balloon", _spoken_to(later("{who} asks {whom}"))),
    Tag.REPLIED: ("speech_balloon", _spoken_to(later("{who} answers {whom}"))),
    Tag.DELEGATED: ("palm_tree", _delegated),
    Tag.EXPIRED: ("hourglass", _says(later("Expired: nobody decided in time"))),
    Tag.SUPERSEDED: (
        "fast_forward",
        _says(later("No longer asked: the workflow no longer waits for it")),
    ),
    Tag.RESTORED: (
        "warning",
        _says(
            later(
                "Redis lost its last moments: what was told here before counts only where the "
                "record still has it"
            )
        ),
    ),
    Tag.VOIDED: ("leftwards_arrow_with_hook", _says(later("The decision is void: {more}"), "why")),
    Tag.OUTDATED: (
        "leftwards_arrow_with_hook",
        _says(later("Approved, and void, since what it rests on has changed: {more}"), "why"),
    ),
    Tag.RUN_CANCELLED: ("octagonal_sign", _says(later("Workflow stopped: {more}"), "why")),
    Tag.REOPENED: (
        "leftwards_arrow_with_hook",
        _says(later("Asked again: the workflow waits for it")),
    ),
    Tag.RUN_RESUMED: ("arrow_forward", _says(later("Workflow resumed by {more}"), "instance")),
    Tag.EFFECT_DONE: ("ballot_box_with_check", _tells("text")),
    Tag.EFFECT_IN_DOUBT: ("warning", _tells("text")),
    Tag.EFFECT_REFUSED: ("x", _says(later("The provider refused: {more}"), "text")),
    Tag.EFFECT_OUTDATED: (
        "leftwards_arrow_with_hook",
        _says(later("Approved, not executed: {more}"), "text"),
    ),
    Tag.EFFECT_SETTLED: ("pencil", _tells("text")),
    Tag.RUN_SCHEDULED: ("alarm_clock", _scheduled),
    Tag.RUN_BLOCKED: ("double_vertical_bar", _says(later("On hold: {more}"), "reason")),
    Tag.RUN_FINISHED: ("checkered_flag", _says(later("Workflow finished"))),
    Tag.RUN_FAILED: ("x", _says(later("Workflow failed: {more}"), "error")),
    Tag.RUN_RETRIED: ("arrows_counterclockwise", _retried),
    Tag.RUN_RETIRED: ("file_folder", _says(later("The workflow's state was deleted"))),
}


def _spoken(part: Element, names: dict[str, str]) -> str:
    if part["type"] == "user":
        return names.get(part["user_id"]) or t("someone")
    if part["type"] in ("usergroup", "channel"):
        return t("others")
    return part.get("text") or part.get("fallback", "")
