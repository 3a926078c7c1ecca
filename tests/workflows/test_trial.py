"""A trial in memory refuses what production would: what authors test is what will be."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from tests.journey.test_preconditions import ANEW, FIRST, Account, State, gate, workflow
from workflows.catalog import Context, Workflow
from workflows.clock import utc_now
from workflows.connectors.crm import SqliteCrm
from workflows.connectors.patients import SqlitePatients
from workflows.connectors.payments import SqlitePayments
from workflows.effects import EffectInDoubt, EffectRefused
from workflows.graphs.crm_update import crm_update
from workflows.graphs.patient_reply import patient_reply
from workflows.runner import SettingMissing
from workflows.trial import Trial


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(SqlitePayments(tmp_path / "payments.db"))


async def paid(account: Account) -> list[int]:
    return [amount for _, _, amount, _ in await account.payments.refunds()]


async def test_what_is_as_it_was_is_looked_at_twice_and_done(account: Account) -> None:
    trial = await Trial.start(workflow(account))
    await trial.approve()
    assert trial.finished
    assert (account.looks, await paid(account)) == (2, [100])


async def test_what_changed_before_it_was_decided_is_asked_anew(account: Account) -> None:
    trial = await Trial.start(workflow(account))
    assert trial.request.title == FIRST
    account.balance = 90
    await trial.approve()
    assert (trial.request.title, trial.receipts) == (ANEW, {})
    assert trial.values["decision"].changes == ("Balance: 100 is now 90",)
    await trial.approve()
    assert await paid(account) == [90]


async def test_what_changed_right_before_the_effect_is_asked_anew(account: Account) -> None:
    trial = await Trial.start(workflow(account))
    account.before_paying = [90]
    await trial.approve()
    assert (trial.request.title, trial.receipts) == (ANEW, {})


async def test_a_check_that_cannot_be_made_is_no_pass(account: Account) -> None:
    trial = await Trial.start(workflow(account))
    account.away = True
    with pytest.raises(ConnectionError):
        await trial.approve()
    assert (trial.request.title, trial.receipts) == (FIRST, {})
    account.away = False
    await trial.approve()
    assert await paid(account) == [100]


async def test_a_rejection_rests_on_nothing(account: Account) -> None:
    trial = await Trial.start(workflow(account))
    account.balance = 90
    await trial.reject()
    assert trial.finished
    assert (account.looks, trial.receipts) == (0, {})


async def test_nobody_decides_in_time(account: Account) -> None:
    trial = await Trial.start(workflow(account))
    await trial.expire()
    assert trial.finished
    assert trial.values["decision"].type == "expired"
    assert trial.receipts == {}


async def test_what_could_not_be_asked_is_not_asked(account: Account) -> None:
    trial = await Trial.start(workflow(account, checks={}))
    with pytest.raises(LookupError, match="'balance' is no check of pay"):
        await trial.approve()


async def test_what_could_not_be_started_is_not_started(account: Account) -> None:
    with pytest.raises(SettingMissing, match="PAY_KEY"):
        await Trial.start(workflow(account, lacks="PAY_KEY is not set"))


async def test_one_of_ours_is_tried_as_it_is(tmp_path: Path) -> None:
    crm = SqliteCrm(tmp_path / "crm.db")
    values: Any = {"kind": "contact", "record": "101", "changes": {"city": "Bern"}}
    trial = await Trial.start(crm_update(crm), **values)
    await crm.change("contact", "101", city="Rome")
    await trial.approve()
    assert trial.values["decision"].type == "outdated"
    await trial.approve()
    assert [values for _, values in await crm.updates()] == [{"city": "Bern"}]


@pytest.mark.parametrize("withdrawn", [False, True])
async def test_what_waits_for_a_time_goes_on_when_it_comes(tmp_path: Path, withdrawn: bool) -> None:
    patients = SqlitePatients(tmp_path / "patients.db")
    tomorrow = (utc_now() + timedelta(days=1)).replace(hour=12).isoformat()
    given: Any = {"patient": "p-1", "zone": "UTC", "template": "results", "body": "All is well."}
    trial = await Trial.start(patient_reply(patients), **given, send_at=tomorrow)
    await trial.approve()
    assert (trial.finished, trial.receipts) == (False, {})
    assert trial.waits_until == datetime.fromisoformat(tomorrow)
    if withdrawn:
        await patients.withdraw("p-1")
    await trial.wake()
    assert trial.finished
    assert len(trial.receipts) == (0 if withdrawn else 1)
    with pytest.raises(LookupError, match="waits for no time"):
        await trial.wake()


def effect(account: Account, call: Any) -> Workflow:
    """The same question, and that effect."""

    async def act(state: State, runtime: Runtime[Context]) -> State:
        await runtime.context.effects.once("k", call)
        return state

    graph = StateGraph(State, context_schema=Context)
    graph.add_node("gate", gate)
    graph.add_node("act", act)
    graph.add_edge(START, "gate")
    graph.add_edge("gate", "act")
    graph.add_edge("act", END)
    account.balance = 0  # as the question says, where nobody prepared it
    return replace(workflow(account), graph=graph)


async def test_an_effect_answers_a_receipt(account: Account) -> None:
    async def call() -> str:
        return "done"

    trial = await Trial.start(effect(account, call))
    with pytest.raises(EffectInDoubt, match="must return a Receipt"):
        await trial.approve()


async def test_what_a_provider_refuses_is_raised_as_it_is(account: Account) -> None:
    async def call() -> str:
        raise EffectRefused("no such customer")

    trial = await Trial.start(effect(account, call))
    with pytest.raises(EffectRefused, match="no such customer"):
        await trial.approve()
    assert not trial.finished
    with pytest.raises(LookupError, match="or failed"):
        await trial.approve()
