"""The input of a run as people give it: `field=value`, or JSON as text, from a file or a pipe.

Of two values for one field none is taken silently: which of them was meant, nobody can tell.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.texts import t


class BadInput(Exception):
    """It cannot be read; the message says what to change."""


def given_input(as_json: str | None, fields: Iterable[str]) -> dict[str, Any]:
    """What JSON and field=value say together. as_json: the text, or @FILE, or - for standard
    input."""
    named = field_values(fields)
    values = _read(as_json) if as_json is not None else {}
    twice = sorted(set(values) & set(named))
    if twice:
        raise BadInput(f"{', '.join(twice)}: given in --input and as field=value; give it once")
    return {**values, **named}


def field_values(typed: Iterable[str]) -> dict[str, str]:
    """`field=value` each."""
    pairs = [each.partition("=") for each in typed]
    for name, equals, value in pairs:
        if not (name and equals):
            typed_ = repr(name + equals + value)
            raise BadInput(t("{typed}: write each value as field=value", typed=typed_))
    return _each_once([(name, value) for name, _, value in pairs])


def _read(as_json: str) -> dict[str, Any]:
    try:
        values = json.loads(_text(as_json), object_pairs_hook=_each_once)
    except (OSError, ValueError) as error:
        raise BadInput(f"--input: {error}") from None
    if not isinstance(values, dict):
        raise BadInput('--input: give a JSON object, such as {"amount": "12.50"}')
    return values


def _text(as_json: str) -> str:
    if as_json == "@":
        raise BadInput("--input: @ is followed by the name of a file, such as @refund.json")
    if as_json.startswith("@"):
        return Path(as_json[1:]).read_text(encoding="utf-8")
    text = sys.stdin.read() if as_json == "-" else as_json
    if not text.strip():
        empty = "nothing came on standard input" if as_json == "-" else "is empty"
        raise BadInput(f"--input: {empty}; give a JSON object, or leave --input out")
    return text


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise BadInput(t("{name}: given more than once; give each field once", name=name))
        values[name] = value
    return values
