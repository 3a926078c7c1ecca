"""What else can be done with a card that waits: a menu, and the requester's Answer."""

import json
from collections.abc import Mapping

from bot.approvals import Approval
from bot.texts import t
from bot.views.text import Block, plain

MENU = "countersign_more"
REPLY = "countersign_reply"
REJECT, REASSIGN, ASK, ESCALATE = "reject", "reassign", "ask", "escalate"


def more(approval: Approval, reject: str) -> list[Block]:
    """Of a card that waits for a decision, beside the buttons that decide it. reject: as in
    `menu`."""
    choices = {REASSIGN: t("Reassign …")}
    if approval.requester and approval.inquiry is None:
        choices[ASK] = t("Ask back …")
    if approval.policy.escalate_to and not approval.escalated_at:
        choices[ESCALATE] = t("Escalate")
    elements = menu(reject, {label: f"{name} {approval.id}" for name, label in choices.items()})
    if approval.inquiry is not None:
        value = json.dumps({"approval": approval.id, "digest": approval.terms})
        answer = plain(t("Answer"), 75)
        button = {"type": "button", "action_id": REPLY, "text": answer, "value": value}
        elements.insert(0, button)
    return elements


def menu(reject: str, others: Mapping[str, str]) -> list[Block]:
    """The only one of a card: all that is done less often. reject: the value of the button that
    would; "" where that is not in it. others: the options' values, by label."""
    choices = {t("Reject with a reason"): f"{REJECT} {reject}"} if reject else {}
    options = [{"text": plain(k, 75), "value": v} for k, v in {**choices, **others}.items()]
    return [{"type": "overflow", "action_id": MENU, "options": options}] if options else []
