"""The gateway over the real client: what Slack's errors mean, and nothing is sent twice."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.web.async_client import AsyncWebClient

from bot.approvals import Approval
from bot.inslack import MessageRef
from bot.local.server import LocalSlack
from bot.slack import CARD_EVENT, CLOCK_SKEW, PAGE, TRAIL_EVENT, SlackGateway, Told
from bot.slack_calls import SlackRefused, SlackUnavailable, slack_client
from bot.views.card import Card, card
from tests.bot.samples import CHANNEL, JONAS, MARA, NAMES, TEAM, approval

BOT = "U0COUNTER"
HELLO = Card(text="Hello", blocks=[{"type": "divider"}])
TOLD = Told("ap_1", 1, "0" * 64)
EPOCH = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@dataclass
class Hands:
    """A clock that only the test moves."""

    now: float = EPOCH.timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def slack(clock: Hands) -> AsyncGenerator[LocalSlack, None]:
    async with LocalSlack(clock=clock) as workspace:
        yield workspace
        assert workspace.faults.pending() == 0, "a planted fault did not strike"


@pytest.fixture
def gateway(slack: LocalSlack, clock: Hands) -> SlackGateway:
    """Without the SDK's own tries after a 429: what the server says is what a test sees."""
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    return SlackGateway(client, TEAM, BOT, monotonic=clock)


Plant = Callable[[LocalSlack], None]
METHOD = "chat.postMessage"
UNAVAILABLE: dict[str, Plant] = {
    "429": lambda s: s.faults.rate_limit(METHOD),
    "500": lambda s: s.faults.server_error(METHOD, status=500),
    "503": lambda s: s.faults.server_error(METHOD, status=503),
    "dropped before": lambda s: s.faults.refuse_connection(METHOD),
    "dropped after": lambda s: s.faults.lose_answer(METHOD),
    "ratelimited in 200": lambda s: s.faults.error(METHOD, "ratelimited"),
    "internal_error": lambda s: s.faults.error(METHOD, "internal_error"),
    "service_unavailable": lambda s: s.faults.error(METHOD, "service_unavailable"),
}
REFUSED = ["channel_not_found", "invalid_auth", "not_in_channel", "is_archived", "invalid_blocks"]


@pytest.mark.parametrize("name", UNAVAILABLE)
async def test_what_will_pass_is_unavailable_and_sent_once(
    slack: LocalSlack, gateway: SlackGateway, name: str
) -> None:
    UNAVAILABLE[name](slack)

    with pytest.raises(SlackUnavailable):
        await gateway.post_card(CHANNEL, "ap_1", HELLO)

    assert len(slack.calls_of(METHOD)) == 1


@pytest.mark.parametrize("code", REFUSED)
async def test_what_will_not_pass_is_refused_with_slacks_own_word(
    slack: LocalSlack, gateway: SlackGateway, code: str
) -> None:
    slack.faults.error(METHOD, code)

    with pytest.raises(SlackRefused) as refused:
        await gateway.post_card(CHANNEL, "ap_1", HELLO)

    assert (refused.value.code, str(refused.value)) == (code, code)


async def test_a_missing_scope_is_named(slack: LocalSlack, gateway: SlackGateway) -> None:
    slack.faults.error(METHOD, "missing_scope", needed="chat:write", provided="commands")

    with pytest.raises(SlackRefused, match="missing_scope \\(needs chat:write\\)"):
        await gateway.post_card(CHANNEL, "ap_1", HELLO)


async def test_a_real_refusal_is_told_like_a_planted_one(gateway: SlackGateway) -> None:
    for channel, code in (
        ("C0NOWHERE", "channel_not_found"),
        ("C0000BOARD", "channel_not_found"),
        ("C0ARCHIVED", "is_archived"),
        ("C0000SALES", "not_in_channel"),
    ):
        with pytest.raises(SlackRefused, match=code):
            await gateway.post_card(channel, "ap_1", HELLO)


BODIES: dict[str, tuple[int, str, str]] = {
    "a proxy's page": (200, "text/html", "<h1>Sign in</h1>"),
    "plain words": (200, "text/plain", "ok"),
    "broken JSON": (200, "application/json", '{"ok": tr'),
    "no answer in it": (200, "application/json", "{}"),
    "a list": (200, "application/json", "[]"),
    "a proxy's error": (502, "text/html", "<h1>Bad gateway</h1>"),
    "broken JSON of an error": (503, "application/json", "{"),
    "plain error": (500, "text/plain", "no"),
}


@asynccontextmanager
async def answering(status: int, kind: str, body: str) -> AsyncGenerator[SlackGateway, None]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, content_type=kind, text=body)

    application = web.Application()
    application.router.add_post("/api/{method}", answer)
    server = TestServer(application)
    await server.start_server()
    try:
        yield SlackGateway(slack_client("xoxb-1", str(server.make_url("/api/"))), TEAM, BOT)
    finally:
        await server.close()


@pytest.mark.parametrize("name", BODIES)
async def test_what_is_no_answer_of_slack_is_unavailable(name: str) -> None:
    async with answering(*BODIES[name]) as gateway:
        with pytest.raises(SlackUnavailable):
            await gateway.post_card(CHANNEL, "ap_1", HELLO)


async def test_the_client_tries_nothing_again_and_tells_when_it_may_be(slack: LocalSlack) -> None:
    gateway = SlackGateway(slack_client(slack.bot_token, slack.api_url), TEAM, BOT)
    slack.faults.rate_limit(METHOD, retry_after=20)

    with pytest.raises(SlackUnavailable) as limited:
        await gateway.post_card(CHANNEL, "ap_1", HELLO)
    assert limited.value.retry_after == 20

    slack.faults.lose_answer(METHOD)
    with pytest.raises(SlackUnavailable) as lost:
        await gateway.post_card(CHANNEL, "ap_1", HELLO)
    assert lost.value.retry_after == 0
    assert len(slack.calls_of(METHOD)) == 2


async def test_connecting_tells_who_we_are(slack: LocalSlack) -> None:
    gateway = await SlackGateway.connect(slack_client(slack.bot_token, slack.api_url))

    assert (gateway.team, gateway.bot_user, gateway.team_name) == (TEAM, BOT, "Acme (local)")
    with pytest.raises(SlackRefused, match="invalid_auth"):
        await SlackGateway.connect(slack_client("xoxb-wrong", slack.api_url))


async def test_a_card_is_posted_with_what_finds_it_again(
    slack: LocalSlack, gateway: SlackGateway
) -> None:
    where = await gateway.post_card(CHANNEL, "ap_1", HELLO)
    [call] = slack.calls_of(METHOD)

    assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == (False, False)
    assert "link_names" not in call.arguments
    assert f"/archives/{CHANNEL}/p" in await gateway.permalink(where)
    await gateway.update_card(where, Card("Hello again", HELLO.blocks))
    [message] = slack.workspace.messages(CHANNEL)
    assert (message["text"], message["metadata"]["event_payload"]) == (
        "Hello again", {"approval_id": "ap_1"},
    )  # fmt: skip


def pending_card(of: Approval | None = None) -> Card:
    return card(of or approval(), NAMES)


async def test_our_card_is_found_by_its_metadata(gateway: SlackGateway) -> None:
    where = await gateway.post_card(CHANNEL, "ap_1", HELLO)

    assert await gateway.find_card(CHANNEL, "ap_1", EPOCH) == where
    assert await gateway.find_card(CHANNEL, "ap_2", EPOCH) is None
    assert await gateway.find_card("C00GENERAL", "ap_1", EPOCH) is None


async def test_our_card_is_found_by_its_buttons_where_its_metadata_is_gone(
    slack: LocalSlack, gateway: SlackGateway
) -> None:
    where = await gateway.post_card(CHANNEL, "ap_1", pending_card())
    slack.workspace.change(CHANNEL, where.ts, {"metadata": None})

    assert await gateway.find_card(CHANNEL, "ap_1", EPOCH) == where
    assert await gateway.find_card(CHANNEL, "ap_2", EPOCH) is None


async def test_our_card_is_found_pages_back(slack: LocalSlack, gateway: SlackGateway) -> None:
    where = await gateway.post_card(CHANNEL, "ap_1", HELLO)
    for number in range(2 * PAGE):
        slack.workspace.post(CHANNEL, {"user": MARA, "text": f"message {number}"})

    assert await gateway.find_card(CHANNEL, "ap_1", EPOCH) == where
    assert len(slack.calls_of("conversations.history")) == 3


async def test_looking_goes_back_as_far_as_clocks_may_differ(
    slack: LocalSlack, gateway: SlackGateway, clock: Hands
) -> None:
    where = await gateway.post_card(CHANNEL, "ap_1", HELLO)
    skewed = timedelta(seconds=CLOCK_SKEW - 1)

    assert await gateway.find_card(CHANNEL, "ap_1", EPOCH + skewed) == where
    assert await gateway.find_card(CHANNEL, "ap_1", EPOCH + 2 * skewed) is None


async def test_what_another_app_posts_is_not_our_card(
    slack: LocalSlack, gateway: SlackGateway
) -> None:
    """Metadata and buttons can be copied by anyone; that message could never be updated."""
    metadata = {"event_type": CARD_EVENT, "event_payload": {"approval_id": "ap_1"}}
    copied = {"user": "U0OTHERBOT", "text": "x", "blocks": pending_card().blocks}
    slack.workspace.post(CHANNEL, {**copied, "metadata": metadata})

    assert await gateway.find_card(CHANNEL, "ap_1", EPOCH) is None


async def test_a_reply_is_found_by_its_number(slack: LocalSlack, gateway: SlackGateway) -> None:
    where = await gateway.post_card(CHANNEL, "ap_1", HELLO)
    other = await gateway.post_card(CHANNEL, "ap_2", HELLO)
    await gateway.reply(where, TOLD, HELLO)

    assert await gateway.has_reply(where, TOLD)
    assert not await gateway.has_reply(where, replace(TOLD, number=2))
    assert not await gateway.has_reply(where, replace(TOLD, approval_id="ap_2"))
    assert not await gateway.has_reply(where, replace(TOLD, event="another"))
    assert not await gateway.has_reply(other, TOLD)
    assert [reply["thread_ts"] for reply in slack.workspace.replies(CHANNEL, where.ts)] == [
        where.ts
    ]


async def test_a_copied_reply_does_not_stand_for_ours(
    slack: LocalSlack, gateway: SlackGateway
) -> None:
    where = await gateway.post_card(CHANNEL, "ap_1", HELLO)
    payload = asdict(TOLD)
    copied = {"metadata": {"event_type": TRAIL_EVENT, "event_payload": payload}}
    slack.workspace.post(CHANNEL, {"user": MARA, "text": "x", "thread_ts": where.ts, **copied})

    assert not await gateway.has_reply(where, TOLD)


async def test_a_reply_below_a_card_that_is_gone_is_refused(gateway: SlackGateway) -> None:
    nowhere = MessageRef(channel=CHANNEL, ts="1.000000")

    with pytest.raises(SlackRefused):
        await gateway.has_reply(nowhere, TOLD)
    with pytest.raises(SlackRefused, match="message_not_found"):
        await gateway.update_card(nowhere, HELLO)


async def test_a_member_is_looked_up_once_a_minute(
    slack: LocalSlack, gateway: SlackGateway, clock: Hands
) -> None:
    first = await gateway.member(MARA, TEAM)
    slack.workspace.change_user(MARA, is_restricted=True)

    assert (first.name, first.full) == ("Mara Okafor", True)
    assert await gateway.member(MARA, TEAM) == first
    assert len(slack.calls_of("users.info")) == 1
    clock.now += 61
    assert (await gateway.member(MARA, TEAM)).full is False


async def test_a_known_name_does_not_lend_its_workspace(gateway: SlackGateway) -> None:
    """Cards name people in our workspace; a click says which one it came from."""
    assert await gateway.names([MARA]) == {MARA: "Mara Okafor"}

    assert (await gateway.member(MARA, "T0OTHERS")).team == "T0OTHERS"
    assert (await gateway.member(MARA, TEAM)).team == TEAM


@pytest.mark.parametrize(
    "flag", ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"]
)
async def test_who_is_no_full_member(slack: LocalSlack, gateway: SlackGateway, flag: str) -> None:
    slack.workspace.change_user(MARA, **{flag: True})

    assert (await gateway.member(MARA, TEAM)).full is False


async def test_a_group_is_looked_up_once_a_minute_or_when_it_changed(
    slack: LocalSlack, gateway: SlackGateway, clock: Hands
) -> None:
    before, after = {"S00FINANCE": frozenset({MARA, JONAS})}, {"S00FINANCE": frozenset({JONAS})}
    asked = [MARA, "S00FINANCE", "W0SOMEONE"]
    assert await gateway.groups(asked) == before
    slack.workspace.change_usergroup("S00FINANCE", (JONAS,))

    assert await gateway.groups(asked) == before
    gateway.forget_group("S00FINANCE")
    assert await gateway.groups(asked) == after
    slack.workspace.change_usergroup("S00FINANCE", (MARA, JONAS))
    assert await gateway.groups(asked) == after
    clock.now += 61
    assert await gateway.groups(asked) == before
    gateway.forget_group("S0UNKNOWN")


async def test_a_group_that_is_gone_is_nobody(gateway: SlackGateway) -> None:
    assert await gateway.groups(["S0UNKNOWN"]) == {"S0UNKNOWN": frozenset()}
    assert await gateway.groups([]) == {}


UNREADABLE: dict[str, Plant] = {
    "refused": lambda s: s.faults.error("usergroups.users.list", "missing_scope"),
    "unavailable": lambda s: s.faults.server_error("usergroups.users.list"),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_group_that_cannot_be_read_is_not_taken_for_empty(
    slack: LocalSlack, gateway: SlackGateway, name: str
) -> None:
    """Nor is that remembered."""
    UNREADABLE[name](slack)

    with pytest.raises((SlackRefused, SlackUnavailable)):
        await gateway.groups(["S00FINANCE"])
    assert await gateway.groups(["S00FINANCE"]) == {"S00FINANCE": frozenset({MARA, JONAS})}


async def test_names_leave_out_whom_nobody_knows(slack: LocalSlack, gateway: SlackGateway) -> None:
    assert await gateway.names([MARA, None, "U0UNKNOWN", MARA]) == {MARA: "Mara Okafor"}
    slack.faults.server_error("users.info")
    assert await gateway.names([JONAS]) == {}


async def test_home_is_published(slack: LocalSlack, gateway: SlackGateway) -> None:
    await gateway.publish_home(MARA, {"type": "home", "blocks": HELLO.blocks})

    assert slack.calls_of("views.publish")[0].ok


async def test_the_token_is_in_no_error(slack: LocalSlack, gateway: SlackGateway) -> None:
    with pytest.raises(SlackRefused) as refused:
        await gateway.post_card("C0NOWHERE", "ap_1", HELLO)
    slack.faults.refuse_connection(METHOD)
    with pytest.raises(SlackUnavailable) as unavailable:
        await gateway.post_card(CHANNEL, "ap_1", HELLO)

    assert slack.bot_token not in f"{refused.value!r} {unavailable.value!r}"
