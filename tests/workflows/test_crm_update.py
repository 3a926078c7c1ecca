"""The update of a record: what it takes, what it shows, and when it writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.rig import MARA, NOW, Rig, Threads, answer, approved, reject
from workflows.catalog import InvalidInput, Workflow
from workflows.connectors.crm import Kind, Record, SqliteCrm
from workflows.effects import EffectRefused, Receipt
from workflows.graphs.crm_update import ALREADY_SO, GONE, crm_update
from workflows.payloads import read_question
from workflows.preconditions import PreconditionFailed, unmet
from workflows.protocol import ApprovalRequest, Edit, Outdated
from workflows.runner import ThreadState

CONTACT: Kind = "contact"
INPUT = {"kind": CONTACT, "record": "101", "changes": {"phone": "+49 30 5550199", "city": "Bern"}}
CHANGED = ('phone: "+49 30 5550100" is now "+49 30 9"', 'Version of the record: "1" is now "2"')


@dataclass(frozen=True)
class World:
    threads: Threads
    crm: SqliteCrm
    workflow: Workflow

    async def start(self, **values: Any) -> ThreadState:
        return await self.threads.advance(given=self.workflow.read_input({**INPUT, **values}))

    async def written(self) -> list[dict[str, str]]:
        return [values for _, values in await self.crm.updates()]

    async def outdated(self, state: ThreadState) -> tuple[str, ...]:
        declared = request_of(state).preconditions
        return await unmet(self.workflow.checks, declared, NOW)


@pytest.fixture
async def world(rig: Rig, tmp_path: Path) -> World:
    crm = SqliteCrm(tmp_path / "new" / "crm.db")
    workflow = crm_update(crm)
    graph: Any = workflow.graph
    return World(await rig.threads(graph), crm, workflow)


def request_of(state: ThreadState) -> ApprovalRequest:
    [question] = state.open
    return read_question(question.value).request


def shown(request: ApprovalRequest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in request.fields:
        found[field.label] = (
            (field.before, field.after) if field.kind == "diff" else getattr(field, "value", None)
        )
    return found


async def test_it_asks_for_the_difference_and_writes_it_once(world: World) -> None:
    asked = await world.start(reason="She moved")
    request = request_of(asked)
    assert request.title == "Update phone, city of Lena Vogt"
    assert shown(request) == {
        "Contact": "Lena Vogt (101)",
        "email": "lena.vogt@nordlicht.example",
        "phone": ("+49 30 5550100", "+49 30 5550199"),
        "city": ("Berlin", "Bern"),
        "Reason": "She moved",
    }
    ended = await world.threads.advance(approved(asked))
    assert ended.values["outcome"] == "Contact updated: phone, city, contact 101"
    assert await world.crm.updates() == [("crm_update:t-1", INPUT["changes"])]


async def test_only_what_differs_is_asked_and_written(world: World) -> None:
    asked = await world.start(changes={"city": "Berlin", "jobtitle": "Head of sales"})
    request = request_of(asked)
    assert shown(request)["jobtitle"] == (None, "Head of sales")
    assert "city" not in shown(request)
    await world.threads.advance(approved(asked))
    assert await world.written() == [{"jobtitle": "Head of sales"}]


async def test_what_is_so_already_is_not_asked(world: World) -> None:
    ended = await world.start(changes={"city": "Berlin"})
    assert ended.finished
    assert (ended.open, ended.values["outcome"], await world.written()) == ((), ALREADY_SO, [])


async def test_a_record_or_property_that_is_not_there(world: World) -> None:
    ended = await world.start(record="999")
    assert (ended.finished, ended.values["outcome"]) == (True, GONE)
    with pytest.raises(EffectRefused, match="a contact has no property 'fone'"):
        await world.threads.advance(
            given=world.workflow.read_input({**INPUT, "changes": {"fone": "1"}}), thread_id="t-2"
        )


async def test_a_no_writes_nothing(world: World) -> None:
    asked = await world.start()
    ended = await world.threads.advance({asked.open[0].key: reject(asked.open[0])})
    assert (ended.values["outcome"], await world.written()) == ("not updated: reject", [])


async def test_what_a_reviewer_makes_of_it_is_written(world: World) -> None:
    asked = await world.start()
    digest, values = request_of(asked).digest, {"phone": "+49 30 7", "city": "Berlin"}
    edit = Edit(by=MARA, at=NOW, digest=digest, values=dict(values))
    ended = await world.threads.advance({asked.open[0].key: answer(edit)})
    assert await world.written() == [{"phone": "+49 30 7"}]
    assert ended.values["outcome"].startswith("Contact updated: phone,")


async def test_edited_to_what_it_is_nothing_is_written(world: World) -> None:
    asked = await world.start(changes={"city": "Bern"})
    edit = Edit(by=MARA, at=NOW, digest=request_of(asked).digest, values={"city": "Berlin"})
    ended = await world.threads.advance({asked.open[0].key: answer(edit)})
    assert (ended.values["outcome"], await world.written()) == (ALREADY_SO, [])


@pytest.mark.parametrize("values", [{"phone": 1, "city": "x"}, {"phone": "x"}, {"email": "x"}])
async def test_only_the_new_values_can_be_edited(world: World, values: dict[str, Any]) -> None:
    editable = request_of(await world.start()).editable
    assert editable is not None
    with pytest.raises(ValueError, match=r"city|phone|email"):
        editable.check(values)


async def test_it_rests_on_the_record_as_it_was_shown(world: World) -> None:
    asked = await world.start()
    assert await world.outdated(asked) == ()
    await world.crm.change(CONTACT, "101", phone="+49 30 9")
    assert await world.outdated(asked) == CHANGED
    await world.crm.change(CONTACT, "101", phone="+49 30 5550100")
    assert await world.outdated(asked) == ('Version of the record: "1" is now "3"',)


async def test_told_that_it_changed_it_asks_for_the_new_difference(world: World) -> None:
    asked = await world.start()
    first = request_of(asked)
    await world.crm.change(CONTACT, "101", phone="+49 30 9", lastname="Vogt-Ott")
    void = Outdated(by=MARA, at=NOW, digest=first.digest, changes=CHANGED)
    again = await world.threads.advance({asked.open[0].key: answer(void)})
    anew = request_of(again)
    assert anew.digest != first.digest
    assert anew.title == "Update phone, city of Lena Vogt-Ott"
    assert shown(anew)["phone"] == ("+49 30 9", "+49 30 5550199")
    await world.threads.advance(approved(again))
    assert await world.written() == [INPUT["changes"]]


async def test_changed_right_before_it_is_written_the_crm_itself_refuses(world: World) -> None:
    """On condition: also where the ledger has no precondition to look at, as in this test."""
    asked = await world.start()
    await world.crm.change(CONTACT, "101", phone="+49 30 9")
    again = await world.threads.advance(approved(asked))
    assert shown(request_of(again))["phone"] == ("+49 30 9", "+49 30 5550199")
    assert await world.written() == []
    await world.threads.advance(approved(again))
    assert await world.written() == [INPUT["changes"]]


async def test_somebody_else_did_just_that_meanwhile(world: World) -> None:
    asked = await world.start()
    await world.crm.change(CONTACT, "101", **INPUT["changes"])  # type: ignore[arg-type]
    ended = await world.threads.advance(approved(asked))
    assert (ended.finished, ended.values["outcome"]) == (True, ALREADY_SO)
    assert await world.written() == []


async def test_a_restricted_one_names_nobody_in_its_title(world: World) -> None:
    request = request_of(await world.start(restricted=True))
    assert (request.title, request.sensitivity) == ("Update phone, city", "restricted")


async def test_many_and_long_values_are_whole_in_the_request(world: World) -> None:
    names = ("firstname", "phone", "city")
    request = request_of(await world.start(changes=dict.fromkeys(names, "x" * 5000)))
    assert request.title == "Update 3 properties of Lena Vogt"
    assert shown(request)["city"] == ("Berlin", "x" * 5000)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "ticket"}, "kind"),
        ({"record": "../x"}, "record"),
        ({"changes": {}}, "changes"),
        ({"changes": "phone"}, "a JSON object, such as"),
        ({"changes": {"Phone": "1"}}, "changes"),
        ({"changes": {"phone": "\u202e1"}}, "changes.phone"),
        ({"changes": {"phone": "x" * 5001}}, "changes.phone"),
        ({"other": 1}, "other"),
    ],
)
def test_what_it_is_not_started_with(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        crm_update(SqliteCrm(Path("unused"))).read_input({**INPUT, **values})


def test_changes_may_be_typed_as_json() -> None:
    given = crm_update(SqliteCrm(Path("unused"))).read_input({**INPUT, "changes": '{"city": ""}'})
    assert given["changes"] == {"city": ""}


# --- the CRM for trying out


@pytest.fixture
def crm(tmp_path: Path) -> SqliteCrm:
    return SqliteCrm(tmp_path / "crm.db")


async def record(crm: SqliteCrm) -> Record:
    found = await crm.read(CONTACT, "101", ["phone"])
    assert found is not None
    return found


async def test_of_the_same_key_one_is_written(crm: SqliteCrm) -> None:
    was = await record(crm)
    first = await crm.update("k", was, {"phone": "2"})
    assert await crm.update("k", was, {"phone": "3"}) == first
    assert await crm.find("k", was, {}) == first
    assert isinstance(first, Receipt)
    assert await crm.find("other", was, {"phone": "2"}) is None
    assert (await record(crm)).values["phone"] == "2"


async def test_it_writes_on_condition(crm: SqliteCrm) -> None:
    was = await record(crm)
    await crm.change(CONTACT, "101", city="Bern")
    with pytest.raises(PreconditionFailed, match="Something else of the record"):
        await crm.update("k", was, {"phone": "2"})
    gone = was.model_copy(update={"id": "999"})
    with pytest.raises(EffectRefused, match="no contact 999 any more"):
        await crm.update("k", gone, {"phone": "2"})
    assert await crm.updates() == []
