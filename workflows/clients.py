"""The clients that people use, each seen at the method by which it sends: a connection that is
kept open makes the second call invisible to whoever watches connects."""

import contextlib
import functools
import http.client
import inspect
import smtplib
from collections.abc import Callable, Generator, Mapping
from typing import Any

import aiohttp
import aiosmtplib
import httpx
import redis
import redis.asyncio
from redis.asyncio.client import Pipeline as AsyncPipeline
from redis.client import Pipeline

from workflows import watching
from workflows.origin import replaced

READS = ("GET", "HEAD", "OPTIONS", "TRACE")
SAME_AGAIN = ("PUT", "DELETE")  # by HTTP's own definition
KEYS = ("idempotency-key", "x-idempotency-key", "paypal-request-id")
# Commands that leave something else behind when they come twice.
ADDS = ("INCR", "DECR", "APPEND", "PUBLISH", "SPUBLISH", "XADD")
ADDS_WITHIN = ("INCRBY", "PUSH", "POP", "PUSHX", "INCRBYFLOAT")


@contextlib.contextmanager
def seen() -> Generator[None, None, None]:
    """While this is on, what nodes send by these is noted."""
    with contextlib.ExitStack() as stack:
        for owner, method, note in _DOORS:
            stack.enter_context(replaced(owner, method, functools.partial(_noting, note=note)))
        yield


Given = tuple[Any, ...]
Named = Mapping[str, Any]
Note = Callable[[Given, Named], None]


def _noting(original: Callable[..., Any], *, note: Note) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def later(*args: Any, **options: Any) -> Any:
            note(args, options)
            return await original(*args, **options)

        return later

    @functools.wraps(original)
    def now(*args: Any, **options: Any) -> Any:
        note(args, options)
        return original(*args, **options)

    return now


def _http(method: str, url: str, headers: Mapping[str, str]) -> None:
    verb = method.upper()
    watch = watching.present()
    if watch is None or verb in READS:
        return
    given = next((headers[name] for name in KEYS if name in headers), "")
    bare = url.partition("?")[0]
    key = given or (f"{verb} {url}" if verb in SAME_AGAIN else "")
    watch.note("http", f"sent {verb} {bare}", key, named=bool(given))


def _httpx(args: Given, options: Named) -> None:
    request: httpx.Request = _argument(args, options, 1, "request")
    headers = {name.lower(): value for name, value in request.headers.items()}
    _http(request.method, str(request.url), headers)


def _aiohttp(args: Given, options: Named) -> None:
    headers: Any = {**args[0].headers, **dict(options.get("headers") or {})}
    method, url = _argument(args, options, 1, "method"), _argument(args, options, 2, "str_or_url")
    _http(method, str(url), {str(name).lower(): str(value) for name, value in headers.items()})


def _http_client(args: Given, _: Named) -> None:
    """urllib, requests and urllib3 all come by here."""
    connection: Any = args[0]
    if not connection._buffer:  # noqa: SLF001 - what is sent next stands nowhere else
        return
    request, *lines = [line.decode("latin-1") for line in connection._buffer]  # noqa: SLF001
    method, path = request.split(" ")[:2]
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    at = f"{connection.host}:{connection.port}"
    _http(method, path if "://" in path else f"{at}{path}", headers)


def _mail(args: Given, options: Named) -> None:
    watch = watching.present()
    if watch is not None:
        to: Any = _argument(args, options, 2, "to_addrs", "recipients")
        watch.note("mail", f"sent mail to {to if isinstance(to, str) else ', '.join(to)}")


def _redis(args: Given, _: Named) -> None:
    watch = watching.present()
    name = str(args[1]).upper() if args[1:] else ""
    if watch is not None and (name in ADDS or name.endswith(ADDS_WITHIN)):
        watch.note("redis", f"ran {' '.join(map(str, args[1:3]))}")


def _redis_pipeline(args: Given, options: Named) -> None:
    for command in args[0].command_stack:
        _redis((args[0], *command[0]), options)


def _argument(args: Given, options: Named, at: int, *names: str) -> Any:
    return args[at] if len(args) > at else next(options[name] for name in names if name in options)


_DOORS: tuple[tuple[type, str, Note], ...] = (
    (httpx.Client, "send", _httpx),
    (httpx.AsyncClient, "send", _httpx),
    (aiohttp.ClientSession, "_request", _aiohttp),
    (http.client.HTTPConnection, "endheaders", _http_client),
    (smtplib.SMTP, "sendmail", _mail),
    (aiosmtplib.SMTP, "sendmail", _mail),
    (redis.Redis, "execute_command", _redis),
    (redis.asyncio.Redis, "execute_command", _redis),
    (Pipeline, "execute", _redis_pipeline),
    (AsyncPipeline, "execute", _redis_pipeline),
)
