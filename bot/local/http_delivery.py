"""Delivery over HTTP: signed requests to the app's request URL, as Slack sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.local.records import Json
from bot.local.sockets import Ack, Kind

FORM = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: str) -> str:
    """`v0=` and the HMAC-SHA256 of `v0:timestamp:body`."""
    base = f"v0:{timestamp}:{body}".encode()
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpDelivery:
    """Posts to `request_url`. `skew` shifts the timestamp: for tests of replayed requests."""

    def __init__(self, request_url: str, signing_secret: str, ack_seconds: float) -> None:
        self._url = request_url
        self.secret = signing_secret
        self._ack_seconds = ack_seconds
        self._session: aiohttp.ClientSession | None = None
        self.skew = 0.0
        self.statuses: list[int] = []

    async def send(self, kind: Kind, payload: Json, *, answerable: bool) -> Ack:
        """One request; an event that fails is sent once more, a click or a command never."""
        ack = await self._post(*_encoded(kind, payload), {})
        if kind == "events_api" and not ack.ok:
            reason = "http_timeout" if ack.error == "operation_timeout" else "http_error"
            headers = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": reason}
            ack = await self._post(*_encoded(kind, payload), headers)
        return ack if answerable or not ack.ok else Ack()

    async def verify(self) -> bool:
        """Slack's check of a new request URL: whether it gives the challenge back."""
        challenge = secrets.token_hex(16)
        body = json.dumps({"type": "url_verification", "challenge": challenge, "token": "local"})
        ack = await self._post("application/json", body, {})
        return ack.ok and ack.body.get("challenge", ack.body.get("text")) == challenge

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, content_type: str, body: str, more: dict[str, str]) -> Ack:
        timestamp = str(int(time.time() + self.skew))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.secret, timestamp, body),
            **more,
        }
        self._session = self._session or aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=self._ack_seconds)
        try:
            async with self._session.post(
                self._url, data=body.encode(), headers=headers, timeout=timeout
            ) as response:
                self.statuses.append(response.status)
                text = await response.text()
                if response.status != 200:
                    return Ack("dispatch_failed")
                return Ack(body=_answer(response.content_type, text))
        except TimeoutError:
            return Ack("operation_timeout")
        except aiohttp.ClientError:
            return Ack("dispatch_failed")


def _encoded(kind: Kind, payload: Json) -> tuple[str, str]:
    if kind == "events_api":
        return "application/json", json.dumps(payload)
    if kind == "slash_commands":
        return FORM, urlencode(payload)
    return FORM, urlencode({"payload": json.dumps(payload)})


def _answer(content_type: str, text: str) -> Json:
    if not text:
        return {}
    if content_type == "application/json":
        value: Any = json.loads(text)
        return value if isinstance(value, dict) else {}
    return {"text": text}
