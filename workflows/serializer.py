"""What the Redis saver stores comes back as what it was.

The saver's own serializer turns a Decimal into 0 and a datetime into text, and tells nobody
(tests/workflows/test_contracts.py). This one keeps the types that a workflow's state is made
of, refuses what it cannot keep, refuses data that would be read back as an object, and makes
only objects of classes that it was told of.
"""

import base64
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import json
import math
import pathlib
import uuid
import zoneinfo
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from langgraph.checkpoint.redis.jsonplus_redis import JsonPlusRedisSerializer
from langgraph.checkpoint.serde.jsonplus import (
    _is_safe_json_type,  # pyright: ignore[reportPrivateUsage] # what the parent would accept
)
from langgraph.types import Interrupt, Send
from pydantic import BaseModel, RootModel, TypeAdapter

ClassId = tuple[str, ...]

_PLAIN = (str, int, float, bool, type(None), dict, list)
_MARKED = (Interrupt, Send)  # and the parent's own snapshot type: LangGraph's, not a state's
_BYTES = "__bytes__"
_SCHEMA = "response_schema_json"
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
    collections.deque: lambda v: [list(v), v.maxlen],
    tuple: lambda v: [list(v)],
    bytearray: lambda v: [bytes(v)],
    pathlib.PurePosixPath: lambda v: [str(v)],
    pathlib.PosixPath: lambda v: [str(v)],
    ipaddress.IPv4Address: lambda v: [str(v)],
    ipaddress.IPv6Address: lambda v: [str(v)],
    ipaddress.IPv4Network: lambda v: [str(v)],
    ipaddress.IPv6Network: lambda v: [str(v)],
}


class UnstorableState(ValueError):
    """The graph's state holds something that would not come back as it was."""


def keeps(cls: type) -> bool:
    """Would a value of this class be stored, where its type is named in the state? Asked of what is
    written in an annotation, so that one which says nothing, or a base of others, passes."""
    own = issubclass(cls, BaseModel | enum.Enum) or dataclasses.is_dataclass(cls)
    try:
        plain = any(issubclass(each, cls) for each in (*_PLAIN, *_ARGUMENTS, bytes))
    except TypeError:  # a protocol, or another type that cannot be asked
        plain = True
    return own or plain or class_id(cls)[0] in ("langchain_core", "langgraph", "langchain")


def class_id(cls: type) -> ClassId:
    """The module path and the name of a class, as the stored envelope names it."""
    return (*cls.__module__.split("."), cls.__name__)


class TypedRedisSerializer(JsonPlusRedisSerializer):
    """types: the Enum, pydantic and dataclass types of the workflows' states."""

    def __init__(self, *types: type) -> None:
        self._types: dict[ClassId, type] = {}
        for cls in types:
            if self._types.setdefault(class_id(cls), cls) is not cls:
                raise ValueError(f"two classes are stored as {'.'.join(class_id(cls))}; rename one")
        self._built_in = {class_id(cls): cls for cls in (float, *_ARGUMENTS)}
        listed = [*self._types, *self._built_in]
        super().__init__(allowed_json_modules=listed, allowed_msgpack_modules=listed)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """As JSON, always: the parent would fall back to msgpack, whose way into Redis makes text
        of the keys of a dict."""
        if obj is None or type(obj) is bytes:
            return super().dumps_typed(obj)
        stored = self._preprocess_redis_json(obj)
        try:
            return "json", orjson.dumps(stored, default=self._default_handler)
        except TypeError as error:  # no text as key, no valid text, an int over 64 bits
            raise UnstorableState(f"the state cannot be stored: {error}") from None

    def _preprocess_redis_json(
        self, obj: Any, *, encode_bytes: Callable[[bytes], Any] | None = None
    ) -> Any:
        if type(obj) is bytes:
            return {_BYTES: base64.b64encode(obj).decode()}
        self._refuse(obj)
        if isinstance(obj, Interrupt) and obj.response_schema is not None:
            stored = super()._preprocess_redis_json(obj, encode_bytes=encode_bytes)
            return {**stored, _SCHEMA: json.dumps(_json_schema(obj.response_schema))}
        if _is_langchain(obj):
            return self._langchain(obj)
        envelope = self._envelope(obj)
        if envelope is None:
            return super()._preprocess_redis_json(obj, encode_bytes=encode_bytes)
        stored = {name: self._preprocess_redis_json(value) for name, value in envelope.items()}
        return {"lc": 2, "type": "constructor", "id": list(class_id(type(obj))), **stored}

    def _refuse(self, obj: Any) -> None:
        if type(obj) is float and not math.isfinite(obj):
            raise UnstorableState(f"{obj} cannot be stored; use None or a text")
        if isinstance(obj, dict) and is_reserved(obj):
            raise UnstorableState(f"a dict with the reserved keys {sorted(map(str, obj))}")
        if type(obj) in _PLAIN or type(obj) in _ARGUMENTS or isinstance(obj, _MARKED):
            return
        key = class_id(type(obj))
        if self._types.get(key) is type(obj) or _is_safe_json_type(list(key)):
            return
        if key[0] != "langgraph" and not _is_langchain(obj):  # its own markers: the parent's
            raise UnstorableState(
                f"{'.'.join(key)} is not registered: add the class to Workflow.state_types"
            )

    def _langchain(self, obj: Any) -> Any:
        """A message: its own envelope, with what it holds stored by these same rules."""
        told = obj.to_json()
        if not isinstance(told, dict) or told.get("type") != "constructor":
            raise UnstorableState(f"{'.'.join(class_id(type(obj)))} cannot be stored")
        return {**told, "kwargs": self._preprocess_redis_json(told.get("kwargs", {}))}

    def _envelope(self, obj: Any) -> dict[str, Any] | None:
        """What the value is rebuilt from; None where the parent knows better."""
        if type(obj) is float and not _is_read_exactly(obj):
            return {"args": [repr(obj)]}
        if type(obj) in _ARGUMENTS:
            folded = {"kwargs": {"fold": 1}} if getattr(obj, "fold", 0) else {}
            return {"args": _ARGUMENTS[type(obj)](obj), **folded}
        if isinstance(obj, enum.Enum):
            return {"args": [obj.value]}
        if isinstance(obj, BaseModel):
            stored = [_of_model(obj), obj.__pydantic_private__]
            return {"args": stored if _validates_to_itself(obj) else [*stored, True]}
        return None

    def revive(self, stored: Any) -> Any:
        """Parsed JSON -> the values. UnstorableState where a class is unknown."""
        return self._revive_if_needed(stored)

    def _revive_if_needed(self, obj: Any) -> Any:
        if isinstance(obj, dict) and len(obj) == 1 and _BYTES in obj:
            return base64.b64decode(obj[_BYTES])
        if isinstance(obj, dict) and obj.get("__interrupt__") is True and _SCHEMA in obj:
            asked = super()._revive_if_needed(obj)
            asked.response_schema = json.loads(obj[_SCHEMA])  # the parent leaves it out
            return asked
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
        kwargs = value.get("kwargs", {})
        if issubclass(cls, BaseModel):
            return _model(cls, *args)
        if dataclasses.is_dataclass(cls):
            return _dataclass(cls, kwargs)
        return cls(*args, **kwargs)


def _json_schema(schema: Any) -> Any:
    """As it is when it comes to us; a type, where it comes from the node itself."""
    return schema if isinstance(schema, dict) else TypeAdapter(schema).json_schema()


def _is_read_exactly(number: float) -> bool:
    """RedisJSON reads a number as its digits times a power of ten, rounded at each step: exact
    where both are exact as floats. Any other comes back changed in its last bit."""
    _, digits, exponent = decimal.Decimal(repr(number)).as_tuple()
    return len(digits) <= 15 and abs(int(exponent)) <= 22


def _is_langchain(obj: Any) -> bool:
    return hasattr(obj, "to_json") and not isinstance(obj, type)


def _of_model(obj: BaseModel) -> Any:
    if isinstance(obj, RootModel):
        return obj.root
    fields = {name: getattr(obj, name) for name in type(obj).model_fields}
    return {**fields, **(obj.model_extra or {})}


def _validates_to_itself(obj: BaseModel) -> bool:
    """Not so where a validator changes what it is given, such as Base64Bytes."""
    try:
        return _model(type(obj), _of_model(obj), obj.__pydantic_private__) == obj
    except ValueError:
        return False


def _model(
    cls: type[BaseModel],
    values: Any,
    private: Mapping[str, Any] | None = None,
    as_is: bool = False,
) -> Any:
    """By the names of the fields, under which they are stored, not by their aliases. as_is: not
    validated, since that would make something else of it."""
    if as_is:
        made = cls.__new__(cls)
        named = {"root": values} if issubclass(cls, RootModel) else dict(values)
        extra = {name: named.pop(name) for name in named.keys() - cls.model_fields.keys()}
        object.__setattr__(made, "__dict__", named)
        object.__setattr__(made, "__pydantic_fields_set__", set(named))
        object.__setattr__(made, "__pydantic_extra__", extra or None)
        object.__setattr__(made, "__pydantic_private__", dict(private) if private else None)
        return made
    made = cls.model_validate(values, by_alias=False, by_name=True)
    for name, value in (private or {}).items():
        setattr(made, name, value)
    return made


def _dataclass(cls: type, values: Mapping[str, Any]) -> Any:
    """Fields that `__init__` does not take are set behind it, also where it is frozen."""
    late = {each.name for each in dataclasses.fields(cls) if not each.init}
    made = cls(**{name: value for name, value in values.items() if name not in late})
    for name in late & values.keys():
        object.__setattr__(made, name, values[name])
    return made


def is_reserved(obj: Mapping[Any, Any]) -> bool:
    """Would it be read back as an object, not as the dict that it is?"""
    looks_built = obj.get("lc") in (1, 2) and "type" in obj
    is_flagged = any(obj.get(flag) is True for flag in _FLAGS)
    return looks_built or is_flagged or (len(obj) == 1 and _BYTES in obj)


def reserved_within(value: Any) -> Mapping[Any, Any] | None:
    """The first part of a JSON value that would be read back as an object."""
    parts = [value]
    for each in parts:
        if isinstance(each, Mapping):
            if is_reserved(each):
                return each
            parts += each.values()
        elif isinstance(each, list):
            parts += each
    return None


def _zone(value: dt.datetime | dt.time) -> dt.tzinfo | None:
    """The zone by name, or a fixed offset where it has no name that could be looked up."""
    if value.tzinfo is None or isinstance(value.tzinfo, zoneinfo.ZoneInfo):
        return value.tzinfo
    offset = value.utcoffset()
    return None if offset is None else dt.timezone(offset)
