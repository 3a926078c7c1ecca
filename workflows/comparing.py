"""What nodes did when they ran again, compared with the first time: calls, and keys of effects."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from workflows.findings import Finding
from workflows.rehearsal import Use
from workflows.watching import Call

T = TypeVar("T")


def calls_again(calls: Sequence[Call], rule: str, only: int = 0) -> Iterator[Finding]:
    """Calls of one line of one task in two lives; only: where the later of them is this life."""
    for spot in _by(calls, lambda call: call.spot).values():
        lives = _by(spot, lambda call: call.life)
        first, *later = lives.values()
        for second in later:
            if only in (0, second[0].life):
                yield from _same_call(first, second, rule)


def _same_call(first: list[Call], second: list[Call], rule: str) -> Iterator[Finding]:
    known = {call.key for call in first}
    fresh = [call for call in second if not call.key or call.key not in known]
    if not fresh:
        return
    then, now = first[0], fresh[0]
    if now.named and then.named:
        words = f"{now.what}: its idempotency key was {then.key!r}, then {now.key!r}"
        yield Finding("key-changes", now.node, words, now.place)
        return
    words = now.what if now.what == then.what else f"{then.what}, then {now.what}"
    yield Finding(rule, now.node, f"{words} – twice", now.place)


def keys_again(uses: Sequence[Use]) -> Iterator[Finding]:
    """Uses of the ledger on one line of one task, whose keys are others in another life."""
    for spot in _by(uses, lambda use: (use.task, use.place)).values():
        lives = list(_by(spot, lambda use: use.life).values())
        for first, second in itertools.pairwise(lives):
            before, after = {use.key for use in first}, {use.key for use in second}
            if before - after and after - before:
                words = f"effects.once: {min(before - after)!r}, then {min(after - before)!r}"
                yield Finding("key-changes", second[0].node, words, second[0].place)


def _by(items: Iterable[T], key: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    found: defaultdict[Hashable, list[T]] = defaultdict(list)
    for each in items:
        found[key(each)].append(each)
    return dict(found)
