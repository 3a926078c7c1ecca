"""Stripe's API on loopback, as strict as its documentation: payments that can be refunded, and a
log of the refunds that were made.

From docs.stripe.com: form encoding; a key in each request; errors with type, code, param and
message; the first answer under an idempotency key is saved once the endpoint has begun, 500s too,
and given again with `Idempotent-Replayed`; the same key with other parameters is an
`idempotency_error`, and while the first is on its way a 409.
"""

import asyncio
import contextlib
import itertools
import json
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web

KEY = "sk_test_51Countersign"
ALLOWED = (
    *("amount", "charge", "payment_intent", "reason", "refund_application_fee", "expand"),
    *("reverse_transfer", "currency", "customer", "origin", "instructions_email"),
)
METADATA = re.compile(r"metadata\[([^\[\]]{1,40})\]")
# What happens to the next refunds, in order. lost: it is made, and its answer is lost; away: it
# does not arrive.
Trouble = Literal["lost", "away", "500", "429", "409", "ok"]
Json = dict[str, Any]


class Refused(Exception):
    """An error as Stripe answers it."""

    def __init__(self, status: int, type_: str, message: str, **more: str) -> None:
        self.status = status
        self.body: Json = {"error": {"type": type_, "message": message, **more}}


def invalid(message: str, status: int = 400, **more: Any) -> Refused:
    return Refused(status, "invalid_request_error", message, **more)


@dataclass
class Payment:
    """amount, refunded: as Stripe counts. declines: code and message with which its refunds are
    refused. status: of its refunds."""

    id: str
    amount: int
    currency: str
    refunded: int = 0
    declines: tuple[str, str] | None = None
    status: str = "succeeded"


@dataclass
class StripeStandIn:
    """made: the refunds, oldest first. trouble: what the next refunds meet."""

    payments: dict[str, Payment] = field(default_factory=dict[str, Payment])
    made: list[Json] = field(default_factory=list[Json])
    calls: list[str] = field(default_factory=list[str])
    trouble: deque[Trouble] = field(default_factory=deque[Trouble])
    base: str = ""
    _answers: dict[str, tuple[Json, int, Json]] = field(default_factory=dict[str, Any])
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncGenerator[Self, None]:
        stripe = cls()
        application = web.Application()
        for kind in ("payment_intents", "charges"):
            application.router.add_get(f"/v1/{kind}/{{id}}", stripe._answering(stripe._payment))
        application.router.add_get("/v1/refunds", stripe._answering(stripe._list))
        application.router.add_post("/v1/refunds", stripe._answering(stripe._create))
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            stripe.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield stripe
        finally:
            await runner.cleanup()

    def paid(self, payment: str, amount: int, currency: str = "usd", **more: Any) -> Payment:
        """Someone has paid this."""
        self.payments[payment] = Payment(payment, amount, currency, **more)
        return self.payments[payment]

    def reset(self) -> None:
        """As it was before anything was refunded."""
        for payment in self.payments.values():
            payment.refunded = 0
        self.made.clear()
        self.forget_keys()

    def forget_keys(self) -> None:
        """A day or more has passed."""
        self._answers.clear()

    def _answering(self, handle: "Callable[[web.Request], Any]") -> Any:
        async def answered(request: web.Request) -> web.StreamResponse:
            self.calls.append(f"{request.method} {request.path}")
            headers = {"Request-Id": f"req_{next(self._numbers):08}"}
            try:
                _authenticate(request)
                body, replayed = await handle(request)
            except Refused as refused:
                return web.json_response(refused.body, status=refused.status, headers=headers)
            status, content = body if isinstance(body, tuple) else (200, body)
            headers |= {"Idempotent-Replayed": "true"} if replayed else {}
            return web.json_response(content, status=status, headers=headers)

        return answered

    async def _payment(self, request: web.Request) -> tuple[Json, bool]:
        kind = {"payment_intents": "payment_intent", "charges": "charge"}[
            request.path.split("/")[2]
        ]
        payment = self._known(kind, request.match_info["id"], 404)
        more = {"status": "succeeded", "livemode": False, "amount": payment.amount}
        return {"id": payment.id, "object": kind, "currency": payment.currency, **more}, False

    async def _list(self, request: web.Request) -> tuple[Json, bool]:
        asked = dict(request.query)
        unknown = set(asked) - {"payment_intent", "charge", "limit", "starting_after", "created"}
        if unknown:
            name = unknown.pop()
            raise invalid(f"Received unknown parameter: {name}", code="parameter_unknown")
        limit = int(asked.get("limit", "10"))
        if not 1 <= limit <= 100:
            raise invalid("This value must be between 1 and 100.", param="limit")
        found = list(reversed(self.made))
        for kind in ("payment_intent", "charge"):
            if kind in asked:
                self._known(kind, asked[kind], 404)
                found = [each for each in found if each[kind] == asked[kind]]
        ids = [each["id"] for each in found]
        start = ids.index(asked["starting_after"]) + 1 if "starting_after" in asked else 0
        page = found[start : start + limit]
        more = len(found) > start + limit
        return {"object": "list", "url": "/v1/refunds", "has_more": more, "data": page}, False

    async def _create(self, request: web.Request) -> tuple[Any, bool]:
        if request.content_type != "application/x-www-form-urlencoded":
            raise invalid("Invalid request: bodies are application/x-www-form-urlencoded")
        given = {name: str(value) for name, value in (await request.post()).items()}
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 255:
            raise invalid("Idempotency keys are at most 255 characters long.")
        trouble = self.trouble.popleft() if self.trouble else "ok"
        self._stop_before(request, trouble)
        if key in self._answers:
            return self._replayed(key, given)
        answer = self._begin(given, trouble)
        if key:
            self._answers[key] = (given, *answer)
        if trouble == "lost":
            _hang_up(request)
        return answer, False

    def _stop_before(self, request: web.Request, trouble: Trouble) -> None:
        """What does not get as far as the endpoint."""
        if trouble == "away":
            _hang_up(request)
        if trouble == "429":
            raise Refused(429, "invalid_request_error", "Too many requests", code="rate_limit")
        if trouble == "409":
            raise _in_use()

    def _replayed(self, key: str, given: Json) -> tuple[Any, bool]:
        before, status, body = self._answers[key]
        if before != given:
            raise Refused(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
            )
        return (status, body), True

    def _begin(self, given: Json, trouble: Trouble) -> tuple[int, Json]:
        """Checked, then executed: from there on the answer is saved, whatever it is."""
        payment, kind, amount, metadata = self._read(given)
        if trouble == "500":
            return 500, {"error": {"type": "api_error", "message": "An unknown error occurred"}}
        try:
            return 200, self._refund(payment, kind, amount, metadata)
        except Refused as refused:
            return refused.status, refused.body

    def _read(self, given: Json) -> tuple[Payment, str, int | None, Json]:
        metadata = {m[1]: value for name, value in given.items() if (m := METADATA.fullmatch(name))}
        unknown = [n for n in given if n not in ALLOWED and not METADATA.fullmatch(n)]
        if unknown:
            raise invalid(f"Received unknown parameter: {unknown[0]}", code="parameter_unknown")
        if len(metadata) > 50 or any(len(value) > 500 for value in metadata.values()):
            raise invalid("Metadata values can have up to 500 characters", param="metadata")
        kinds = [kind for kind in ("charge", "payment_intent") if kind in given]
        if len(kinds) != 1:
            raise invalid("One of the following params should be provided: payment_intent, charge.")
        amount = given.get("amount")
        if amount is not None and not re.fullmatch(r"-?\d+", amount):
            message = f"Invalid integer: {amount}"
            raise invalid(message, code="parameter_invalid_integer", param="amount")
        if amount is not None and int(amount) < 1:
            message = "This value must be greater than or equal to 1."
            raise invalid(message, code="parameter_invalid_integer", param="amount")
        payment = self._known(kinds[0], given[kinds[0]], 400)
        return payment, kinds[0], None if amount is None else int(amount), metadata

    def _refund(self, payment: Payment, kind: str, amount: int | None, metadata: Json) -> Json:
        left = payment.amount - payment.refunded
        if payment.declines:
            code, message = payment.declines
            raise Refused(402, "card_error", message, code=code)
        if left == 0:
            message = f"Charge {payment.id} has already been refunded."
            raise invalid(message, code="charge_already_refunded")
        if amount is not None and amount > left:
            raise invalid(
                f"Refund amount ({_money(amount)}) is greater than unrefunded amount on charge "
                f"({_money(left)})",
                param="amount",
            )
        refund: Json = {
            "id": f"re_{next(self._numbers):024}",
            "object": "refund",
            "amount": left if amount is None else amount,
            "currency": payment.currency,
            "metadata": metadata,
            "payment_intent": None,
            "charge": None,
            kind: payment.id,
            "status": payment.status,
        }
        if payment.status == "failed":
            refund["failure_reason"] = "lost_or_stolen_card"
        else:
            payment.refunded += refund["amount"]
        self.made.append(refund)
        return json.loads(json.dumps(refund))

    def _known(self, kind: str, id_: str, status: int) -> Payment:
        right = id_.startswith("pi_") == (kind == "payment_intent")
        if id_ not in self.payments or not right:
            message = f"No such {kind}: '{id_}'"
            raise invalid(message, status, code="resource_missing", param=kind)
        return self.payments[id_]


def _authenticate(request: web.Request) -> None:
    given = request.headers.get("Authorization", "")
    if not given.startswith("Bearer "):
        raise invalid("You did not provide an API key.", 401)
    key = given.removeprefix("Bearer ")
    if key.startswith("rk_test_narrow"):
        message = "The provided key does not have the required permissions for this endpoint"
        raise invalid(message, 403, code="more_permissions_required")
    if key != KEY:
        raise invalid(f"Invalid API Key provided: {key[:8]}*****{key[-4:]}", 401)


def _in_use() -> Refused:
    message = "There is currently another in-progress request using this Stripe idempotency key"
    return Refused(409, "idempotency_error", message, code="idempotency_key_in_use")


def _hang_up(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.close()
    raise asyncio.CancelledError


def _money(amount: int) -> str:
    return f"${amount / 100:,.2f}"
