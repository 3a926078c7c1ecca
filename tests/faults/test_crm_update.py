"""The update of a HubSpot contact, killed where it matters: it is written once, and only what was
approved. Counted is what HubSpot itself was told to write."""

from collections.abc import Generator

import pytest

from bot.local.torture.calls import Crash, Side
from bot.local.torture.crashes import Journey, Stand, run_once
from tests.workflows.hubspot import LENA, MARK, TOKEN, HubSpotStandIn
from workflows.catalog import Workflow
from workflows.connectors.hubspot import HubSpot
from workflows.graphs.crm_update import crm_update

VALUES = {"kind": "contact", "record": "101", "changes": {"phone": "+49 30 2"}}
CALL = "effect crm_update:THREAD: its call #1"
FIND = "effect crm_update:THREAD: its find #1"


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stand, None, None]:
    with Stand.open(tmp_path_factory.mktemp("stand")) as stand:
        yield stand


@pytest.fixture
def hubspot(stand: Stand) -> Generator[HubSpotStandIn, None, None]:
    opened = HubSpotStandIn.open()
    yield stand.elsewhere.do(opened.__aenter__())
    stand.elsewhere.do(opened.__aexit__(None, None, None))


def journey(hubspot: HubSpotStandIn, mark: str = "", *, changed: bool = False) -> Journey:
    """changed: somebody else changes the number before the first click."""
    clicks: list[int] = []

    def make() -> Workflow:
        clicks.clear()
        hubspot.log.clear()
        hubspot.seed("contacts", "101", **LENA)
        return crm_update(HubSpot(TOKEN, hubspot.url, mark))

    def clicked() -> None:
        if changed and not clicks:
            hubspot.change("contacts", "101", phone="+49 30 9")
        clicks.append(1)

    return Journey("crm_update", make, VALUES, clicked=clicked, tally=lambda: list(hubspot.log))


@pytest.mark.parametrize("mark", ["", MARK])
@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_its_call_it_is_written_once(
    stand: Stand, hubspot: HubSpotStandIn, side: Side, mark: str
) -> None:
    ran = run_once(stand, journey(hubspot, mark), Crash(CALL, side))
    assert ran.struck
    assert hubspot.log == ["contacts 101 phone=+49 30 2"]
    assert ran.end.told["run"] == ("finished",)
    assert ran.end.told["trail"] == ()
    assert "Contact updated: phone" in str(ran.end.told["decisions"])


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_while_it_asks_what_became_of_a_lost_answer(
    stand: Stand, hubspot: HubSpotStandIn, side: Side
) -> None:
    """Nobody knows of the write but HubSpot, and the one who asks is killed, too."""
    hubspot.writes = [None]
    ran = run_once(stand, journey(hubspot), Crash(FIND, side))
    assert ran.struck
    assert hubspot.log == ["contacts 101 phone=+49 30 2"]
    assert ran.end.told["run"] == ("finished",)


MOMENTS: list[tuple[Side, str]] = [
    ("before", "docket add advance:THREAD:APPROVAL #1"),  # decided, and nobody heard of it
    ("after", "slack chat.postMessage #4"),
    ("before", CALL),
    ("after", CALL),
]


@pytest.mark.parametrize(("side", "call"), MOMENTS)
def test_changed_meanwhile_it_is_asked_anew_and_written_once(
    stand: Stand, hubspot: HubSpotStandIn, side: Side, call: str
) -> None:
    ran = run_once(stand, journey(hubspot, changed=True), Crash(call, side))
    assert ran.struck
    assert hubspot.log == ["contacts 101 phone=+49 30 2"]
    decided = sorted(line.split(", ")[0] for line in ran.end.told["decisions"])
    title = "'Update phone of Lena Vogt' at approval_gate:"
    assert decided == [f"{title} approved by U0000MARA", f"{title} outdated"]
