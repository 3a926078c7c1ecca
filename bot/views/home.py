"""App Home: what is waiting, and how to go on."""

from bot.views.card import Card
from bot.views.text import Block, context, plain, section


def guest_view() -> Block:
    """For guests: titles name customers and amounts."""
    words = "Only full members of this workspace use it: ask one of them what is waiting."
    header = {"type": "header", "text": plain("Approvals", 150)}
    return {"type": "home", "blocks": [header, section(words)]}


def home_view(listing: Card) -> Block:
    """The first page of what is pending; `/approvals` pages through the rest."""
    kept = [block for block in listing.blocks if block.get("block_id") != "paging"]
    blocks: list[Block] = [
        {"type": "header", "text": plain("Approvals", 150)},
        *kept,
        {"type": "divider"},
        context("`/approvals` lists everything that waits · `/approvals help`"),
    ]
    return {"type": "home", "blocks": blocks}
