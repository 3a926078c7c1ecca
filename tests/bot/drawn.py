"""What every message of ours must be, whatever it shows: taken by Slack, inert, nothing hidden."""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import Block as SdkBlock

from bot.approvals import Approval
from bot.local.blocks import Surface, check_blocks, check_view, text_is_too_long, view_is_too_large
from bot.views.card import ActionId, ButtonValue, Card, shows_all

MOMENT = r"<!date\^\d+\^\{date_short_pretty\} at \{time\}\|\d{4,}-\d\d-\d\d \d\d:\d\d UTC>"
PERSON = r"<@[UW][A-Z0-9]+>"
LINK = r"<https://acme\.slack\.com/[\w/]+\|Open the card>"
OUR_CARD = r"https://acme\.slack\.com/archives/C[A-Z0-9]+/p\d+"
CHANNEL = r"<#C[A-Z0-9]+>"
GROUP = r"<!subteam\^S[A-Z0-9]+>"
OURS = re.compile(f"{MOMENT}|{PERSON}|{LINK}|{CHANNEL}|{GROUP}")
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2065\u3164\uffa0\ufe0f\ufe00"
SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
INERT = {"text", "emoji", "date", "link", "user"}


def every(value: Any) -> Iterator[dict[str, Any]]:
    """All objects inside, the outermost first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from every(each)


def strings(value: Any) -> Iterator[str]:
    for each in every(value):
        yield from (text for text in each.values() if isinstance(text, str))


def words(card: Card) -> str:
    """All that can be read in the blocks."""
    texts = (each.get("text") for each in every(card.blocks))
    return "\n".join(text for text in texts if isinstance(text, str))


def mrkdwn(blocks: Any) -> list[str]:
    return [each["text"] for each in every(blocks) if each.get("type") == "mrkdwn"]


def is_hidden(character: str) -> bool:
    """By Unicode's own account, not by the list in the product."""
    unseen = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")
    return (unseen and character not in "\n\t" + SEEN) or character in FILLERS


def hidden(value: Any) -> list[str]:
    return [repr(text) for text in strings(value) if any(is_hidden(c) for c in text)]


def foreign_markup(text: str) -> list[str]:
    """What is left of `<…>` when our own links, people and times are taken out."""
    return re.findall(r"[<>].{0,40}", OURS.sub("", text), flags=re.DOTALL)


def problems(card: Card) -> list[str]:
    """All that is wrong with a message."""
    found = [*check_blocks(card.blocks), *problems_of_text(card.text), *inner(card.blocks)]
    if text_is_too_long(card.blocks):
        found.append("msg_blocks_too_long")
    return found


def problems_of_text(text: str) -> list[str]:
    found = [f"markup in text: {each}" for each in foreign_markup(text)]
    if not 0 < len(text.strip()) < 4000:
        found.append(f"text of {len(text)} characters")
    return found + hidden({"text": text})


def problems_of_view(view: dict[str, Any], kind: Surface) -> list[str]:
    found = [*check_view(view, kind), *inner(view["blocks"])]
    return [*found, "view too large"] if view_is_too_large(view) else found


def inner(blocks: Any) -> list[str]:
    json.dumps(blocks, ensure_ascii=False).encode()  # raises where it cannot be sent
    found = [f"markup: {each}" for text in mrkdwn(blocks) for each in foreign_markup(text)]
    found += [f"hidden: {each}" for each in hidden(blocks)]
    found += [f"not verbatim: {each}" for each in every(blocks)
              if each.get("type") == "mrkdwn" and each.get("verbatim") is not True]  # fmt: skip
    found += [f"emoji: {each}" for each in every(blocks)
              if each.get("type") == "plain_text" and each.get("emoji") is not False]  # fmt: skip
    for block in blocks:
        SdkBlock.parse(block).to_dict()  # type: ignore[union-attr] # raises where it is refused
        found += _alive(block)
    return found


def _alive(block: dict[str, Any]) -> list[str]:
    """In rich_text: what would notify or lead elsewhere than it says."""
    if block["type"] != "rich_text":
        return []
    elements = [leaf for part in block["elements"] for leaf in part["elements"]]
    return [
        f"alive: {leaf}"
        for leaf in elements
        if leaf["type"] not in INERT or (leaf["type"] == "link" and not _honest(leaf))
    ]


def _honest(link: dict[str, Any]) -> bool:
    """It says where it leads, or leads to a card of ours."""
    return link["url"] == link["text"] or re.fullmatch(OUR_CARD, link["url"]) is not None


def mentioned(card: Card) -> set[str]:
    """Whom the rich text of a message notifies."""
    return {each["user_id"] for each in every(card.blocks) if each.get("type") == "user"}


def buttons(card: Card) -> dict[str, dict[str, Any]]:
    return {each["action_id"]: each for each in every(card.blocks) if each.get("type") == "button"}


def problems_of_buttons(card: Card, of: Approval) -> list[str]:
    """A pending card can be decided: both buttons, each with the approval and its digest."""
    drawn = buttons(card)
    wanted = ButtonValue(approval=of.id, digest=of.digest)
    expected = {ActionId.APPROVE, ActionId.REJECT}
    expected |= set() if shows_all(of) else {ActionId.DETAILS}
    found = [] if set(drawn) == expected else [f"buttons {set(drawn)}"]
    return found + [
        name for name, each in drawn.items() if ButtonValue.read(each["value"]) != wanted
    ]
