"""`countersign demo --tour`: it plays by itself, and its checks can fail."""

import asyncio
import sys
from pathlib import Path

import pytest

from bot.local.stage import given_redis_url, open_stage
from bot.local.tour import CRASHED, DONE, LESS, PAID, REFUSED, check_ledger, check_story
from tests.deployment import Deployment

THREADS = {PAID: "t-1", REFUSED: "t-2", CRASHED: "t-3", LESS: "t-4"}
GOOD = [
    ("refund:t-1", PAID, 5_000_000, "USD"),
    ("refund:t-3", CRASHED, 12_000, "JPY"),
    ("refund:t-4", LESS, 75_000, "USD"),
]
BAD = {
    "one is missing": GOOD[:2],
    "one twice": [*GOOD, ("refund:other", PAID, 5_000_000, "USD")],
    "the rejected one": [*GOOD, ("refund:t-2", REFUSED, 8_640, "EUR")],
    "somebody else": [*GOOD, ("refund:x", "Eve", 1, "USD")],
    "another amount": [("refund:t-1", PAID, 5_000_001, "USD"), *GOOD[1:]],
    "all that was asked": [*GOOD[:2], ("refund:t-4", LESS, 90_000, "USD")],
    "another currency": [GOOD[0], ("refund:t-3", CRASHED, 12_000, "USD"), GOOD[2]],
    "another key": [("refund:t-9", PAID, 5_000_000, "USD"), *GOOD[1:]],
}


def test_the_ledger_as_it_should_be() -> None:
    assert all(check.held for check in check_ledger(GOOD, THREADS))


@pytest.mark.parametrize("name", BAD)
def test_a_ledger_that_is_wrong_is_noticed(name: str) -> None:
    assert not all(check.held for check in check_ledger(BAD[name], THREADS))


@pytest.mark.parametrize(
    ("told", "buttons", "status", "held"),
    [
        (list(DONE), [], "finished", True),
        (list(DONE[-1:]), [], "finished", False),
        ([*DONE[:1], *DONE], [], "finished", False),
        ([DONE[1], DONE[0], *DONE[2:]], [], "finished", False),
        (list(DONE), ["Approve"], "finished", False),
        (list(DONE), [], "failed", False),
    ],
)
def test_a_story_is_complete_and_in_order(
    told: list[str], buttons: list[str], status: str, held: bool
) -> None:
    assert check_story(PAID, told, buttons, status).held is held


async def test_the_tour_plays_as_a_process(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--tour",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "All of it held." in output.decode()


def test_redis_url_wins_wherever_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert given_redis_url() is None
    (tmp_path / ".env").write_text("REDIS_URL=redis://from-file/0\n", encoding="utf-8")
    assert given_redis_url() == "redis://from-file/0"
    monkeypatch.setenv("REDIS_URL", "redis://from-environment/0")
    assert given_redis_url() == "redis://from-environment/0"


async def test_a_redis_of_ones_own_is_used_and_left_as_it_was(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", deployment.redis_url)
    async with deployment.store() as store:
        async with open_stage(0) as stage:
            assert stage.redis_url == deployment.redis_url
            await stage.start_refund("Ada", "1.00", "late")
            namespace = stage.store.keys.namespace
            assert [key async for key in store.redis.scan_iter(match=f"*{namespace}*")]
        assert [key async for key in store.redis.scan_iter(match=f"*{namespace}*")] == []
