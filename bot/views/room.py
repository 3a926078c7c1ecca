"""How much of a request its card shows: less where much else is said on it, so that Slack takes it.

Slack refuses a message whose texts add up to more than about 12,000 characters
(msg_blocks_too_long; measured in github.com/slackapi/bolt-js/issues/2509).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from bot.views.text import Block

CHARACTERS_AT_MOST = 11_500  # of all texts of a message, with BLOCK for each block
BLOCK = 25


@dataclass(frozen=True)
class Room:
    """fields: how many; values: characters of all of them, value: of one. The fields get a share,
    and each of them a share of theirs: a long value never hides a later one."""

    fields: int
    values: int
    value: int
    summary: int
    details: int

    def of_each(self, fields: int) -> int:
        """Characters for the value of each of so many."""
        return min(self.value, self.values // max(1, min(fields, self.fields)))


ROOMY = Room(fields=25, values=5000, value=800, summary=600, details=1200)
TIGHT = Room(fields=12, values=1500, value=800, summary=300, details=300)


def characters(blocks: Iterable[Block]) -> int:
    """As Slack counts them, as far as is known."""
    return sum(_texts(block) + BLOCK for block in blocks)


def _texts(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_texts, cast("list[Any]", value)))
    if not isinstance(value, dict):
        return 0
    parts = cast("dict[str, Any]", value)
    text = parts.get("text")
    own = len(text) if isinstance(text, str) else 0
    return own + sum(map(_texts, parts.values()))
