"""Money: integer minor units with an ISO 4217 currency, and written as people write it."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Annotated

from babel.numbers import format_currency, get_currency_precision, is_currency
from pydantic import AfterValidator

MOST_DIGITS = 60


def _known(code: str) -> str:
    if not (len(code) == 3 and code.isupper() and is_currency(code)):
        raise ValueError(f"{code!r} is not an ISO 4217 currency code such as USD, EUR or JPY")
    return code


Currency = Annotated[str, AfterValidator(_known)]


def to_minor(amount: Decimal, currency: str) -> int:
    """`Decimal("12.34"), "USD"` -> 1234; ValueError where the currency has fewer decimals."""
    places = get_currency_precision(currency)
    if abs(amount.adjusted()) > MOST_DIGITS:  # 1E-99999999 would take a day to write out
        raise ValueError(f"{amount} is out of all proportion")
    minor = Fraction(amount) * 10**places  # exact: Decimal's own arithmetic rounds to 28 digits
    if minor.denominator != 1:
        raise ValueError(f"{currency} has {places} decimals, and {amount} has more")
    return int(minor)


def format_money(minor: int, currency: str) -> str:
    """`5000000, "USD"` -> `$50,000.00`; `1200, "JPY"` -> `¥1,200`. The code follows where the
    symbol alone would leave open whose dollar is meant."""
    amount = Decimal(f"{minor}E-{get_currency_precision(currency)}")
    with localcontext(prec=max(28, len(str(minor)) + 6)):  # else a long amount is rounded
        return format_currency(amount, currency, locale="en_US")
