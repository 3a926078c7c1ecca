"""Why a card stands where it stands, and who may decide it besides: lines on the card itself."""

from bot.approvals import Approval
from bot.channels import cure
from bot.escalation import escalated_to
from bot.texts import t
from bot.views.text import Block, context, escape, moment, named

NAMED_AT_MOST = 10


def standing(approval: Approval) -> list[Block]:
    """Nothing on a card that stands where it should, did from the beginning, and is only for
    those whom its policy asks first."""
    lines: list[str] = []
    if approval.deleted:
        lines.append(t(":recycle: Posted again: the message before it was deleted"))
    if approval.astray:
        why = escape(t(cure(approval.astray)))
        meant = t(
            ":warning: Meant for {channel}, which took no card: {code}",
            channel=f"<#{approval.channel}>",
            code=f"`{escape(approval.astray, 80)}`",
        )
        lines.append(meant + (f" ({why})" if why else ""))
    others = escalated_to(approval) if approval.escalated_at and approval.is_open else ()
    if approval.escalated_at and others:
        to = ", ".join(named(each) for each in others[:NAMED_AT_MOST])
        when = moment(approval.escalated_at)
        lines.append(t(":arrow_up: Escalated {when}: {who} may decide this too", when=when, who=to))
    if not lines:
        return []
    name = f"{approval.id}.{approval.revision}.standing"
    return [context("\n".join(lines), block_id=name)]
