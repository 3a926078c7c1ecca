"""Several approvals of one workflow, decided together: the modal that shows each, and what became
of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.approvals import Approval
from bot.texts import counted, later, t, tn
from bot.views.card import ButtonValue, card, shows_all
from bot.views.modals import Carried, modal
from bot.views.text import Block, context, escape, line, plain, section

CALLBACK = "countersign_several"
AT_MOST = 10
BYTES_AT_MOST = 150_000  # of a view's 250 kB
PICK, DECISION, REASON = "pick", "decision", "reason"  # block ids and action ids; pick.N
DECISIONS = {
    "approve": later("Approve the marked ones"),
    "reject": later("Reject the marked ones"),
}
REASON_AT_MOST = 1000
COUNTED = {"approve": later("{n} of {all} approved"), "reject": later("{n} of {all} rejected")}
ONE = {"approve": later("{title} approved"), "reject": later("{title} rejected")}
NONE_NOW = later(
    ":information_source: There is nothing left here that you could decide together with others. "
    "`/approvals mine` lists what waits for you."
)


@dataclass(frozen=True)
class Became:
    """title: as the modal showed it, and the thread. words: why it was refused; "" where it was
    recorded."""

    title: str
    words: str = ""
    pending: bool = False


def several_view(
    approvals: Sequence[Approval], names: Mapping[str, str], carried: Carried
) -> Block | None:
    """Each as its card shows it, with a box to mark it; None where there is none. One that a card
    cannot show whole is left to its own card."""
    blocks: list[Block] = []
    whole = [each for each in approvals if shows_all(each)]
    for place, approval in enumerate(whole[:AT_MOST]):
        shown = [b for b in card(approval, names).blocks if b["type"] != "actions"]
        more = [*shown, _box(place, approval), {"type": "divider"}]
        if len(json.dumps([*blocks, *more])) > BYTES_AT_MOST:
            break
        blocks += more
    if not blocks:
        return None
    said = t("Each marked one is checked and recorded by itself, as on its card.")
    blocks = [*blocks, *_choice(), context(said)]
    return modal(CALLBACK, t("Decide several"), blocks, carried, submit=t("Decide"))


def _box(place: int, approval: Approval) -> Block:
    option = {
        "text": plain(approval.request.title, 75),
        "description": plain(approval.thread_id, 75),  # titles may be alike
        "value": ButtonValue.of(approval).text,
    }
    box = {"type": "checkboxes", "action_id": PICK, "options": [option]}
    return {
        "type": "input",
        "block_id": f"{PICK}.{place}",
        "optional": True,
        "label": plain(t("Mark it"), 75),
        "element": box,
    }


def _choice() -> list[Block]:
    options = [{"text": plain(t(text), 75), "value": name} for name, text in DECISIONS.items()]
    radio = {"type": "radio_buttons", "action_id": DECISION, "options": options}
    text = {
        "type": "plain_text_input",
        "action_id": REASON,
        "multiline": True,
        "max_length": REASON_AT_MOST,
    }
    label, reason = plain(t("Decision"), 75), plain(t("Reason, where you give one"), 75)
    return [
        {"type": "input", "block_id": DECISION, "label": label, "element": radio},
        {"type": "input", "block_id": REASON, "optional": True, "label": reason, "element": text},
    ]


def reason_wanted(decision: str, wants: int, of: int) -> str:
    """At the field, where none is given."""
    if decision == "approve":
        return tn(
            "{n} of {of} wants a reason to approve. It is given to each of them.",
            "{n} of {of} want a reason to approve. It is given to each of them.",
            wants,
            of=counted(of),
        )
    return tn(
        "{n} of {of} wants a reason to reject. It is given to each of them.",
        "{n} of {of} want a reason to reject. It is given to each of them.",
        wants,
        of=counted(of),
    )


def became_view(decision: str, each: Sequence[Became]) -> Block:
    """What happened to each of them."""
    done = sum(not one.words for one in each)
    title = t(COUNTED[decision], n=counted(done), all=counted(len(each)))
    return {
        "type": "modal",
        "title": plain(t("Decide several"), 24),
        "close": plain(t("Close"), 24),
        "blocks": [section(f"*{title}*"), *(section(_told(one, decision)) for one in each)],
    }


def _told(one: Became, decision: str) -> str:
    name = f"*{escape(line(one.title, 160))}*"
    if one.words:
        return f"{name}\n{one.words}"
    said = t(ONE[decision], title=name)
    more = t("{said}: your vote counts, others are still to vote", said=said)
    return f":white_check_mark: {more if one.pending else said}"
