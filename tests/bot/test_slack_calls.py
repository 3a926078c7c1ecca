"""What an answer of Slack, or of something on the way to it, means: wait how long, and did it
certainly do nothing."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.slack_calls import SlackRefused, SlackUnavailable, call, slack_client

NO = '{"ok": false, "error": "%s"}'
HTML = "<html>Slow down</html>"
LIMITED = [  # status, Retry-After, body: what it says, seconds
    (200, None, NO % "ratelimited", "ratelimited", 0),
    (200, "7", NO % "rate_limited", "rate_limited", 7),
    (429, "30", NO % "ratelimited", "ratelimited", 30),
    (429, None, NO % "ratelimited", "ratelimited", 0),
    (429, "5", HTML, "http_429", 5),
    (429, "soon", HTML, "http_429", 0),
]
AWAY = [
    (200, None, NO % "internal_error", "internal_error", 0),
    (503, "9", HTML, "http_503", 9),
    (503, None, NO % "service_unavailable", "service_unavailable", 0),
    (500, None, NO % "anything", "anything", 0),
]
Answer = tuple[int, str | None, str, str, float]


async def answered(status: int, retry_after: str | None, body: str) -> None:
    """A post that is answered like this."""

    async def answer(_: web.Request) -> web.Response:
        kind = "text/html" if body == HTML else "application/json"
        headers = {"Retry-After": retry_after} if retry_after else {}
        return web.Response(status=status, text=body, content_type=kind, headers=headers)

    application = web.Application()
    application.router.add_route("*", "/api/{method}", answer)
    async with TestServer(application) as server:
        client = slack_client("xoxb-1", str(server.make_url("/api/")))
        await call(client.chat_postMessage(channel="C1", text="x"))


@pytest.mark.parametrize(("answer", "limited"), [(a, a in LIMITED) for a in LIMITED + AWAY])
async def test_an_answer_that_will_pass(answer: Answer, limited: bool) -> None:
    status, retry_after, body, says, seconds = answer
    with pytest.raises(SlackUnavailable, match=says) as error:
        await answered(status, retry_after, body)
    assert (error.value.limited, error.value.retry_after) == (limited, seconds)


async def test_an_answer_that_will_not() -> None:
    with pytest.raises(SlackRefused, match="is_archived"):
        await answered(200, None, NO % "is_archived")
