"""Several approvals of one workflow, decided together: the modal that shows each, and what became
of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.approvals import Approval
from bot.views.card import ButtonValue, card, shows_all
from bot.views.modals import Carried, modal
from bot.views.text import Block, context, escape, line, plain, section

CALLBACK = "countersign_several"
AT_MOST = 10
BYTES_AT_MOST = 150_000  # of a view's 250 kB
PICK, DECISION, REASON = "pick", "decision", "reason"  # block ids and action ids; pick.N
DECISIONS = {"approve": "Approve the marked ones", "reject": "Reject the marked ones"}
REASON_AT_MOST = 1000
NONE_NOW = (
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
    for number, approval in enumerate(whole[:AT_MOST]):
        shown = [b for b in card(approval, names).blocks if b["type"] != "actions"]
        more = [*shown, _box(number, approval), {"type": "divider"}]
        if len(json.dumps([*blocks, *more])) > BYTES_AT_MOST:
            break
        blocks += more
    if not blocks:
        return None
    said = "Each marked one is checked and recorded by itself, as on its card."
    return modal(
        CALLBACK, "Decide several", [*blocks, *_choice(), context(said)], carried, submit="Decide"
    )


def _box(number: int, approval: Approval) -> Block:
    value = ButtonValue(approval=approval.id, digest=approval.terms)
    option = {
        "text": plain(approval.request.title, 75),
        "description": plain(approval.thread_id, 75),  # titles may be alike
        "value": json.dumps(value.model_dump(), separators=(",", ":")),
    }
    box = {"type": "checkboxes", "action_id": PICK, "options": [option]}
    return {
        "type": "input",
        "block_id": f"{PICK}.{number}",
        "optional": True,
        "label": plain("Mark it", 75),
        "element": box,
    }


def _choice() -> list[Block]:
    options = [{"text": plain(text, 75), "value": name} for name, text in DECISIONS.items()]
    radio = {"type": "radio_buttons", "action_id": DECISION, "options": options}
    text = {
        "type": "plain_text_input",
        "action_id": REASON,
        "multiline": True,
        "max_length": REASON_AT_MOST,
    }
    label, reason = plain("Decision", 75), plain("Reason, where you reject", 75)
    return [
        {"type": "input", "block_id": DECISION, "label": label, "element": radio},
        {"type": "input", "block_id": REASON, "optional": True, "label": reason, "element": text},
    ]


def became_view(decision: str, each: Sequence[Became]) -> Block:
    """What happened to each of them."""
    done = sum(not one.words for one in each)
    verb = {"approve": "approved", "reject": "rejected"}.get(decision, "recorded")
    title = f"*{done} of {len(each)} {verb}*"
    return {
        "type": "modal",
        "title": plain("Decide several", 24),
        "close": plain("Close", 24),
        "blocks": [section(title), *(section(_told(one, verb)) for one in each)],
    }


def _told(one: Became, verb: str) -> str:
    name = f"*{escape(line(one.title, 160))}*"
    if one.words:
        return f"{name}\n{one.words}"
    more = ": your vote counts, others are still to vote" if one.pending else ""
    return f":white_check_mark: {name} {verb}{more}"
