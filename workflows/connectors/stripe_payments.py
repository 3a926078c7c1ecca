"""Paying money back by Stripe, through its own library: once for an operation.

Stripe forgets an idempotency key after a day or more. So the operation's id stands in the refund
itself, too, by which `find` knows it however much later it is asked.
"""

import contextlib
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import stripe
from aiohttp import ClientTimeout
from pydantic import SecretStr

from workflows.effects import EffectInDoubt, EffectRefused, Receipt
from workflows.money import format_money, from_minor, to_minor

STRIPE_API = "https://api.stripe.com"
TIMEOUT = 30.0  # seconds for one answer
OPERATION = "operation_id"  # in the metadata of what we refunded
# In how many decimals Stripe counts, which is not always what ISO 4217 says; else in two.
NO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF"),
    *("VND", "VUV", "XAF", "XOF", "XPF"),
)
THREE_DECIMALS = ("BHD", "JOD", "KWD", "OMR", "TND")
CAME_TO_NOTHING = ("failed", "canceled")
SUMMARIES = {
    "succeeded": "Refund done: {amount}",
    "pending": "Refund pending: {amount}; Stripe has taken it, and it is not paid yet",
    "requires_action": "Refund not paid yet: {amount}; Stripe waits for the customer",
}


@dataclass(frozen=True)
class StripePayments:
    """Refunds of payments (pi_…) and charges (ch_…, py_…) of one Stripe account.

    A call is not repeated in here: one that failed is an attempt of the run that failed, and the
    next one looks first. A client lives for one call, since a worker has more than one loop.
    """

    key: SecretStr
    api_base: str = STRIPE_API
    needs_payment: bool = True

    async def refund(
        self,
        key: str,
        *,
        customer: str,
        amount_minor: int,
        currency: str,
        payment: str | None = None,
    ) -> Receipt:
        """Pay back once for `key`; the provider knows the customer by the payment."""
        if payment is None:
            raise EffectRefused(f"Stripe refunds a payment, and that of {customer} is not named")
        amount = to_stripe(amount_minor, currency)
        with _in_our_words(key, payment):
            async with self._client() as client:
                paid_in = await _currency_of(client, payment)
                if paid_in != currency:  # it would be paid back in that one, whatever was shown
                    raise EffectRefused(f"The payment {payment} is in {paid_in}, not {currency}")
                wanted: Any = {**_of(payment), "amount": amount, "metadata": {OPERATION: key}}
                made = await client.v1.refunds.create_async(wanted, {"idempotency_key": key})
        if made.status in CAME_TO_NOTHING:
            why = getattr(made, "failure_reason", None) or "Stripe gives no reason"
            raise EffectRefused(f"Stripe could not pay the refund {made.id}: {why}")
        return _receipt(made)

    async def find(self, key: str, *, payment: str | None = None) -> Receipt | None:
        """One that came to nothing is none: it may be tried again."""
        if payment is None:
            return None
        async with self._client() as client:
            wanted: Any = {**_of(payment), "limit": 100}
            try:
                found = await client.v1.refunds.list_async(wanted)
            except stripe.InvalidRequestError as refused:
                if refused.code == "resource_missing":  # no payment, and so no refund of it
                    return None
                raise
            async for each in found.auto_paging_iter():
                known = each.metadata.to_dict() if each.metadata else {}
                if known.get(OPERATION) == key and each.status not in CAME_TO_NOTHING:
                    return _receipt(each)
        return None

    @property
    def told(self) -> str:
        """Money moves in live mode only."""
        live = "_live_" in self.key.get_secret_value()
        return f"paid by Stripe, in {'live' if live else 'test'} mode"

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncGenerator[stripe.StripeClient, None]:
        http = stripe.AIOHTTPClient(timeout=ClientTimeout(total=TIMEOUT))
        try:
            yield stripe.StripeClient(
                self.key.get_secret_value(),
                base_addresses={"api": self.api_base},
                max_network_retries=0,
                http_client=http,
            )
        finally:
            await http.close_async()


def to_stripe(amount_minor: int, currency: str) -> int:
    """Our minor units as Stripe counts them: 100 Icelandic krónur are 10000 there."""
    exact = from_minor(amount_minor, currency).scaleb(_decimals(currency))
    if exact != int(exact) or (currency in THREE_DECIMALS and int(exact) % 10):
        raise EffectRefused(f"Stripe cannot pay {format_money(amount_minor, currency)} exactly")
    return int(exact)


def _decimals(currency: str) -> int:
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def _receipt(refund: stripe.Refund) -> Receipt:
    """Says what was paid, and what was not yet."""
    currency = refund.currency.upper()
    exact = Decimal(refund.amount).scaleb(-_decimals(currency))
    amount = format_money(to_minor(exact, currency), currency)
    status = refund.status or "pending"
    summary = SUMMARIES.get(status, f"Refund {status}: {{amount}}").format(amount=amount)
    return Receipt(id=refund.id, summary=summary, data={"status": status})


def _of(payment: str) -> dict[str, str]:
    return {"payment_intent" if payment.startswith("pi_") else "charge": payment}


async def _currency_of(client: stripe.StripeClient, payment: str) -> str:
    if payment.startswith("pi_"):
        return (await client.v1.payment_intents.retrieve_async(payment)).currency.upper()
    return (await client.v1.charges.retrieve_async(payment)).currency.upper()


@contextlib.contextmanager
def _in_our_words(key: str, payment: str) -> Generator[None, None, None]:
    """What Stripe certainly did not do, in its own words for people; what it may have done. All
    else (busy, away, its own trouble) is an attempt that failed, and goes by as it is."""
    try:
        yield
    except (stripe.CardError, stripe.InvalidRequestError) as refused:
        raise EffectRefused(f"Stripe: {refused.user_message}") from None
    except (stripe.AuthenticationError, stripe.PermissionError) as refused:
        raise EffectRefused(f"Stripe refuses our API key: {refused.user_message}") from None
    except stripe.IdempotencyError:
        raise EffectInDoubt(
            f"Stripe has had {key} before, with other terms, and called nothing now: look at the "
            f"refunds of {payment} there"
        ) from None
