"""Whom a message notifies, so that a test can see what untrusted text did."""

from typing import Any

import pytest

from bot.local.mentions import notified
from bot.local.records import Json
from tests.local.shapes import mrkdwn, plain, preformatted


def message(*texts: Json, text: str = "") -> Json:
    return {"text": text, "blocks": [{"type": "context", "elements": list(texts)}]}


def rich(**element: Any) -> Json:
    inner = {"type": "rich_text_section", "elements": [element]}
    return {"text": "", "blocks": [{"type": "rich_text", "elements": [inner]}]}


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        (
            message(text="<@U0000MARA> and <!subteam^S00FINANCE|@finance>"),
            {"U0000MARA", "S00FINANCE"},
        ),
        (message(mrkdwn("<!channel> <!here|here>")), {"channel", "here"}),
        (message(mrkdwn("hey @everyone")), {"everyone"}),
        (message({**mrkdwn("hey @everyone <!here>"), "verbatim": True}), {"here"}),
        (message(text="hey @everyone"), set[str]()),
        (message(mrkdwn("&lt;!channel&gt; me@here.com <!date^1^x|y>")), set[str]()),
        (message(plain("@everyone <!channel>")), set[str]()),
        ({"text": "", "blocks": [preformatted("@here <!here>")]}, set[str]()),
        (rich(type="user", user_id="U0000MARA"), {"U0000MARA"}),
        (rich(type="broadcast", range="here"), {"here"}),
    ],
)
def test_who_is_notified(seen: Json, names: set[str]) -> None:
    assert notified(seen) == names
