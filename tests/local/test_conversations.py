"""conversations.*, users.*, usergroups.*: pages, bounds, metadata where asked for, who is who."""

from typing import Any

import pytest

from bot.local.seeds import (
    APPROVALS,
    BOARD,
    FINANCE,
    FINANCE_APPROVERS,
    JONAS,
    LENA,
    MARA,
    SALES,
    TOM,
)
from bot.local.server import LocalSlack
from tests.local.shapes import Client, error_of

HERE = APPROVALS.id
METADATA = {"event_type": "approval", "event_payload": {"id": "a1"}}


async def post(client: Client, count: int, **more: Any) -> list[str]:
    return [
        (await client.chat_postMessage(channel=HERE, text=f"m{n}", **more))["ts"]
        for n in range(count)
    ]


async def test_history_is_newest_first_and_paged(client: Client) -> None:
    stamps = await post(client, 7)

    read: list[str] = []
    cursor = None
    pages = 0
    while True:
        page = await client.conversations_history(channel=HERE, limit=3, cursor=cursor)
        read += [message["ts"] for message in page["messages"]]
        pages += 1
        if not page["has_more"]:
            break
        cursor = page["response_metadata"]["next_cursor"]

    assert read == list(reversed(stamps))
    assert pages == 3


async def test_history_holds_no_replies(client: Client) -> None:
    (parent,) = await post(client, 1)
    await post(client, 2, thread_ts=parent)
    await client.chat_postMessage(
        channel=HERE, text="to all", thread_ts=parent, reply_broadcast=True
    )

    page = await client.conversations_history(channel=HERE)

    assert [message["text"] for message in page["messages"]] == ["to all", "m0"]


async def test_bounds_are_exclusive_unless_inclusive(client: Client) -> None:
    stamps = await post(client, 5)

    async def between(**more: Any) -> list[str]:
        page = await client.conversations_history(
            channel=HERE, oldest=stamps[1], latest=stamps[3], **more
        )
        return [message["ts"] for message in page["messages"]]

    assert await between() == [stamps[2]]
    assert await between(inclusive=True) == [stamps[3], stamps[2], stamps[1]]


async def test_metadata_only_where_asked_for(client: Client) -> None:
    (ts,) = await post(client, 1, metadata=METADATA)
    await post(client, 1, metadata=METADATA, thread_ts=ts)

    for asked in (False, True):
        history = await client.conversations_history(channel=HERE, include_all_metadata=asked)
        replies = await client.conversations_replies(
            channel=HERE, ts=ts, include_all_metadata=asked
        )
        for message in [*history["messages"], *replies["messages"]]:
            assert ("metadata" in message) is asked


async def test_replies_begin_with_their_parent(client: Client) -> None:
    (parent,) = await post(client, 1)
    stamps = await post(client, 3, thread_ts=parent)

    page = await client.conversations_replies(channel=HERE, ts=parent, limit=2)
    rest = await client.conversations_replies(
        channel=HERE, ts=parent, cursor=page["response_metadata"]["next_cursor"]
    )

    read = [message["ts"] for message in [*page["messages"], *rest["messages"]]]
    assert read == [parent, *stamps]
    call = client.conversations_replies(channel=HERE, ts="1.000001")
    assert await error_of(call) == "thread_not_found"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C00000000"}, "channel_not_found"),
        ({"channel": BOARD.id}, "channel_not_found"),
        ({"channel": SALES.id}, "not_in_channel"),
        ({"channel": HERE, "oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"channel": HERE, "latest": "now"}, "invalid_ts_latest"),
        ({"channel": HERE, "cursor": "???"}, "invalid_cursor"),
        ({"channel": HERE, "cursor": "bmV4dF90czox"}, "invalid_cursor"),
        ({"channel": HERE, "limit": 0}, "invalid_arguments"),
    ],
)
async def test_history_refuses(client: Client, arguments: Any, error: str) -> None:
    assert await error_of(client.conversations_history(**arguments)) == error


async def test_each_kind_of_channel_has_its_scope(slack: LocalSlack, client: Client) -> None:
    direct = (await client.conversations_open(users=TOM.id))["channel"]["id"]

    slack.core.scopes.discard("im:history")
    assert await error_of(client.conversations_history(channel=direct)) == "missing_scope"
    slack.core.scopes.discard("groups:history")
    assert await error_of(client.conversations_history(channel=FINANCE.id)) == "missing_scope"
    assert (await client.conversations_history(channel=HERE))["ok"]


async def test_info(client: Client) -> None:
    channel = (await client.conversations_info(channel=HERE, include_num_members=True))["channel"]

    assert (channel["name"], channel["is_member"], channel["num_members"]) == (
        "approvals",
        True,
        5,
    )
    assert channel["is_ext_shared"] is False
    assert (await client.conversations_info(channel=SALES.id))["channel"]["is_member"] is False
    assert await error_of(client.conversations_info(channel=BOARD.id)) == "channel_not_found"


@pytest.mark.parametrize(
    ("users", "error"),
    [
        ("", "users_list_not_supplied"),
        ("U00000000", "user_not_found"),
        ("U000PIOTR", "user_disabled"),
        (f"{TOM.id},{MARA.id}", "missing_scope"),
        (",".join(f"U0000000{n}" for n in range(9)), "too_many_users"),
    ],
)
async def test_open_refuses(client: Client, users: str, error: str) -> None:
    assert await error_of(client.conversations_open(users=users)) == error


async def test_open_gives_the_same_conversation_again(client: Client) -> None:
    first = await client.conversations_open(users=TOM.id)
    again = await client.conversations_open(users=TOM.id, return_im=True)

    assert first["channel"]["id"] == again["channel"]["id"]
    assert again["channel"]["user"] == TOM.id


async def test_users_info_tells_guests_and_the_deactivated(client: Client) -> None:
    async def user(user_id: str) -> dict[str, Any]:
        return (await client.users_info(user=user_id))["user"]

    assert (await user(MARA.id))["is_restricted"] is False
    assert (await user(LENA.id))["is_restricted"] is True
    assert (await user("U000PIOTR"))["deleted"] is True
    assert (await user("U0COUNTER"))["is_bot"] is True
    assert await error_of(client.users_info(user="mara")) == "user_not_found"


async def test_user_groups(client: Client) -> None:
    groups = await client.usergroups_list(include_users=True)
    users = await client.usergroups_users_list(usergroup=FINANCE_APPROVERS.id)

    assert users["users"] == [MARA.id, JONAS.id]
    assert {group["handle"] for group in groups["usergroups"]} == {"finance-approvers", "partners"}
    call = client.usergroups_users_list(usergroup="S00000000")
    assert await error_of(call) == "no_such_subteam"


async def test_members_come_by_page(client: Client) -> None:
    found: list[str] = []
    cursor = ""
    for _ in range(3):
        page = await client.conversations_members(channel=SALES.id, limit=2, cursor=cursor)
        found += page["members"]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break

    assert found == [MARA.id, JONAS.id, TOM.id]
    assert await error_of(client.conversations_members(channel=BOARD.id)) == "channel_not_found"
    wrong = client.conversations_members(channel=SALES.id, cursor="x")
    assert await error_of(wrong) == "invalid_cursor"
