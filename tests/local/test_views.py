"""views.*: trigger_ids once and within three seconds, a stack of three, hashes, App Home."""

from typing import Any

import pytest

from bot.local.seeds import MARA, TOM
from bot.local.server import LocalSlack
from tests.local.shapes import (
    Client,
    asked,
    error_of,
    home,
    modal,
    plain,
    refused,
    section,
    text_input,
)


def trigger(slack: LocalSlack, view_id: str | None = None) -> str:
    return slack.core.triggers.issue(MARA.id, view_id)


async def test_open_shows_a_modal(slack: LocalSlack, client: Client) -> None:
    answer = await client.views_open(trigger_id=trigger(slack), view=modal(callback_id="x"))

    shown = slack.person("mara").modal
    assert shown == answer["view"]
    assert shown is not None
    assert (shown["callback_id"], shown["root_view_id"]) == ("x", shown["id"])
    assert slack.person("tom").modal is None


async def test_a_trigger_is_good_for_one_use(slack: LocalSlack, client: Client) -> None:
    once = trigger(slack)
    await client.views_open(trigger_id=once, view=modal())

    assert await error_of(client.views_open(trigger_id=once, view=modal())) == (
        "exchanged_trigger_id"
    )


async def test_a_trigger_lasts_three_seconds(slack: LocalSlack, client: Client, clock: Any) -> None:
    early, late = trigger(slack), trigger(slack)
    clock.forward(3.0)
    await client.views_open(trigger_id=early, view=modal())
    clock.forward(0.1)

    assert await error_of(client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"


@pytest.mark.parametrize(
    ("trigger_id", "error"), [("1.2.x", "invalid_trigger_id"), (None, "invalid_arguments")]
)
async def test_no_trigger(client: Client, trigger_id: str | None, error: str) -> None:
    call = client.api_call("views.open", json={"trigger_id": trigger_id, "view": modal()})

    assert await error_of(call) == error


async def test_a_wrong_view_is_refused_and_the_trigger_kept(
    slack: LocalSlack, client: Client
) -> None:
    trigger_id = trigger(slack)

    answer = await refused(
        client.views_open(trigger_id=trigger_id, view=modal(title=plain("x" * 25)))
    )

    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]
    assert (await client.views_open(trigger_id=trigger_id, view=modal()))["ok"]


async def test_a_large_view(slack: LocalSlack, client: Client) -> None:
    call = client.views_open(trigger_id=trigger(slack), view=modal(*[section("ä" * 3000)] * 42))

    assert await error_of(call) == "view_too_large"


async def test_the_stack_holds_three(slack: LocalSlack, client: Client) -> None:
    first = (await client.views_open(trigger_id=trigger(slack), view=modal()))["view"]
    for _ in range(2):
        await client.views_push(trigger_id=trigger(slack, first["id"]), view=modal())

    call = client.views_push(trigger_id=trigger(slack, first["id"]), view=modal())
    assert await error_of(call) == "push_limit_reached"
    stack = slack.core.modals.stack(MARA.id)
    assert [view["root_view_id"] for view in stack] == [first["id"]] * 3
    assert [view["previous_view_id"] for view in stack] == [None, stack[0]["id"], stack[1]["id"]]


async def test_push_needs_a_trigger_from_a_modal(slack: LocalSlack, client: Client) -> None:
    await client.views_open(trigger_id=trigger(slack), view=modal())

    call = client.views_push(trigger_id=trigger(slack), view=modal())

    assert await error_of(call) == "not_found"


async def test_update_by_id_hash_and_external_id(slack: LocalSlack, client: Client) -> None:
    opened = await client.views_open(trigger_id=trigger(slack), view=modal(external_id="mine"))
    view_id, old_hash = opened["view"]["id"], opened["view"]["hash"]

    updated = await client.views_update(
        view_id=view_id, hash=old_hash, view=modal(section("new"), external_id="mine")
    )

    assert updated["view"]["id"] == view_id
    call = client.views_update(view_id=view_id, hash=old_hash, view=modal())
    assert await error_of(call) == "hash_conflict"
    assert (await client.views_update(external_id="mine", view=modal()))["ok"]
    assert await error_of(client.views_update(view_id="V0", view=modal())) == "not_found"
    call = client.api_call("views.update", json={"view": modal()})
    assert await error_of(call) == "invalid_arguments"
    assert await error_of(client.views_update(view_id=view_id, view=home())) == (
        "invalid_arguments"
    )


async def test_external_ids_are_unique(slack: LocalSlack, client: Client) -> None:
    await client.views_open(trigger_id=trigger(slack), view=modal(external_id="mine"))

    other = slack.core.triggers.issue(TOM.id)
    call = client.views_open(trigger_id=other, view=modal(external_id="mine"))
    assert await error_of(call) == "duplicate_external_id"


async def test_publish(slack: LocalSlack, client: Client) -> None:
    first = (await client.views_publish(user_id=MARA.id, view=home()))["view"]
    again = await client.views_publish(
        user_id=MARA.id, hash=first["hash"], view=home(section("new"))
    )

    assert again["view"]["id"] == first["id"]
    shown = slack.person("mara").home_view
    assert shown is not None
    assert shown["blocks"][0]["text"]["text"] == "new"
    call = client.views_publish(user_id=MARA.id, hash=first["hash"], view=home())
    assert await error_of(call) == "hash_conflict"
    assert await error_of(client.views_publish(user_id="U0", view=home())) == "invalid_arguments"
    assert await error_of(client.views_publish(user_id=MARA.id, view=modal())) == (
        "invalid_arguments"
    )


async def test_initial_values_are_the_first_state(slack: LocalSlack, client: Client) -> None:
    view = modal(asked(text_input(initial_value="because"), block_id="b"))

    answer = await client.views_open(trigger_id=trigger(slack), view=view)

    assert answer["view"]["state"]["values"] == {
        "b": {"why": {"type": "plain_text_input", "value": "because"}}
    }
