"""Money: integer minor units with an ISO 4217 currency, and written as people write it."""

from decimal import Decimal
from typing import Annotated

from babel.numbers import format_currency, get_currency_precision, is_currency
from pydantic import AfterValidator


def _known(code: str) -> str:
    if not (len(code) == 3 and code.isupper() and is_currency(code)):
        raise ValueError(f"{code!r} is not an ISO 4217 currency code such as USD, EUR or JPY")
    return code


Currency = Annotated[str, AfterValidator(_known)]


def to_minor(amount: Decimal, currency: str) -> int:
    """`Decimal("12.34"), "USD"` -> 1234; ValueError where the currency has fewer decimals."""
    places = get_currency_precision(currency)
    minor = amount.scaleb(places)
    if minor != minor.to_integral_value():
        raise ValueError(f"{currency} has {places} decimals, and {amount} has more")
    return int(minor)


def format_money(minor: int, currency: str) -> str:
    """`5000000, "USD"` -> `$50,000.00`; `1200, "JPY"` -> `¥1,200`. The code follows where the
    symbol alone would leave open whose dollar is meant."""
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, locale="en_US")
