"""Everything that is asked, in a modal: what the card had to cut, whole."""

import json
from collections.abc import Iterator, Mapping

from bot.approvals import Approval
from bot.outcomes import ANSWERS
from bot.texts import later, t, tn
from bot.views import rich, stored
from bot.views.alike import warning
from bot.views.card import decisions, reject_saying, short
from bot.views.edits import changes_of
from bot.views.fields import full_text
from bot.views.more import menu
from bot.views.text import Block, clean, context, plain

PIECE = 2900  # characters of one text
PIECES_AT_MOST = 80  # of a modal's 100 blocks
BYTES_AT_MOST = 240_000  # of a modal's 250 kB, as they are sent
DECISIONS = {  # by the type of a vote, as labels say it
    "approve": later("approve"),
    "edit": later("edit"),
    "reject": later("reject"),
    "respond": later("respond"),
    "expired": later("expired"),
    "outdated": later("outdated"),
}


def details_view(approval: Approval, names: Mapping[str, str]) -> Block:
    """A modal; whatever does not fit even here is said, not dropped silently."""
    return {
        "type": "modal",
        "title": plain(t("Everything asked"), 24),
        "close": plain(t("Close"), 24),
        "blocks": details_blocks(approval, names),
    }


def review_view(approval: Approval, names: Mapping[str, str]) -> Block:
    """The same of a restricted one, for who may decide it: what was decided, or the buttons, too.
    Nobody approves what they have not seen, so they are nowhere else."""
    blocks = details_blocks(approval, names)
    if approval.status == "pending":
        elements = [*decisions(approval, names), *menu(reject_saying(approval), {})]
        blocks.append({"type": "actions", "block_id": "decide", "elements": elements})
    return {
        "type": "modal",
        "title": plain(t("Restricted"), 24),
        "close": plain(t("Close"), 24),
        "blocks": blocks,
    }


def details_blocks(approval: Approval, names: Mapping[str, str]) -> list[Block]:
    pieces = list(_pieces(approval))
    blocks = _that_fit(pieces)
    left = sum(len(text) for _, text in pieces[len(blocks) :])
    if left:
        said = tn(
            "{n} more character does not fit into Slack: reject what you cannot read.",
            "{n} more characters do not fit into Slack: reject what you cannot read.",
            left,
        )
        blocks.append(rich.block(rich.paragraph(rich.emoji("warning"), rich.text(f" {said}"))))
    same = warning(approval, names, whole=True)
    return [*([rich.block(*same)] if same else []), *blocks, about(approval)]


def about(approval: Approval) -> Block:
    digest = t("digest {digest}", digest=f"`{short(approval.terms)}`")
    return context(f"`{approval.thread_id}` · {digest}")


def _that_fit(pieces: list[tuple[str, str]]) -> list[Block]:
    blocks: list[Block] = []
    room = BYTES_AT_MOST
    for label, text in pieces[:PIECES_AT_MOST]:
        block = _piece(label, text)
        room -= _bytes(block)
        if room < 0:
            break
        blocks.append(block)
    return blocks


def _bytes(block: Block) -> int:
    """What it takes as the SDK sends it: a letter beyond ASCII becomes six bytes, or twelve."""
    return len(json.dumps(block)) + len(", ")


def _pieces(approval: Approval) -> Iterator[tuple[str, str]]:
    request = approval.request
    texts = [(t("Title"), request.title), *map(full_text, request.fields)]
    texts += [(t("Summary"), request.summary), (t("Details"), request.details)]
    for label, value in (*texts, *_answered(approval)):
        text = clean(value)
        for start in range(0, len(text), PIECE):
            continued = t("{label}, continued", label=label)
            yield (label if start == 0 else continued), text[start : start + PIECE]


def _answered(approval: Approval) -> Iterator[tuple[str, str]]:
    """What was changed; and what the card of a restricted one does not say."""
    labels = dict.fromkeys(each.label for each in approval.request.preconditions)
    yield t("Carried out only if unchanged"), "\n".join(labels)
    for label, before, after in changes_of(approval, approval.proposal):
        yield t("{label}, as asked", label=label), before
        yield t("{label}, changed", label=label), after
    if not approval.restricted:
        return
    yield t("Asked again"), stored.said(approval.note)
    yield t("Changed since"), "\n".join(approval.earlier.changes if approval.earlier else ())
    for vote in approval.votes:
        said = getattr(vote, "text", "") or getattr(vote, "reason", "")
        said = "\n".join(vote.changes) if vote.type == "outdated" else said
        said = t(ANSWERS.get(said, said)) if approval.doubt else said
        name = vote.by.name or vote.by.user or t("nobody")
        yield t("{name}, {decision}", name=name, decision=t(DECISIONS[vote.type])), said
    for asked in approval.inquiries:
        yield t("{name} asked", name=asked.by.name or asked.by.user), asked.question
        yield t("The answer"), asked.answer
    yield t("Outcome"), stored.said(approval.outcome.text) if approval.outcome else ""


def _piece(label: str, text: str) -> Block:
    return rich.block(
        rich.paragraph(rich.text(label, 100, bold=True)), rich.preformatted(text, PIECE + 100)
    )
