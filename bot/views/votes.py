"""How far a decision of several people is: what is still missing, and who voted."""

from bot.approvals import Approval
from bot.texts import counted, later, t, tn
from bot.views import rich
from bot.views.rich import Element
from bot.views.text import Block, line
from workflows.policy import Stage
from workflows.protocol import Decision

STAGES_AT_MOST = 12
VOTED = {
    "approve": later("{who} approved"),
    "edit": later("{who} changed it"),
    "reject": later("{who} rejected"),
}


def votes(approval: Approval) -> list[Block]:
    """Nothing where one vote decides, and none is there."""
    stages = approval.stages
    if len(stages) == 1 and stages[0].quorum == 1 and (approval.decision or not approval.votes):
        return []
    first = _first_shown(approval)
    shown = list(enumerate(stages))[first : first + STAGES_AT_MOST]
    lines = [_stage(approval, number, stage) for number, stage in shown]
    left = len(stages) - len(shown)
    more = tn("… and {n} more stage", "… and {n} more stages", left)
    lines += [[rich.text(more, italic=True)]] if left else []
    name = f"{approval.id}.{approval.revision}.votes"
    return [rich.block(rich.paragraph(*_joined(lines)), block_id=name)]


def when_carried_out(approval: Approval, *, anew: bool = False) -> str:
    """After one more vote. anew: the votes that are there do not count any more."""
    stages = enumerate(approval.stages)
    missing = sum(stage.quorum if anew else approval.missing(n) for n, stage in stages) - 1
    if missing < 1:
        return t("at once")
    return tn("once one more approves", "once {n} more approve", missing)


def _first_shown(approval: Approval) -> int:
    """Of too many stages, those around the open one: the one before it, and what is to come."""
    stages = len(approval.stages)
    open_stage = approval.open_stage
    before = (stages if open_stage is None else open_stage) - 1
    return max(0, min(before, stages - STAGES_AT_MOST))


def _stage(approval: Approval, number: int, stage: Stage) -> list[Element]:
    """`☑ finance: 1 of 2 · @mara approved`"""
    cast = [vote for vote in approval.votes if vote.stage == number]
    missing = approval.missing(number)
    is_open = approval.is_open and approval.open_stage == number
    sign = "hourglass_flowing_sand" if is_open else "white_small_square"
    sign = "ballot_box_with_check" if missing == 0 else sign
    name = line(stage.name, 40) or t("Approvals")
    parts = [rich.emoji(sign), rich.text(f" {name}:", bold=True)]
    given = t("{n} of {all}", n=counted(stage.quorum - missing), all=counted(stage.quorum))
    parts.append(rich.text(f" {given}"))
    for vote in cast:
        parts += [rich.text(" · "), *_vote(vote)]
    return parts


def _vote(vote: Decision) -> list[Element]:
    who = rich.mention(vote.by.user) if vote.by.user else rich.text(t("nobody"))
    said = t(VOTED[vote.type]) if vote.type in VOTED else f"{{who}} {vote.type}"
    return rich.sentence(said, {"who": rich.for_absent([who], vote.on_behalf_of)})


def _joined(lines: list[list[Element]]) -> list[Element]:
    joined: list[Element] = []
    for number, parts in enumerate(lines):
        joined += [*([rich.text("\n")] if number else []), *parts]
    return joined
