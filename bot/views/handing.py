"""The modal in which an approval is handed to other people."""

import hashlib

from bot.approvals import Approval
from bot.texts import t, tn
from bot.views import rich
from bot.views.modals import Carried, modal
from bot.views.text import Block, plain
from bot.views.words import subject

REASSIGN = "countersign_reassign"
PEOPLE, NOTE = "people", "note"  # blocks, and the actions in them
PEOPLE_AT_MOST = 20
NOTE_AT_MOST = 500


def reassign_view(approval: Approval, opener: str, *, whole: bool, missing: int) -> Block:
    """whole: all who are asked now are replaced, else the opener's own place is given away."""
    said = t("Your place goes to the one whom you choose; you are not asked any more.")
    if whole:
        said = tn(
            "Whom you choose is asked instead of all who are asked now; one must approve.",
            "Whom you choose is asked instead of all who are asked now; {n} must approve.",
            missing,
        )
    select = {
        "type": "multi_users_select",
        "action_id": PEOPLE,
        "max_selected_items": PEOPLE_AT_MOST if whole else 1,
    }
    note = {"type": "plain_text_input", "action_id": NOTE, "max_length": NOTE_AT_MOST}
    blocks: list[Block] = [
        subject(approval),
        rich.block(rich.paragraph(rich.text(said))),
        _input(PEOPLE, t("Who decides instead"), select),
        {**_input(NOTE, t("A note for them, in the thread"), note), "optional": True},
    ]
    carried = Carried.of(approval, opener, who_decides(approval))
    return modal(REASSIGN, t("Reassign"), blocks, carried, t("Reassign"))


def who_decides(approval: Approval) -> str:
    """A mark of all who are asked: a form that was for others hands nothing over, nor does one
    that comes once more."""
    return hashlib.sha256(approval.policy.model_dump_json().encode()).hexdigest()[:16]


def _input(name: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": name, "label": plain(label, 100), "element": element}
