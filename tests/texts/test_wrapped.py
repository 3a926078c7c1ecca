"""No text is said past the catalog: looked for in the source, for what no test comes by."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPOKEN = ("t", "tn", "later")
# Read in the log, or by programs. What no_answer says is of the catalog; the rest it logs.
NOT_SAID = ("compile", "cast", "TypeError", "removeprefix", "replace", "no_answer")
OTHERS = ("handing", "escalation", "until", "query", "outcomes", "channels")
# Commands as they are typed, our name, pydantic's words, and what is only logged.
ALLOWED = (
    "`/approvals help`", "could not be told", "start a workflow", "look at it", " may not ",
    "countersign show", "Countersign", "Field required", "Extra inputs",
)  # fmt: skip


def sources() -> list[Path]:
    folders = [path for name in ("views", "listeners") for path in (ROOT / "bot" / name).iterdir()]
    return [*(p for p in folders if p.suffix == ".py"), *(ROOT / f"bot/{n}.py" for n in OTHERS)]


def unwrapped(source: str) -> list[str]:
    """The texts with words in them that are not handed to the catalog; and what is handed to it so
    that it cannot be found there: put together, or inside of an f-string."""
    tree = ast.parse(source)
    return [*_loose(tree, said=False), *_hidden(tree)]


def _loose(node: ast.AST, *, said: bool) -> Iterator[str]:
    if isinstance(node, ast.Call):
        said = said or _name(node.func) in (*SPOKEN, *NOT_SAID) or _is_log(node.func)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if not said and _is_text(node.value):
            yield node.value
        return
    annotations = [getattr(node, name, None) for name in ("annotation", "returns")]
    for child in ast.iter_child_nodes(node):
        if not _is_docstring(child) and child not in annotations:
            yield from _loose(child, said=said)


def _hidden(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for call in _spoken(node) if isinstance(node, ast.JoinedStr) else ():
            if any(isinstance(each, ast.Constant) for each in call.args):
                yield f"inside of an f-string: {ast.unparse(call)}"
    for call in _spoken(tree):
        put_together = [each for each in call.args if _is_put_together(each)]
        yield from (f"put together: {ast.unparse(each)}" for each in put_together)


def _is_put_together(node: ast.expr) -> bool:
    is_text = any(isinstance(e, ast.Constant) and isinstance(e.value, str) for e in ast.walk(node))
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.BinOp) and is_text)


def _spoken(tree: ast.AST) -> Iterator[ast.Call]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return (call for call in calls if _name(call.func) in SPOKEN)


def _is_log(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and _name(func.value) == "log"


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _is_text(value: str) -> bool:
    """Several words, or one that begins as a sentence does."""
    words = [word for word in value.split() if word.strip(".,:;!?()*_…").isalpha()]
    several = len(words) > 1
    label = value[:1].isupper() and value[1:].islower() and value.isalpha()
    return (several or label) and not any(each in value for each in ALLOWED)


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_each_text_is_handed_to_the_catalog(path: Path) -> None:
    assert unwrapped(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    ['say("Nothing was recorded.")', 'say(f"Asked by {who}")', 'plain("Approve", 75)',
     "say(f\"{who} {t('was asked')}\")", 't(f"Asked by {who}")', 't("Asked " + who)',
     'WORDS = {"a": "No deadline"}'],
)  # fmt: skip
def test_a_text_that_is_not_is_found(line: str) -> None:
    assert unwrapped(line) != []


@pytest.mark.parametrize(
    "line",
    ['"""What this is for."""', 'say(t("Nothing was recorded."))', 'log.info("no words for %s", a)',
     'WORDS = {"a": later("No deadline")}', 'tn("{n} vote is", "{n} votes are", 2)', 'a["type"]'],
)  # fmt: skip
def test_what_is_no_text_or_is_handed_to_it_is_let_pass(line: str) -> None:
    assert unwrapped(line) == []
