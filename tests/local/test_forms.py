"""A form in a modal: a person fills it, a real Bolt app gets it and refuses it at its fields."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.acts import RefusedError
from bot.local.seeds import MARA, TOM
from bot.local.server import LocalSlack
from bot.views.filled import Filled, read_form
from bot.views.forms import form_blocks
from tests.bot.test_forms import SCHEMA, VALUES
from tests.eventually import eventually
from tests.local.shapes import modal

ENTERED = {
    "Amount": "99.5",
    "Due": "2026-04-01",
    "At": 1_772_355_600,
    "Speed": "fast",
    "Extras": ["card"],
    "Gift": "Yes",
    "field.owner": TOM.id,
}
READ = {
    "amount": 9950,
    "due": "2026-04-01",
    "at": "2026-03-01T09:00:00Z",
    "speed": "fast",
    "extras": ["card"],
    "gift": True,
    "owner": TOM.id,
}


@dataclass
class Editor:
    """Takes the submission of a form as our listeners do."""

    schema: Any = field(default_factory=lambda: SCHEMA)
    values: Any = field(default_factory=lambda: VALUES)
    filled: list[Filled] = field(default_factory=list[Filled])

    async def submitted(self, ack: Any, body: Any) -> None:
        read = read_form(self.schema, self.values, body["view"]["state"]["values"])
        self.filled.append(read)
        if read.errors:
            await ack(response_action="errors", errors=read.errors)
        else:
            await ack()


async def test_a_form_is_filled_refused_and_taken(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    editor = Editor()
    bot = AsyncApp(client=client)
    bot.view("edit")(editor.submitted)
    handler = AsyncSocketModeHandler(bot, slack.app_token)
    await handler.connect_async()
    await eventually("the bot is connected", lambda: slack.sockets.connections, within=30)
    view = modal(*form_blocks(SCHEMA, VALUES), callback_id="edit")
    try:
        trigger = slack.core.triggers.issue(MARA.id, None)
        await client.views_open(trigger_id=trigger, view=view)
        mara = slack.person("mara")

        words = await mara.submit({"Amount": "99999.00", "To": '{"street": 1}'})
        assert words == {
            "field.amount": "must be at most 10000.00",
            "field.to": "street must be text",
        }
        assert await mara.submit(ENTERED) == {}
    finally:
        await handler.close_async()

    assert mara.modal is None
    assert editor.filled[-1].values == {**VALUES, **READ}


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("Due", "1.3.2026"),
        ("At", "2026-03-01T09:00"),
        ("Owner", "Tom"),
        ("Speed", "warp"),
        ("Extras", ["wings"]),
    ],
)
async def test_a_picker_gives_only_what_it_offers(
    slack: LocalSlack, client: AsyncWebClient, label: str, value: Any
) -> None:
    view = modal(*form_blocks(SCHEMA, VALUES), callback_id="edit")
    await client.views_open(trigger_id=slack.core.triggers.issue(MARA.id, None), view=view)

    with pytest.raises(RefusedError, match=r"cannot give|has no option"):
        await slack.person("mara").submit({label: value})


async def test_slack_refuses_some_before_the_bot_sees_it(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    view = modal(*form_blocks(SCHEMA, VALUES), callback_id="edit")
    await client.views_open(trigger_id=slack.core.triggers.issue(MARA.id, None), view=view)

    words = await slack.person("mara").submit({"Count": "10", "Customer": "", "Due": None})

    assert words == {
        "field.count": "Please enter a number that is at most 9.",
        "field.customer": "Please complete this required field.",
        "field.due": "Please complete this required field.",
    }
