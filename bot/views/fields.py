"""The labelled values of a request, in their order, as the elements of one rich_text block."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from urllib.parse import urlsplit

from bot.texts import t, tn
from bot.views import rich
from bot.views.rich import Element
from bot.views.room import Room
from bot.views.text import clean, cut, line, money
from workflows.fields import (
    CodeField,
    DateField,
    DiffField,
    MoneyField,
    RequestField,
    TextField,
    UrlField,
    UserField,
)


def field_elements(
    fields: Iterable[RequestField], names: Mapping[str, str], room: Room
) -> list[Element]:
    """names: of the users in the fields, by id; a field never notifies the one it names."""
    every = list(fields)
    shown = every[: room.fields]
    limit = room.of_each(len(every))
    elements = [element for each in shown for element in _drawn(each, names, limit)]
    left = len(every) - room.fields
    if left > 0:
        more = tn(
            "… and {n} more field that does not fit here",
            "… and {n} more fields that do not fit here",
            left,
        )
        elements.append(rich.paragraph(rich.text(more, italic=True)))
    return elements


def fields_fit(fields: Sequence[RequestField], room: Room) -> bool:
    """Does a card show every field, and each of them whole?"""
    limit = room.of_each(len(fields))
    return len(fields) <= room.fields and all(
        len(clean(text)) <= limit for _, text in map(full_text, fields)
    )


def full_text(field: RequestField) -> tuple[str, str]:
    """Label and value, as text and uncut."""
    match field:
        case MoneyField():
            value = money(field.amount_minor, field.currency)
        case DiffField():
            value = "\n".join(_marked("- ", field.before) + _marked("+ ", field.after))
        case _:
            value = str(field.value)
    return line(field.label, 75), value


def _drawn(field: RequestField, names: Mapping[str, str], limit: int) -> list[Element]:
    label = rich.text(f"{line(field.label, 75)}: ")
    match field:
        case CodeField():
            return [rich.paragraph(label), rich.preformatted(field.value, limit)]
        case DiffField():
            lines = _marked("- ", field.before) + _marked("+ ", field.after)
            return [rich.paragraph(label), rich.preformatted("\n".join(lines), limit)]
        case TextField() if "\n" in clean(field.value):  # else a line could pose as a field
            return [rich.paragraph(label), rich.quote(field.value, limit)]
        case _:
            return [rich.paragraph(label, _value(field, names, limit), rich.text("\n"))]


def _value(
    field: TextField | MoneyField | DateField | UserField | UrlField,
    names: Mapping[str, str],
    limit: int,
) -> Element:
    match field:
        case TextField():
            return rich.text(field.value, limit, bold=True)
        case MoneyField():
            return rich.text(money(field.amount_minor, field.currency), limit, bold=True)
        case UserField():
            name = line(names.get(field.value) or t("unknown"), 80)
            return rich.text(f"{name} ({field.value})", bold=True)
        case UrlField():
            return _link(field.value, limit)
        case DateField():
            return _date(field.value)


def _date(value: date | datetime) -> Element:
    """Slack draws moments from 1970 on."""
    if isinstance(value, datetime) and value.timestamp() >= 0:
        return rich.moment(value)
    return rich.text(value.isoformat(), bold=True)


def _link(url: str, limit: int) -> Element:
    """The whole address is the text: no link that says one thing and goes to another. What
    could deceive the eye stays text."""
    shown = cut(clean(url, lines=False), limit)
    if shown != url or not url.isascii() or not _plain_host(url):
        return rich.text(shown)
    return {"type": "link", "url": url, "text": shown}


def _plain_host(url: str) -> bool:
    """Does it have one, and is it the one that a reader takes it for?"""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # such as an IPv6 address that is none
        return False
    return bool(host) and "xn--" not in host and "@" not in parts.netloc and "\\" not in url


def _marked(mark: str, value: str | None) -> list[str]:
    return [] if value is None else [f"{mark}{each}" for each in clean(value).split("\n")]
