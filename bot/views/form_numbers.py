"""Fields of numbers: whole, decimal, money; never through a float where the value is exact.

Slack's number field takes and gives texts. What it might write otherwise (long numbers, with an
exponent) is typed as text; what means the same number is no change.
"""

import math
import re
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from bot.texts import later, t
from bot.views.form_fields import FormField, Schema, Values
from bot.views.form_inputs import Entered, Kind, Wrong, text_input, typed
from bot.views.text import Block
from workflows.money import TENDER, from_minor, to_minor

DIGITS_AT_MOST = 15  # a number field may be a float inside
TYPED_AT_MOST = 100
WHOLE = re.compile(r"[+-]?[0-9]+")
PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def _integer(field: FormField, value: JsonValue, _: Values) -> Block | None:
    if value is None:
        return _number_input(field.schema, None, whole=True)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return _number_input(field.schema, Decimal(value), whole=True)


def _number(field: FormField, value: JsonValue, _: Values) -> Block | None:
    if value is None:
        return _number_input(field.schema, None, whole=False)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return _number_input(field.schema, Decimal(repr(value)), whole=False)


def _decimal(field: FormField, value: JsonValue, _: Values) -> Block | None:
    schema = _of_numbers(field)
    if value is None:
        return _number_input(schema, None, whole=False)
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    number = _parsed(str(value))
    return None if number is None else _number_input(schema, number, whole=False)


def _of_numbers(field: FormField) -> Schema:
    """The bounds of a Decimal stand at the number that it may be."""
    return next(each for each in field.schema["anyOf"] if each.get("type") == "number")


def _number_input(schema: Schema, value: Decimal | None, *, whole: bool) -> Block | None:
    shown = "" if value is None else _written(value)
    if len(shown) > TYPED_AT_MOST:
        return None
    if value is not None and len(shown.strip("-")) > DIGITS_AT_MOST:
        return text_input(shown)
    low, high = _bounds(schema, whole=whole)
    bounds = {"min_value": low, "max_value": high}
    if value is not None:  # what is there may not fit, and Slack would refuse the form for it
        fits = (low is None or low <= value) and (high is None or value <= high)
        bounds = bounds if fits else {}
    if low is not None and high is not None and low > high:
        bounds = {}
    words = {key: _written(each) for key, each in bounds.items() if each is not None}
    short = {key: each for key, each in words.items() if len(each) <= DIGITS_AT_MOST}
    initial = {"initial_value": shown} if value is not None else {}
    return {"type": "number_input", "is_decimal_allowed": not whole, **short, **initial}


def _bounds(schema: Schema, *, whole: bool) -> tuple[Decimal | None, Decimal | None]:
    """Both may be reached. A bound that may not is the next whole number, else it is left to the
    schema to say."""
    low, high = _bound(schema.get("minimum")), _bound(schema.get("maximum"))
    above, below = _bound(schema.get("exclusiveMinimum")), _bound(schema.get("exclusiveMaximum"))
    if whole:
        low = None if low is None else Decimal(math.ceil(low))
        high = None if high is None else Decimal(math.floor(high))
        above = None if above is None else Decimal(math.floor(above) + 1)
        below = None if below is None else Decimal(math.ceil(below) - 1)
    else:
        above = below = None
    lows = [each for each in (low, above) if each is not None]
    highs = [each for each in (high, below) if each is not None]
    return max(lows, default=None), min(highs, default=None)


def _bound(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    number = Decimal(repr(value))
    return number if abs(number.adjusted()) <= DIGITS_AT_MOST else None


def _written(number: Decimal) -> str:
    """Without an exponent."""
    if abs(number.adjusted()) > TYPED_AT_MOST or len(number.as_tuple().digits) > TYPED_AT_MOST:
        return "9" * (TYPED_AT_MOST + 1)
    return f"{number:f}"


def _parsed(text: str) -> Decimal | None:
    stripped = text.strip()
    if len(stripped) > TYPED_AT_MOST or not PLAIN.fullmatch(stripped):
        return None
    number = Decimal(stripped)
    return number if abs(number.adjusted()) <= TYPED_AT_MOST else None


def same_number(entered: Entered) -> Any:
    """`120.50` and `120.5` are the same number."""
    number = _parsed(entered) if isinstance(entered, str) else None
    return entered if number is None else number


def _read_integer(_: FormField, entered: Entered, __: Values) -> JsonValue:
    text = typed(entered).strip()
    if not WHOLE.fullmatch(text) or len(text) > TYPED_AT_MOST:
        raise Wrong(t("must be a whole number, such as {example}", example="12"))
    return int(text)


def _read_number(_: FormField, entered: Entered, __: Values) -> JsonValue:
    text = typed(entered).strip()
    if WHOLE.fullmatch(text) and len(text) <= TYPED_AT_MOST:
        return int(text)
    number = _parsed(text)
    if number is None or not math.isfinite(float(number)):
        raise Wrong(t("must be a number, such as {example}", example="12.5"))
    return float(number)


def _read_decimal(field: FormField, entered: Entered, _: Values) -> JsonValue:
    """As text, so exact. Its bounds are checked here: the schema has them for numbers only."""
    number = _parsed(typed(entered))
    if number is None:
        raise Wrong(t("must be a number, such as {example}", example="12.50"))
    for key, (fits, words) in BOUNDS.items():
        bound = _of_numbers(field).get(key)
        if isinstance(bound, int | float) and not fits(number, Decimal(repr(bound))):
            raise Wrong(t(words, bound=tidy(bound)))
    return _written(number)


def _at_least(number: Decimal, bound: Decimal) -> bool:
    return number >= bound


def _at_most(number: Decimal, bound: Decimal) -> bool:
    return number <= bound


def _more(number: Decimal, bound: Decimal) -> bool:
    return number > bound


def _less(number: Decimal, bound: Decimal) -> bool:
    return number < bound


BOUNDS = {
    "minimum": (_at_least, later("must be at least {bound}")),
    "maximum": (_at_most, later("must be at most {bound}")),
    "exclusiveMinimum": (_more, later("must be more than {bound}")),
    "exclusiveMaximum": (_less, later("must be less than {bound}")),
}


def tidy(number: float) -> str:
    """`1000000000.0` -> `1000000000`."""
    shown = _written(Decimal(repr(number)))
    shown = repr(number) if len(shown) > TYPED_AT_MOST else shown
    return shown.removesuffix(".0")


# --- Money


def currency_of(field: FormField, values: Values) -> str | None:
    """None where no currency of that name is known."""
    named = field.hints.get("money_in")
    code = values.get(named) if isinstance(named, str) else field.hints.get("money")
    return code if isinstance(code, str) and code in TENDER else None


def as_money(minor: int, currency: str) -> str:
    """`10050, "EUR"` -> `100.50`."""
    return f"{from_minor(minor, currency):f}"


def _money(field: FormField, value: JsonValue, values: Values) -> Block | None:
    if value is None:
        return text_input(None)
    currency = currency_of(field, values)
    if currency is None or not isinstance(value, int) or isinstance(value, bool):
        return None
    if len(str(abs(value))) > TYPED_AT_MOST // 2:
        return None
    return text_input(as_money(value, currency))


def _read_money(field: FormField, entered: Entered, values: Values) -> JsonValue:
    currency = currency_of(field, values)
    if currency is None:
        raise Wrong(t("needs a currency that is known, such as USD, EUR or JPY"))
    amount = _parsed(typed(entered))
    example = as_money(10050, currency)
    if amount is None or "e" in typed(entered).lower():
        raise Wrong(t("must be an amount, written like {example}", example=example))
    try:
        return to_minor(amount, currency)
    except ValueError:
        words = t(
            "has more decimals than {currency}; write it like {example}",
            currency=currency,
            example=example,
        )
        raise Wrong(words) from None


NUMBERS: dict[str, Kind] = {
    "integer": Kind(_integer, _read_integer, same_number),
    "number": Kind(_number, _read_number, same_number),
    "decimal": Kind(_decimal, _read_decimal, same_number),
    "money": Kind(_money, _read_money, same_number),
}
