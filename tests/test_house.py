"""House rules that no linter checks: sizes, module docstrings, and no registry's host name."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 40
# Where packages come from is the machine's business. Joined here, so as not to find themselves.
REGISTRIES = [".".join(name) for name in (("pypi", "org"), ("pythonhosted", "org"))]
NOT_OURS = {"__pycache__", "dist", "build"}


def our_files() -> list[Path]:
    """Every file that is or could be committed."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in ROOT.rglob("*") if is_ours(path)]  # an unpacked archive
    else:
        found = [ROOT / name for name in names.decode().split("\0") if name]
    return sorted(path for path in found if path.is_file())


def is_ours(path: Path) -> bool:
    folders = path.relative_to(ROOT).parts[:-1]
    return not any(name in NOT_OURS or name.startswith(".") for name in folders)


def too_long(name: str, source: str) -> Iterator[str]:
    lines = len(source.splitlines())
    if lines > LINES_OF_A_FILE:
        yield f"{name}: {lines} lines; {LINES_OF_A_FILE} are allowed"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES_OF_A_FUNCTION:
                where = f"{name}:{node.lineno}: {node.name}"
                yield f"{where} has {lines} lines; {LINES_OF_A_FUNCTION} are allowed"


def without_docstring(name: str, source: str) -> Iterator[str]:
    if not ast.get_docstring(ast.parse(source)):
        yield f"{name}: no docstring that says what the module is for"


def naming_a_registry(name: str, content: bytes) -> Iterator[str]:
    for host in REGISTRIES:
        if host.encode() in content:
            yield f"{name}: names {host}"


def python_files(*folders: str) -> Iterator[tuple[str, str]]:
    for path in our_files():
        name = path.relative_to(ROOT)
        if name.suffix == ".py" and (not folders or name.parts[0] in folders):
            yield str(name), path.read_text(encoding="utf-8")


def none_of(problems: Iterator[str]) -> None:
    listed = list(problems)
    assert not listed, "\n" + "\n".join(listed)


def test_files_and_functions_are_small() -> None:
    none_of(problem for file in python_files() for problem in too_long(*file))


def test_modules_say_what_they_are_for() -> None:
    modules = python_files("bot", "workflows")
    none_of(problem for file in modules for problem in without_docstring(*file))


def test_no_file_names_a_registry() -> None:
    files = ((str(path.relative_to(ROOT)), path.read_bytes()) for path in our_files())
    none_of(problem for file in files for problem in naming_a_registry(*file))


def test_the_rules_are_asked_of_something() -> None:
    names = {name for name, _ in python_files()}

    assert {"tests/test_house.py", "bot/redis_check.py"} <= names
    assert not any(name.startswith(".venv") for name in names)


@pytest.mark.parametrize(
    ("lines", "problems"), [(40, []), (41, ["x.py:1: long has 41 lines; 40 are allowed"])]
)
def test_a_long_function_is_found(lines: int, problems: list[str]) -> None:
    source = "async def long():\n" + "    pass\n" * (lines - 1)

    assert list(too_long("x.py", source)) == problems


def test_a_long_file_is_found() -> None:
    assert list(too_long("x.py", "pass\n" * 400)) == []
    assert list(too_long("x.py", "pass\n" * 401)) == ["x.py: 401 lines; 400 are allowed"]


def test_a_missing_docstring_is_found() -> None:
    assert list(without_docstring("x.py", '"""What it is for."""\n')) == []
    assert len(list(without_docstring("x.py", "import os\n"))) == 1


def test_a_registry_is_found() -> None:
    assert len(list(naming_a_registry("x", f"https://{REGISTRIES[0]}/simple".encode()))) == 1
