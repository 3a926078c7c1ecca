"""What must still be so: compared in words, checked right before an effect, and never passed."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from pydantic import JsonValue, ValidationError

from tests.workflows.rig import NOW, THREAD
from tests.workflows.world import KEY, World
from workflows.effects import EffectInDoubt, EffectRefused, Receipt, ThreadEffects
from workflows.lease import LeaseLost
from workflows.preconditions import (
    CHANGES_AT_MOST,
    Conditions,
    Finding,
    Precondition,
    PreconditionFailed,
    UnknownCheck,
    unmet,
)
from workflows.protocol import ApprovalRequest


def rests(expected: JsonValue = "v1", name: str = "version") -> Precondition:
    return Precondition(name=name, label="Version", expected=expected)


@dataclass
class Present:
    """What is so now: a value, what a check finds, or why it cannot be found out."""

    value: JsonValue | Finding | Exception = "v1"
    looks: list[tuple[Precondition, datetime]] = field(
        default_factory=list[tuple[Precondition, datetime]]
    )

    async def check(self, declared: Precondition, now: datetime) -> JsonValue | Finding:
        self.looks.append((declared, now))
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def effects(self, world: World, *decisions: str) -> ThreadEffects:
        declared = {"ap_1": (rests(),)}
        conditions = Conditions(declared, {"version": self.check}, lambda: NOW)
        keys = decisions or ("ap_1",)
        return world.rig.ledger.of(world.lease, THREAD, keys, conditions=conditions)


async def words(expected: JsonValue, found: JsonValue | Finding) -> tuple[str, ...]:
    return await unmet({"version": Present(found).check}, [rests(expected)], NOW)


@pytest.mark.parametrize("same", ["v1", None, 1, {"a": [1, {"b": None}]}, "ü"])
async def test_what_is_as_it_was_says_nothing(same: JsonValue) -> None:
    assert await words(same, same) == ()


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        ("v1", "v2", ['Version: "v1" is now "v2"']),
        (1, True, ["Version: 1 is now true"]),
        (0, None, ["Version: 0 is now nothing"]),
        ("v1", None, ['Version: "v1" is now nothing']),
        ({"Phone": "1"}, None, ['Version: {"Phone": "1"} is now nothing']),
        (
            {"Phone": "1", "City": "Bern", "Gone": 1},
            {"City": "Bern", "Phone": "2", "New": None},
            ['Phone: "1" is now "2"', "Gone: 1 is now nothing", "New: nothing is now nothing"],
        ),
        ("x", Finding(holds=True), []),
        ("x", Finding(holds=True, changes=("not said",)), []),
        ("x", Finding(holds=False, changes=("Consent was withdrawn",)), ["Consent was withdrawn"]),
        ("x", Finding(holds=False), ["Version: not so any more"]),
    ],
)
async def test_what_is_otherwise_is_said_part_by_part(
    expected: JsonValue, found: JsonValue | Finding, said: list[str]
) -> None:
    assert list(await words(expected, found)) == said


async def test_much_that_has_changed_is_cut_and_counted() -> None:
    before: dict[str, JsonValue] = {f"f{n}": "x" * 5000 for n in range(CHANGES_AT_MOST + 3)}
    said = await words(before, dict.fromkeys(before, "y"))
    assert said[-1] == "and 3 more"
    assert len(said) == CHANGES_AT_MOST + 1
    assert max(map(len, said)) < 250


async def test_a_check_that_is_not_there_is_not_passed() -> None:
    with pytest.raises(UnknownCheck, match="'other'"):
        await unmet({"version": Present().check}, [rests(name="other")], NOW)


def test_a_request_has_few_preconditions_and_each_a_name() -> None:
    with pytest.raises(ValidationError):
        ApprovalRequest(title="x", preconditions=(rests(),) * 21)
    with pytest.raises(ValidationError):
        rests(name="Not a name")


def test_a_request_without_any_is_stored_as_before_there_were_some() -> None:
    """Older code reads it, and finds the same digest."""
    assert "preconditions" not in ApprovalRequest(title="x").model_dump(mode="json")
    assert "preconditions" not in ApprovalRequest(title="x").model_dump_json()
    declared = ApprovalRequest(title="x", preconditions=(rests(),))
    assert ApprovalRequest.model_validate(declared.model_dump(mode="json")) == declared


async def test_it_is_checked_right_before_the_call(world: World) -> None:
    present = Present()
    await present.effects(world).once(KEY, world.provider.call, world.provider.find)
    assert present.looks == [(rests(), NOW)]
    assert world.provider.calls == 1


async def test_what_has_changed_is_not_called_and_says_so(world: World) -> None:
    effects = Present("v2").effects(world)
    with pytest.raises(PreconditionFailed, match='since it was approved: Version: "v1"') as failed:
        await effects.once(KEY, world.provider.call, world.provider.find)
    assert failed.value.changes == ('Version: "v1" is now "v2"',)
    entry = await world.entry()
    assert (entry.state, entry.changes, entry.decisions) == (
        "refused", failed.value.changes, ("ap_1",),
    )  # fmt: skip
    assert world.provider.calls == 0


async def test_approved_anew_it_is_called(world: World) -> None:
    with pytest.raises(PreconditionFailed):
        await Present("v2").effects(world).once(KEY, world.provider.call)
    anew = replace(Present().effects(world), decisions=("ap_2",))
    await anew.once(KEY, world.provider.call)
    entry = await world.entry()
    assert (entry.state, entry.changes, entry.decisions) == ("done", (), ("ap_2",))


async def test_what_is_done_stays_done_whatever_has_changed(world: World) -> None:
    present = Present()
    effects = present.effects(world)
    receipt = await effects.once(KEY, world.provider.call)
    present.value = "v2"
    assert await effects.once(KEY, world.provider.call) == receipt
    assert (world.provider.calls, len(present.looks)) == (1, 1)


async def test_after_a_crash_the_provider_is_asked_first(world: World) -> None:
    """It wrote the record itself, and so changed what is checked."""
    present = Present()
    effects = present.effects(world)
    world.provider.dies = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        await effects.once(KEY, world.provider.call, world.provider.find)
    present.value = "v2"
    assert isinstance(await effects.once(KEY, world.provider.call, world.provider.find), Receipt)
    assert (world.provider.calls, await world.provider.rows()) == (1, 1)


async def test_what_certainly_did_not_happen_is_checked_again(world: World) -> None:
    present = Present()
    effects = present.effects(world)
    world.provider.fails = TimeoutError("never arrived")
    with pytest.raises(TimeoutError):
        await effects.once(KEY, world.provider.call, world.provider.find)
    present.value, world.provider.fails = "v2", None
    with pytest.raises(PreconditionFailed):
        await effects.once(KEY, world.provider.call, world.provider.find)
    assert (world.provider.calls, (await world.entry()).state) == (1, "refused")


async def test_what_nobody_can_be_asked_about_stays_in_doubt(world: World) -> None:
    present = Present()
    world.provider.fails = TimeoutError("perhaps it arrived")
    with pytest.raises(TimeoutError):
        await present.effects(world).once(KEY, world.provider.call)
    present.value = "v2"
    with pytest.raises(EffectInDoubt):
        await present.effects(world).once(KEY, world.provider.call)
    assert (await world.entry()).state == "in_doubt"


async def test_a_check_that_raises_passes_nothing_and_leaves_nothing_in_doubt(world: World) -> None:
    effects = Present(ConnectionError("away")).effects(world)
    with pytest.raises(ConnectionError):
        await effects.once(KEY, world.provider.call)
    assert world.provider.calls == 0
    assert await world.rig.ledger.entries(THREAD) == []


async def test_what_is_refused_may_be_called_again_only_if_nothing_has_changed(
    world: World,
) -> None:
    present = Present()
    effects = present.effects(world)
    world.provider.fails = EffectRefused("declined")
    with pytest.raises(EffectRefused):
        await effects.once(KEY, world.provider.call)
    present.value, world.provider.fails = "v2", None
    with pytest.raises(PreconditionFailed):
        await effects.once(KEY, world.provider.call)
    assert world.provider.calls == 1


async def test_what_an_effect_of_the_same_decision_has_changed_voids_nothing(world: World) -> None:
    present = Present()
    effects = present.effects(world)
    await effects.once(KEY, world.provider.call)
    present.value = "v2"  # by that very effect
    receipt = Receipt(id="m_1", summary="Told")

    async def tell() -> Receipt:
        return receipt

    assert await effects.once("mail:t-1", tell) == receipt
    other = replace(effects, decisions=("ap_1", "ap_2"))
    assert await other.once("mail:t-2", tell) == receipt


async def test_an_effect_of_another_decision_does_not_rest_on_it(world: World) -> None:
    present = Present("v2")
    await present.effects(world, "ap_2").once(KEY, world.provider.call)
    assert (present.looks, world.provider.calls) == ([], 1)


async def test_a_provider_that_writes_on_condition_says_so_itself(world: World) -> None:
    """It looked at the very moment of the write: certainly nothing happened."""
    world.provider.fails = PreconditionFailed(["Phone: 1 is now 2"])
    with pytest.raises(PreconditionFailed):
        await Present().effects(world).once(KEY, world.provider.call)
    entry = await world.entry()
    assert (entry.state, entry.changes) == ("refused", ("Phone: 1 is now 2",))


async def test_what_another_run_began_meanwhile_is_left_as_it_is(world: World) -> None:
    """Looking takes its time; the key is not ours then."""
    async with world.rig.leases().hold("t-2") as lease:
        others = world.rig.ledger.of(lease, "t-2")

        async def check(_declared: Precondition, _now: datetime) -> JsonValue:
            await others.once(KEY, world.provider.call)
            return "v2"

        conditions = Conditions({"ap_1": (rests(),)}, {"version": check})
        effects = replace(Present().effects(world), conditions=conditions)
        with pytest.raises(PreconditionFailed):
            await effects.once(KEY, world.provider.call)
    [entry] = await world.rig.ledger.entries("t-2")
    assert entry.state == "done"


async def test_who_lost_the_lease_while_it_checked_writes_nothing(world: World) -> None:
    effects = Present("v2").effects(world)
    effects = replace(effects, lease=replace(world.lease, token="another"))
    with pytest.raises(LeaseLost):
        await effects.once(KEY, world.provider.call)
    assert await world.rig.ledger.entries(THREAD) == []
