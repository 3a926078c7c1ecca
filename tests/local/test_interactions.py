"""What a person does reaches a real Bolt app in Slack's shape, and its answer comes back."""

from typing import Any

import pytest

from bot.local.acts import RefusedError
from bot.local.seeds import APPROVALS, GENERAL, JONAS, MARA, TOM
from bot.local.server import LocalSlack
from tests.eventually import eventually
from tests.local.bots import over_sockets
from tests.local.shapes import Client, actions, asked, button, modal, plain, select, text_input

METADATA = {"event_type": "approval", "event_payload": {"id": "a1"}}


async def card(client: Client, **more: Any) -> str:
    block = actions(button(value="a1", style="primary"), select(), block_id="decide")
    answer = await client.chat_postMessage(
        channel="#approvals", text="Card", blocks=[block], metadata=METADATA, **more
    )
    return answer["ts"]


async def test_a_click_in_a_message(slack: LocalSlack, client: Client) -> None:
    ts = await card(client)
    mara = slack.person("mara")
    async with over_sockets(slack) as (heard,):
        await mara.click(mara.sees()[0], "Approve")

    (body,) = heard.of("action")
    (action,) = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("approve", "decide", "a1")
    assert (action["type"], action["style"]) == ("button", "primary")
    assert action["text"]["text"] == "Approve"
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": APPROVALS.id,
        "is_ephemeral": False,
    }
    assert body["channel"] == {"id": APPROVALS.id, "name": "approvals"}
    assert body["message"]["ts"] == ts
    assert "metadata" not in body["message"]
    assert (body["user"]["id"], body["user"]["team_id"]) == (MARA.id, slack.workspace.team.id)
    assert body["enterprise"] is None
    assert body["is_enterprise_install"] is False
    assert body["state"]["values"]["decide"]["pick"]["selected_option"] is None


async def test_a_choice_in_a_message(slack: LocalSlack, client: Client) -> None:
    await card(client)
    mara = slack.person("mara")
    slack.faults.lose_deliveries()
    with pytest.raises(RefusedError, match="trouble connecting"):
        await mara.click(mara.sees()[0], "pick", "Option 1")
    with pytest.raises(RefusedError, match="has no option"):
        await mara.click(mara.sees()[0], "pick", "Option 7")


async def test_a_button_cannot_be_given_another_value(slack: LocalSlack, client: Client) -> None:
    ts = await card(client)
    container = {"type": "message", "channel_id": APPROVALS.id, "message_ts": ts}
    async with over_sockets(slack) as (heard,):
        await slack.acts.act(MARA.id, container, ("decide", "approve", "forged"))

    assert heard.of("action")[0]["actions"][0]["value"] == "a1"


async def test_what_cannot_be_clicked(slack: LocalSlack, client: Client) -> None:
    ts = await card(client)
    mara = slack.person("mara")
    seen = mara.sees()[0]

    with pytest.raises(LookupError, match="only \\['Approve'\\]"):
        await mara.click(seen, "Launch")
    await client.chat_update(channel=APPROVALS.id, ts=ts, text="Decided")
    with pytest.raises(RefusedError, match="no approve"):
        await mara.click(seen, "Approve")
    await client.chat_delete(channel=APPROVALS.id, ts=ts)
    with pytest.raises(RefusedError, match="no such message"):
        await mara.click(seen, "Approve")
    with pytest.raises(RefusedError, match="deactivated"):
        await slack.person("piotr").click(seen, "Approve")


async def test_an_ephemeral_message_is_clicked_by_its_reader_only(
    slack: LocalSlack, client: Client
) -> None:
    await client.chat_postEphemeral(
        channel="#approvals", user=MARA.id, text="x", blocks=[actions(button())]
    )
    (seen,) = slack.person("mara").sees()
    async with over_sockets(slack) as (heard,):
        await slack.person("mara").click(seen, "Approve")
        with pytest.raises(RefusedError, match="no such message"):
            await slack.person("jonas").click(seen, "Approve")

    (body,) = heard.of("action")
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body


async def test_a_reply_names_its_thread(slack: LocalSlack, client: Client) -> None:
    parent = (await client.chat_postMessage(channel="#approvals", text="parent"))["ts"]
    await card(client, thread_ts=parent)
    mara = slack.person("mara")
    (reply,) = mara.replies(mara.sees()[0])
    async with over_sockets(slack) as (heard,):
        await mara.click(reply, "Approve")

    assert heard.of("action")[0]["container"]["thread_ts"] == parent


@pytest.fixture
async def opened(slack: LocalSlack, client: Client) -> Any:
    """Mara has clicked, and the modal of the app is open."""
    await card(client)
    mara = slack.person("mara")
    async with over_sockets(slack) as (heard,):
        await mara.click(mara.sees()[0], "Approve")
        assert mara.modal is not None
        yield mara, heard


async def test_a_submission(opened: Any) -> None:
    mara, heard = opened
    view_id = mara.modal["id"]

    assert await mara.submit({"Why?": "because"}) == {}

    (body,) = heard.of("submission")
    assert body["view"]["id"] == view_id
    assert body["view"]["state"]["values"] == {
        "why": {"why": {"type": "plain_text_input", "value": "because"}}
    }
    assert body["response_urls"] == []
    assert mara.modal is None


async def test_what_the_client_refuses_is_not_sent(opened: Any) -> None:
    mara, heard = opened

    assert await mara.submit() == {"why": "Please complete this required field."}
    assert "at most 3000" in (await mara.submit({"why": "x" * 3001}))["why"]
    with pytest.raises(LookupError, match=r"only \['Why\?'\]"):
        await mara.submit({"Who?": "x"})
    assert heard.of("submission") == []


async def test_the_app_may_refuse_a_submission(opened: Any) -> None:
    mara, _ = opened

    assert await mara.submit({"why": "bad"}) == {"why": "not good enough"}
    assert mara.modal is not None
    with pytest.raises(RefusedError, match="no input block nowhere"):
        await mara.submit({"why": "wrong block"})


@pytest.mark.parametrize(("said", "stack"), [("next", 2), ("other", 1), ("enough", 0)])
async def test_response_actions(opened: Any, said: str, stack: int) -> None:
    mara, _ = opened

    await mara.submit({"why": said})

    assert len(mara.core.modals.stack(mara.id)) == stack


async def test_a_wrong_view_in_an_answer_is_refused(opened: Any) -> None:
    mara, _ = opened

    with pytest.raises(RefusedError, match="must be less than 3001 characters"):
        await mara.submit({"why": "broken"})
    assert mara.modal is not None


async def test_closing_is_told_where_asked_for(opened: Any) -> None:
    mara, heard = opened

    await mara.close()

    (body,) = heard.of("closed")
    assert (body["type"], body["is_cleared"]) == ("view_closed", False)
    assert mara.modal is None


async def test_a_submission_that_is_lost_leaves_the_modal_open(
    slack: LocalSlack, opened: Any
) -> None:
    mara, heard = opened
    slack.faults.lose_deliveries()

    with pytest.raises(RefusedError, match="trouble connecting"):
        await mara.submit({"why": "because"})

    assert mara.modal is not None
    assert heard.of("submission") == []


async def test_only_the_top_modal_of_oneself(slack: LocalSlack, opened: Any) -> None:
    mara, _ = opened

    with pytest.raises(RefusedError, match="not open"):
        await slack.acts.submit(JONAS.id, mara.modal["id"], {})
    container = {"type": "view", "view_id": mara.modal["id"]}
    with pytest.raises(RefusedError, match="not open"):
        await slack.acts.act(JONAS.id, container, ("why", "why", "x"))

    below = mara.modal["id"]
    await mara.submit({"why": "next"})
    with pytest.raises(RefusedError, match="another one is on top"):
        await slack.acts.submit(MARA.id, below, {})


async def test_a_command_arrives_escaped(slack: LocalSlack) -> None:
    async with over_sockets(slack) as (heard,):
        await slack.person("tom").command(
            "/approvals ask @mara in #general <b> & @finance-approvers @nobody a@b.c", "#general"
        )

    (body,) = heard.of("command")
    assert body["text"] == (
        f"ask <@{MARA.id}|mara> in <#{GENERAL.id}|general> &lt;b&gt; &amp;"
        " <!subteam^S00FINANCE|@finance-approvers> @nobody a@b.c"
    )
    assert (body["command"], body["channel_name"]) == ("/approvals", "general")
    assert (body["user_id"], body["user_name"]) == (TOM.id, "tom")
    assert body["is_enterprise_install"] == "false"
    assert "thread_ts" not in body


async def test_commands_in_other_places(slack: LocalSlack) -> None:
    mara = slack.person("mara")
    direct = slack.workspace.direct_message(MARA.id).id
    async with over_sockets(slack) as (heard,):
        await mara.command("/approvals", "#finance")
        await mara.command("/approvals", direct)
        with pytest.raises(RefusedError, match="/other is not a valid command"):
            await mara.command("/other")

    names = [body["channel_name"] for body in heard.of("command")]
    assert names == ["privategroup", "directmessage"]


async def test_a_guest_sees_only_their_channels(slack: LocalSlack) -> None:
    lena = slack.person("lena")

    assert lena.user.is_guest
    assert lena.sees("#approvals") == []
    with pytest.raises(RefusedError, match="does not see"):
        lena.sees("#general")


async def test_app_home(slack: LocalSlack) -> None:
    mara = slack.person("mara")
    async with over_sockets(slack) as (heard,):
        await mara.home()
        view: Any = await eventually("home is published", lambda: mara.home_view)
        await mara.home()
        await eventually("it was opened twice", lambda: len(heard.of("event")) == 2)

    assert view["blocks"][0]["text"]["text"] == f"Hello <@{MARA.id}>"
    first, again = (body["event"] for body in heard.of("event"))
    assert (first["type"], first["tab"], first["user"]) == ("app_home_opened", "home", MARA.id)
    assert first["channel"].startswith("D")
    assert "view" not in first
    assert again["view"]["id"] == view["id"]


async def test_a_button_in_app_home(slack: LocalSlack, client: Client) -> None:
    await client.views_publish(
        user_id=MARA.id, view={"type": "home", "blocks": [actions(button())]}
    )
    mara = slack.person("mara")
    async with over_sockets(slack) as (heard,):
        await mara.click_in(mara.home_view, "Approve")

    (body,) = heard.of("action")
    assert body["container"]["type"] == "view"
    assert body["view"]["type"] == "home"
    assert "response_url" not in body
    assert mara.modal is not None


async def test_a_shortcut_opens_the_modal(slack: LocalSlack) -> None:
    mara = slack.person("mara")
    async with over_sockets(slack) as (heard,):
        await mara.shortcut("ask")

    assert heard.of("action")[0]["type"] == "shortcut"
    assert mara.modal is not None


async def test_a_conversation_chosen_gives_a_response_url(
    slack: LocalSlack, client: Client
) -> None:
    chooser = {
        "type": "conversations_select",
        "action_id": "where",
        "response_url_enabled": True,
        "initial_conversation": GENERAL.id,
    }
    why = asked(text_input(), block_id="why")
    view = modal(why, asked(chooser, block_id="to"), callback_id="why", title=plain("x"))
    await client.views_open(trigger_id=slack.core.triggers.issue(MARA.id), view=view)
    async with over_sockets(slack) as (heard,):
        await slack.person("mara").submit({"why": "because"})

    (given,) = heard.of("submission")[0]["response_urls"]
    assert (given["block_id"], given["channel_id"]) == ("to", GENERAL.id)
    assert given["response_url"].startswith(slack.url)


async def test_people_write_and_delete(slack: LocalSlack, client: Client) -> None:
    tom, mara = slack.person("tom"), slack.person("mara")
    said = tom.says("hello @mara & <all>")
    assert tom.says("look @here", "#general").notifies == {"here"}
    posted = (await client.chat_postMessage(channel="#approvals", text="x"))["ts"]
    by_bot = next(m for m in tom.sees() if m.ts == posted)

    assert said.text == f"hello <@{MARA.id}> &amp; &lt;all&gt;"
    tom.says("a reply", thread=said)
    assert [reply.text for reply in mara.replies(said)] == ["a reply"]
    with pytest.raises(RefusedError, match="only delete their own"):
        tom.delete(by_bot)
    mara.delete(by_bot)
    assert [m.text for m in mara.sees()] == [said.text]
    with pytest.raises(RefusedError, match="cannot write"):
        mara.says("x", "#approvals-2023")
