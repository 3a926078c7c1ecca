"""The card: one approval as a Slack message, before and after it is decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.approvals import Approval
from bot.inslack import RESTORED_NOTE
from bot.outcomes import ANSWERS
from bot.texts import later, t
from bot.views import rich, stored
from bot.views.alike import in_short, warning
from bot.views.edits import edited, fits
from bot.views.fields import field_elements, fields_fit
from bot.views.individual import decided_by, decisions_made, label_of
from bot.views.inquiry import inquiry
from bot.views.more import more
from bot.views.outdated import asked_anew, conditions
from bot.views.restricted import ASKED_AGAIN, notice, outcome_words
from bot.views.rich import Element
from bot.views.room import CHARACTERS_AT_MOST, ROOMY, TIGHT, Room, characters
from bot.views.standing import standing
from bot.views.text import (
    HEADER_AT_MOST,
    Block,
    clean,
    context,
    escape,
    line,
    moment,
    plain,
    requested,
)
from bot.views.verdict import verdict
from bot.views.votes import votes, when_carried_out
from workflows.protocol import ApprovalRequest

CONFIRM_AT_MOST = 300
BUTTONS_AT_MOST = 1200  # characters of their labels and confirmations
NAME_AT_MOST = 80
RISK = {"low": later("Low risk"), "medium": later("Medium risk"), "high": later("High risk")}


class ActionId(StrEnum):
    """Shared by what draws a button and what listens to it."""

    APPROVE = "countersign_approve"
    REJECT = "countersign_reject"
    APPROVE_SAYING = "countersign_approve_saying"
    REJECT_SAYING = "countersign_reject_saying"
    EDIT = "countersign_edit"
    RESPOND = "countersign_respond"
    HAPPENED = "countersign_happened"
    NOT_HAPPENED = "countersign_not_happened"
    CALL_AGAIN = "countersign_call_again"
    RETRY = "countersign_retry"
    WITHDRAW = "countersign_withdraw"
    PREVIOUS = "countersign_previous"
    NEXT = "countersign_next"
    DETAILS = "countersign_details"
    SEVERAL = "countersign_several"


MEANS = {  # what a button does, said before it does
    ActionId.APPROVE: later("High risk: what is shown is carried out {when}."),
    ActionId.REJECT: later("Nothing will be executed."),
    ActionId.CALL_AGAIN: later(
        "If it did happen, it may happen twice: the same key is sent once more."
    ),
}
CARRIED_OUT = later("What is shown is carried out {when}.")
ASKS_TWICE = {
    ActionId.APPROVE: later("Approve this?"),
    ActionId.REJECT: later("Reject this?"),
    ActionId.CALL_AGAIN: later("Try again?"),
}
DECIDES = {ActionId.APPROVE: "approve", ActionId.REJECT: "reject"}
ASKS_MORE = {  # these open a modal, and what is submitted there decides
    ActionId.APPROVE_SAYING: "approve",
    ActionId.REJECT_SAYING: "reject",
    ActionId.EDIT: "edit",
    ActionId.RESPOND: "respond",
}
SETTLES = {
    ActionId.HAPPENED: "done",
    ActionId.NOT_HAPPENED: "not_done",
    ActionId.CALL_AGAIN: "retry",
}


class ButtonValue(BaseModel):
    """What a decision's button carries: which approval, the digest of what was shown (its
    `terms`), and, where a vote was taken back, the revision that was drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approval: str
    digest: str
    revision: int = 0

    @classmethod
    def of(cls, approval: Approval) -> "ButtonValue":
        drawn = approval.revision if approval.taken_back else 0
        return cls(approval=approval.id, digest=approval.terms, revision=drawn)

    @property
    def text(self) -> str:
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def read(cls, value: str) -> "ButtonValue | None":
        """None where the value is not one of ours."""
        try:
            return cls.model_validate_json(value)
        except ValidationError:
            return None


@dataclass(frozen=True)
class Card:
    """text: for the lock screen and for readers of screens; blocks: the message."""

    text: str
    blocks: list[Block]


def card(approval: Approval, names: Mapping[str, str], before: str = "") -> Card:
    """names: display names of users, by id. before: link to the card whose place it takes."""
    room = room_of(approval)
    blocks = [*_question(approval, names, room, before), *_besides(approval)]
    if approval.status == "pending":
        blocks.append(_buttons(approval, names, room))
    elif approval.restricted:
        blocks.append(_actions(approval, "look", [_look(approval)]))
    if approval.outcome and approval.outcome.run_failed:
        retry = _button(approval, ActionId.RETRY, t("Retry"), "", names)
        blocks.append(_actions(approval, "retry", [retry]))
    return Card(text=headline(approval), blocks=blocks)


def _besides(approval: Approval) -> list[Block]:
    """What people made of it."""
    changed = edited(approval, decisions_made(approval))
    blocks = [*changed, *standing(approval), *votes(approval), *inquiry(approval)]
    is_over = approval.status != "pending"
    return [*blocks, verdict(approval, _id(approval, "verdict"))] if is_over else blocks


def room_of(approval: Approval) -> Room:
    """For what is asked. Names of people are not known here: each is taken for the longest."""
    named = sum(field.kind == "user" for field in approval.request.fields) + len(approval.alike)
    drawn = [*_question(approval, {}, ROOMY), *_besides(approval)]
    taken = characters(drawn) + NAME_AT_MOST * named + BUTTONS_AT_MOST
    return ROOMY if taken <= CHARACTERS_AT_MOST else TIGHT


def headline(approval: Approval) -> str:
    """One line that says it all, for a message's `text`."""
    return escape(said(approval), 500)


def said(approval: Approval) -> str:
    """The same for a rich_text block, which parses nothing."""
    title = line(approval.request.title, HEADER_AT_MOST) or "–"
    match approval.status:
        case "pending":
            if approval.doubt:
                return t("Answer needed: {title}", title=title)
            return t("Approval needed: {title}", title=title)
        case "superseded":
            return t("No longer asked: {title}", title=title)
        case "expired":
            return t("Expired without a decision: {title}", title=title)
        case "outdated":
            return t("Approved, and void since something changed: {title}", title=title)
        case _:
            name = approval.decision.by.name if approval.decision else ""
            words = outcome_words(approval)
            who = line(name or t("a reviewer"), 80)
            decided = t("{decided}: {title}", decided=t(decided_by(approval), who=who), title=title)
            return f"{decided} – {line(words, 200)}" if words else decided


def short(digest: str) -> str:
    """The part of a digest that people compare."""
    return digest[:12]


def _question(
    approval: Approval, names: Mapping[str, str], room: Room, before: str = ""
) -> list[Block]:
    request = approval.request
    blocks: list[Block] = [
        {
            "type": "header",
            "block_id": _id(approval, "title"),
            "text": plain(request.title, HEADER_AT_MOST),
        }
    ]
    body = _body(approval, names, room)
    if body:
        blocks.append(rich.block(*body, block_id=_id(approval, "body")))
    blocks.append(context(_about(approval, before), block_id=_id(approval, "about")))
    return blocks


def _body(approval: Approval, names: Mapping[str, str], room: Room) -> list[Element]:
    request = approval.request
    hides = approval.restricted and approval.note != RESTORED_NOTE
    said = t(ASKED_AGAIN) if hides else line(stored.said(approval.note), 300)
    note = rich.text(f" {said}\n")
    high = [rich.paragraph(rich.emoji("warning"), _bold(f" {t(RISK['high'])}\n"))]
    return [
        *(_reopened(approval) if approval.status == "pending" else []),
        *asked_anew(approval),
        *(high if request.risk == "high" else []),
        *warning(approval, names, whole=not approval.restricted and room == ROOMY),
        *([rich.paragraph(rich.emoji("warning"), note)] if approval.note else []),
        *([notice()] if approval.restricted else _asked(request, names, room)),
    ]


def _asked(request: ApprovalRequest, names: Mapping[str, str], room: Room) -> list[Element]:
    fields = field_elements(request.fields, names, room)
    apart = [rich.text("\n")] if fields and fields[-1]["type"] == "rich_text_section" else []
    summary = [rich.paragraph(*apart, rich.text(request.summary, room.summary))]
    if "\n" in clean(request.summary):  # else a line could pose as a field
        summary = [rich.quote(request.summary, room.summary)]
    details = [rich.preformatted(request.details, room.details)]
    return [
        *fields,
        *(summary if clean(request.summary).strip() else []),
        *(details if clean(request.details).strip() else []),  # a mark for what is not seen counts
    ]


def _reopened(approval: Approval) -> list[Element]:
    """Also because Slack lets no update take the rich text away that a verdict brought."""
    if approval.reopened_at is None:
        return []
    when = {"when": rich.moment(approval.reopened_at)}
    asked = t("Asked again {when}")
    words = rich.sentence(f" {asked}", when)
    return [rich.paragraph(rich.emoji("leftwards_arrow_with_hook"), *words, rich.text("\n"))]


def _about(approval: Approval, before: str) -> str:
    """Most important first, a line each: a phone shows few of them. A high risk stands above."""
    risk = [t(RISK[approval.request.risk])] if approval.request.risk != "high" else []
    first = [*risk, *([decide_by(approval)] if approval.status == "pending" else [])]
    which = f"{escape(approval.workflow, 60)} `{approval.thread_id}`"
    digest = t("digest {digest}", digest=f"`{short(approval.terms)}`")
    return "\n".join(
        [
            *([" · ".join(first)] if first else []),
            requested(approval.requester, approval.requested_at),
            *conditions(approval, before),
            f"{which} · {digest}",
        ]
    )


def decide_by(approval: Approval) -> str:
    if approval.expires_at is None:
        return t("No deadline")
    return t("Decide by {when}", when=moment(approval.expires_at))


def _buttons(approval: Approval, names: Mapping[str, str], room: Room) -> Block:
    """A restricted one is decided where it is shown: in the modal."""
    buttons = [] if approval.restricted else decisions(approval, names)
    if approval.votes:
        buttons.append(_button(approval, ActionId.WITHDRAW, t("Withdraw my vote"), "", names))
    if approval.restricted or not shows_all(approval, room):
        buttons.insert(0, _look(approval))
    menu = more(approval, "" if approval.restricted else reject_saying(approval))
    return _actions(approval, "decide", [*buttons, *menu])


def _actions(approval: Approval, part: str, elements: list[Block]) -> Block:
    return {"type": "actions", "block_id": _id(approval, part), "elements": elements}


def _look(approval: Approval) -> Block:
    label = t("Review") if approval.restricted else t("Show everything")
    return _button(approval, ActionId.DETAILS, label, "", {})


def decisions(approval: Approval, names: Mapping[str, str]) -> list[Block]:
    """The buttons that decide it."""
    return [_button(approval, *button, names) for button in _offered(approval)]


def reject_saying(approval: Approval) -> str:
    """What the menu carries to reject it and say why; "" where the button asks that, or neither
    is allowed."""
    rejects = any(action == ActionId.REJECT for action, *_ in _offered(approval))
    return ButtonValue.of(approval).text if rejects else ""


def _offered(approval: Approval) -> list[tuple[ActionId, str, str]]:
    """Of each button: what it does, its label and its style."""
    if approval.doubt:
        return [(action, t(ANSWERS[answer]), "") for action, answer in SETTLES.items()]
    saying = approval.policy.reason_required
    buttons = {
        "approve": (
            ActionId.APPROVE_SAYING if "approve" in saying else ActionId.APPROVE,
            t("Approve"),
            "primary",
        ),
        "reject": (
            ActionId.REJECT_SAYING if "reject" in saying else ActionId.REJECT,
            t("Reject"),
            "danger",
        ),
        "edit": (ActionId.EDIT, t("Edit"), ""),
        "respond": (ActionId.RESPOND, t("Respond"), ""),
    }
    return [
        (action, label_of(approval, decision, label), style)
        for decision, (action, label, style) in buttons.items()
        if decision in approval.offered
    ]


def shows_all(approval: Approval, room: Room | None = None) -> bool:
    """Does the card show everything that is asked, uncut? room: where it is known already."""
    request, room = approval.request, room or room_of(approval)
    summary, details = clean(request.summary), clean(request.details)
    short_enough = len(summary) <= room.summary and len(details) <= room.details
    all_alike = room == ROOMY or not approval.alike
    return short_enough and all_alike and fields_fit(request.fields, room) and fits(approval)


def _button(
    approval: Approval, action: ActionId, label: str, style: str, names: Mapping[str, str]
) -> Block:
    styled: Block = {"style": style} if style else {}
    button: Block = {
        "type": "button",
        "action_id": action,
        "text": plain(label, 75),
        **styled,
        "value": ButtonValue.of(approval).text,
    }
    decides = action in DECIDES and approval.request.risk == "high"
    warns = action == ActionId.APPROVE and approval.alike
    if not (decides or warns) and action != ActionId.CALL_AGAIN:
        return button
    confirm = {
        "title": plain(t(ASKS_TWICE[action]), 100),
        "text": plain(confirmation(approval, meaning(approval, action), names), CONFIRM_AT_MOST),
        "confirm": plain(label, 30),
        "deny": plain(t("Cancel"), 30),
        **styled,
    }
    return {**button, "confirm": confirm}


def meaning(approval: Approval, action: ActionId) -> str:
    when = when_carried_out(approval)
    if action != ActionId.APPROVE or not approval.alike:
        return t(MEANS[action], when=when)
    means = MEANS[action] if approval.request.risk == "high" else CARRIED_OUT
    return f"{in_short(approval)}. {t(means, when=when)}"


def confirmation(approval: Approval, means: str, names: Mapping[str, str]) -> str:
    """What is decided, who wants it, what the button does, and by what it is known. The title
    gives way where it gets long."""
    said = partial(
        t,
        later("{title} – requested by {who}. {means} Thread {thread}, digest {digest}."),
        who=line(names.get(approval.requester or "") or t("a workflow"), 30),
        means=means,
        thread=approval.thread_id,
        digest=short(approval.terms),
    )
    return said(title=line(approval.request.title, CONFIRM_AT_MOST - len(said(title=""))))


def _bold(value: str) -> Element:
    return rich.text(value, 600, bold=True)


def _id(approval: Approval, part: str) -> str:
    return f"{approval.id}.{approval.revision}.{part}"
