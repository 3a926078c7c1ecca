"""Money: integer minor units with an ISO 4217 currency, and written as people write it."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Annotated

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision
from pydantic import AfterValidator

MOST_DIGITS = 60
# Codes of money that is, or was, legal tender somewhere: not gold (XAU), tests (XTS) or none (XXX).
TENDER = frozenset(
    code
    for currencies in get_global("territory_currencies").values()
    for code, _, _, tender in currencies
    if tender
)


def _known(code: str) -> str:
    if code not in TENDER:
        raise ValueError(
            f"{code!r} is not an ISO 4217 currency code of money that is paid, such as USD, EUR "
            "or JPY"
        )
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


def from_minor(minor: int, currency: str) -> Decimal:
    """`1234, "USD"` -> `Decimal("12.34")`."""
    return Decimal(f"{minor}E-{get_currency_precision(currency)}")


def format_money(minor: int, currency: str, locale: str = "en_US") -> str:
    """`5000000, "USD"` -> `$50,000.00`; `1200, "JPY"` -> `¥1,200`. The code follows where the
    symbol alone would leave open whose dollar is meant."""
    amount = from_minor(minor, currency)
    with localcontext(prec=max(28, len(str(minor)) + 6)):  # else a long amount is rounded
        return format_currency(amount, currency, locale=locale)
