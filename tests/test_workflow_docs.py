"""docs/write-a-workflow.md and docs/bring-your-graph.md, done as they are written: by a newcomer in
an empty directory."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import catalog
from bot.cli import cli
from bot.given import field_values
from bot.local.person import Seen
from bot.settings import StoreSettings
from bot.trying import nowhere
from tests.deployment import Deployment
from tests.eventually import eventually
from workflows.loading import GROUP

DOCS = Path(__file__).parents[1] / "docs"
WRITE = (DOCS / "write-a-workflow.md").read_text(encoding="utf-8")
OURS = (DOCS / "workflows.md").read_text(encoding="utf-8")
BRING = (DOCS / "bring-your-graph.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def blocks(text: str, *languages: str) -> list[str]:
    return re.findall(rf"```(?:{'|'.join(languages)})\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[list[str]]:
    lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


def written(text: str, directory: Path) -> list[str]:
    """Each file of the docs, where its first line says."""
    names: list[str] = []
    for block in blocks(text, "python", "toml"):
        name = block.partition("\n")[0].removeprefix("# ")
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block, encoding="utf-8")
        names.append(name)
    return names


def run(words: list[str], directory: Path, **more: str | None) -> str:
    """The command, in that directory; what it prints."""
    program = {"python": sys.executable, "countersign": str(BIN / "countersign")}[words[0]]
    environment = {**os.environ, **{k: v for k, v in more.items() if v is not None}}
    done = subprocess.run(  # noqa: S603 - of our docs
        [program, *words[1:]],
        cwd=directory,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def one(what: list[list[str]], *words: str) -> list[str]:
    [found] = [each for each in what if each[: len(words)] == list(words)]
    return found


@pytest.fixture
def package(tmp_path: Path) -> Path:
    assert written(WRITE, tmp_path) == ["pyproject.toml", "vouchers.py", "test_vouchers.py"]
    return tmp_path


def test_its_tests_pass(package: Path) -> None:
    words = [*one(commands(WRITE), "python", "-m", "pytest"), "-p", "no:cacheprovider"]
    assert "3 passed" in run(words, package)


def installed(package: Path) -> Path:
    """As pip installs the wheel; where that is."""
    run(["python", "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"], package)
    [wheel] = (package / "dist").glob("*.whl")
    site = package / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (metadata,) = site.glob("*.dist-info/entry_points.txt")
    assert GROUP in metadata.read_text(encoding="utf-8")
    return site


async def test_it_is_in_the_catalog_once_it_is_installed(
    deployment: Deployment, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`countersign start`, with nothing but the package on the path."""
    site = await asyncio.to_thread(installed, package)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    words = [*one(commands(WRITE), "countersign", "start"), "--thread-id", "v-1"]
    environment = {**deployment.environment, "PYTHONPATH": str(site)}
    assert await asyncio.to_thread(lambda: run(words, elsewhere, **environment)) == "v-1\n"
    assert (await deployment.run_of("v-1")).workflow == "voucher"


def test_the_other_commands_are_ones() -> None:
    """What takes minutes or serves for ever: their options are known."""
    known = {"demo": {"--graph"}, "torture": {"--every", "--input"}, "bot": set[str]()}
    for words in commands(WRITE):
        if words[0] == "countersign" and words[1] in known:
            options = {each for each in words if each.startswith("--")}
            assert options == known[words[1]]
            told = CliRunner().invoke(cli, [words[1], "--help"], env={"COLUMNS": "200"})
            assert all(each in told.output for each in options)


def test_what_is_started_in_the_docs_can_be(tmp_path: Path) -> None:
    given = {"REDIS_URL": "redis://unused", **nowhere(tmp_path)}
    known = catalog(StoreSettings.model_validate(given))
    text = OURS.replace("\\\n", "")
    started = [words[2:] for words in commands(text) if words[:2] == ["countersign", "start"]]
    for name, *fields in started:
        known[name].read_input(field_values(fields))
    assert {name for name, *_ in started} == set(known)


async def test_a_graph_of_ten_lines_is_asked_about(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in "Bring your graph": two commands, and the first card."""
    [name] = written(BRING, tmp_path)
    code = blocks(BRING, "python")[0].splitlines()[1:]
    assert len([line for line in code if line.strip()]) <= 10
    assert name == "my_pkg/agents.py"
    served, started = commands(BRING)[:2]
    assert served[:2] == ["countersign", "bot"]
    environment = {
        **deployment.environment,
        "COUNTERSIGN_APPROVERS": deployment.approvers,
        "PYTHONPATH": str(tmp_path),
    }
    with (
        subprocess.Popen(  # noqa: S603, ASYNC220 - of our docs
            [str(BIN / served[0]), *served[1:]], cwd=tmp_path, env={**os.environ, **environment}
        ) as bot
    ):
        try:
            thread_id = await asyncio.to_thread(lambda: run(started, tmp_path, **environment))
            card: Seen = await deployment.card("Send it?", within=90)
            assert "Dear all" in card.words
            await deployment.person("mara").click(card, "Approve")

            async def ended() -> bool:
                return (await deployment.run_of(thread_id.strip())).status == "finished"

            await eventually("the run ends", ended, 90)
            await deployment.reads(card, "The workflow ended", within=90)
        finally:
            bot.terminate()
            await asyncio.to_thread(bot.wait, 60)
    assert bot.returncode == 0
