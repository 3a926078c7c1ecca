"""Refunds that Stripe pays: the whole deployment, and Stripe's API on loopback."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.stripe_standin import KEY, StripeStandIn
from workflows.catalog import InvalidInput

TITLE = "Refund $120.50 to Acme GmbH"
PAYMENT = "pi_3Acme"


@pytest.fixture
async def stripe() -> AsyncGenerator[StripeStandIn, None]:
    async with StripeStandIn.open() as stripe:
        stripe.paid(PAYMENT, 20_000)
        yield stripe


def settings(stripe: StripeStandIn) -> dict[str, Any]:
    return {"COUNTERSIGN_STRIPE_KEY": KEY, "COUNTERSIGN_STRIPE_API_BASE": stripe.base}


async def test_a_refund_is_paid_by_stripe_once(
    deployment: Deployment, stripe: StripeStandIn
) -> None:
    """However often it is clicked, and on whichever instance; its answer gets lost besides."""
    stripe.trouble.append("lost")
    given = settings(stripe)
    async with deployment.instance("one", **given), deployment.instance("two", **given):
        thread_id = await deployment.start(payment=PAYMENT)
        card = await deployment.card(TITLE)
        assert PAYMENT in card.words
        await asyncio.gather(*(click_as_drawn(deployment, "mara", card, "Approve") for _ in "1234"))
        await deployment.reads(card, "Refund done: $120.50, re_")
        await deployment.settled(thread_id)
    (made,) = stripe.made
    assert (made["amount"], made["payment_intent"]) == (12_050, PAYMENT)
    assert made["metadata"] == {"operation_id": f"refund:{thread_id}"}
    assert await deployment.payments.refunds() == []


async def test_never_more_than_the_payment(deployment: Deployment, stripe: StripeStandIn) -> None:
    """Stripe says no, the card says so, and it can be tried again."""
    stripe.paid(PAYMENT, 20_000, refunded=10_000)
    async with deployment.instance(**settings(stripe)):
        await deployment.start(payment=PAYMENT)
        card = await deployment.card(TITLE)
        await deployment.person("mara").click(card, "Approve")
        said = await deployment.reads(card, "Not executed: Stripe: Refund amount ($120.50)")
        assert "Retry" in said.buttons
    assert stripe.made == []


async def test_a_payment_must_be_named(deployment: Deployment, stripe: StripeStandIn) -> None:
    """Before anyone is asked: Stripe refunds payments, and not customers."""
    async with deployment.instance(**settings(stripe)) as bot:
        with pytest.raises(InvalidInput, match="payment: Field required"):
            await bot.starter.start_run(
                "refund", {"customer": "Acme", "amount": "1", "reason": "Late"}
            )
