"""A sample of `make faults`: killed at some of its calls, each journey ends as it does unharmed."""

from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from bot.local.torture.calls import Crash, Side
from bot.local.torture.crashes import Ran, Stand, run_once, torture
from tests.faults.journeys import journeys

NAMES = list(journeys(Path()))
EVERY = 97  # a prime: each journey is killed at other calls than the next


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stand, None, None]:
    with Stand.open(tmp_path_factory.mktemp("stand")) as stand:
        yield stand


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_process_changes_nothing(stand: Stand, tmp_path: Path, name: str) -> None:
    first = 11 * NAMES.index(name)
    tortured = torture(stand, journeys(tmp_path)[name], slice(first, None, EVERY))

    assert tortured.deviations == []
    assert tortured.crashes > 0


MOMENTS: list[tuple[Side, str]] = [
    ("after", "docket add advance:THREAD:queued.0 #1"),  # started, and nobody heard of it
    ("after", "slack chat.postMessage #1"),  # the card stands, and no record knows
    ("after", "slack chat.postMessage #2"),  # so does a reply
    ("before", "slack chat.postMessage #3"),  # the requester is to be told
    ("after", "slack chat.postMessage #3"),  # was told, and no record knows
    ("before", "slack users.info #2"),  # clicked, and nothing recorded
    ("before", "docket add advance:THREAD:APPROVAL #1"),  # decided, and nobody heard of it
    ("before", "effect refund:THREAD: its call #1"),
    ("after", "effect refund:THREAD: its call #1"),  # paid, and not written down
    ("after", "slack chat.update #1"),
]


def test_the_moments_that_matter(stand: Stand, tmp_path: Path) -> None:
    approve = journeys(tmp_path)["approve"]
    clean = run_once(stand, approve, None)
    for side, call in MOMENTS:
        ran = run_once(stand, approve, Crash(call, side))
        assert ran.died, call
        assert ran.end.differs(clean.end) == [], f"{side} {call}"


def test_between_what_a_subgraph_saves_and_what_its_parent_does(
    stand: Stand, tmp_path: Path
) -> None:
    """Asked, and the parent does not know yet; ended, and the parent still names the question."""
    nested = journeys(tmp_path)["a question in a subgraph"]
    clean = run_once(stand, nested, None)
    asked = _nth("checkpoint_write:THREAD:inner:", -1, clean.made[: _at(clean, "postMessage")])
    ended = _nth("checkpoint_write:THREAD:__empty__:", 0, clean.made[_at(clean, "users.info") :])
    for crash in (Crash(asked, "after"), Crash(ended, "before")):
        ran = run_once(stand, nested, crash)
        assert ran.died
        assert ran.end.differs(clean.end) == [], crash


def _at(ran: Ran, words: str) -> int:
    return next(number for number, call in enumerate(ran.made) if words in call)


def _nth(words: str, number: int, calls: Sequence[str]) -> str:
    return [call for call in calls if words in call and "JSON.SET" in call][number]
