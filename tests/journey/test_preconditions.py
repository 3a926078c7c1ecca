"""What was approved has changed meanwhile: nobody carries it out, and it is asked as it is now."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command
from pydantic import BaseModel, JsonValue

from bot.services import Services
from tests.bot.drawn import every
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.catalog import Catalog, Context, Workflow
from workflows.connectors.payments import SqlitePayments
from workflows.effects import Receipt
from workflows.policy import Policy
from workflows.preconditions import Precondition, PreconditionFailed
from workflows.protocol import ApprovalRequest, Decision, Editable, request_approval

FIRST, ANEW = "Pay 100 to Acme GmbH", "Pay 90 to Acme GmbH"
CHANGED = "Balance: 100 is now 90"


class Start(BaseModel):
    pass


class State(TypedDict, total=False):
    balance: int
    decision: Decision


class Account:
    """What is paid out is what is there: another booking changes it. away: nobody can look."""

    def __init__(self, payments: SqlitePayments) -> None:
        self.payments = payments
        self.balance = 100
        self.away = False
        self.looks = 0
        self.before_paying: list[int] = []  # what the balance becomes right before, each once

    async def check(self, declared: Precondition, now: datetime) -> JsonValue:
        assert (declared.arguments, now.tzinfo) == ({"account": "a1"}, now.tzinfo)
        self.looks += 1
        if self.away:
            raise ConnectionError("away")
        return self.balance

    def prepare(self, _state: State) -> State:
        return {"balance": self.balance}

    async def pay(self, state: State, runtime: Runtime[Context]) -> Command[str]:
        decision = state.get("decision")
        if decision is not None and decision.type == "outdated":
            return Command(goto="prepare")
        if decision is None or decision.type not in ("approve", "edit"):
            return Command(goto=END)
        if self.before_paying:
            self.balance = self.before_paying.pop(0)
        with contextlib.suppress(PreconditionFailed):
            await runtime.context.effects.once(*self._payment(runtime.context.thread_id, state))
            return Command(goto=END)
        return Command(goto="prepare")

    def _payment(self, thread_id: str, state: State) -> tuple[Any, ...]:
        key, minor = f"pay:{thread_id}", state.get("balance", 0)

        async def call() -> Receipt:
            return await self.payments.refund(
                key, customer="Acme", amount_minor=minor, currency="EUR"
            )

        return key, call, lambda: self.payments.find(key)


def gate(state: State) -> State:
    balance = state.get("balance", 0)
    rests = Precondition(
        name="balance", label="Balance", expected=balance, arguments={"account": "a1"}
    )
    editable = Editable(json_schema={"type": "object"}, values={"note": ""})
    asks = ApprovalRequest(
        title=f"Pay {balance} to Acme GmbH",
        preconditions=(rests,),
        allowed_decisions=("approve", "reject", "edit"),
        editable=editable,
    )
    return {"decision": request_approval(asks)}


def workflow(account: Account, **changed: Any) -> Workflow:
    graph = StateGraph(State, context_schema=Context)
    prepare: Any = account.prepare
    graph.add_node("prepare", prepare)
    graph.add_node("gate", gate)
    graph.add_node("pay", account.pay, destinations=("prepare", END))
    graph.add_edge(START, "prepare")
    graph.add_edge("prepare", "gate")
    graph.add_edge("gate", "pay")
    checks = {"balance": account.check}
    made = Workflow(name="pay", title="Pay", input_model=Start, graph=graph, checks=checks)
    return replace(made, **changed)


@contextlib.asynccontextmanager
async def asked(
    deployment: Deployment, account: Account, **more: Any
) -> AsyncGenerator[Services, None]:
    """A bot whose first card stands, of the thread `pay-1`."""
    async with deployment.instance(known=Catalog([workflow(account, **more)])) as bot:
        await bot.starter.start_run("pay", {}, thread_id="pay-1")
        yield bot


async def paid(account: Account) -> list[int]:
    return [amount for _, _, amount, _ in await account.payments.refunds()]


async def test_what_changed_before_it_was_decided_is_void_and_asked_again(
    deployment: Deployment,
) -> None:
    account = Account(deployment.payments)
    async with asked(deployment, account):
        first = await deployment.card(FIRST)
        assert "Carried out only if unchanged until then: Balance" in first.words
        account.balance = 90
        await deployment.person("mara").click(first, "Approve")

        void = await deployment.reads(first, "Nothing was executed")
        assert "Void, since something changed" in void.words
        assert CHANGED in void.words
        anew = await deployment.card(ANEW)
        assert "Asked again: this was approved, and changed before it was carried out" in anew.words
        assert CHANGED in anew.words
        assert f"p{first.ts.replace('.', '')}|Open the card>" in anew.words
        assert await paid(account) == []

        await deployment.person("mara").click(anew, "Approve")
        await deployment.reads(anew, "Refund done: €0.90")
        assert await paid(account) == [90]
        before, after = await deployment.approvals_of("pay-1")
        assert (before.status, before.superseded_by) == ("outdated", after.id)
        assert f"Approved, and void, since what it rests on has changed: {CHANGED}" in (
            await deployment.thread(first, 4)
        )


async def test_what_changed_before_the_effect_is_not_executed_and_asked_again(
    deployment: Deployment,
) -> None:
    account = Account(deployment.payments)
    account.before_paying = [90]
    async with asked(deployment, account):
        first = await deployment.card(FIRST)
        await deployment.person("mara").click(first, "Approve")

        await deployment.reads(first, f"Not executed: changed since it was approved: {CHANGED}")
        anew = await deployment.card(ANEW)
        assert CHANGED in anew.words
        assert await paid(account) == []
        await deployment.person("mara").click(anew, "Approve")
        await deployment.reads(anew, "Refund done: €0.90")
        assert await paid(account) == [90]
        told = await deployment.thread(first, 4)
        assert f"Approved, not executed: changed since it was approved: {CHANGED}" in told


async def test_what_is_as_it_was_is_executed_and_looked_at_twice(deployment: Deployment) -> None:
    account = Account(deployment.payments)
    async with asked(deployment, account):
        first = await deployment.card(FIRST)
        await deployment.person("mara").click(first, "Approve")
        await deployment.reads(first, "Refund done: €1.00")
        assert (account.looks, await paid(account)) == (2, [100])


async def test_a_rejection_rests_on_nothing(deployment: Deployment) -> None:
    account = Account(deployment.payments)
    async with asked(deployment, account):
        first = await deployment.card(FIRST)
        account.balance = 90
        await deployment.person("mara").click(first, "Reject")
        await deployment.reads(first, "Nothing was executed")
        assert (account.looks, await paid(account)) == (0, [])


async def test_a_check_that_cannot_be_made_is_no_pass(deployment: Deployment) -> None:
    """It is an attempt that failed, and made again later."""
    account = Account(deployment.payments)
    async with asked(deployment, account):
        first = await deployment.card(FIRST)
        account.away = True
        await deployment.person("mara").click(first, "Approve")
        await deployment.reads(first, "Approved by")

        async def failed() -> bool:
            return "ConnectionError" in (await deployment.run_of("pay-1")).error

        await eventually("an attempt fails", failed, 45)
        assert await paid(account) == []
        account.away = False
        await deployment.reads(first, "Refund done: €1.00", within=60)
        assert await paid(account) == [100]


async def test_of_a_quorum_the_last_vote_is_when_it_is_looked_at(deployment: Deployment) -> None:
    account = Account(deployment.payments)
    two = Policy(approvers=("U0000MARA", "U000JONAS"), quorum=2)
    async with asked(deployment, account, policy=two):
        first = await deployment.card(FIRST)
        await deployment.person("mara").click(first, "Approve")
        voted = await deployment.reads(first, "1 of 2")
        assert account.looks == 0
        account.balance = 90
        await deployment.person("jonas").click(voted, "Approve")
        void = await deployment.reads(first, "Void, since something changed")
        assert {user["user_id"] for user in every(void.blocks) if user.get("type") == "user"} == {
            "U0000MARA", "U000JONAS",
        }  # fmt: skip
        anew = await deployment.card(ANEW)
        assert "0 of 2" in anew.words
        assert await paid(account) == []


async def test_an_old_click_on_a_void_card_changes_nothing(deployment: Deployment) -> None:
    account = Account(deployment.payments)
    async with asked(deployment, account):
        first = await deployment.card(FIRST)
        account.balance = 90
        await deployment.person("mara").click(first, "Approve")
        await deployment.reads(first, "Void, since something changed")
        await deployment.card(ANEW)
        await click_as_drawn(deployment, "mara", first, "Approve")
        await deployment.told("mara", "The workflow no longer asks this")
        assert await paid(account) == []


async def test_a_workflow_without_the_check_asks_nobody(deployment: Deployment) -> None:
    account = Account(deployment.payments)
    async with asked(deployment, account, checks={}):

        async def failed() -> str:
            return (await deployment.run_of("pay-1")).error

        why = await eventually("the run fails", failed, 45)
        assert why == "its precondition 'balance' is no check of pay"
        assert await deployment.approvals_of("pay-1") == []


async def test_approved_while_no_worker_knows_the_check_it_waits_for_one(
    deployment: Deployment,
) -> None:
    """As in a deploy that goes back: the decision stands, and nothing is handed over unchecked."""
    account = Account(deployment.payments)
    async with asked(deployment, account):
        first = await deployment.card(FIRST)
        await deployment.settled("pay-1")
    known = Catalog([workflow(account, checks={})])
    async with deployment.instance("two", known=known):
        await deployment.person("mara").click(first, "Approve")
        await deployment.reads(first, "On hold: In this code of pay there is no check 'balance'")
        assert await paid(account) == []


async def test_no_worker_and_then_one_finds_what_has_changed(deployment: Deployment) -> None:
    account = Account(deployment.payments)
    async with asked(deployment, account):
        first = await deployment.card(FIRST)
        await deployment.settled("pay-1")
    known = Catalog([workflow(account)])
    async with deployment.instance("two", known=known, works=False):
        await deployment.person("mara").click(first, "Approve")
        assert (await deployment.approvals_of("pay-1"))[0].status == "approved"
    account.balance = 90
    async with deployment.instance("three", known=known):
        await deployment.reads(first, "Void, since something changed")
        await deployment.card(ANEW)
        assert await paid(account) == []
