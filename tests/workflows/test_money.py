"""Money in minor units, and as people write it."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from workflows.money import Currency, format_money, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.34", "USD", 1234),
        ("12.3", "EUR", 1230),
        ("0.01", "USD", 1),
        ("1200", "JPY", 1200),
        ("1200.00", "JPY", 1200),
        ("1.234", "KWD", 1234),
        ("-5.00", "USD", -500),
        ("1E+2", "USD", 10_000),
        ("999999999999999.99", "USD", 99_999_999_999_999_999),
        ("0.29", "USD", 29),
        ("1.15", "EUR", 115),
    ],
)
def test_to_minor_is_exact(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("1.005", "USD", "USD has 2 decimals, and 1.005 has more"),
        ("1.5", "JPY", "JPY has 0 decimals, and 1.5 has more"),
        ("1.2345", "KWD", "KWD has 3 decimals, and 1.2345 has more"),
        ("12345678901234567890123456.785", "USD", "USD has 2 decimals"),
    ],
)
def test_more_decimals_than_the_currency_has_are_refused(
    amount: str, currency: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        to_minor(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (5_000_000, "USD", "$50,000.00"),
        (1, "USD", "$0.01"),
        (0, "USD", "$0.00"),
        (-500, "USD", "-$5.00"),
        (1200, "JPY", "¥1,200"),
        (1234, "KWD", "KWD1.234"),
        (12_050, "EUR", "€120.50"),
        (12_050, "CAD", "CA$120.50"),
        (99_999_999_999_999_999, "USD", "$999,999,999,999,999.99"),
        (10**33 + 1, "USD", "$10,000,000,000,000,000,000,000,000,000,000.01"),
    ],
)
def test_money_is_written_as_people_write_it(minor: int, currency: str, text: str) -> None:
    assert format_money(minor, currency) == text


@pytest.mark.parametrize("amount", ["0.01", "12.34", "1000000.00", "999999999.99"])
def test_there_and_back_is_the_same(amount: str) -> None:
    minor = to_minor(Decimal(amount), "USD")

    assert Decimal(format_money(minor, "USD").replace(",", "").removeprefix("$")) == Decimal(amount)


@pytest.mark.parametrize(
    "code", ["XXX", "XTS", "XAU", "XDR", "CHE", "usd", "US", "USDD", "", "XQQ", "€", " USD"]
)
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(ValidationError, match="is not an ISO 4217 currency code"):
        TypeAdapter[str](Currency).validate_python(code)


@pytest.mark.parametrize("code", ["USD", "EUR", "JPY", "KWD", "XAF", "XOF", "XPF", "XCD", "ZMW"])
def test_money_that_is_paid_is_taken(code: str) -> None:
    assert TypeAdapter[str](Currency).validate_python(code) == code
