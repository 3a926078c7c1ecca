"""Characters that are not seen, and so could make a text show something else than it is.

What is paid or sent is the text itself, what a person approves is what they see: an input can
refuse the difference (`Annotated[str, VISIBLE, ONE_LINE]`), and a card marks it.
"""

import re
import unicodedata

from pydantic import AfterValidator

HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
EMOJI = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
# What makes one emoji of several, or chooses its look: nothing is hidden by it.
JOINERS = re.compile(
    f"(?<={EMOJI})(?:[\ufe0e\ufe0f]?\u200d(?={EMOJI})|[\ufe0e\ufe0f])|(?<=[0-9#*])\ufe0f(?=\u20e3)"
)
NAMED_AT_MOST = 3


def is_hidden(character: str) -> bool:
    """Is it a control, bidirectional, zero-width or unassigned character? Line break and tab
    are not."""
    if character in "\n\t":
        return False
    control = unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn")
    return control or HIDDEN.match(character) is not None


def without_joiners(text: str) -> str:
    """Without the zero-width characters inside emoji."""
    return JOINERS.sub("", text)


def code_point(character: str) -> str:
    """`U+202E`."""
    return f"U+{ord(character):04X}"


def visible(text: str) -> str:
    """The text; ValueError where a reader would not see all of it."""
    seen = without_joiners(text.replace("\r\n", "\n"))
    found = list(dict.fromkeys(each for each in seen if is_hidden(each)))
    if found:
        names = [f"{code_point(each)} {unicodedata.name(each, '')}".strip() for each in found]
        more = " and others" if len(names) > NAMED_AT_MOST else ""
        raise ValueError(
            f"has characters that are not seen ({', '.join(names[:NAMED_AT_MOST])}{more}); "
            "leave them out"
        )
    return text


def one_line(text: str) -> str:
    """The text; ValueError where it has several lines."""
    if set(text) & set("\r\n\t\u2028\u2029"):
        raise ValueError("has line breaks or tabs; write it in one line")
    return text


VISIBLE = AfterValidator(visible)
ONE_LINE = AfterValidator(one_line)
