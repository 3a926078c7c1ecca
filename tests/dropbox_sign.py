"""Dropbox Sign on loopback, as strict as its documentation: authentication, required and unknown
fields, limits of metadata, error bodies, rate limit headers, and a search that is a little behind.

By developers.hellosign.com: signature_request/send and /list, "Using Search on List Endpoints",
"Warnings and Errors"; and the OpenAPI description of hellosign/hellosign-openapi.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

KEY = "key-hunter2"
PER_MINUTE = 25
FIELDS = re.compile(
    r"title|subject|message|test_mode|files\[\d+\]|metadata\[[^\]]*\]|"
    r"signers\[\d+\]\[(?:name|email_address|order|pin)\]|cc_email_addresses\[\d+\]|client_id"
)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
METADATA_AT_MOST, NAME_AT_MOST, VALUE_AT_MOST = 10, 40, 1000
Form = dict[str, Any]


class Refused(Exception):
    def __init__(self, status: int, name: str, message: str, path: str = "") -> None:
        super().__init__(message)
        at = {"error_path": path} if path else {}
        self.status = status
        self.body = {"error": {"error_msg": message, "error_name": name, **at}}


@dataclass
class Behaviour:
    """fails: with this answer, as often as `times`. lost: it takes the request, and hangs up;
    before: hangs up without taking it. behind: so many searches do not find what is new; unlisted:
    so many lists neither."""

    fails: Refused | web.Response | None = None
    lost: bool = False
    before: bool = False
    times: int = 1
    behind: int = 0
    unlisted: int = 0


@dataclass
class DropboxSignServer:
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    behaviour: Behaviour = field(default_factory=Behaviour)
    calls: list[str] = field(default_factory=list[str])
    url: str = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/v3/signature_request/send", self._answered(self._send))
        application.router.add_get("/v3/signature_request/list", self._answered(self._list))
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v3/"
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def _answered(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            self.calls.append(f"{request.method} {request.path}")
            try:
                _authorize(request)
                response = await handler(request)
            except Refused as refused:
                response = web.json_response(refused.body, status=refused.status)
            if response.status != 401:  # they are counted behind the door
                response.headers["X-Ratelimit-Limit"] = str(PER_MINUTE)
                response.headers["X-Ratelimit-Limit-Remaining"] = "0"
                response.headers["X-Ratelimit-Reset"] = "1772357460"
            return response

        return answer

    async def _send(self, request: web.Request) -> web.Response:
        if request.content_type != "multipart/form-data":
            raise Refused(400, "bad_request", "Send files as multipart/form-data")
        form: Form = dict(await request.post())
        if self._now(self.behaviour.before):
            return _hang_up(request)
        if self.behaviour.fails and self._now(True):
            fails = self.behaviour.fails
            if isinstance(fails, Refused):
                raise fails
            return fails
        sent = _checked(form)
        sent["signature_request_id"] = hashlib.sha1(str(len(self.requests)).encode()).hexdigest()  # noqa: S324
        sent["details_url"] = f"https://app.hellosign.com/home/manage?guid={len(self.requests)}"
        self.requests.append(sent)
        if self._now(self.behaviour.lost):
            return _hang_up(request)
        return web.json_response({"signature_request": _told(sent)})

    async def _list(self, request: web.Request) -> web.Response:
        size, page = (int(request.query.get(name, "1")) for name in ("page_size", "page"))
        if not 1 <= size <= 100 or page < 1:
            raise Refused(400, "bad_request", "page_size must be between 1 and 100", "page_size")
        newest = [*reversed(self.requests)]
        query = request.query.get("query")
        if query is not None:
            found = self._searched(newest, query)
        else:
            found = [] if self._late("unlisted") else newest
        listed = found[(page - 1) * size : page * size]
        info = {"page": page, "num_results": len(found), "page_size": size}
        requests = [_told(each) for each in listed]
        return web.json_response({"list_info": info, "signature_requests": requests})

    def _searched(self, requests: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
        """`metadata:word`; their search splits on punctuation, so a word is all that is sure."""
        word = re.fullmatch(r"metadata:([A-Za-z0-9]+)", query)
        if word is None:
            raise Refused(400, "bad_request", f"Invalid query: {query}", "query")
        if self._late("behind"):
            return []
        return [each for each in requests if word[1] in each["metadata"].values()]

    def _late(self, what: str) -> bool:
        left: int = getattr(self.behaviour, what)
        setattr(self.behaviour, what, max(0, left - 1))
        return left > 0

    def _now(self, is_meant: bool) -> bool:
        if not is_meant or self.behaviour.times <= 0:
            return False
        self.behaviour.times -= 1
        return True


def _authorize(request: web.Request) -> None:
    """The API key as the user name of Basic authentication, with an empty password."""
    expected = base64.b64encode(f"{KEY}:".encode()).decode()
    if request.headers.get("Authorization") != f"Basic {expected}":
        raise Refused(401, "unauthorized", "Unauthorized api key")


def _checked(form: Form) -> dict[str, Any]:
    unknown = [name for name in form if not FIELDS.fullmatch(name)]
    if unknown:
        raise Refused(400, "bad_request", f"Unknown parameter: {unknown[0]}", unknown[0])
    files = {name: value for name, value in form.items() if name.startswith("files[")}
    if not files:
        raise Refused(400, "bad_request", "Must specify files or file_urls", "files")
    if form.get("test_mode", "0") not in ("0", "1"):
        raise Refused(400, "bad_request", "test_mode must be 0 or 1", "test_mode")
    return {
        "title": form.get("title", ""),
        "subject": form.get("subject", ""),
        "message": form.get("message", ""),
        "test_mode": form.get("test_mode") == "1",
        "metadata": _metadata(form),
        "signers": _signers(form),
        "files": {each.filename: each.file.read() for each in files.values()},
    }


def _signers(form: Form) -> list[tuple[str, str]]:
    numbers = {int(found[1]) for name in form if (found := re.match(r"signers\[(\d+)\]", name))}
    if not numbers or numbers != set(range(len(numbers))):
        raise Refused(400, "bad_request", "Must specify at least one signer", "signers")
    signers: list[tuple[str, str]] = []
    for number in sorted(numbers):
        name, email = (form.get(f"signers[{number}][{each}]") for each in ("name", "email_address"))
        if not name or not email or not EMAIL.fullmatch(email):
            where = f"signers[{number}][email_address]"
            raise Refused(400, "invalid_recipient", "Invalid signer", where)
        signers.append((name, email))
    return signers


def _metadata(form: Form) -> dict[str, str]:
    found = {
        name.removeprefix("metadata[").removesuffix("]"): value
        for name, value in form.items()
        if name.startswith("metadata[")
    }
    too_long = [
        name
        for name, value in found.items()
        if len(name) > NAME_AT_MOST or len(value) > VALUE_AT_MOST
    ]
    if len(found) > METADATA_AT_MOST or too_long:
        raise Refused(400, "bad_request", "Invalid metadata", "metadata")
    return found


def _told(sent: dict[str, Any]) -> dict[str, Any]:
    """As the API shows it."""
    names = ("signature_request_id", "title", "subject", "message", "test_mode", "metadata")
    signatures = [
        {"signer_name": name, "signer_email_address": email, "status_code": "awaiting_signature"}
        for name, email in sent["signers"]
    ]
    shown = {name: sent[name] for name in (*names, "details_url")}
    return {**shown, "signatures": signatures, "is_complete": False, "has_error": False}


def _hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()  # type: ignore[attr-defined]
    return web.Response()
