"""What must still be so when a request is carried out: declared by the request, checked when it
is decided and again right before the effect.

A `Precondition` is data, and stored with its request; what it means to check one is the
workflow's (`Workflow.checks`, by name). A check answers with what is so now, or with a `Finding`
where it is no matter of being equal: consent, say, or quiet hours. A check that raises has not
been made: it is made again later, and never passes.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints

from workflows.clock import Clock, utc_now
from workflows.fields import Label

CHECK_WITHIN = 60.0  # seconds for all checks of a decision
CHANGES_AT_MOST = 20  # that are told, a line each
VALUE_AT_MOST = 100  # characters of a value in such a line

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Precondition(BaseModel):
    """name: of the check. label: what it is about, for people. expected: what was so when the
    request was made; of an object each part is compared by itself, and its name tells which.
    arguments: what else the check has to know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    label: Label
    expected: JsonValue = None
    arguments: dict[str, JsonValue] = {}


@dataclass(frozen=True)
class Finding:
    """What a check found. changes: what is otherwise by now, in words for people, a line each."""

    holds: bool
    changes: tuple[str, ...] = ()


Check = Callable[[Precondition, datetime], Awaitable[JsonValue | Finding]]


class PreconditionFailed(Exception):
    """What was approved is not what would be carried out: nothing was called. A node goes back
    with it to the one that prepares, which then asks for what is so now."""

    def __init__(self, changes: Iterable[str]) -> None:
        self.changes = tuple(changes)
        super().__init__(f"changed since it was approved: {'; '.join(self.changes)}")


class UnknownCheck(Exception):
    """A request names a check that the present code of its workflow does not have."""


@dataclass(frozen=True)
class Conditions:
    """What the decisions of a thread rest on. declared: by the key of the question; checks: of
    its workflow."""

    declared: Mapping[str, tuple[Precondition, ...]] = field(
        default_factory=dict[str, tuple[Precondition, ...]]
    )
    checks: Mapping[str, Check] = field(default_factory=dict[str, Check])
    now: Clock = utc_now

    def of(self, decisions: Iterable[str]) -> tuple[Precondition, ...]:
        return tuple(each for key in decisions for each in self.declared.get(key, ()))

    async def unmet(self, decisions: Iterable[str]) -> tuple[str, ...]:
        """What has changed, in words, a line each; empty where all is as it was."""
        return await unmet(self.checks, self.of(decisions), self.now())


async def unmet(
    checks: Mapping[str, Check], declared: Iterable[Precondition], now: datetime
) -> tuple[str, ...]:
    """What is otherwise than it was when this was declared. UnknownCheck; whatever a check
    raises."""
    declared = tuple(declared)
    missing = unknown(checks, declared)
    if missing:
        raise UnknownCheck(f"there is no check {missing[0]!r}")
    told: list[str] = []
    async with asyncio.timeout(CHECK_WITHIN):
        for each in declared:
            told += _told(each, await checks[each.name](each, now))
    left = len(told) - CHANGES_AT_MOST
    return (*told[:CHANGES_AT_MOST], *([f"and {left} more"] if left > 0 else []))


def unknown(checks: Mapping[str, Check], declared: Iterable[Precondition]) -> list[str]:
    return [each.name for each in declared if each.name not in checks]


def _told(declared: Precondition, found: JsonValue | Finding) -> list[str]:
    if isinstance(found, Finding):
        return [] if found.holds else list(found.changes) or [f"{declared.label}: not so any more"]
    return list(_differences(declared.label, declared.expected, found))


def _differences(label: str, before: JsonValue, now: JsonValue) -> Iterable[str]:
    """`Phone: "+49 30 1" is now "+49 30 2"`"""
    if _same(before, now):
        return
    if isinstance(before, dict) and isinstance(now, dict):
        for name in dict.fromkeys([*before, *now]):
            if name not in before or name not in now or not _same(before[name], now[name]):
                yield f"{name}: {_value(before.get(name))} is now {_value(now.get(name))}"
        return
    yield f"{label}: {_value(before)} is now {_value(now)}"


def _same(one: JsonValue, other: JsonValue) -> bool:
    """As JSON, in which true is not 1."""
    return _canonical(one) == _canonical(other)


def _canonical(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True)


def _value(value: JsonValue) -> str:
    words = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return words if len(words) <= VALUE_AT_MOST else f"{words[: VALUE_AT_MOST - 1]}…"
