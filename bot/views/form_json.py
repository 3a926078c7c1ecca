"""Fields of JSON: what has no input of its own in Slack, typed as it is written.

What is not seen is written as an escape, so such a value can be read and changed. What the store
would read back as an object, and not as the data that was typed, is refused.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import JsonValue

from bot.texts import later, t
from bot.views.form_fields import FormField, Values
from bot.views.form_inputs import Entered, Kind, Wrong, can_be_typed, same_lines, text_input, typed
from bot.views.text import Block
from workflows.hidden import is_hidden
from workflows.serializer import is_reserved

DEPTH_AT_MOST = 50
TOO_DEEP = later("is nested too deeply")
TOO_LARGE = later("has a number that is too large")
RESERVED = frozenset({"__bytes__", "__interrupt__", "__send__", "__delta_snapshot__"})


def as_json(value: JsonValue, *, indent: int | None = None) -> str:
    """Readable, and nothing in it unseen."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    unseen = {ord(each): json.dumps(each)[1:-1] for each in set(text) if is_hidden(each)}
    return text.translate(unseen)


def from_json(text: str) -> JsonValue:
    """Raises Wrong, in words for the one who typed it."""
    try:
        value = json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)
    except Wrong:
        raise
    except json.JSONDecodeError as error:
        words = t(
            "is not JSON: {why} (line {line}, character {character})",
            why=_spelled(error.msg),  # Python's own
            line=error.lineno,
            character=error.colno,
        )
        raise Wrong(words) from None
    except RecursionError:
        raise Wrong(t(TOO_DEEP)) from None
    except ValueError:  # more digits than Python reads
        raise Wrong(t(TOO_LARGE)) from None
    _refuse(value, 1)
    return value


def _refuse(value: Any, depth: int) -> None:
    if depth > DEPTH_AT_MOST:
        raise Wrong(t(TOO_DEEP))
    if isinstance(value, str):
        typed(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Wrong(t(TOO_LARGE))
    elif isinstance(value, dict):
        _refuse_markers(cast("dict[str, Any]", value))
        for name, each in cast("dict[str, Any]", value).items():
            typed(name)
            _refuse(each, depth + 1)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            _refuse(each, depth + 1)


def _refuse_markers(held: Mapping[str, Any]) -> None:
    if is_reserved(held) or RESERVED & held.keys():
        keys = ", ".join(sorted(held)[:5])
        raise Wrong(
            t("has an object with the keys {keys}, which are reserved; rename one", keys=keys)
        )


def _each_once(pairs: Iterable[tuple[str, Any]]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Wrong(t("has {name} more than once in an object", name=json.dumps(name)))
        found[name] = value
    return found


def _no_constant(name: str) -> None:
    raise Wrong(t("has {name}, which is no JSON", name=name))


def _spelled(message: str) -> str:
    return message[:1].lower() + message[1:]


def _json(_: FormField, value: JsonValue, __: Values) -> Block | None:
    if value is None:
        return text_input(None, multiline=True)
    text = as_json(value, indent=2)
    return text_input(text, multiline=True) if can_be_typed(text) else None


def _read_json(_: FormField, entered: Entered, __: Values) -> JsonValue:
    return from_json(typed(entered))


JSON = Kind(_json, _read_json, same_lines)
