"""The story of a thread as a person reads it: a line for each event, with what was shown."""

from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError
from rich.console import Group, RenderableType
from rich.text import Text

from bot.audit import AuditEvent, Tag
from bot.folding import ASKS
from bot.views.card import short
from bot.views.fields import full_text
from bot.views.text import clean, in_utc
from bot.views.trail import people_in, reply
from workflows.protocol import ApprovalRequest

WIDTH = 22  # of a time


def story(events: Sequence[AuditEvent]) -> RenderableType:
    names = names_in(events)
    return Group(*(Text("\n".join(_lines(event, names))) for event in events))


def sentence(event: AuditEvent, names: dict[str, str]) -> str:
    """What happened, in words, also where Slack's thread does not tell it."""
    if event.tag in _UNTOLD:
        return clean(_UNTOLD[event.tag](event, names), lines=False)
    told = reply(event, names)
    return _unescaped(told.text) if told else str(event.tag)


def names_in(events: Iterable[AuditEvent]) -> dict[str, str]:
    """By user id, as they were called when it happened; whoever is only named, by id."""
    names: dict[str, str] = {}
    for event in events:
        names = {str(user): str(user) for user in people_in(event) if user} | names
        if event.actor and event.actor.user and event.actor.name:
            names[event.actor.user] = f"{event.actor.name} ({event.actor.user})"
    return names


def _lines(event: AuditEvent, names: dict[str, str]) -> Iterator[str]:
    head = f"{in_utc(event.at):<{WIDTH}} #{event.seq:<3} {short(event.hash)}  "
    yield head + sentence(event, names)
    yield from (f"{' ' * len(head)}{line}" for line in _shown(event))


def _shown(event: AuditEvent) -> Iterator[str]:
    """All that was asked; and an edit, before and after."""
    if event.tag in ASKS:
        yield from _request(event.detail.get("request"))
    values, before = event.detail.get("values"), event.detail.get("before")
    for key, value in values.items() if isinstance(values, dict) else ():
        was = before.get(key) if isinstance(before, dict) else None
        yield clean(f"{key}: {was!r} → {value!r}" if was != value else f"{key}: {value!r}")


def _request(stored: object) -> Iterator[str]:
    try:
        request = ApprovalRequest.model_validate(stored)
    except ValidationError:
        yield "(what was asked cannot be read by this version)"
        return
    yield clean(request.title, lines=False)
    texts = [*map(full_text, request.fields), ("", request.summary), ("", request.details)]
    for label, value in texts:
        if value:
            lines = clean(value).splitlines()
            yield f"{label}: {lines[0]}" if label else lines[0]
            yield from (f"  {line}" for line in lines[1:])


def _shown_where(event: AuditEvent, _names: dict[str, str]) -> str:
    detail = event.detail
    by = f" by {detail['instance']}" if detail.get("instance") else ""
    return f"Shown in {detail.get('channel')}, message {detail.get('ts')}{by}"


def _viewed(event: AuditEvent, names: dict[str, str]) -> str:
    user = event.actor.user if event.actor else None
    return f"Looked at by {names.get(user) if user else 'someone'}"


def _refused(event: AuditEvent, names: dict[str, str]) -> str:
    user = event.actor.user if event.actor else None
    said = ", ".join(f"{key}: {value}" for key, value in sorted(event.detail.items()) if value)
    return f"Refused {names.get(user) if user else 'someone'}: {said}"


_UNTOLD = {Tag.SHOWN: _shown_where, Tag.VIEWED: _viewed, Tag.REFUSED: _refused}


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
