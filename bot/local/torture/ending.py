"""How a run ended, in words that are the same in each run, and what differs from another end."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic_core import to_jsonable_python

from bot.approvals import Approval
from bot.local.detectors import violations
from bot.local.person import texts_in
from bot.local.torture.masks import passing
from bot.local.torture.world import World
from bot.services import Services
from bot.views.card import short
from workflows.effects import EffectEntry

THERE, MISSING = "there is: ", "missing: "
EVERY_WAY = ("run", "calls", "provider", "outside", "trail", "late")
KINDS = (*EVERY_WAY, "decisions", "effects", "cards", "replies", "notices", "state", "keys")


@dataclass(frozen=True)
class Ending:
    """lines: by kind, in an order that does not depend on how it came about. asked: the effects
    of which a person was asked whether they happened. called: how often each effect's call was
    carried out, as the kit saw it."""

    lines: dict[str, tuple[str, ...]]
    asked: frozenset[str] = frozenset()
    called: tuple[str, ...] = ()

    def differs(self, clean: "Ending", loose: Collection[str] = ()) -> list[tuple[str, str]]:
        """(kind, what differs) from the end of a run without a crash. Where a person was asked,
        the way is another by right: only what must hold on every way is compared. loose: kinds of
        which only the number of lines is."""
        kinds = KINDS if self.asked == clean.asked else EVERY_WAY
        here, there = self.told, clean.told
        return [
            (kind, words)
            for kind in kinds
            if kind not in loose or len(here[kind]) != len(there[kind])
            for words in _difference(here[kind], there[kind])
        ]

    def loose(self, other: "Ending") -> tuple[str, ...]:
        """The kinds in which two runs differ by right: a graph may draw a number."""
        mine, others = self.told, other.told
        return tuple(k for k in KINDS if k not in EVERY_WAY and mine[k] != others[k])

    @property
    def told(self) -> dict[str, tuple[str, ...]]:
        return {"late": (), **self.lines, "calls": self.called}


def _difference(here: tuple[str, ...], clean: tuple[str, ...]) -> list[str]:
    if here == clean:
        return []
    more = [f"{THERE}{line}" for line in _without(here, clean)]
    less = [f"{MISSING}{line}" for line in _without(clean, here)]
    return more + less or [f"in another order: {'; '.join(here)}"]


def _without(lines: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    left = list(others)
    return [line for line in lines if line not in left or left.remove(line)]


async def read_ending(services: Services, world: World) -> Ending:
    """Everything but the keys."""
    store, advancing, thread = services.store, services.tasks.advancing, world.thread_id
    run = await store.run(thread)
    approvals = await store.approvals_of(thread)
    effects = await advancing.effects.entries(thread)
    state = await advancing.runner.look(run.workflow, thread) if run else None
    values = state.values if state else {}
    lines: dict[str, Iterable[str]] = {
        "run": [f"{run.status} {run.error}".strip() if run else "never started"],
        "decisions": sorted(map(_decided, approvals)),
        "effects": [f"{entry.key}: {entry.state} {_receipt(entry)}" for entry in effects],
        "outside": sorted(f"{what}, {n} times" for what, n in world.outside.items()),
        "cards": sorted(" | ".join(texts_in(card["blocks"])) for card in world.cards()),
        "replies": _replies(world),
        "notices": _notices(world),
        "trail": await violations(store),
        "provider": sorted(world.tally()),
        "state": [f"{key} = {_json(values[key])}" for key in sorted(values)],
    }
    names = _names(world, approvals, effects)
    plain = {k: tuple(passing(line, names) for line in told) for k, told in lines.items()}
    called = tuple(passing(line, names) for line in _called(world))
    asked = frozenset(passing(key, names) for key in world.asked)
    return Ending(plain, asked, called)


def families(names: Iterable[str], world: World) -> tuple[str, ...]:
    """The keys that are left, without what is another in each run."""
    plain = (re.sub(r":-?\d+$", ":N", passing(name, world.names)) for name in names)
    return tuple(sorted(set(plain)))


def _names(
    world: World, approvals: Iterable[Approval], effects: Iterable[EffectEntry]
) -> dict[str, str]:
    digests = [approval.digest for approval in approvals]
    receipts = {e.receipt.id: f"RECEIPT of {e.key}" for e in effects if e.receipt}
    full, cut = dict.fromkeys(digests, "DIGEST"), dict.fromkeys(map(short, digests), "DIGEST")
    return {**receipts, **full, **cut, **world.names}


def _decided(approval: Approval) -> str:
    by = approval.decision.by.user if approval.decision else None
    outcome = f"{approval.outcome.state}: {approval.outcome.text}" if approval.outcome else "none"
    who = f" by {by}" if by else ""
    return f"{approval.request.title!r} at {approval.node}: {approval.status}{who}, {outcome}"


def _called(world: World) -> list[str]:
    return [f"{key} was called {n} times" for key, n in sorted(world.called.items())]


def _receipt(entry: EffectEntry) -> str:
    return f"{entry.receipt.summary} {entry.receipt.id}" if entry.receipt else entry.error


def _replies(world: World) -> list[str]:
    cards = sorted(world.cards(), key=lambda card: card["text"])
    return [f"{card['text']}: {reply['text']}" for card in cards for reply in world.replies(card)]


def _notices(world: World) -> list[str]:
    """Those of an approval in their order; what comes of two at a time may come in any."""
    told: dict[str, list[str]] = {}
    for notice in world.notices():
        about = notice["metadata"]["event_payload"]["approval_id"]
        told.setdefault(about, []).append(notice["text"])
    return [text for texts in sorted(told.values()) for text in texts]


def _json(value: object) -> str:
    return json.dumps(to_jsonable_python(value, fallback=repr), sort_keys=True)
