"""Everything that is asked, in a modal: what the card had to cut, whole."""

import json
from collections.abc import Iterator

from bot.approvals import Approval
from bot.views import rich
from bot.views.card import short
from bot.views.fields import full_text
from bot.views.text import Block, clean, context, plain

PIECE = 2900  # characters of one text
PIECES_AT_MOST = 80  # of a modal's 100 blocks
BYTES_AT_MOST = 240_000  # of a modal's 250 kB, as they are sent


def details_view(approval: Approval) -> Block:
    """A modal; whatever does not fit even here is said, not dropped silently."""
    pieces = list(_pieces(approval))
    blocks = _that_fit(pieces)
    left = sum(len(text) for _, text in pieces[len(blocks) :])
    if left:
        said = f" {left:,} more characters do not fit into Slack: reject what you cannot read."
        blocks.append(rich.block(rich.paragraph(rich.emoji("warning"), rich.text(said))))
    blocks.append(context(f"`{approval.thread_id}` · digest `{short(approval.digest)}`"))
    return {
        "type": "modal",
        "title": plain("Everything asked", 24),
        "close": plain("Close", 24),
        "blocks": blocks,
    }


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
    texts = [("Title", request.title), *map(full_text, request.fields)]
    texts += [("Summary", request.summary), ("Details", request.details)]
    for label, value in texts:
        text = clean(value)
        for start in range(0, len(text), PIECE):
            yield (label if start == 0 else f"{label}, continued"), text[start : start + PIECE]


def _piece(label: str, text: str) -> Block:
    return rich.block(
        rich.paragraph(rich.text(label, 100, bold=True)), rich.preformatted(text, PIECE + 100)
    )
