"""chat.*: what the bot may post, where, and what is left of it after an update."""

from typing import Any

import pytest

from bot.local.content import read_metadata
from bot.local.seeds import APPROVALS, ARCHIVED, BOARD, FINANCE, LENA, MARA, SALES, TOM
from bot.local.server import LocalSlack
from tests.local.shapes import Client, actions, button, error_of, preformatted, refused, section

HERE = APPROVALS.id


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C00000000", "channel_not_found"),
        ("#nowhere", "channel_not_found"),
        (BOARD.id, "channel_not_found"),
        (SALES.id, "not_in_channel"),
        (ARCHIVED.id, "is_archived"),
        ("U000PIOTR", "channel_not_found"),
    ],
)
async def test_where_the_bot_may_not_post(client: Client, channel: str, error: str) -> None:
    assert await error_of(client.chat_postMessage(channel=channel, text="x")) == error


@pytest.mark.parametrize("channel", [HERE, "#approvals", "approvals", FINANCE.id, TOM.id])
async def test_where_the_bot_may_post(client: Client, channel: str) -> None:
    answer = await client.chat_postMessage(channel=channel, text="x")

    assert answer["message"]["text"] == "x"
    assert answer["channel"][0] in "CD"


async def test_the_public_scope_opens_public_channels(slack: LocalSlack, client: Client) -> None:
    slack.core.scopes.add("chat:write.public")

    assert (await client.chat_postMessage(channel=SALES.id, text="x"))["ok"]
    assert await error_of(client.chat_postMessage(channel=BOARD.id, text="x")) == (
        "channel_not_found"
    )


async def test_a_message_needs_something_to_show(client: Client) -> None:
    call = client.api_call("chat.postMessage", json={"channel": HERE})

    assert await error_of(call) == "no_text"


async def test_wrong_blocks_are_refused_with_what_and_where(client: Client) -> None:
    call = client.chat_postMessage(channel=HERE, text="x", blocks=[section("x" * 3001)])

    answer = await refused(call)

    words = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [words]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {words}"]


@pytest.mark.parametrize("blocks", ["{", '"x"', "{}"])
async def test_blocks_that_are_no_list(client: Client, blocks: str) -> None:
    call = client.api_call("chat.postMessage", params={"channel": HERE, "blocks": blocks})

    assert await error_of(call) == "invalid_blocks_format"


async def test_blocks_that_are_too_long_together(client: Client) -> None:
    call = client.chat_postMessage(channel=HERE, text="x", blocks=[section("x" * 3000)] * 5)

    assert await error_of(call) == "msg_blocks_too_long"


async def test_long_text_is_cut(client: Client) -> None:
    answer = await client.chat_postMessage(channel=HERE, text="x" * 40_001)

    assert len(answer["message"]["text"]) == 40_000


async def test_ids_and_defaults_are_filled_in(client: Client) -> None:
    unnamed = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    answer = await client.api_call(
        "chat.postMessage", json={"channel": HERE, "blocks": [section(), actions(unnamed)]}
    )

    first, second = answer["message"]["blocks"]
    assert first["block_id"] != second["block_id"]
    assert first["text"]["verbatim"] is False
    assert second["elements"][0]["action_id"]
    assert second["elements"][0]["text"]["emoji"] is True
    assert answer["message"]["text"] == "text"


async def test_replies_go_under_a_parent_only(client: Client) -> None:
    parent = (await client.chat_postMessage(channel=HERE, text="parent"))["ts"]
    reply = (await client.chat_postMessage(channel=HERE, text="reply", thread_ts=parent))["ts"]

    for thread_ts in (reply, "1.000001"):
        call = client.chat_postMessage(channel=HERE, text="x", thread_ts=thread_ts)
        assert await error_of(call) == "cannot_reply_to_message"


async def test_link_names_notifies_a_group(client: Client) -> None:
    text = "@finance-approvers please"

    plain = await client.chat_postMessage(channel=HERE, text=text)
    linked = await client.chat_postMessage(channel=HERE, text=text, link_names=True)

    assert plain["message"]["text"] == text
    assert linked["message"]["text"] == "<!subteam^S00FINANCE|@finance-approvers> please"


async def post(client: Client, **more: Any) -> str:
    return (await client.chat_postMessage(channel=HERE, text="first", **more))["ts"]


async def test_update_by_text_takes_the_blocks_away(slack: LocalSlack, client: Client) -> None:
    ts = await post(client, blocks=[section()])

    await client.chat_update(channel=HERE, ts=ts, text="second")

    found = slack.workspace.find(HERE, ts)
    assert found is not None
    assert found["text"] == "second"
    assert "blocks" not in found
    assert found["edited"]["user"] == slack.workspace.app.bot_user_id


async def test_update_by_blocks_replaces_them(slack: LocalSlack, client: Client) -> None:
    ts = await post(client, blocks=[section("one")])

    await client.chat_update(channel=HERE, ts=ts, text="second", blocks=[section("two")])

    found = slack.workspace.find(HERE, ts)
    assert found is not None
    assert [block["text"]["text"] for block in found["blocks"]] == ["two"]
    assert "edited" not in found


async def test_update_keeps_metadata_unless_told(slack: LocalSlack, client: Client) -> None:
    metadata = {"event_type": "approval", "event_payload": {"id": "a1"}}
    ts = await post(client, metadata=metadata)

    await client.chat_update(channel=HERE, ts=ts, text="second")
    found = slack.workspace.find(HERE, ts)
    assert found is not None
    assert found["metadata"] == metadata

    await client.chat_update(channel=HERE, ts=ts, text="third", metadata={})
    found = slack.workspace.find(HERE, ts)
    assert found is not None
    assert "metadata" not in found


async def test_rich_text_is_not_replaced_by_other_blocks(client: Client) -> None:
    ts = await post(client, blocks=[preformatted("payload")])

    call = client.chat_update(channel=HERE, ts=ts, text="x", blocks=[section()])
    assert await error_of(call) == "block_mismatch"

    blocks = [section(), preformatted("payload")]
    assert (await client.chat_update(channel=HERE, ts=ts, text="x", blocks=blocks))["ok"]


async def test_what_cannot_be_updated(slack: LocalSlack, client: Client) -> None:
    ts = await post(client)
    theirs = slack.person("tom").says("mine").ts

    async def error(**arguments: Any) -> str:
        sent = {"channel": HERE, "text": "x", **arguments}
        return await error_of(client.api_call("chat.update", json=sent))

    assert await error(ts="1.000001") == "message_not_found"
    assert await error(ts=theirs) == "cant_update_message"
    assert await error(ts=ts, text="x" * 4001) == "msg_too_long"
    assert await error(ts=ts, text=None) == "no_text"
    assert await error(ts=ts, channel="#approvals") == "channel_not_found"
    slack.workspace.change_channel(HERE, is_archived=True)
    assert await error(ts=ts) == "is_inactive"


async def test_a_direct_message_is_updated_by_its_d_id(client: Client) -> None:
    posted = await client.chat_postMessage(channel=TOM.id, text="x")

    call = client.chat_update(channel=TOM.id, ts=posted["ts"], text="y")
    assert await error_of(call) == "channel_not_found"
    assert posted["channel"].startswith("D")
    assert (await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="y"))["ok"]


async def test_delete(slack: LocalSlack, client: Client) -> None:
    ts = await post(client)
    theirs = slack.person("tom").says("mine").ts

    assert await error_of(client.chat_delete(channel=HERE, ts=theirs)) == "cant_delete_message"
    await client.chat_delete(channel=HERE, ts=ts)
    assert await error_of(client.chat_delete(channel=HERE, ts=ts)) == "message_not_found"


async def test_ephemeral_is_for_one_member(slack: LocalSlack, client: Client) -> None:
    answer = await client.chat_postEphemeral(channel=HERE, user=MARA.id, text="psst")

    assert [m.text for m in slack.person("mara").sees()] == ["psst"]
    assert slack.person("jonas").sees() == []
    call = client.chat_postEphemeral(channel="#general", user=LENA.id, text="x")
    assert await error_of(call) == "user_not_in_channel"
    call = client.chat_update(channel=HERE, ts=answer["message_ts"], text="y")
    assert await error_of(call) == "message_not_found"


async def test_permalink(client: Client) -> None:
    ts = await post(client)

    answer = await client.chat_getPermalink(channel=HERE, message_ts=ts)

    assert answer["permalink"].endswith(f"/archives/{HERE}/p{ts.replace('.', '')}")
    call = client.chat_getPermalink(channel=HERE, message_ts="1.000001")
    assert await error_of(call) == "message_not_found"


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("{", "invalid_metadata_format"),
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "", "event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {}, "more": 1}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": None}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": {"b": {}}}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": "x" * 9000}}, "metadata_too_large"),
    ],
)
async def test_metadata_is_checked(client: Client, metadata: Any, error: str) -> None:
    assert await error_of(client.chat_postMessage(channel=HERE, text="x", metadata=metadata)) == (
        error
    )


def test_metadata_may_nest_once() -> None:
    payload = {"id": "x", "n": 1, "ok": True, "one": {"a": "b"}, "many": [{"a": 1}], "tags": ["t"]}

    assert read_metadata({"event_type": "x", "event_payload": payload})


async def test_buttons_are_seen(slack: LocalSlack, client: Client) -> None:
    await post(client, blocks=[actions(button("Approve"), button("Reject", "reject"))])

    assert slack.person("mara").sees()[0].buttons == ["Approve", "Reject"]
