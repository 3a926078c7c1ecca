"""Stripe by its own library: one refund an operation, no other amount, and its words for people."""

import logging
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import stripe
from pydantic import SecretStr

from tests.stripe_standin import KEY, StripeStandIn, Trouble
from workflows.connectors.stripe_payments import StripePayments, to_stripe
from workflows.effects import EffectInDoubt, EffectRefused, Receipt
from workflows.money import format_money

PAYMENT = "pi_3Acme"


@pytest.fixture
async def server() -> AsyncGenerator[StripeStandIn, None]:
    async with StripeStandIn.open() as server:
        server.paid(PAYMENT, 20_000)
        server.paid("ch_3Acme", 20_000, "eur")
        yield server


@pytest.fixture
def payments(server: StripeStandIn) -> StripePayments:
    return StripePayments(SecretStr(KEY), server.base)


async def pay(payments: StripePayments, key: str = "refund:a", **changed: Any) -> Receipt:
    wanted: dict[str, Any] = {"customer": "Acme", "amount_minor": 12_050, "currency": "USD"}
    wanted |= {"payment": PAYMENT, **changed}
    return await payments.refund(key, **wanted)


async def test_a_refund_is_made_and_knows_its_operation(
    payments: StripePayments, server: StripeStandIn
) -> None:
    receipt = await pay(payments)

    (made,) = server.made
    assert (made["payment_intent"], made["amount"]) == (PAYMENT, 12_050)
    assert made["metadata"] == {"operation_id": "refund:a"}
    assert receipt == Receipt(
        id=made["id"], summary="Refund done: $120.50", data={"status": "succeeded"}
    )


async def test_a_charge_is_refunded_too(payments: StripePayments, server: StripeStandIn) -> None:
    await pay(payments, payment="ch_3Acme", currency="EUR")

    assert [each["charge"] for each in server.made] == ["ch_3Acme"]


async def test_the_same_key_is_the_same_refund(
    payments: StripePayments, server: StripeStandIn
) -> None:
    first, again = await pay(payments), await pay(payments)

    assert again == first
    assert len(server.made) == 1


async def test_it_is_found_by_its_operation_when_the_key_is_forgotten(
    payments: StripePayments, server: StripeStandIn
) -> None:
    assert await payments.find("refund:a", payment=PAYMENT) is None
    receipt = await pay(payments, amount_minor=100)
    for number in range(101):  # more than a page of others
        await pay(payments, f"refund:{number}", amount_minor=1)
    server.forget_keys()

    assert await payments.find("refund:a", payment=PAYMENT) == receipt
    assert await payments.find("refund:b", payment=PAYMENT) is None
    assert await payments.find("refund:a", payment="pi_of_nobody") is None
    assert await payments.find("refund:a") is None


@pytest.mark.parametrize(
    ("minor", "currency", "counted"),
    [
        (12_050, "USD", 12_050),
        (1_200, "JPY", 1_200),
        (100, "ISK", 10_000),  # these have none, and Stripe counts hundredths all the same
        (100, "UGX", 10_000),
        (100, "RSD", 10_000),
        (1_230, "KWD", 1_230),
        (10**15 + 1, "EUR", 10**15 + 1),
    ],
)
async def test_amounts_are_counted_as_stripe_does(
    payments: StripePayments, server: StripeStandIn, minor: int, currency: str, counted: int
) -> None:
    assert to_stripe(minor, currency) == counted
    server.paid("pi_x", counted, currency.lower())
    receipt = await pay(payments, payment="pi_x", amount_minor=minor, currency=currency)
    assert receipt.summary == f"Refund done: {format_money(minor, currency)}"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"amount_minor": 20_001}, r"Stripe: Refund amount \(\$200.01\) is greater than unrefunded"),
    ({"amount_minor": 0}, "Stripe: This value must be greater than or equal to 1"),
    ({"payment": "pi_of_nobody"}, "Stripe: No such payment_intent: 'pi_of_nobody'"),
    ({"payment": "ch_of_nobody"}, "Stripe: No such charge: 'ch_of_nobody'"),
    ({"payment": None}, "Stripe refunds a payment, and that of Acme is not named"),
    ({"currency": "EUR"}, "The payment pi_3Acme is in USD, not EUR"),
    ({"currency": "KWD", "amount_minor": 1_234}, "Stripe cannot pay KWD.*1.234 exactly"),
    ({"payment": "pi_gone"}, "Stripe: Charge pi_gone has already been refunded"),
    ({"payment": "pi_lost"}, "Stripe: The card was reported lost"),
    ({"payment": "pi_failed"}, "could not pay the refund re_[0-9]+: lost_or_stolen_card"),
]


@pytest.mark.parametrize(("changed", "words"), REFUSED)
async def test_what_stripe_does_not_do_is_refused_in_its_words(
    payments: StripePayments, server: StripeStandIn, changed: dict[str, Any], words: str
) -> None:
    server.paid("pi_gone", 20_000, refunded=20_000)
    server.paid("pi_lost", 20_000, declines=("lost_card", "The card was reported lost."))
    server.paid("pi_failed", 20_000, status="failed")
    with pytest.raises(EffectRefused, match=words):
        await pay(payments, **changed)
    paid = [each for each in server.made if each["status"] != "failed"]
    assert paid == []
    assert await payments.find("refund:a", payment=changed.get("payment", PAYMENT)) is None


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sk_test_another", r"Stripe refuses our API key: Invalid API Key provided: sk_test_\*"),
        ("rk_test_narrow", "Stripe refuses our API key: The provided key does not have the req"),
    ],
)
async def test_a_key_that_is_not_taken_says_so(server: StripeStandIn, key: str, words: str) -> None:
    with pytest.raises(EffectRefused, match=words):
        await pay(StripePayments(SecretStr(key), server.base))
    assert server.made == []


@pytest.mark.parametrize("trouble", ["lost", "away", "500", "429", "409"])
async def test_what_may_have_happened_is_an_attempt_that_failed_and_is_paid_once(
    payments: StripePayments, server: StripeStandIn, trouble: Trouble
) -> None:
    """As the ledger goes on: it looks, and where it finds none it calls again with the key."""
    server.trouble.append(trouble)
    with pytest.raises(stripe.StripeError) as failed:
        await pay(payments)
    assert not isinstance(failed.value, stripe.InvalidRequestError | stripe.CardError)
    found = await payments.find("refund:a", payment=PAYMENT)
    assert (found is not None) == (trouble == "lost")
    if trouble == "500":  # Stripe gives that answer for a day
        with pytest.raises(stripe.APIError, match="An unknown error"):
            await pay(payments)
        server.forget_keys()
    again = await pay(payments)
    assert found in (again, None)
    assert len(server.made) == 1


async def test_a_key_that_had_other_terms_is_in_doubt(
    payments: StripePayments, server: StripeStandIn
) -> None:
    await pay(payments)
    with pytest.raises(EffectInDoubt, match=r"refund:a before, with other terms.*pi_3Acme there"):
        await pay(payments, amount_minor=99)
    assert len(server.made) == 1


@pytest.mark.parametrize(
    ("status", "summary"),
    [
        ("pending", "Refund pending: $120.50; Stripe has taken it, and it is not paid yet"),
        ("requires_action", "Refund not paid yet: $120.50; Stripe waits for the customer"),
        ("newly_made", "Refund newly_made: $120.50"),
    ],
)
async def test_what_is_not_paid_yet_does_not_say_done(
    payments: StripePayments, server: StripeStandIn, status: str, summary: str
) -> None:
    server.paid("pi_slow", 20_000, status=status)
    receipt = await pay(payments, payment="pi_slow")
    assert receipt.summary == summary
    assert await payments.find("refund:a", payment="pi_slow") == receipt


async def test_the_key_is_in_no_log_and_no_repr(
    payments: StripePayments, server: StripeStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await pay(payments)
        server.trouble.append("500")
        with pytest.raises(stripe.APIError) as failed:
            await pay(payments, "refund:b")
    assert KEY not in f"{payments!r} {caplog.text} {failed.value!r} {payments.told}"
    assert payments.told == "paid by Stripe, in test mode"
    assert StripePayments(SecretStr("rk_live_1")).told == "paid by Stripe, in live mode"


FORM = {"payment_intent": PAYMENT, "amount": "1"}
TOO_LONG = {"Idempotency-Key": "k" * 256}


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"data": FORM, "headers": {}}, 401, "did not provide an API key"),
        ({"json": FORM}, 400, "x-www-form-urlencoded"),
        ({"data": {**FORM, "customer_name": "Acme"}}, 400, "unknown parameter: customer_name"),
        ({"data": {**FORM, "charge": "ch_3Acme"}}, 400, "One of the following params"),
        ({"data": {**FORM, "amount": "1.5"}}, 400, "Invalid integer: 1.5"),
        ({"data": {**FORM, "metadata[a]": "x" * 501}}, 400, "up to 500 characters"),
        ({"data": FORM, "headers": TOO_LONG}, 400, "at most 255"),
        ({"data": {"payment_intent": "ch_3Acme"}}, 400, "No such payment_intent: 'ch_3Acme'"),
    ],
)
async def test_the_stand_in_is_as_strict_as_stripe(
    server: StripeStandIn, request_: dict[str, Any], status: int, words: str
) -> None:
    given = request_.pop("headers", {"Idempotency-Key": "k"})
    headers = {"Authorization": f"Bearer {KEY}", **given} if given else {}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{server.base}/v1/refunds", headers=headers, **request_)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
    assert server.made == []


async def test_the_stand_in_says_that_it_answers_again(server: StripeStandIn) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}
    async with httpx.AsyncClient(headers=headers) as client:
        answers = [await client.post(f"{server.base}/v1/refunds", data=FORM) for _ in range(2)]
    assert [a.headers.get("Idempotent-Replayed") for a in answers] == [None, "true"]
    assert answers[0].json() == answers[1].json()
