"""The texts that stand in the code, as pybabel finds them; run it (`make texts`) to write them into
the catalog that translators work with."""

import io
import re
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "bot" / "locale" / "countersign.pot"
KEYWORDS = {"t": None, "later": None, "tn": (1, 2)}
HEADER = "# All that people read in Slack. docs/translate.md says how to add a language."
UNSAID = re.compile(rb'^"(POT|PO|Last|Report|Generated|Language)-.*\n', re.MULTILINE)


@cache
def extracted() -> Catalog:
    """By text; no line numbers, so that a moved line is no change."""
    found = Catalog(project="Countersign", version="", header_comment=HEADER, fuzzy=False)
    places: dict[str | tuple[str, ...], set[str]] = {}
    for name, _, message, comments, _ in extract_from_dir(
        ROOT / "bot", keywords=KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        places.setdefault(message, set()).add(f"bot/{name}")
        found.add(message, auto_comments=comments)
    for message, files in places.items():
        found[message].locations = [(name, 0) for name in sorted(files)]
    return found


def written() -> bytes:
    """The same for the same texts: its header has no time."""
    file = io.BytesIO()
    write_po(file, extracted(), width=100, sort_by_file=True, include_lineno=False)
    header, entries = file.getvalue().split(b"\n\n", 1)
    return UNSAID.sub(b"", header) + b"\n\n" + entries


def main() -> None:
    TEMPLATE.write_bytes(written())
    print(f"{len(extracted())} texts in {TEMPLATE.relative_to(ROOT)}")  # noqa: T201 - of make


if __name__ == "__main__":
    main()
