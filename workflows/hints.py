"""What the author of a model tells a form about a field, beyond its type:
`amount: Annotated[int, money("EUR")]`.

In a schema written by hand it is the same key:
`{"type": "integer", "countersign": {"money": "EUR"}}`.
"""

from typing import Any

from pydantic import Field

HINTS = "countersign"
EACH = "each"  # of a whole schema: its form decides several things, each on its own
DRAFT = "draft"  # of a whole schema: what is there need not fit yet; what is submitted must


def _hint(name: str, value: str | bool) -> Any:
    return Field(json_schema_extra={HINTS: {name: value}})


def money(currency: str) -> Any:
    """An integer of minor units (cents), which a person reads and types as `100.50`."""
    return _hint("money", currency)


def money_in(field: str) -> Any:
    """The same, in the currency that stands in the model's field of that name."""
    return _hint("money_in", field)


MULTILINE: Any = _hint("multiline", value=True)
"""Text of several lines."""

SLACK_USER_HINT: Any = _hint("slack_user", value=True)
"""The id of a Slack user, chosen by name. `SlackUserId` (workflows/fields.py) needs no hint."""
