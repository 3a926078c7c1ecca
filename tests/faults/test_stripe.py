"""Killed and frozen at some of its calls, a refund by Stripe stands in Stripe's log once."""

from collections.abc import Generator

import pytest
from pydantic import SecretStr

from bot.local.torture.calls import Crash, How, Side
from bot.local.torture.crashes import Journey, Stand, run_once, torture
from bot.local.torture.world import Elsewhere
from tests.stripe_standin import KEY, StripeStandIn
from workflows.catalog import Workflow
from workflows.connectors.stripe_payments import StripePayments
from workflows.graphs.refund import refund

GIVEN = {"customer": "Acme GmbH", "amount": "120.50", "reason": "Late", "payment": "pi_3Acme"}
CALL = "effect refund:THREAD: its call #1"


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stand, None, None]:
    with Stand.open(tmp_path_factory.mktemp("stand")) as stand:
        yield stand


@pytest.fixture
def stripe() -> Generator[StripeStandIn, None, None]:
    with Elsewhere() as elsewhere:
        opened = StripeStandIn.open()
        server = elsewhere.do(opened.__aenter__())
        server.paid("pi_3Acme", 20_000)
        yield server
        elsewhere.do(opened.__aexit__(None, None, None))


def journey(stripe: StripeStandIn) -> Journey:
    def make() -> Workflow:
        stripe.reset()
        return refund(StripePayments(SecretStr(KEY), stripe.base))

    def tally() -> list[str]:
        return [f"{each['amount']} of {each['payment_intent']}" for each in stripe.made]

    return Journey("refund", make, GIVEN, tally=tally)


def test_a_killed_process_changes_nothing_at_stripe(stand: Stand, stripe: StripeStandIn) -> None:
    tortured = torture(stand, journey(stripe), slice(5, None, 97))

    assert tortured.deviations == []
    assert tortured.crashes > 0


@pytest.mark.parametrize("how", ["killed", "frozen"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_around_the_payment_itself(
    stand: Stand, stripe: StripeStandIn, side: Side, how: How
) -> None:
    """Frozen before the call, the process makes it when it wakes up: Stripe knows the key."""
    clean = run_once(stand, journey(stripe), None)
    ran = run_once(stand, journey(stripe), Crash(CALL, side, how))
    assert ran.struck
    assert [kind for kind, _ in ran.end.differs(clean.end)] in ([], ["calls"] * 2)
    assert len(stripe.made) == 1
