"""A deployment whose language is another: its answers, its card, its thread, and what it keeps."""

import json
import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from bot.listeners.commands import answer
from bot.services import Services
from bot.texts import speak, t
from tests.bot.samples import MARA, TOM
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.texts.pseudo import outside, spelled
from tests.texts.surfaces import read_on

# Of the workflow, and of the people in the workspace.
NOTHING = spelled("Nothing was executed")
DATA = re.compile(
    r"Refund \$120\.50 to Acme GmbH|Refund done|Acme GmbH|Damaged parcel|refund|re_[0-9a-f]+"
    r"|Customer:|Amount:|Reason:|Mara Okafor|Tom Ferreira"
)


@pytest.fixture
async def bot(deployment: Deployment, pseudo_language: str) -> AsyncGenerator[Services, None]:
    async with deployment.instance(COUNTERSIGN_LANGUAGE=pseudo_language) as services:
        yield services
    speak("en")


def english(shown: Any) -> list[str]:
    """What is left of it in English."""
    found: list[str] = []
    for text in read_on(shown):
        ours = DATA.sub("", text)
        found += [f"{word}: {ours}" for word in outside(ours)]
    return found


def typed(text: str, user: str = MARA) -> dict[str, Any]:
    return {"text": text, "user_id": user}


COMMANDS = (
    "", "help", "lits", "nothing", '"open', "mine", "all", "requested overdue", "overdew",
    "workflow:refund", "workflow:refnd", '"x" "y"', '""', "mine refund", "mine X1",
    "show", "show X1", "escalate", "escalate X1", "reassign", f"reassign X1 <@{TOM}>",
    "away", "away off", "away X1", "away @X1", "away until 2000-01-01", "away for 4000 days",
    f"away <@{MARA}>", f"away <@{TOM}> <@{MARA}>", "away <@U0000NONE>", "away until tomorrow",
    f"away for 3 days <@{TOM}>", "away off",
    "start nothing A=1", "start refund A", "start refund A=1 A=2", "start refund A=1",
    "start refund",
)  # fmt: skip


@pytest.mark.parametrize("user", [MARA, "U0000NONE"])
async def test_each_answer_to_a_command_comes_from_the_catalog(bot: Services, user: str) -> None:
    said = {text: await answer(bot, typed(text, user)) for text in COMMANDS}
    left = {text: english(card) for text, card in said.items()}
    # What pydantic says of a value.
    left = {text: words for text, words in left.items() if words and text != "start refund A=1"}
    assert left == {}


async def test_a_thread_is_answered_about_from_the_catalog(
    bot: Services, deployment: Deployment
) -> None:
    thread_id = await deployment.start(requester=TOM)
    await deployment.card("Refund $120.50 to Acme GmbH")
    for text in (
        "", f"show {thread_id}", f"escalate {thread_id}", f"reassign {thread_id} <@{TOM}>",
        f"reassign {thread_id} <@{MARA}>", f"reassign {thread_id} <@U000JONAS> X1",
    ):  # fmt: skip
        assert english(await answer(bot, typed(text))) == [], text


@pytest.mark.parametrize(
    ("button", "then", "reply"),
    [("Approve", "Refund done", "⟦⟦Àpprövéd bý"), ("Reject", NOTHING, "⟦⟦Réjéctéd bý")],
)
async def test_an_approval_is_told_in_the_language_and_kept_in_english(
    bot: Services, deployment: Deployment, button: str, then: str, reply: str
) -> None:
    thread_id = await deployment.start(requester=TOM)
    card = await deployment.card("Refund $120.50 to Acme GmbH")
    assert english([card.text, card.blocks]) == []
    await deployment.person("mara").click(card, spelled(button))
    card = await deployment.reads(card, then)
    assert english([card.text, card.blocks]) == []
    await deployment.settled(thread_id)
    replies = await deployment.thread(card, 3)
    assert english(replies) == []
    assert any(each.startswith(reply) for each in replies)

    async def told() -> list[Any]:
        return deployment.person("tom").direct()

    (note, *_) = await eventually("Tom is told", told)
    assert english([note.text, note.blocks]) == []
    kept = json.dumps(await deployment.shown(thread_id), ensure_ascii=False)
    assert "⟦" not in kept
    assert then in kept or "Nothing was executed" in kept


async def test_a_record_from_before_the_language_was_changed_is_told_in_the_new_one(
    deployment: Deployment, pseudo_language: str
) -> None:
    async with deployment.instance():
        thread_id = await deployment.start(requester=TOM)
        card = await deployment.card("Refund $120.50 to Acme GmbH")
        await deployment.person("mara").click(card, "Reject")
        card = await deployment.reads(card, "Nothing was executed")
        await deployment.settled(thread_id)
    async with deployment.instance(COUNTERSIGN_LANGUAGE=pseudo_language) as services:
        shown = await answer(services, typed(f"show {thread_id}"))
        assert english(shown) == []
        assert t("Nothing was executed") in "".join(read_on(shown))
    speak("en")
