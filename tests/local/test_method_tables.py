"""Our tables of methods hold what Slack's own description says, word for word."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.local.method_tables import COMMON_ERRORS, METHODS, Method
from bot.local.web_api import HANDLERS

DESCRIBED = Path(__file__).parents[3] / "shared" / "slack" / "methods"
LEFT_OUT = {"oauth.v2.access"}
BESIDE = {"conversations.members"}  # by Slack's public reference; it is not described there

pytestmark = pytest.mark.skipif(not DESCRIBED.is_dir(), reason="Slack's description is not here")


def described(name: str) -> dict[str, Any]:
    return json.loads((DESCRIBED / f"{name}.json").read_text())


def differences(method: Method, told: dict[str, Any]) -> list[str]:
    """Where our table and Slack's description disagree."""
    arguments: dict[str, Any] = told["args"]
    required = {name for name, argument in arguments.items() if argument.get("required")}
    found: list[str] = []
    if set(method.required) != required:
        found.append(f"required: {set(method.required) ^ required}")
    if set(method.optional) != set(arguments) - required:
        found.append(f"optional: {set(method.optional) ^ (set(arguments) - required)}")
    if method.errors - set(told["errors"]):
        found.append(f"errors unknown to Slack: {method.errors - set(told['errors'])}")
    scopes = {scope["name"] for scope in told["scopes"].get("bot", [])}
    if set(method.scopes) != scopes:
        found.append(f"scopes: {set(method.scopes) ^ scopes}")
    label: str = told["rate_limit"]["label"]
    tier = re.search(r"(\d+)\+ per minute", label)
    per_minute = int(tier[1]) if tier else 0
    if method.per_minute != per_minute:
        found.append(f"rate: {method.per_minute} instead of {per_minute}")
    for name, argument in arguments.items():
        kind = argument.get("type")
        if kind in ("boolean", "number", "string") and method.type_of(name) != kind:
            found.append(f"type of {name}: {method.type_of(name)} instead of {kind}")
    return found


def test_every_method_described_is_served() -> None:
    names = {path.stem for path in DESCRIBED.glob("*.json")}

    assert set(METHODS) == (names - LEFT_OUT) | BESIDE
    assert set(HANDLERS) == set(METHODS) - {"apps.connections.open"}


@pytest.mark.parametrize("name", sorted(set(METHODS) - BESIDE))
def test_the_table_agrees(name: str) -> None:
    assert differences(METHODS[name], described(name)) == []


def test_a_difference_is_found() -> None:
    wrong = Method(
        "chat.delete", 20, required=("channel",), errors=frozenset({"oh_no"}), scopes=("chat:read",)
    )

    assert len(differences(wrong, described("chat.delete"))) == 5


def test_common_errors_are_not_repeated() -> None:
    for method in METHODS.values():
        assert not method.errors & COMMON_ERRORS
