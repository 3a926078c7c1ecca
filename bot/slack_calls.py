"""How Slack's Web API is called, and what its errors mean: try again, or don't."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

T = TypeVar("T")

log = logging.getLogger(__name__)

PAGE = 200  # of what Slack gives in pages
PASSING = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
PAUSES = (0.5, 2.0, 5.0)  # seconds before something is insisted on again
LIMITED = frozenset({"rate_limited", "ratelimited"})


class SlackUnavailable(Exception):
    """No answer, or one that will pass: what was sent may have arrived. Try again, after
    `retry_after` seconds where Slack says so. limited: too many calls; this one certainly did
    nothing."""

    def __init__(self, what: str, retry_after: float = 0.0, *, limited: bool = False) -> None:
        super().__init__(what)
        self.retry_after = retry_after
        self.limited = limited


class SlackRefused(Exception):
    """Slack said no, and will until someone changes something. code: Slack's own error."""

    def __init__(self, code: str, needed: str = "") -> None:
        super().__init__(f"{code} (needs {needed})" if needed else code)
        self.code = code


def slack_client(token: str, api_url: str) -> AsyncWebClient:
    """A client that tries nothing again on its own: a message could come twice, and a task that
    sleeps on a 429 keeps others from their work. The record knows when the next try is due."""
    return AsyncWebClient(token, base_url=api_url, timeout=15, retry_handlers=[])


async def call(request: Awaitable[Any]) -> Any:
    try:
        return await request
    except SlackApiError as error:
        # aiohttp's own response where the body is broken JSON
        status = getattr(error.response, "status_code", 0)
        data = getattr(error.response, "data", None)
        if not isinstance(data, dict) or not data.get("error"):  # a proxy's words, not Slack's
            what, wait = f"http_{status}", _retry_after(error)
            raise SlackUnavailable(what, wait, limited=status == 429) from None
        code = str(data["error"])
        if code in PASSING or status == 429 or status >= 500:
            limited = status == 429 or code in LIMITED
            raise SlackUnavailable(code, _retry_after(error), limited=limited) from None
        raise SlackRefused(code, str(data.get("needed") or "")) from None
    except AttributeError:  # the SDK's own, over an answer that is no JSON object
        raise SlackUnavailable("no JSON object") from None
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise SlackUnavailable(type(error).__name__) from None


async def insist(on: Callable[[], Awaitable[None]]) -> None:
    """For what no record knows of, so that nobody does it later: tried again here and now where
    Slack does not answer, and let go where it refuses, or goes on not answering."""
    for pause in PAUSES:
        try:
            return await on()
        except SlackRefused as refused:
            log.warning("what was said late cannot be taken back: %s", refused)
            return None
        except SlackUnavailable as error:
            log.info("what was said late is not taken back yet: %s", error)
            await asyncio.sleep(max(pause, error.retry_after))
    log.warning("what was said late stands in Slack: it did not answer")
    return None


def given(answer: Any, key: str, kind: type[T]) -> T:
    """SlackUnavailable where the answer does not have it: something else answered."""
    value = answer.get(key)
    if not isinstance(value, kind) or value == "":
        raise SlackUnavailable(f"no {key} in the answer")
    return value


def _retry_after(error: SlackApiError) -> float:
    """Seconds, as the header says; 0 where it says nothing that can be read."""
    headers: dict[str, str] = getattr(error.response, "headers", None) or {}
    told = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return float(told) if told.isdecimal() else 0.0
