"""A workflow's input: read by its model, and nothing of it dropped silently."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel

from workflows.catalog import InvalidInput, Workflow


class Lenient(BaseModel):
    """Says nothing of fields that it does not know."""

    amount: Decimal
    to: str = Field("", alias="recipient")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    amount: Decimal


class Anything(RootModel[dict[str, int]]):
    pass


def workflow(model: type[BaseModel]) -> Workflow:
    none: Any = None
    return Workflow("pay", "Pay", model, none)


def test_a_field_that_the_model_would_drop_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as told:
        workflow(Lenient).read_input({"amount": 1, "reciepient": "A", "to": "B"})
    lines = str(told.value).splitlines()
    assert lines[1:3] == [
        "- reciepient: Extra inputs are not permitted",
        "- to: Extra inputs are not permitted",
    ]
    assert lines[3] == "It takes amount, to (optional)."


def test_what_the_model_knows_or_allows_is_taken() -> None:
    assert workflow(Lenient).read_input({"amount": "1.0", "recipient": "A"}) == {
        "amount": "1.0",
        "to": "A",
    }
    assert workflow(Open).read_input({"amount": 1, "note": "x"}) == {"amount": "1", "note": "x"}
    assert workflow(Anything).read_input({"a": "1"}) == {"a": 1}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"amount": "1"}, {"amount": "1.00"}, True),
        ({"amount": "1"}, {"amount": "1.01"}, False),
        ({"earlier": 1}, {"earlier": 1}, True),
        ({"earlier": 1}, {"amount": "1"}, False),
    ],
)
def test_input_is_the_same_where_it_means_the_same(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    assert workflow(Lenient).same_input(one, other) == same
