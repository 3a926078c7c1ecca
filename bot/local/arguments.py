"""Reading a Web API request: the token and the arguments, in every encoding that Slack takes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from bot.local.method_tables import Method, Type
from bot.local.records import Json


class ApiError(Exception):
    """A refusal by the Web API: the code, what else stands in the answer, the HTTP status."""

    def __init__(self, code: str, *problems: str, status: int = 200, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers: dict[str, str] = {}
        self.more: Json = dict(more)
        if problems:
            self.more["response_metadata"] = {"messages": [f"[ERROR] {p}" for p in problems]}


def invalid_arguments(*problems: str) -> ApiError:
    return ApiError("invalid_arguments", *problems)


def read_arguments(query: dict[str, str], content_type: str, body: bytes) -> Json:
    """The arguments of a call as sent; those in the body win over those in the query."""
    arguments: Json = dict(query)
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if not body:
        return arguments
    if kind == "application/json":
        return arguments | json_object(body)
    if kind in ("application/x-www-form-urlencoded", ""):
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise ApiError("invalid_form_data") from error
        return arguments | dict(parse_qsl(text, keep_blank_values=True))
    raise ApiError("invalid_post_type")


def json_object(body: bytes | str) -> Json:
    try:
        value: Any = json.loads(body)
    except ValueError as error:
        raise ApiError("invalid_json") from error
    if not isinstance(value, dict):
        raise ApiError("json_not_object")
    fields: Json = value
    return fields


def checked_arguments(method: Method, sent: Json) -> Json:
    """The known arguments with their types; unknown ones are left out, as Slack ignores them."""
    missing = [name for name in method.required if sent.get(name) in (None, "")]
    if missing:
        raise invalid_arguments(*(f"missing required field: {name}" for name in missing))
    known = (*method.required, *method.optional)
    return {
        name: _typed(name, method.type_of(name), sent[name])
        for name in known
        if sent.get(name) is not None
    }


def _typed(name: str, kind: Type, value: Any) -> Any:
    if kind == "json":
        return value
    if kind == "boolean":
        return _boolean(name, value)
    if kind == "number":
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise invalid_arguments(f"must be a number [json-pointer:/{name}]") from error
    if not isinstance(value, str):
        raise invalid_arguments(f"must provide a string [json-pointer:/{name}]")
    return value


def _boolean(name: str, value: Any) -> bool:
    words = str(value).lower()
    if words in ("1", "true"):
        return True
    if words in ("0", "false", ""):
        return False
    raise invalid_arguments(f"must be a boolean [json-pointer:/{name}]")


def json_argument(value: Any, code: str) -> Any:
    """A JSON argument that came as such or as a string; what cannot be read gives `code`."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ApiError(code) from error
