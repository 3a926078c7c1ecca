"""What records keep in English, said in the language of the deployment: whole texts of ours, and
texts of ours with an error, a receipt or a key in them, which stay as they are."""

import re
from functools import cache

from bot import outcomes
from bot.approvals import CHANGED_NOTE
from bot.doubts import MOVED_ON, SAYS
from bot.inslack import RESTORED_NOTE
from bot.texts import PLACEHOLDER, t

WHOLE = frozenset(
    {
        CHANGED_NOTE,
        RESTORED_NOTE,
        MOVED_ON,
        *SAYS.values(),
        *outcomes.PLAIN,
        outcomes.CARRIED_OUT,
        outcomes.NOTHING_YET,
        outcomes.STOPPED,
        outcomes.ELSEWHERE,
    }
)
# The first that fits holds.
WITH_MORE = (
    outcomes.DOUBT_ASKED,
    outcomes.DONE_AND_FAILED,
    outcomes.IN_DOUBT_AND_FAILED,
    outcomes.IN_DOUBT,
    outcomes.FAILED,
    outcomes.CHANGED_SO,
    outcomes.NOT_EXECUTED,
    outcomes.CONFIRMED,
    outcomes.GAVE_UP,
    outcomes.STRANGE,
)


def said(text: str) -> str:
    """A text that is not one of ours is left alone."""
    if text in WHOLE:
        return t(text)
    for template in WITH_MORE:
        found = _pattern(template).fullmatch(text)
        if found:
            return t(template, **{name: said(part) for name, part in found.groupdict().items()})
    return text


def held(text: str) -> str:
    """Why a decision is on hold, and what was done on it."""
    reason, _, done = text.rpartition(". ")
    return t(outcomes.ON_HOLD, reason=said(reason), done=said(done)) if reason else said(text)


def answer(text: str) -> str:
    """Of a doubt, as its button says it; any other is a person's own words."""
    return t(text) if text in outcomes.ANSWERS.values() else text


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pieces = PLACEHOLDER.split(template)
    escaped = [f"(?P<{p}>.*)" if n % 2 else re.escape(p) for n, p in enumerate(pieces)]
    return re.compile("".join(escaped), re.DOTALL)
