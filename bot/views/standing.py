"""Why a card stands where it stands, and who may decide it besides: lines on the card itself."""

from bot.approvals import Approval
from bot.channels import cure
from bot.views.text import Block, context, escape, moment, named

NAMED_AT_MOST = 10


def standing(approval: Approval) -> list[Block]:
    """Nothing on a card that stands where it should, did from the beginning, and is only for
    those whom its policy asks first."""
    lines: list[str] = []
    if approval.deleted:
        lines.append(":recycle: Posted again: the message before it was deleted")
    if approval.astray:
        why = escape(cure(approval.astray))
        meant = f":warning: Meant for <#{approval.channel}>, which took no card"
        lines.append(f"{meant}: `{escape(approval.astray, 80)}`" + (f" ({why})" if why else ""))
    if approval.escalated_at and approval.is_open:
        to = ", ".join(named(each) for each in approval.policy.escalate_to[:NAMED_AT_MOST])
        when = moment(approval.escalated_at)
        lines.append(f":arrow_up: Escalated {when}: {to} may decide this too")
    if not lines:
        return []
    name = f"{approval.id}.{approval.revision}.standing"
    return [context("\n".join(lines), block_id=name)]
