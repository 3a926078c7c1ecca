"""Checks of JSON, put together from small ones: each says what is wrong and where.

A `Check` takes a value and its `Place`; it reports and never raises. The words are Slack's own
where they are known: `must be less than 3001 characters [json-pointer:/blocks/0/text/text]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.local.records import Json


@dataclass(frozen=True)
class Place:
    """Where a value stands, and the list that problems are reported to."""

    pointer: str
    problems: list[str]
    surface: str = "message"

    def at(self, key: str | int) -> Place:
        return Place(f"{self.pointer}/{key}", self.problems, self.surface)

    def refuse(self, words: str) -> None:
        self.problems.append(f"{words} [json-pointer:{self.pointer}]")


Check = Callable[[Any, Place], None]


def string(most: int | None = None, least: int = 1, pattern: str | None = None) -> Check:
    """A string of so many characters; `pattern` has to match all of it."""

    def check(value: Any, place: Place) -> None:
        if not isinstance(value, str):
            place.refuse("must be a string")
        elif len(value) < least:
            place.refuse(f"must be more than {least - 1} characters")
        elif most is not None and len(value) > most:
            place.refuse(f"must be less than {most + 1} characters")
        elif pattern is not None and re.fullmatch(pattern, value) is None:
            place.refuse(f"does not match the pattern {pattern}")

    return check


def boolean(value: Any, place: Place) -> None:
    if not isinstance(value, bool):
        place.refuse("must be a boolean")


def integer(least: int, most: int) -> Check:
    def check(value: Any, place: Place) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            place.refuse("must be an integer")
        elif not least <= value <= most:
            place.refuse(f"must be between {least} and {most}")

    return check


def number_words(value: Any, place: Place) -> None:
    """A number as number_input takes it: in a string."""
    if not isinstance(value, str) or re.fullmatch(r"-?\d+(\.\d+)?", value) is None:
        place.refuse("must be a string that holds a number")


def choice(*allowed: str) -> Check:
    def check(value: Any, place: Place) -> None:
        if value not in allowed:
            place.refuse(f"must be one of: {', '.join(allowed)}")

    return check


def url(value: Any, place: Place) -> None:
    """An absolute http(s) address of at most 3,000 characters."""
    before = len(place.problems)
    string(3000)(value, place)
    if len(place.problems) > before:
        return
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https", "mailto", "slack") and not re.search(r"\s", value)
    except ValueError:
        place.refuse("must be a valid URL")
        return
    if not valid or (parts.scheme in ("http", "https") and not parts.hostname):
        place.refuse("must be a valid URL")


def listing(item: Check, most: int | None = None, least: int = 1) -> Check:
    def check(value: Any, place: Place) -> None:
        if not isinstance(value, list):
            place.refuse("must be an array")
            return
        items: list[Any] = value
        if len(items) < least:
            place.refuse(f"no fewer than {least} items allowed")
        elif most is not None and len(items) > most:
            place.refuse(f"no more than {most} items allowed")
        for index, one in enumerate(items):
            item(one, place.at(index))

    return check


def anything(_value: Any, _place: Place) -> None:
    """No rule of its own."""


def record(required: dict[str, Check], optional: dict[str, Check], *more: Check) -> Check:
    """An object with these fields and no others; `more` look at the whole once it has its shape."""
    known = {**required, **optional}

    def check(value: Any, place: Place) -> None:
        if not isinstance(value, dict):
            place.refuse("must provide an object")
            return
        fields: Json = value
        before = len(place.problems)
        for key in required:
            if fields.get(key) is None:
                place.refuse(f"missing required field: {key}")
        _check_fields(fields, known, place)
        if len(place.problems) == before:
            for whole in more:
                whole(fields, place)

    return check


def _check_fields(fields: Json, known: dict[str, Check], place: Place) -> None:
    for key, value in fields.items():
        if key not in known:
            place.refuse(f"invalid additional property: {key}")
        elif value is not None:
            known[key](value, place.at(key))


def by_type(kinds: dict[str, Check], what: str = "type") -> Check:
    """An object that its `type` decides about; other types are refused."""

    def check(value: Any, place: Place) -> None:
        if not isinstance(value, dict):
            place.refuse("must provide an object")
            return
        fields: Json = value
        kind = fields.get("type")
        if kind is None:
            place.refuse("missing required field: type")
        elif not isinstance(kind, str) or kind not in kinds:
            place.at("type").refuse(f"unsupported {what}: {kind}")
        else:
            kinds[kind](fields, place)

    return check
