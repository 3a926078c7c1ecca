"""The state: ids like Slack's, unique ts, threads, tombstones, and who hears of a change."""

import re

import pytest

from bot.local.records import Json
from bot.local.seeds import APPROVALS, BOARD, FINANCE, JONAS, LENA, MARA, SALES, TOM
from bot.local.workspace import TOMBSTONE, Workspace

BODY = {"text": "hello", "user": TOM.id}


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(clock=lambda: 1_760_000_000.0)


def test_ids_look_like_slacks(workspace: Workspace) -> None:
    ids = [*workspace.users, *workspace.channels, *workspace.usergroups, workspace.team.id]
    ids.append(workspace.direct_message(TOM.id).id)

    assert all(re.fullmatch(r"[UWCDST][A-Z0-9]{8,}", one) for one in ids)


def test_ts_are_unique_though_time_stands_still(workspace: Workspace) -> None:
    stamps = [workspace.next_ts() for _ in range(100)]

    assert stamps == sorted(set(stamps))
    assert all(re.fullmatch(r"\d{10}\.\d{6}", ts) for ts in stamps)


def test_a_reply_is_counted_at_its_parent(workspace: Workspace) -> None:
    parent = workspace.post(APPROVALS.id, BODY)
    reply = workspace.post(APPROVALS.id, {**BODY, "thread_ts": parent["ts"]})

    assert [m["ts"] for m in workspace.messages(APPROVALS.id)] == [parent["ts"]]
    assert workspace.replies(APPROVALS.id, parent["ts"]) == [reply]
    found = workspace.find(APPROVALS.id, parent["ts"])
    assert found is not None
    assert (found["reply_count"], found["latest_reply"]) == (1, reply["ts"])
    assert found["reply_users"] == [TOM.id]


def test_a_deleted_parent_leaves_a_tombstone(workspace: Workspace) -> None:
    parent = workspace.post(APPROVALS.id, BODY)
    workspace.post(APPROVALS.id, {**BODY, "thread_ts": parent["ts"]})
    workspace.remove(APPROVALS.id, parent["ts"])

    found = workspace.find(APPROVALS.id, parent["ts"])
    assert found is not None
    assert (found["subtype"], found["text"]) == ("tombstone", TOMBSTONE)


def test_a_deleted_message_without_replies_is_gone(workspace: Workspace) -> None:
    message = workspace.post(APPROVALS.id, BODY)
    workspace.remove(APPROVALS.id, message["ts"])

    assert workspace.find(APPROVALS.id, message["ts"]) is None


def test_what_is_given_out_is_a_copy(workspace: Workspace) -> None:
    message = workspace.post(APPROVALS.id, BODY)
    message["text"] = "changed"
    workspace.messages(APPROVALS.id)[0]["text"] = "changed"

    assert workspace.messages(APPROVALS.id)[0]["text"] == "hello"


def test_changes_are_announced_in_order(workspace: Workspace) -> None:
    heard: list[tuple[str, str | None]] = []

    def listen(event: Json, user: str | None) -> None:
        heard.append((event["type"], user))

    stop = workspace.subscribe(listen)
    parent = workspace.post(APPROVALS.id, BODY)
    workspace.post(APPROVALS.id, {**BODY, "thread_ts": parent["ts"]})
    workspace.whisper(APPROVALS.id, MARA.id, BODY)
    stop()
    workspace.post(APPROVALS.id, BODY)

    assert heard == [
        ("message", None),
        ("message", None),
        ("message_changed", None),
        ("message", MARA.id),
    ]


def test_whispers_are_for_one_person(workspace: Workspace) -> None:
    workspace.whisper(APPROVALS.id, MARA.id, BODY)

    assert len(workspace.whispers(APPROVALS.id, MARA.id)) == 1
    assert workspace.whispers(APPROVALS.id, JONAS.id) == []
    assert workspace.messages(APPROVALS.id) == []


def test_who_sees_which_channel(workspace: Workspace) -> None:
    assert workspace.may_see(TOM.id, SALES)
    assert workspace.may_see(LENA.id, APPROVALS)
    assert not workspace.may_see(LENA.id, SALES)
    assert not workspace.may_see(TOM.id, FINANCE)
    assert not workspace.may_see(JONAS.id, BOARD)
    assert not workspace.may_see(TOM.id, workspace.direct_message(MARA.id))


def test_a_direct_message_is_made_once(workspace: Workspace) -> None:
    assert workspace.direct_message(TOM.id) is workspace.direct_message(TOM.id)


def test_people_are_found_by_id_handle_and_name(workspace: Workspace) -> None:
    for words in (MARA.id, "@mara", "Mara Okafor", "mara"):
        assert workspace.user_named(words) == MARA
    assert workspace.user_named("nobody") is None
