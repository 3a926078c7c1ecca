"""What else can be done with a card that waits: a menu, and the requester's Answer."""

import json

from bot.approvals import Approval
from bot.views.text import Block, plain

MENU = "countersign_more"
REPLY = "countersign_reply"
REASSIGN, ASK = "reassign", "ask"


def more(approval: Approval) -> list[Block]:
    """Of a card that waits for a decision."""
    choices = {REASSIGN: "Reassign…"}
    if approval.requester and approval.inquiry is None:
        choices[ASK] = "Ask back…"
    options = [
        {"text": plain(label, 75), "value": f"{name} {approval.id}"}
        for name, label in choices.items()
    ]
    elements: list[Block] = [{"type": "overflow", "action_id": MENU, "options": options}]
    if approval.inquiry is not None:
        value = json.dumps({"approval": approval.id, "digest": approval.terms})
        answer = {"type": "button", "action_id": REPLY, "text": plain("Answer", 75), "value": value}
        elements.insert(0, answer)
    name = f"{approval.id}.{approval.revision}.more"
    return [{"type": "actions", "block_id": name, "elements": elements}]
