"""An edit is no way round a tier: what more or other people would have to approve is not made of a
request that fewer may decide."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import JsonValue

from bot.approvals import Approval
from workflows.fields import MoneyField
from workflows.hints import HINTS
from workflows.money import TENDER, from_minor
from workflows.policy import Tier
from workflows.protocol import Editable

Values = Mapping[str, JsonValue]


def raises(approval: Approval, values: Values) -> bool:
    """Would a tier hold for these that does not hold for what was asked? The policy of a record
    has only such tiers left. What cannot be compared counts as over, as ever."""
    editable = approval.request.editable
    if editable is None:
        return False
    money = [field for field in approval.request.fields if isinstance(field, MoneyField)]
    return any(
        tier.field == shown.label and _over(tier, amount)
        for shown in money
        for tier in approval.policy.tiers
        for amount in _instead(shown, editable, values)
    )


def _over(tier: Tier, amount: MoneyField | Decimal | None) -> bool:
    if isinstance(amount, MoneyField):
        return tier.holds_for([amount])
    return amount is None or abs(amount) > tier.over


def _instead(
    shown: MoneyField, editable: Editable, values: Values
) -> Iterator[MoneyField | Decimal | None]:
    """What stands where the amount that is shown stood; as a number where that is no money by
    its hint, None where it is none either."""
    before = editable.values
    properties = editable.json_schema.get("properties")
    for key, about in (properties if isinstance(properties, dict) else {}).items():
        described: dict[str, Any] = about if isinstance(about, dict) else {}
        was, is_now = _money(shown, described, key, before), _money(shown, described, key, values)
        names = {key.casefold(), str(described.get("title")).casefold()}
        changed = is_now != was or values.get(key) != before.get(key)
        if changed and (was == shown or shown.label.casefold() in names):
            minor = before.get(key) == shown.amount_minor  # else, without a hint, it is major
            yield is_now or _number(shown, values.get(key), minor=minor)


def _money(
    shown: MoneyField, described: Mapping[str, Any], key: str, values: Values
) -> MoneyField | None:
    """By its hint (workflows/hints.py); with the label of what it stands for."""
    hints: dict[str, Any] = described.get(HINTS) or {}
    currency, amount = hints.get("money") or values.get(hints.get("money_in", "")), values.get(key)
    if currency not in TENDER or not isinstance(amount, int):
        return None
    return MoneyField(label=shown.label, amount_minor=amount, currency=str(currency))


def _number(shown: MoneyField, value: JsonValue, *, minor: bool) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return from_minor(int(number), shown.currency) if minor else number
