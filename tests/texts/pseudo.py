"""A language that is none: each text of the catalog in ⟦brackets⟧ and with accents, so that what
stands outside of brackets did not come from the catalog."""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from tests.texts.extracted import TEMPLATE

ACCENTS = str.maketrans("aeiouyAEIOU", "àéîöüýÀÉÎÖÛ")
KEPT = re.compile(r"(\{\w+\}|`[^`]*`|:[a-z_]+:|<[^>]*>)")
INNERMOST = re.compile("⟦[^⟦⟧]*⟧")
# What is no word of ours: people and times, links, emoji, code, Slack's ids and errors, `\n`.
NO_WORDS = re.compile(
    r":mag: (?:mine|all)\b|<!date\^\d+\^|\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>|<[@#!][^>]*>|<https?://[^|>]*\||`[^`]*`"
    r"|:[a-z_0-9]+:|\b[a-z]+(?:_[a-z]+)+\b|\{date_short_pretty\}|\{time\}|\b[0-9a-f]{12}\b"
    r"|Countersign"
)


def spelled(text: str) -> str:
    """`Requested by {who}` -> `⟦Réqüéstéd bý {who}⟧`"""
    parts = KEPT.split(text)
    said = [each if n % 2 else each.translate(ACCENTS) for n, each in enumerate(parts)]
    return f"⟦{''.join(said)}⟧"


def write_pseudo(path: Path) -> None:
    """The whole catalog, as a translator would hand it in."""
    with TEMPLATE.open("rb") as file:
        template = read_po(file)
    made = Catalog(locale="en", project="pseudo", fuzzy=False)
    for message in template:
        if isinstance(message.id, str) and message.id:
            made.add(message.id, spelled(message.id))
        elif message.id:
            made.add(message.id, tuple(map(spelled, message.id)))
    with path.open("wb") as file:
        write_po(file, made)


def outside(text: str) -> Iterator[str]:
    """The words that did not come from the catalog; and what was cut off inside a bracket, for
    nobody can tell what that is."""
    left, before = text, ""
    while left != before:
        left, before = INNERMOST.sub("", left), left
    yield from re.findall("[⟦⟧].*", left)
    yield from (word for word in re.findall(r"[^\W\d_]+", NO_WORDS.sub(" ", left))
                if word != word.upper())  # fmt: skip
