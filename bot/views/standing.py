"""Why a card stands where it stands, for whoever wonders: a line on the card itself."""

from bot.approvals import Approval
from bot.channels import cure
from bot.views.text import Block, context, escape


def standing(approval: Approval) -> list[Block]:
    """Nothing on a card that stands where it should, and did from the beginning."""
    lines: list[str] = []
    if approval.deleted:
        lines.append(":recycle: Posted again: the message before it was deleted")
    if approval.astray:
        why = escape(cure(approval.astray))
        meant = f":warning: Meant for <#{approval.channel}>, which took no card"
        lines.append(f"{meant}: `{escape(approval.astray, 80)}`" + (f" ({why})" if why else ""))
    if not lines:
        return []
    name = f"{approval.id}.{approval.revision}.standing"
    return [context("\n".join(lines), block_id=name)]
