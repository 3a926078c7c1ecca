"""An edit takes no request over the limit of a tier that it was below, however the author of the
workflow describes the amount."""

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from bot.approvals import Approval
from bot.raised import raises
from tests.bot.samples import JONAS, MARA, approval, request
from workflows.fields import MoneyField
from workflows.hints import money, money_in
from workflows.policy import Policy, Tier
from workflows.protocol import Editable

POLICY = Policy(
    approvers=(MARA, JONAS),
    tiers=(Tier(field="Amount", over=Decimal(1000), currency="USD", quorum=2),),
)
SHOWN = MoneyField(label="Amount", amount_minor=50_000, currency="USD")


class Hinted(BaseModel):
    amount: Annotated[int, money("USD")] = 50_000


class OtherName(BaseModel):
    sum: Annotated[int, money("USD")] = 50_000


class InCurrency(BaseModel):
    currency: str = "USD"
    sum: Annotated[int, money_in("currency")] = 50_000


class Minor(BaseModel):
    cents: Annotated[int, Field(title="Amount")] = 50_000


class Major(BaseModel):
    amount: str = "500.00"


class Other(BaseModel):
    days: int = 5
    fee: Annotated[int, money("USD")] = 100


def asked(values: BaseModel, policy: Policy = POLICY) -> Approval:
    changes: dict[str, Any] = {"allowed_decisions": ("approve", "edit")}
    of = request(fields=(SHOWN,), editable=Editable.of(values), **changes)
    return approval(of, policy=policy.for_request(of.fields))


@pytest.mark.parametrize(
    ("model", "below", "over"),
    [
        (Hinted(), {"amount": 100_000}, {"amount": 100_001}),
        (Hinted(), {"amount": -100_000}, {"amount": -100_001}),
        (OtherName(), {"sum": 1}, {"sum": 100_001}),
        (InCurrency(), {"currency": "USD", "sum": 1}, {"currency": "EUR", "sum": 50_000}),
        (Minor(), {"cents": 100_000}, {"cents": 100_001}),
        (Major(), {"amount": "1000.00"}, {"amount": "1000.01"}),
        (Major(), {"amount": "1E3"}, {"amount": "a lot"}),
        (Major(), {"amount": "0"}, {"amount": "NaN"}),
        (Hinted(), {"amount": 50_000}, {}),
    ],
)
def test_over_the_limit(model: BaseModel, below: dict[str, Any], over: dict[str, Any]) -> None:
    assert not raises(asked(model), below)
    assert raises(asked(model), over)


def test_what_is_another_amount_or_over_already_is_no_matter_of_the_tier() -> None:
    assert not raises(asked(Other()), {"days": 2000, "fee": 200_000})
    assert not raises(asked(Hinted(), Policy(approvers=(MARA,))), {"amount": 200_000})
    low = Policy(approvers=(MARA,), tiers=(Tier(field="Amount", over=Decimal(400), quorum=2),))
    assert not raises(asked(Hinted(), low), {"amount": 200_000})
