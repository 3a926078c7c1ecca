"""A form from a JSON Schema: one input a property, what was entered, and what differs."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import JsonValue

from bot.views.text import Block, plain
from workflows.hints import HINTS
from workflows.money import format_money, from_minor, to_minor

Property = Mapping[str, Any]


@dataclass(frozen=True)
class Filled:
    """values: as entered. errors: by block_id."""

    values: dict[str, JsonValue]
    errors: dict[str, str]


def form_blocks(schema: Mapping[str, Any], values: Mapping[str, JsonValue]) -> list[Block]:
    return [_input(name, each, values.get(name)) for name, each in _properties(schema).items()]


def read_form(
    schema: Mapping[str, Any],
    values: Mapping[str, JsonValue],
    state_values: Mapping[str, Any],
) -> Filled:
    filled, errors = dict(values), dict[str, str]()
    for name, each in _properties(schema).items():
        block_id = f"field.{name}"
        elements: dict[str, Any] = state_values.get(block_id) or {}
        entered = next((str(one.get("value") or "") for one in elements.values()), "")
        try:
            filled[name] = _read(each, entered)
        except ValueError as error:
            errors[block_id] = str(error)
    for problem in Draft202012Validator(dict(schema)).iter_errors(filled):
        name = str(next(iter(problem.absolute_path), ""))
        errors.setdefault(f"field.{name}", problem.message)
    return Filled(filled, errors)


def changes(
    before: Mapping[str, JsonValue], after: Mapping[str, JsonValue], schema: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """Label, before, after; of what differs only."""
    return [
        (_label(name, each), _written(each, before.get(name)), _written(each, after.get(name)))
        for name, each in _properties(schema).items()
        if before.get(name) != after.get(name)
    ]


def _properties(schema: Mapping[str, Any]) -> dict[str, Property]:
    return schema.get("properties", {})


def _label(name: str, each: Property) -> str:
    return str(each.get("title") or name)


def _input(name: str, each: Property, value: JsonValue) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name}
    if each.get("type") == "string" and each.get("maxLength", 0) > 100:
        element["multiline"] = True
    if value not in (None, ""):
        element["initial_value"] = _entered(each, value)
    label = plain(_label(name, each), 75)
    return {"type": "input", "block_id": f"field.{name}", "label": label, "element": element}


def _entered(each: Property, value: JsonValue) -> str:
    currency = _currency(each)
    return str(from_minor(int(str(value)), currency)) if currency else str(value)


def _read(each: Property, entered: str) -> JsonValue:
    currency = _currency(each)
    if currency:
        try:
            return to_minor(Decimal(entered.strip().replace(",", "")), currency)
        except InvalidOperation:
            raise ValueError("Write an amount, such as 12.34.") from None
    return int(entered) if each.get("type") == "integer" else entered


def _written(each: Property, value: JsonValue) -> str:
    currency = _currency(each)
    return format_money(int(str(value)), currency) if currency else str(value)


def _currency(each: Property) -> str:
    return str((each.get(HINTS) or {}).get("money") or "")
