"""The example of an agent with real tools: what a person approves is paid back, once."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic

from tests.workflows.rig import MARA, NOW, Rig
from workflows.connectors.orders import SqliteOrders
from workflows.connectors.payments import SqlitePayments
from workflows.effects import Receipt
from workflows.graphs.scripted import ScriptedModel
from workflows.graphs.support_agent import agent_with, model, scripted
from workflows.loading import BadTarget, named
from workflows.payloads import read_question, write_answer
from workflows.protocol import Approve, Decision, Edit, Reject
from workflows.runner import Question

TARGET = "workflows.graphs.support_agent:support_agent"
ASKS = {"message": "Please refund order A-1001"}


class Dying(SqlitePayments):
    """The process dies once the money is gone, and before anybody has written that down."""

    deaths = 1

    async def refund(self, key: str, **what: Any) -> Receipt:
        receipt = await super().refund(key, **what)
        if self.deaths:
            self.deaths -= 1
            raise ConnectionError("the process died")
        return receipt


def agent(path: Path, payments: SqlitePayments | None = None) -> Any:
    chat = ScriptedModel(says=scripted)
    return agent_with(SqliteOrders(path), payments or SqlitePayments(path), chat).graph


def decided(question: Question, kind: type[Decision], **said: Any) -> Any:
    request = read_question(question.value, question.hints).request
    made: Any = kind(by=MARA, at=NOW, digest=request.digest, **said)
    return write_answer(made, question.value, question.hints)


async def test_what_a_person_approves_is_paid_back(rig: Rig, tmp_path: Path) -> None:
    threads = await rig.threads(agent(tmp_path / "p.db"))
    state = await threads.advance(given=ASKS)
    [question] = state.open
    request = read_question(question.value, question.hints).request
    assert request.title == "Call refund_order"
    assert {field.label: field.model_dump()["value"] for field in request.fields} == {
        "order": "A-1001",
        "customer": "Acme GmbH",
        "amount": "120.50",
        "currency": "EUR",
        "reason": "The customer asks for it",
    }
    state = await threads.advance({question.key: decided(question, Approve)})
    assert state.finished
    assert "Refund done: €120.50" in state.values["answer"]
    [refund] = await SqlitePayments(tmp_path / "p.db").refunds()
    assert refund == ("support:t-1:call_1", "Acme GmbH", 12050, "EUR")
    [effect] = await rig.ledger.entries("t-1")
    assert (effect.state, effect.decisions) == ("done", (question.key,))


async def test_a_tool_that_died_in_the_middle_pays_once(rig: Rig, tmp_path: Path) -> None:
    threads = await rig.threads(agent(tmp_path / "p.db", Dying(tmp_path / "p.db")))
    [question] = (await threads.advance(given=ASKS)).open
    with pytest.raises(ConnectionError):
        await threads.advance({question.key: decided(question, Approve)})
    elsewhere = await rig.threads(agent(tmp_path / "p.db"))
    state = await elsewhere.advance()
    assert state.finished
    assert "Refund done: €120.50" in state.values["answer"]
    assert len(await SqlitePayments(tmp_path / "p.db").refunds()) == 1


async def test_less_is_paid_where_the_reviewer_says_so(rig: Rig, tmp_path: Path) -> None:
    threads = await rig.threads(agent(tmp_path / "p.db"))
    [question] = (await threads.advance(given=ASKS)).open
    asked = read_question(question.value, question.hints).request.editable
    assert asked is not None
    edited = decided(question, Edit, values={**asked.values, "amount": "20"})
    await threads.advance({question.key: edited})
    [refund] = await SqlitePayments(tmp_path / "p.db").refunds()
    assert refund[2] == 2000


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount": "120.51"}, "more than was paid"),
        ({"amount": "1.005"}, "Not refunded"),
        ({"customer": "Globex"}, "that does not fit"),
        ({"currency": "USD"}, "that does not fit"),
        ({"order": "A-9"}, "there is no such order"),
    ],
    ids=str,
)
async def test_what_does_not_fit_the_order_is_not_paid(
    rig: Rig, tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    threads = await rig.threads(agent(tmp_path / "p.db"))
    [question] = (await threads.advance(given=ASKS)).open
    args = {**question.value["action_requests"][0]["args"], **changed}
    state = await threads.advance({question.key: decided(question, Edit, values=args)})
    assert words in state.values["answer"]
    assert await SqlitePayments(tmp_path / "p.db").refunds() == []


async def test_the_model_is_told_of_a_rejection_and_pays_nothing(rig: Rig, tmp_path: Path) -> None:
    threads = await rig.threads(agent(tmp_path / "p.db"))
    [question] = (await threads.advance(given=ASKS)).open
    state = await threads.advance({question.key: decided(question, Reject, reason="Not yet due")})
    assert "with reason: Not yet due" in state.values["answer"]
    assert await SqlitePayments(tmp_path / "p.db").refunds() == []


@pytest.mark.parametrize(
    ("message", "answer"),
    [("Hello", "Which order is it about?"), ("And order A-9?", "There is no order A-9.")],
)
async def test_nobody_is_asked_where_nothing_is_to_be_paid(
    rig: Rig, tmp_path: Path, message: str, answer: str
) -> None:
    state = await (await rig.threads(agent(tmp_path / "p.db"))).advance(given={"message": message})
    assert state.finished
    assert state.values["answer"].startswith(answer)


def test_a_real_model_is_taken_where_a_key_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert isinstance(model(), ScriptedModel)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    assert isinstance(model(), ChatAnthropic)
    monkeypatch.setenv("SUPPORT_AGENT_MODEL", "anthropic:another")
    assert getattr(model(), "model", "") == "another"


def test_it_is_served_where_it_is_named() -> None:
    [workflow] = named([TARGET])
    assert workflow.name == "support_agent"
    assert workflow.read_input({"message": "Hi"}) == {"message": "Hi"}


def test_without_langchain_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "langchain"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "langchain", None)
    monkeypatch.delitem(sys.modules, "workflows.graphs.support_agent")
    with pytest.raises(BadTarget, match=r"pip install 'countersign\[agent\]'"):
        named([TARGET])


def test_all_else_needs_no_langchain() -> None:
    """It is an extra: neither the bot nor its workflows import it."""
    code = "import sys; sys.modules['langchain'] = None; import bot.cli, bot.local.demo"
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env=os.environ
    )
    assert (done.returncode, done.stderr) == (0, "")
