"""The replay check on graphs as people write them: those that do something twice are caught, each
by the name of what is wrong and at its line; in the others nothing is found."""

import linecache
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from bot.local.redis import EmbeddedRedis
from tests.workflows.gallery.broken_calls import CALLS
from tests.workflows.gallery.broken_questions import QUESTIONS
from tests.workflows.gallery.documentation import DOCUMENTED
from tests.workflows.gallery.documentation_effects import EFFECTS
from tests.workflows.gallery.good import GOOD
from tests.workflows.gallery.world import Piece, World, world_at
from workflows.findings import RULES
from workflows.replay import Report, check_replay, told

INPUT = {"amount": 5, "items": ["apples", "pears"]}


@pytest.fixture
async def world(redis_server: EmbeddedRedis, tmp_path: Path) -> AsyncGenerator[World, None]:
    async with world_at(tmp_path, redis_server.url) as world:
        yield world


def named(piece: Piece) -> str:
    return piece.name


async def checked(piece: Piece, world: World) -> Report:
    graph: Any = piece.make(world)
    return await check_replay(graph, INPUT, piece.decisions, allow=piece.allow)


@pytest.mark.parametrize("piece", [*CALLS, *QUESTIONS], ids=named)
async def test_what_happens_twice_is_caught_by_name(piece: Piece, world: World) -> None:
    report = await checked(piece, world)
    assert {each.rule for each in report.failing()} == set(piece.rules), told(report)
    at_their_lines(report)


def test_each_rule_of_running_has_its_graphs() -> None:
    caught = {rule for piece in (*CALLS, *QUESTIONS, *DOCUMENTED, *EFFECTS) for rule in piece.rules}
    assert caught >= {rule.id for rule in RULES.values() if "running" in rule.by}


@pytest.mark.parametrize("piece", GOOD, ids=named)
async def test_in_what_may_run_again_nothing_is_found(piece: Piece, world: World) -> None:
    report = await checked(piece, world)
    assert not report.failing(), told(report)
    assert not report.unchecked, told(report)
    assert report.questions, "it asks"
    assert report.crashes


@pytest.mark.parametrize("piece", [*DOCUMENTED, *EFFECTS], ids=named)
async def test_langgraphs_own_examples_get_the_verdict_they_deserve(
    piece: Piece, world: World
) -> None:
    report = await checked(piece, world)
    assert {each.rule for each in report.findings} == set(piece.rules), told(report)
    assert not report.unchecked, told(report)
    at_their_lines(report)


def at_their_lines(report: Report) -> None:
    for each in report.failing():
        assert each.place, told(report)
        line = linecache.getline(each.place.file, each.place.line)
        assert "# here" in line, told(report)
        assert each.node, told(report)
