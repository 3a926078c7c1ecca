"""A sample of `make faults`: killed or frozen at some of its calls, each journey ends as it does
unharmed."""

from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from bot.local.torture.calls import Crash, Side
from bot.local.torture.crashes import Ran, Stand, run_once, torture
from tests.faults.journeys import journeys

NAMES = list(journeys(Path()))
EVERY = 97  # a prime: each journey is killed at other calls than the next
EVERY_FROZEN = 193


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


@pytest.mark.parametrize("name", NAMES)
def test_a_frozen_process_changes_nothing_when_it_wakes_up(
    stand: Stand, tmp_path: Path, name: str
) -> None:
    first = 17 * NAMES.index(name) + 7
    which = slice(first, None, EVERY_FROZEN)
    tortured = torture(stand, journeys(tmp_path)[name], which, how="frozen")

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
        assert ran.struck, call
        assert ran.end.differs(clean.end) == [], f"{side} {call}"


def test_what_a_frozen_process_says_late_in_slack_is_taken_back(
    stand: Stand, tmp_path: Path
) -> None:
    approve = journeys(tmp_path)["approve"]
    clean = run_once(stand, approve, None)
    for call in ("slack chat.postMessage #1", "slack chat.postMessage #2"):  # its card; a reply
        ran = run_once(stand, approve, Crash(call, "before", "frozen"))
        assert ran.struck, call
        later = ran.made[ran.made.index(call) :]
        assert "slack chat.delete #1" in later, "it said it, though another had"
        assert ran.end.differs(clean.end) == [], call


def test_a_frozen_process_calls_no_provider_when_it_wakes_up(stand: Stand, tmp_path: Path) -> None:
    """Unless it was frozen between the ledger's last look and the call itself."""
    approve = journeys(tmp_path)["approve"]
    clean = run_once(stand, approve, None)
    call = "effect refund:THREAD: its call #1"
    written_down = clean.made[clean.made.index(call) - 1]
    ran = run_once(stand, approve, Crash(written_down, "after", "frozen"))
    assert call not in ran.made
    assert ran.end.differs(clean.end) == []

    ran = run_once(stand, approve, Crash(call, "before", "frozen"))
    assert [kind for kind, _ in ran.end.differs(clean.end)] == ["calls"] * 2


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
        assert ran.struck
        assert ran.end.differs(clean.end) == [], crash


def _at(ran: Ran, words: str) -> int:
    return next(number for number, call in enumerate(ran.made) if words in call)


def _nth(words: str, number: int, calls: Sequence[str]) -> str:
    return [call for call in calls if words in call and "JSON.SET" in call][number]
