"""An effect that may have happened, and nobody to ask but a person: asked once, never guessed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from bot.approvals import Approval
from bot.audit import Tag
from bot.local.person import Seen
from bot.records import Change
from bot.services import Services
from tests.clicks import click_as_drawn
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.faults.dying import DIED, THREAD, advance, die, half_sent
from tests.journey.test_command_line import run as command
from workflows.catalog import Catalog, Context, Workflow
from workflows.effects import EffectRefused, Receipt
from workflows.protocol import ApprovalRequest, request_approval

TITLE = "Send it"
DOUBT = f"It may have happened: {TITLE}"
HAPPENED, NOT_HAPPENED, AGAIN = "It happened", "It did not happen", "Try again"
PATIENCE = 60.0


class Input(BaseModel):
    title: str = TITLE


class State(TypedDict, total=False):
    title: str
    receipt: Receipt
    instead: str


class Mail:
    """A provider that cannot be asked; what was sent is counted, and then the answer is lost."""

    def __init__(self) -> None:
        self.sent = 0
        self.lost_answers = 1

    async def send(self) -> Receipt:
        self.sent += 1
        if self.lost_answers:
            self.lost_answers -= 1
            raise ConnectionError("no answer")
        return Receipt(id=f"m_{self.sent}", summary="Sent")


def workflow(mail: Mail, *, catches: bool = False) -> Workflow:
    """catches: its node takes a refusal as an answer, and goes on."""

    def ask(state: State) -> State:
        request_approval(ApprovalRequest(title=state.get("title", TITLE)))
        return {}

    async def send(state: State, runtime: Runtime[Context]) -> State:
        key = f"mail:{runtime.context.thread_id}"
        try:
            return {"receipt": await runtime.context.effects.once(key, mail.send)}
        except EffectRefused:
            if not catches:
                raise
            return {"instead": "by post"}

    graph = StateGraph(State, context_schema=Context)
    graph.add_node("ask", ask)
    graph.add_node("send", send)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "send")
    graph.add_edge("send", END)
    return Workflow(name="mail", title="Mail", input_model=Input, graph=graph)


@dataclass(frozen=True)
class Doubted:
    """A run that waits because of its doubt."""

    deployment: Deployment
    bot: Services
    mail: Mail
    thread_id: str
    card: Seen
    doubt: Seen

    async def says(self, label: str, who: str = "mara") -> None:
        await self.deployment.person(who).click(self.doubt, label)

    async def records(self) -> tuple[Approval, Approval]:
        asked, doubt = await self.deployment.approvals_of(self.thread_id)
        assert doubt.doubt is not None
        return asked, doubt

    async def status(self, wanted: str) -> None:
        async def reached() -> bool:
            return (await self.deployment.run_of(self.thread_id)).status == wanted

        await eventually(f"the run is {wanted}", reached, PATIENCE)

    async def told(self, card: Seen, last: str) -> list[str]:
        def lines() -> list[str] | None:
            seen = [reply.text for reply in self.deployment.person("mara").replies(card)]
            return seen if seen and seen[-1].startswith(last) else None

        return await eventually(f"{last!r} in the thread", lines, PATIENCE)


@pytest.fixture
def mail() -> Mail:
    return Mail()


@pytest.fixture
async def bot(deployment: Deployment, mail: Mail) -> AsyncGenerator[Services, None]:
    async with deployment.instance("one", Catalog([workflow(mail)])) as services:
        yield services


async def in_doubt(deployment: Deployment, bot: Services, mail: Mail) -> Doubted:
    """As after a worker that died behind its call: what it has begun stands in the ledger."""
    run = await bot.starter.start_run("mail", {}, requester="U00000TOM")
    card = await deployment.card(TITLE, within=PATIENCE)
    asked = await deployment.settled(run.thread_id, PATIENCE)
    advancing = bot.tasks.advancing
    async with advancing.leases.hold(run.thread_id, wait=timedelta(seconds=PATIENCE)) as lease:
        effects = advancing.effects.of(lease, run.thread_id, (asked.id,))
        with pytest.raises(ConnectionError):
            await effects.once(f"mail:{run.thread_id}", mail.send)
    await deployment.person("mara").click(card, "Approve")
    doubt = await deployment.card(DOUBT, within=PATIENCE)
    return Doubted(deployment, bot, mail, run.thread_id, card, doubt)


@pytest.fixture
async def doubted(deployment: Deployment, bot: Services, mail: Mail) -> Doubted:
    return await in_doubt(deployment, bot, mail)


async def test_a_person_is_asked_and_the_run_waits(doubted: Doubted) -> None:
    deployment = doubted.deployment
    assert doubted.doubt.buttons == [HAPPENED, NOT_HAPPENED, AGAIN]
    assert f"mail:{doubted.thread_id}" in doubted.doubt.words
    await deployment.reads(doubted.card, "a card of its own asks whether it did", within=PATIENCE)
    await doubted.status("waiting")
    asked, doubt = await doubted.records()
    assert (doubt.policy, doubt.channel, doubt.expires_at) == (asked.policy, asked.channel, None)
    assert (asked.outcome, asked.in_doubt, doubt.status) == (None, True, "pending")
    await deployment.person("mara").command("/approvals")
    await deployment.told("mara", DOUBT)
    assert DOUBT in (await command(deployment.environment, "list")).stdout
    shown = (await command(deployment.environment, "show", doubted.thread_id)).stdout
    assert f"{DOUBT}: pending" in shown
    assert f"effect mail:{doubted.thread_id}: in_doubt" in shown
    assert doubted.mail.sent == 1


async def test_it_happened_is_the_receipt_of_who_says_so(doubted: Doubted) -> None:
    await doubted.says(HAPPENED)
    await doubted.deployment.reads(
        doubted.card, "Mara Okafor says that it happened", within=PATIENCE
    )
    decided = await doubted.deployment.reads(doubted.doubt, "Noted as done", within=PATIENCE)
    assert decided.buttons == []
    assert decided.text.startswith(f"Answered by Mara Okafor: {DOUBT}")
    assert await doubted.told(doubted.doubt, "Noted as done")
    story = await doubted.told(doubted.card, "Workflow finished")
    assert [line.split(" (")[0].split(",")[0].split(" on ")[0] for line in story] == [
        "Requested by Tom Ferreira",
        "Approved by Mara Okafor",
        "Workflow resumed by one",
        "It may have happened",
        "Mara Okafor says that it happened",
        "Workflow finished",
    ]
    found = await doubted.deployment.shown(doubted.thread_id)
    [entry] = found["effects"]
    assert entry["receipt"]["data"]["confirmed_by"] == "U0000MARA"
    assert doubted.mail.sent == 1


async def test_it_did_not_happen_fails_visibly_and_a_retry_sends_it(doubted: Doubted) -> None:
    await doubted.says(NOT_HAPPENED)
    failed = await doubted.deployment.reads(
        doubted.card, "Not executed: Mara Okafor says that mail:", within=PATIENCE
    )
    assert failed.buttons == ["Retry"]
    assert doubted.mail.sent == 1
    await doubted.status("failed")

    await doubted.deployment.person("jonas").click(failed, "Retry")
    await doubted.deployment.reads(doubted.card, "Sent, m_2", within=PATIENCE)
    await doubted.status("finished")
    assert doubted.mail.sent == 2


async def test_a_node_that_catches_a_refusal_goes_on_without_the_effect(
    deployment: Deployment, mail: Mail
) -> None:
    async with deployment.instance("one", Catalog([workflow(mail, catches=True)])) as bot:
        doubted = await in_doubt(deployment, bot, mail)
        await doubted.says(NOT_HAPPENED)
        await deployment.reads(doubted.card, "Nothing was executed", within=PATIENCE)
        await doubted.status("finished")
    assert mail.sent == 1


async def test_try_again_calls_again_with_the_same_key(doubted: Doubted) -> None:
    await doubted.says(AGAIN)
    await doubted.deployment.reads(doubted.card, "Sent, m_2", within=PATIENCE)
    await doubted.status("finished")
    [entry] = (await doubted.deployment.shown(doubted.thread_id))["effects"]
    assert (entry["key"], doubted.mail.sent) == (f"mail:{doubted.thread_id}", 2)


async def test_in_doubt_once_more_is_another_question(doubted: Doubted) -> None:
    doubted.mail.lost_answers = 1
    await doubted.says(AGAIN)

    async def both() -> list[Approval] | None:
        found = await doubted.deployment.approvals_of(doubted.thread_id)
        return found if len(found) == 3 else None

    _, first, second = await eventually("it is asked anew", both, PATIENCE)
    assert (first.status, second.status) == ("answered", "pending")
    assert first.doubt
    assert second.doubt
    assert first.doubt.key == second.doubt.key
    await doubted.status("waiting")
    assert doubted.mail.sent == 2


async def test_who_may_not_decide_may_not_say_what_happened(doubted: Doubted) -> None:
    await doubted.says(HAPPENED, "tom")
    await doubted.deployment.told("tom", "You asked for this, so someone else has to decide it.")
    await click_as_drawn(doubted.deployment, "lena", doubted.doubt, AGAIN)
    await doubted.deployment.told("lena", "Only full members of this workspace decide")
    _, doubt = await doubted.records()
    assert (doubt.status, doubted.mail.sent) == ("pending", 1)


async def test_two_answers_at_once_are_one(doubted: Doubted) -> None:
    await asyncio.gather(doubted.says(HAPPENED), doubted.says(NOT_HAPPENED, "jonas"))
    _, doubt = await doubted.records()
    assert doubt.decision is not None
    loser = "jonas" if doubt.decision.by.user == "U0000MARA" else "mara"
    await doubted.deployment.told(loser, f"Already *answered* by <@{doubt.decision.by.user}>")
    [vote] = doubt.votes
    await doubted.status(
        "finished" if vote.model_dump()["text"] == "done" else "failed",
    )
    assert doubted.mail.sent == 1


async def test_a_process_that_died_in_its_call_leaves_the_question(deployment: Deployment) -> None:
    """Without any approval: those who may decide in general are asked."""
    known = Catalog([half_sent(deadly=False)])
    async with deployment.instance("one", known, works=False, listens=False) as bot:
        await bot.starter.start_run("half_sent", {}, thread_id=THREAD)
    assert await die(deployment, 1) == [str(DIED)]
    async with deployment.instance("two", known, works=False, listens=False) as bot:
        await advance(bot)
    async with deployment.instance("three", known):
        doubt = await deployment.card(f"It may have happened: mail:{THREAD}", within=PATIENCE)
        await deployment.person("mara").click(doubt, HAPPENED)

        async def finished() -> bool:
            return (await deployment.run_of(THREAD)).status == "finished"

        await eventually("the run is finished", finished, PATIENCE)
    [entry] = (await deployment.shown(THREAD))["effects"]
    assert entry["receipt"]["summary"] == "Mara Okafor says that it happened"


async def test_an_answer_that_comes_while_the_graph_goes_on_waits_for_the_ledger(
    deployment: Deployment, mail: Mail
) -> None:
    """Between settling and resuming: it is no answer of the graph's."""
    known = Catalog([workflow(mail)])
    async with deployment.instance("one", known) as bot:
        doubted = await in_doubt(deployment, bot, mail)
        await doubted.status("waiting")
    async with deployment.instance("two", known, works=False) as bot:
        run = await deployment.run_of(doubted.thread_id)
        stored = await bot.store.run(run.thread_id)
        assert stored is not None
        await bot.store.commit(Change(stored.drained(bot.now())))
        look = bot.tasks.advancing.runner.look

        async def answered_meanwhile(*where: str) -> Any:
            object.__setattr__(bot.tasks.advancing.runner, "look", look)
            await doubted.says(HAPPENED)
            return await look(*where)

        object.__setattr__(bot.tasks.advancing.runner, "look", answered_meanwhile)
        await bot.tasks.advance(doubted.thread_id)
    await doubted.status("finished")
    _, doubt = await doubted.records()
    trail = (await deployment.shown(doubted.thread_id))["trail"]
    tags = [event["tag"] for event in trail if event["approval_id"] == doubt.id]
    assert Tag.RUN_RESUMED not in tags
    assert tags[-2:] == [Tag.ANSWERED, Tag.EFFECT_SETTLED]
    assert mail.sent == 1


class Died(BaseException):
    """The process ended here."""


CRASHES: dict[str, Callable[[Services], Any]] = {
    "before the ledger has it": lambda bot: (bot.tasks.advancing.effects, "of"),
    "before the record has it": lambda bot: (bot.changes, "change"),
    "before the graph goes on": lambda bot: (bot.tasks.advancing.runner, "advance"),
}


@pytest.mark.parametrize("answer", [HAPPENED, NOT_HAPPENED, AGAIN])
@pytest.mark.parametrize("where", CRASHES)
async def test_a_crash_while_it_is_settled_is_mended_by_the_next(
    deployment: Deployment, mail: Mail, where: str, answer: str
) -> None:
    known = Catalog([workflow(mail)])
    async with deployment.instance("one", known) as bot:
        doubted = await in_doubt(deployment, bot, mail)
        await doubted.status("waiting")
    async with deployment.instance("two", known, works=False) as bot:
        await doubted.says(answer)
        dies_at(*CRASHES[where](bot))
        with pytest.raises(Died):
            await bot.tasks.advance(doubted.thread_id)
    async with deployment.instance("three", known, works=False, listens=False) as bot:
        await bot.tasks.advance(doubted.thread_id)
    await doubted.status("failed" if answer == NOT_HAPPENED else "finished")
    assert mail.sent == (2 if answer == AGAIN else 1)


def dies_at(target: Any, name: str) -> None:
    """From here on, whoever calls this dies before it does anything."""

    def died(*_: Any, **__: Any) -> Any:
        raise Died

    object.__setattr__(target, name, died)
