"""What someone looks for among all that waits: the words after `/approvals`, and what fits them."""

import difflib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from bot.approvals import Approval
from bot.texts import t
from workflows.hidden import is_hidden

FILTERS = ("mine", "all", "requested", "overdue")
WORKFLOW = "workflow:"
TEXT_AT_MOST = 100
QUOTE = ('"', "'")
OVERDUE_AFTER = timedelta(days=1)  # where the request names no time of its own


class BadQuery(Exception):
    """It was not understood; the message says what is, and gives an example."""


class Query(BaseModel):
    """first: what waits for the reader, then all else. requested: by the reader. text: in titles,
    thread ids and names of workflows, never in what a request shows below its title."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: Literal["first", "mine", "all"] = "first"
    requested: bool = False
    overdue: bool = False
    workflow: str = ""
    text: str = ""

    @classmethod
    def read(cls, words: list[str], workflows: Collection[str]) -> Self:
        """words: as they were typed, a text still in its quotes."""
        found = cls()
        for word in words:
            found = found.model_copy(update=_meant(word, workflows, found))
        return found

    def fits(self, approval: Approval, reader: str, now: datetime) -> bool:
        """Whoever decides it; that is asked for apart."""
        return (
            (not self.requested or approval.requester == reader)
            and (not self.overdue or overdue(approval, now))
            and self.workflow in ("", approval.workflow)
            and self._says(approval)
        )

    def _says(self, approval: Approval) -> bool:
        wanted = self.text.casefold()
        known = (approval.request.title, approval.thread_id, approval.workflow)
        return any(wanted in each.casefold() for each in known)

    @property
    def words(self) -> str:
        """As one would type it."""
        scope = [] if self.scope == "first" else [self.scope]
        flags = [name for name in ("requested", "overdue") if getattr(self, name)]
        workflow = [f"{WORKFLOW}{self.workflow}"] if self.workflow else []
        return " ".join([*scope, *flags, *workflow, *([f'"{self.text}"'] if self.text else [])])


class Place(BaseModel):
    """Where a page begins: after this one, or before it where it goes back. Told by what it has
    itself and not by its number, which others change. part: of the list: with `first`, 0 are the
    reader's, among those asked up to `edge`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float
    id: str
    part: int = 0
    back: bool = False
    edge: float | None = None


class Turn(BaseModel):
    """What a button carries that turns the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: Query = Query()
    place: Place | None = None


def overdue(approval: Approval, now: datetime) -> bool:
    """Past its deadline, or past the time after which someone is to be reminded."""
    since = approval.reopened_at or approval.requested_at
    patience = approval.request.remind_after or OVERDUE_AFTER
    return approval.past_deadline(now) or since + patience <= now


def nearest(word: str, known: Collection[str]) -> str:
    """The one that was meant, probably; "" where none is like it."""
    return next(iter(difflib.get_close_matches(word.lower(), known, 1, 0.6)), "")


def _meant(word: str, workflows: Collection[str], before: Query) -> dict[str, object]:
    if word[0] in QUOTE:
        seen = "".join(each for each in word.strip("\"'") if not is_hidden(each))
        text = " ".join(seen.split())
        if not text or len(text) > TEXT_AT_MOST:
            raise BadQuery(t("A text to look for has 1 to {count} characters.", count=TEXT_AT_MOST))
        if before.text:
            raise BadQuery(t('Look for one text at a time, such as "Acme GmbH".'))
        return {"text": text}
    if word.lower().startswith(WORKFLOW):
        return {"workflow": _workflow(word[len(WORKFLOW) :], workflows)}
    match word.lower():
        case "mine" | "all" as scope:
            return {"scope": scope}
        case "requested" | "overdue" as flag:
            return {flag: True}
        case _:
            raise BadQuery(_unknown(word, workflows))


def _workflow(name: str, workflows: Collection[str]) -> str:
    if name in workflows:
        return name
    there = nearest(name, workflows) or next(iter(sorted(workflows)), "refund")
    raise BadQuery(
        t(
            "There is no workflow {name}. Try {command}.",
            name=repr(name),
            command=f"{WORKFLOW}{there}",
        )
    )


def _unknown(word: str, workflows: Collection[str]) -> str:
    if word in workflows:
        return t("To see one workflow, type {command}.", command=f"{WORKFLOW}{word}")
    meant = nearest(word, FILTERS)
    if not meant:
        return t(
            'There is no {typed} to list by. To look for a text, quote it: "{word}".',
            typed=repr(word),
            word=word,
        )
    return t(
        "There is no {typed} to list by. Did you mean {meant}? To look for a text, quote it: "
        '"{word}".',
        typed=repr(word),
        meant=meant,
        word=word,
    )
