"""The global shortcut: choose a workflow, fill in its form, and it runs once, in one's own name."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from bot.local.person import texts_in
from bot.services import Services
from tests.deployment import CHANNEL, Deployment
from tests.eventually import eventually

WITHIN = 30.0
SHORTCUT = "countersign_start"


@pytest.fixture
async def bot(deployment: Deployment) -> AsyncGenerator[Services, None]:
    async with deployment.instance() as services:
        yield services


async def modal(deployment: Deployment, who: str, words: str) -> dict[str, Any]:
    """The modal that is open, once it says this."""
    person = deployment.person(who)

    def there() -> dict[str, Any] | None:
        view = person.modal
        return view if view and words in "\n".join(texts_in(view["blocks"])) else None

    return await eventually(f"a modal of {who} says {words!r}", there, WITHIN)


async def form(deployment: Deployment, who: str = "tom") -> dict[str, Any]:
    person = deployment.person(who)
    await person.shortcut(SHORTCUT)
    menu = await modal(deployment, who, "What is to be started?")
    await person.click_in(menu, SHORTCUT + "_pick", "refund")
    return await modal(deployment, who, "Customer")


def filled(**changed: str) -> dict[str, str]:
    values = {"customer": "Ada & Söhne", "amount": "9.90", "reason": "Too late", **changed}
    return {f"field.{name}": value for name, value in values.items()}


async def test_choose_fill_in_and_start(bot: Services, deployment: Deployment) -> None:
    await form(deployment)
    assert await deployment.person("tom").submit(filled()) == {}
    view = await modal(deployment, "tom", ":rocket: Started *refund*")
    assert f"<#{CHANNEL}>" in str(view)
    card = await deployment.card("Refund $9.90 to Ada & Söhne", within=WITHIN)
    assert "Too late" in card.words
    assert "Requested by <@U00000TOM>" in card.words


async def test_what_does_not_fit_is_said_at_its_field(
    bot: Services, deployment: Deployment
) -> None:
    await form(deployment)
    tom = deployment.person("tom")
    errors = await tom.submit(filled(amount="-5"))
    assert list(errors) == ["field.amount"]
    errors = await tom.submit(filled(amount="1.005"))
    assert list(errors) == ["field.amount"]
    assert await deployment.started() == []
    assert await tom.submit(filled()) == {}
    assert len(await deployment.started()) == 1


async def test_a_form_that_is_delivered_twice_starts_one_run(
    bot: Services, deployment: Deployment
) -> None:
    await form(deployment)
    deployment.slack.faults.double_deliveries()
    await deployment.person("tom").submit(filled())
    await deployment.card("Refund $9.90 to Ada & Söhne", within=WITHIN)
    assert len(await deployment.started()) == 1


async def test_a_guest_starts_nothing(bot: Services, deployment: Deployment) -> None:
    await deployment.person("lena").shortcut(SHORTCUT)
    await modal(deployment, "lena", "Only full members of this workspace start workflows")


@pytest.mark.parametrize(
    ("typed", "words"), [("start", "What is to be started?"), ("start refund", "Customer")]
)
async def test_the_command_without_fields_opens_it_too(
    bot: Services, deployment: Deployment, typed: str, words: str
) -> None:
    await deployment.person("tom").command(f"/approvals {typed}")
    await modal(deployment, "tom", words)
    assert await deployment.started() == []
