"""`countersign`: start, list, show; and the words for what cannot work."""

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.local.instances import Instance
from bot.local.redis import EmbeddedRedis
from tests.deployment import Deployment

REFUND = ("refund", "customer=Acme GmbH", "amount=120.50", "reason=Damaged parcel")


async def run(environment: Mapping[str, str | None], *words: str, stdin: str = "") -> Result:
    """The command as a person would give it, with nothing else in its environment."""
    cleared: dict[str, str | None] = dict.fromkeys(
        ("REDIS_URL", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
    )
    env = {**cleared, **environment, "COLUMNS": "200", "TERM": "dumb"}
    return await asyncio.to_thread(CliRunner().invoke, cli, list(words), input=stdin, env=env)


async def test_start_prints_the_thread_id_and_the_same_start_is_the_same_run(
    deployment: Deployment,
) -> None:
    words = ("start", *REFUND, "--thread-id", "order-77", "--requested-by", "U00000TOM")
    for amount in ("120.50", "120.5", "120.500", "1.205e2"):
        words = (*words[:3], f"amount={amount}", *words[4:])
        result = await run(deployment.environment, *words)
        assert (result.exit_code, result.stdout) == (0, "order-77\n")
    started = await deployment.run_of("order-77")
    assert (started.requester, started.input["amount"]) == ("U00000TOM", "120.50")


@pytest.mark.parametrize("how", ["text", "file", "stdin"])
async def test_input_as_json(deployment: Deployment, tmp_path: Path, how: str) -> None:
    text = json.dumps({"customer": "Ada", "amount": "9.90", "reason": "late"})
    path = tmp_path / "input.json"
    path.write_text(text, encoding="utf-8")
    given = {"text": text, "file": f"@{path}", "stdin": "-"}[how]
    words = ("start", "refund", "--thread-id", "t1", "--input", given)
    result = await run(deployment.environment, *words, stdin=text)
    assert result.exit_code == 0, result.output
    assert (await deployment.run_of("t1")).input["customer"] == "Ada"


async def test_list_and_show_tell_what_waits_and_what_happened(deployment: Deployment) -> None:
    env = deployment.environment
    assert "Nothing is waiting" in (await run(env, "list")).stdout
    async with deployment.instance():
        thread_id = await deployment.start()
        card = await deployment.card("Refund $120.50 to Acme GmbH")
        await deployment.settled(thread_id)
        rows: list[dict[str, Any]] = json.loads((await run(env, "list", "--json")).stdout)
        assert [(row["thread_id"], row["title"]) for row in rows] == [
            (thread_id, "Refund $120.50 to Acme GmbH")
        ]
        [_, listed] = (await run(env, "list")).stdout.splitlines()
        for words in (thread_id, "Refund $120.50 to Acme GmbH", " UTC", "medium"):
            assert words in listed
        await deployment.person("mara").click(card, "Approve")
        await deployment.reads(card, "Refund done")
    shown = json.loads((await run(env, "show", thread_id, "--json")).stdout)
    assert shown["run"]["status"] == "finished"
    assert [decision["by"]["name"] for decision in shown["decisions"]] == ["Mara Okafor"]
    assert [entry["state"] for entry in shown["effects"]] == ["done"]
    text = (await run(env, "show", thread_id)).stdout
    assert "approved by Mara Okafor (U0000MARA)" in text
    for words in (
        *("effect:done", "Amount: $120.50 USD", "Reason: Damaged parcel", "decide by 20", " one "),
        *("May be decided by S00FINANCE", "Card in C0APPROVAL, message 1"),
    ):
        assert words in text


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("start", "refnd"), "There is no workflow 'refnd'. There is: "),
        (("start", "refund", "amount=-5", "customer=A"), "- amount: Input should be greater than"),
        (("start", *REFUND, "colour=red"), "- colour: Extra inputs are not permitted"),
        (("start", *REFUND, "--thread-id", "a,b"), "thread_id 'a,b': use 1 to 128 of a-z, 0-9"),
        (("start", *REFUND, "--thread-id", "Ab"), "thread_id 'Ab': use 1 to 128 of a-z, 0-9"),
        (("start", *REFUND, "--requested-by", "tom"), "requested_by 'tom': use the id of a Slack"),
        (("start", *REFUND, "--channel", "approvals"), "channel 'approvals': use the id of a"),
        (("start", *REFUND, "--thread-id", ""), "thread_id '': use 1 to 128 of a-z, 0-9"),
        (("start", *REFUND, "--requested-by", ""), "requested_by '': use the id of a Slack"),
        (("start", *REFUND, "--channel", ""), "channel '': use the id of a"),
        (("start", *REFUND, "customer\u202e=x"), "- customer⟨U+202E⟩: Extra inputs are not"),
        (("show", "No Body"), "thread_id 'No Body': use 1 to 128 of a-z, 0-9"),
        (("show", "nobody"), "There is no run 'nobody'."),
        (("retry", "nobody"), "There is no run 'nobody'."),
    ],
)
async def test_bad_input_is_named_and_nothing_is_written(
    deployment: Deployment, words: tuple[str, ...], answer: str
) -> None:
    result = await run(deployment.environment, *words)
    assert result.exit_code == 1
    assert answer in result.output
    assert "Traceback" not in result.output
    assert await deployment.started() == []


TWICE = '{"customer": "A", "amount": 1, "reason": "x", "customer": "B"}'


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--input", "[1]"), "--input: give a JSON object, such as"),
        (("--input", "{"), "--input: Expecting property name enclosed in double quotes"),
        (("--input", "@/nowhere.json"), "--input: [Errno 2] No such file or directory"),
        (("--input", "@"), "--input: @ is followed by the name of a file"),
        (("--input", ""), "--input: is empty; give a JSON object"),
        (("--input", "-"), "--input: nothing came on standard input; give a JSON object"),
        (("--input", TWICE), "customer: given more than once; give each field once"),
        (("--input", '{"amount": 1}', "amount=2"), "amount: given in --input and as field=value"),
        ((*REFUND[1:], "customer=B"), "customer: given more than once"),
        (("amount",), "'amount': write each value as field=value"),
        (("=5",), "'=5': write each value as field=value"),
    ],
)
async def test_input_that_cannot_be_read_or_says_two_things_is_a_usage_error(
    deployment: Deployment, words: tuple[str, ...], answer: str
) -> None:
    result = await run(deployment.environment, "start", "refund", *words)
    assert result.exit_code == 2
    assert answer in result.stderr
    assert await deployment.started() == []


async def test_a_thread_id_that_was_used_with_another_input(deployment: Deployment) -> None:
    await run(deployment.environment, "start", *REFUND, "--thread-id", "order-77")
    other = ("start", "refund", "customer=Ada", "amount=1", "reason=x", "--thread-id", "order-77")
    result = await run(deployment.environment, *other)
    assert result.exit_code == 1
    assert "The thread 'order-77' belongs to a run of refund with another input." in result.output
    whose = (*REFUND, "--thread-id", "order-77", "--requested-by", "U00000TOM")
    result = await run(deployment.environment, "start", *whose)
    assert result.exit_code == 1
    assert "with another requester (none, not U00000TOM). Choose" in result.output
    assert (await deployment.run_of("order-77")).input["customer"] == "Acme GmbH"


async def test_settings_that_are_missing_are_named_all_at_once() -> None:
    result = await run({}, "bot")
    assert result.exit_code == 1
    for name in ("REDIS_URL", "SLACK_BOT_TOKEN", "COUNTERSIGN_CHANNEL"):
        assert f"- {name}: is not set" in result.output
    assert "- SLACK_APP_TOKEN or SLACK_SIGNING_SECRET: set the first" in result.output
    assert "- COUNTERSIGN_APPROVERS: is empty" in result.output


@pytest.mark.parametrize("words", [("list",), ("show", "t1"), ("start", *REFUND), ("worker",)])
@pytest.mark.parametrize("url", [None, "foo", "rediss://127.0.0.1/0?bogus=x", "redis://h:x/0"])
async def test_every_command_names_a_redis_that_is_no_address(
    words: tuple[str, ...], url: str | None
) -> None:
    result = await run({"REDIS_URL": url}, *words)
    assert result.exit_code == 1
    assert f"- REDIS_URL: is not {'set' if url is None else 'an address'}" in result.output
    assert "Traceback" not in result.output
    assert "went wrong" not in result.output


async def test_neither_socket_mode_nor_http(deployment: Deployment) -> None:
    result = await run({**deployment.environment, "SLACK_APP_TOKEN": None}, "bot")
    assert result.exit_code == 1
    assert "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET: set the first for Socket Mode" in result.output


async def test_no_approvers_is_nobody_and_refuses_to_start(deployment: Deployment) -> None:
    result = await run({**deployment.environment, "COUNTERSIGN_APPROVERS": ""}, "worker")
    assert result.exit_code == 1
    assert "COUNTERSIGN_APPROVERS: is empty, and so nobody could decide." in result.output


async def test_a_token_that_slack_refuses(deployment: Deployment) -> None:
    result = await run({**deployment.environment, "SLACK_BOT_TOKEN": "xoxb-wrong"}, "worker")
    assert result.exit_code == 1
    assert "Slack refuses SLACK_BOT_TOKEN: invalid_auth" in result.output
    assert "xoxb-wrong" not in result.output


async def ended(environment: Mapping[str, str], directory: Path, *words: str) -> str:
    """What a process said that ended by itself, with exit code 1."""
    instance = await Instance.start("one", list(words), environment, directory)
    try:
        assert await asyncio.wait_for(instance.process.wait(), 60) == 1
    finally:
        await instance.kill()
    assert "Traceback" not in instance.last_words
    return instance.last_words


async def test_an_app_token_that_slack_refuses(deployment: Deployment, tmp_path: Path) -> None:
    env = {**deployment.environment, "SLACK_APP_TOKEN": "xapp-wrong"}
    words = await ended(env, tmp_path, "bot")
    assert "- SLACK_APP_TOKEN: Slack refuses it: invalid_auth" in words
    assert "xapp-wrong" not in words


async def test_a_port_that_is_taken(deployment: Deployment, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104 - as the bot itself does
        taken.listen()
        port = taken.getsockname()[1]
        env = {**deployment.environment, "SLACK_SIGNING_SECRET": "x", "PORT": str(port)}
        del env["SLACK_APP_TOKEN"]
        words = await ended(env, tmp_path, "bot", "--no-worker")
    assert f"PORT {port} cannot be listened on" in words


@pytest.mark.parametrize(
    ("channel", "answer"),
    [
        (
            "C0NOWHERE0",
            "C0NOWHERE0: there is no such channel, or it is private and the app is not in it",
        ),
        ("C0ARCHIVED", "C0ARCHIVED: #approvals-2023 is archived; unarchive it, or choose another"),
        ("C0000SALES", "C0000SALES: the app is not in #sales; type /invite @Countersign there"),
        ("#approvals", "does not have the right form (id of the channel for cards"),
    ],
)
async def test_a_channel_that_cards_cannot_come_to(
    deployment: Deployment, channel: str, answer: str
) -> None:
    result = await run({**deployment.environment, "COUNTERSIGN_CHANNEL": channel}, "worker")
    assert result.exit_code == 1
    assert f"- COUNTERSIGN_CHANNEL: {answer}" in result.output


@pytest.mark.parametrize(
    ("options", "modules", "answer"),
    [
        ({}, False, "Search"),
        ({"maxmemory-policy": "allkeys-lru"}, True, "noeviction"),
    ],
)
async def test_a_redis_that_cannot_be_trusted_is_refused(
    deployment: Deployment, tmp_path: Path, options: dict[str, str], modules: bool, answer: str
) -> None:
    async with EmbeddedRedis(tmp_path / "redis", modules=modules, options=options) as server:
        result = await run({**deployment.environment, "REDIS_URL": server.url}, "list")
    assert result.exit_code == 1
    assert "Countersign cannot use Redis at" in result.output
    assert answer in result.output


async def test_a_redis_that_is_not_there(deployment: Deployment) -> None:
    url = "redis://:s3cret@127.0.0.1:1/0"
    result = await run({**deployment.environment, "REDIS_URL": url}, "list")
    assert result.exit_code == 1
    assert "127.0.0.1:1" in result.output
    assert "s3cret" not in result.output


async def test_version_and_help() -> None:
    assert (await run({}, "--version")).stdout.startswith("countersign ")
    listed = (await run({}, "--help")).stdout
    for command in ("bot", "worker", "start", "list", "show", "demo"):
        assert command in listed
