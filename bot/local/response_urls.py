"""response_url: five uses within half an hour, wherever the bot may or may not be a member."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from aiohttp import web

from bot.local.arguments import ApiError, json_object
from bot.local.content import Content, bot_fields, read_content
from bot.local.core import Core
from bot.local.faults import Faults
from bot.local.records import Json

USES = 5
SECONDS = 30 * 60


@dataclass
class Target:
    """Whom an answer goes to, and which message it may replace."""

    user: str
    channel: str
    message_ts: str | None = None
    is_ephemeral: bool = False
    issued: float = 0.0
    uses: int = 0


@dataclass
class ResponseUrls:
    core: Core
    faults: Faults
    answers: list[Json] = field(default_factory=list[Json])
    _targets: dict[str, Target] = field(default_factory=dict[str, Target])

    def issue(self, target: Target, kind: str = "actions") -> str:
        """A new address (`kind`: actions or commands, only for the eye)."""
        target.issued = self.core.workspace.clock()
        key = secrets.token_hex(12)
        self._targets[key] = target
        return f"{self.core.url}/response/{kind}/{self.core.workspace.team.id}/{key}"

    def target_of(self, url: str) -> Target:
        """What became of an address that was issued."""
        return self._targets[url.rsplit("/", 1)[-1]]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One POST of the bot to a response_url."""
        fault = self.faults.next_for("response_url")
        if fault is not None and fault.kind == "status":
            return web.Response(status=fault.status, text="upstream error")
        target = self._targets.get(request.match_info["key"])
        code = self._spent(target)
        if code or target is None:
            return web.json_response({"ok": False, "error": code}, status=404)
        try:
            body = json_object(await request.text())
            self.answer(target, body)
        except ApiError as error:
            return web.json_response({"ok": False, "error": error.code, **error.more}, status=400)
        target.uses += 1
        self.answers.append(body)
        return web.Response(text="ok")

    def _spent(self, target: Target | None) -> str:
        if target is None or self.core.workspace.clock() - target.issued > SECONDS:
            return "expired_url"
        return "used_url" if target.uses >= USES else ""

    def answer(self, target: Target, body: Json) -> None:
        """Carry out an answer: replace or delete the original, or write a new message."""
        for flag in ("replace_original", "delete_original"):
            if not isinstance(body.get(flag, False), bool):
                raise ApiError("invalid_arguments", f"must be a boolean [json-pointer:/{flag}]")
        if body.get("delete_original"):
            self._delete(target)
            return
        content = read_content(self.core, body)
        if content.is_empty:
            raise ApiError("no_text")
        if body.get("replace_original") and target.message_ts:
            self._replace(target, content)
        else:
            self._write(target, content, body)

    def _delete(self, target: Target) -> None:
        workspace = self.core.workspace
        if target.message_ts and target.is_ephemeral:
            workspace.forget_whisper(target.channel, target.user, target.message_ts)
        elif target.message_ts and workspace.find(target.channel, target.message_ts):
            workspace.remove(target.channel, target.message_ts)

    def _replace(self, target: Target, content: Content) -> None:
        workspace = self.core.workspace
        changes: Json = {"blocks": None, **content.as_message()}
        ts = target.message_ts or ""
        if target.is_ephemeral:
            workspace.change_whisper(target.channel, target.user, ts, changes)
        elif workspace.find(target.channel, ts) is None:
            raise ApiError("message_not_found")
        else:
            workspace.change(target.channel, ts, changes)

    def _write(self, target: Target, content: Content, body: Json) -> None:
        workspace = self.core.workspace
        message = {**bot_fields(self.core), **content.as_message()}
        if body.get("thread_ts"):
            message["thread_ts"] = body["thread_ts"]
        if body.get("response_type", "ephemeral") == "in_channel":
            workspace.post(target.channel, message)
        else:
            workspace.whisper(target.channel, target.user, message)
