"""What the Redis saver stores comes back as what it was.

The saver's own serializer turns a Decimal into 0 and a datetime into text, and tells nobody
(tests/workflows/test_contracts.py). This one keeps the types that a workflow's state is made
of, refuses what it cannot keep, refuses data that would be read back as an object, and makes
only objects of classes that it was told of.
"""

import base64
import collections
import datetime as dt
import decimal
import enum
import ipaddress
import math
import pathlib
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.redis.jsonplus_redis import JsonPlusRedisSerializer
from langgraph.checkpoint.serde.jsonplus import (
    _is_safe_json_type,  # pyright: ignore[reportPrivateUsage] # what the parent would accept
)
from langgraph.types import Interrupt, Send
from pydantic import BaseModel

ClassId = tuple[str, ...]

_PLAIN = (str, int, float, bool, type(None), dict, list, tuple)
_MARKED = (Interrupt, Send)  # and the parent's own snapshot type: LangGraph's, not a state's
_BYTES = "__bytes__"
_FLAGS = ("__interrupt__", "__send__", "__delta_snapshot__")

# How the constructor arguments of each built-in type are read off a value.
_ARGUMENTS: dict[type, Callable[[Any], list[Any]]] = {
    decimal.Decimal: lambda v: [str(v)],
    dt.timedelta: lambda v: [v.days, v.seconds, v.microseconds],
    dt.date: lambda v: [v.year, v.month, v.day],
    dt.time: lambda v: [v.hour, v.minute, v.second, v.microsecond, _zone(v)],
    dt.datetime: lambda v: [*v.timetuple()[:6], v.microsecond, _zone(v)],
    dt.timezone: lambda v: [v.utcoffset(None)],
    zoneinfo.ZoneInfo: lambda v: [v.key],
    uuid.UUID: lambda v: [str(v)],
    set: lambda v: [sorted(v, key=repr)],
    frozenset: lambda v: [sorted(v, key=repr)],
    collections.deque: lambda v: [list(v)],
    pathlib.PurePosixPath: lambda v: [str(v)],
    pathlib.PosixPath: lambda v: [str(v)],
    ipaddress.IPv4Address: lambda v: [str(v)],
    ipaddress.IPv6Address: lambda v: [str(v)],
    ipaddress.IPv4Network: lambda v: [str(v)],
    ipaddress.IPv6Network: lambda v: [str(v)],
}


class UnstorableState(ValueError):
    """The graph's state holds something that would not come back as it was."""


def class_id(cls: type) -> ClassId:
    """The module path and the name of a class, as the stored envelope names it."""
    return (*cls.__module__.split("."), cls.__name__)


class TypedRedisSerializer(JsonPlusRedisSerializer):
    """types: the Enum, pydantic and dataclass types of the workflows' states."""

    def __init__(self, *types: type) -> None:
        self._types = {class_id(cls): cls for cls in types}
        self._built_in = {class_id(cls): cls for cls in _ARGUMENTS}
        listed = [*self._types, *self._built_in]
        super().__init__(allowed_json_modules=listed, allowed_msgpack_modules=listed)

    def _preprocess_redis_json(
        self, obj: Any, *, encode_bytes: Callable[[bytes], Any] | None = None
    ) -> Any:
        if isinstance(obj, bytes | bytearray):
            return {_BYTES: base64.b64encode(obj).decode()}
        self._refuse(obj)
        arguments = self._arguments(obj)
        if arguments is None:
            return super()._preprocess_redis_json(obj, encode_bytes=encode_bytes)
        stored = [self._preprocess_redis_json(a, encode_bytes=encode_bytes) for a in arguments]
        return {"lc": 2, "type": "constructor", "id": list(class_id(type(obj))), "args": stored}

    def _refuse(self, obj: Any) -> None:
        if type(obj) is float and not math.isfinite(obj):
            raise UnstorableState(f"{obj} cannot be stored; use None or a text")
        if isinstance(obj, dict) and _is_reserved(obj):
            raise UnstorableState(f"a dict with the reserved keys {sorted(map(str, obj))}")
        if type(obj) in _PLAIN or type(obj) in _ARGUMENTS or isinstance(obj, _MARKED):
            return
        key = class_id(type(obj))
        if key in self._types or _is_safe_json_type(list(key)) or hasattr(obj, "to_json"):
            return
        if key[0] != "langgraph":  # its own markers: the parent stores them
            raise UnstorableState(
                f"{'.'.join(key)} is not registered: add the class to Workflow.state_types"
            )

    def _arguments(self, obj: Any) -> list[Any] | None:
        """What the value is rebuilt from; None where the parent knows better."""
        if type(obj) in _ARGUMENTS:
            return _ARGUMENTS[type(obj)](obj)
        if isinstance(obj, enum.Enum):
            return [obj.value]
        if isinstance(obj, BaseModel) and not hasattr(obj, "to_json"):
            return [{name: getattr(obj, name) for name in type(obj).model_fields}]
        return None

    def revive(self, stored: Any) -> Any:
        """Parsed JSON -> the values. UnstorableState where a class is unknown."""
        return self._revive_if_needed(stored)

    def _revive_if_needed(self, obj: Any) -> Any:
        if isinstance(obj, dict) and len(obj) == 1 and _BYTES in obj:
            return base64.b64decode(obj[_BYTES])
        return super()._revive_if_needed(obj)

    def _constructor_class(self, obj: dict[str, Any]) -> type[Any]:
        key = tuple(obj.get("id", ()))
        if key in self._types:
            return self._types[key]
        if not _is_safe_json_type(list(key)):
            raise ValueError("not on the list of classes")
        return super()._constructor_class(obj)

    def _reviver(self, value: dict[str, Any]) -> Any:
        """Build a listed class; an error where it no longer fits, not a silent None."""
        key = tuple(value.get("id") or ())
        cls = self._built_in.get(key) or self._types.get(key)
        if cls is None or value.get("lc") != 2:
            if value.get("lc") == 2 and not _is_safe_json_type(list(key)):
                raise UnstorableState(f"{'.'.join(map(str, key))} is stored, but not registered")
            return super()._reviver(value)
        args = value.get("args", [])
        if issubclass(cls, BaseModel):
            return cls.model_validate(args[0] if args else value.get("kwargs", {}))
        return cls(*args, **value.get("kwargs", {}))


def _is_reserved(obj: dict[Any, Any]) -> bool:
    looks_built = obj.get("lc") in (1, 2) and "type" in obj
    is_flagged = any(obj.get(flag) is True for flag in _FLAGS)
    return looks_built or is_flagged or (len(obj) == 1 and _BYTES in obj)


def _zone(value: dt.datetime | dt.time) -> dt.tzinfo | None:
    """The zone by name, or a fixed offset where it has no name that could be looked up."""
    if value.tzinfo is None or isinstance(value.tzinfo, zoneinfo.ZoneInfo):
        return value.tzinfo
    offset = value.utcoffset()
    return None if offset is None else dt.timezone(offset)
