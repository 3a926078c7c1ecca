"""What reading a node's code finds, rule by rule: what is told, and what only looks like it."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from workflows.findings import RULES, Finding, sifted, silences
from workflows.loading import maker
from workflows.reading import read
from workflows.sources import read_text

HEAD = """
import asyncio, contextlib, datetime, itertools, json, os, random, shutil, subprocess, threading
import time, uuid
from pathlib import Path
import typing_extensions
from typing import Annotated, Any, Callable, Iterator, Protocol, TypedDict
import httpx
from langgraph.channels import UntrackedValue
from langgraph.errors import GraphInterrupt
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from workflows.protocol import ApprovalRequest, request_approval

COUNT = {"n": 0}
TOTAL = 0
NUMBERS = itertools.count()
STEPS = ["a", "b"]
MOVING = ["a", "b"]
NAMES = {"a", "b"}
client = httpx.Client()

class Db:
    def create_row(self, row): ...
    def execute(self, text, values=()): ...
    def commit(self): ...
db = session = Db()

class Inner(typing_extensions.TypedDict):
    n: int

class Answers(Protocol):
    def answer(self) -> int: ...

def append_later(item):
    MOVING.append(item)

def pure(state):
    return json.dumps(state)

def create_summary(state):
    return f"about {state}"

def tell(what):
    httpx.post("http://127.0.0.1:1/", json=what)

def ask_them(question):
    return interrupt(question)

def title_now():
    return f"at {time.time()}"
"""
FOOT = """

class State(TypedDict, total=False):
    items: list[str]
{fields}

graph = StateGraph(State)
graph.add_node("node", node)
graph.add_edge(START, "node")
"""

BEFORE = "call-before-question"
TOLD = {
    BEFORE: [
        "client.post('http://x/')\ninterrupt('?')",
        "db.create_row({})\ninterrupt('?')",
        "db.execute('INSERT INTO t VALUES (1)')\ninterrupt('?')",
        "db.execute(f'UPDATE t SET n = n + 1 WHERE id = {state}')\ninterrupt('?')",
        "session.commit()\ninterrupt('?')",
        "open('x', 'a').write('y')\ninterrupt('?')",
        "Path('x').open(mode='w')\ninterrupt('?')",
        "Path('x').write_text('y')\ninterrupt('?')",
        "subprocess.run(['true'])\ninterrupt('?')",
        "shutil.copy('a', 'b')\ninterrupt('?')",
        "os.remove('a')\ninterrupt('?')",
        "tell('x')\nask_them('?')",
        "httpx.post('http://x/')\nrequest_approval(ApprovalRequest(title='?'))",
        "interrupt(client.post('http://x/').text)",
        "for item in state['items']:\n    if interrupt(item):\n        tell(item)",
        "if state:\n    tell('x')\nreturn {'a': interrupt('?')}",
        "try:\n    tell('x')\nfinally:\n    pure(state)\ninterrupt('?')",
        "with contextlib.nullcontext():\n    tell('x')\n    interrupt('?')",
        "match state:\n    case {}:\n        tell('x')\ninterrupt('?')",
        "while True:\n    if interrupt('?'):\n        break\n    tell('again')",
        "def pay():\n    tell('x')\ntell('y')\ninterrupt('?')",
    ],
    "memory-before-question": [
        "COUNT['n'] += 1\ninterrupt('?')",
        "global TOTAL\nTOTAL += 1\ninterrupt('?')",
        "MOVING.append('x')\ninterrupt('?')",
        "n = next(NUMBERS)\ninterrupt('?')",
    ],
    "interrupt-swallowed": [
        "try:\n    interrupt('?')\nexcept Exception:\n    pass",
        "try:\n    ask_them('?')\nexcept:\n    return {}",
        "try:\n    interrupt('?')\nexcept (ValueError, Exception) as e:\n    raise KeyError",
        "try:\n    interrupt('?')\nexcept GraphInterrupt:\n    pass",
        "with contextlib.suppress(KeyError, Exception):\n    interrupt('?')",
        "try:\n    interrupt('?')\nfinally:\n    return {}",
    ],
    "order-changes": [
        "for name in NAMES:\n    interrupt(name)",
        "for name in set(state['items']):\n    interrupt(name)",
        "names = {*state['items']}\nfor name in names:\n    interrupt(name)",
        "for name in list({'a', 'b'}):\n    interrupt(name)",
        "for name in MOVING:\n    interrupt(name)",
        "for name in os.listdir('.'):\n    interrupt(name)",
        "found = random.sample(STEPS, 2)\nfor name in found:\n    interrupt(name)",
        "if datetime.datetime.now().hour > 12:\n    interrupt('late?')\ninterrupt('?')",
        "price = httpx.get('http://x/').json()\nif price > 5:\n    interrupt('dear?')",
    ],
    "question-from-chance": [
        "interrupt(f'{uuid.uuid4()}?')",
        "day = datetime.date.today()\ninterrupt({'day': day})",
        "request_approval(ApprovalRequest(title=title_now()))",
        "text = f'{time.time()}'\nquestion = {'q': text}\nask_them(question)",
    ],
    "key-from-chance": [
        "runtime.context.effects.once(f'pay:{uuid.uuid4()}', lambda: 1)",
        "key = str(time.time_ns())\nruntime.context.effects.once(key=key, call=lambda: 1)",
    ],
}
NOT_TOLD = {
    BEFORE: [
        "interrupt('?')\ntell('x')",
        "if state:\n    tell('x')\n    return {}\ninterrupt('?')",
        "client.get('http://x/')\ninterrupt('?')",
        "db.execute('SELECT 1')\ninterrupt('?')",
        "db.execute('INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING')\ninterrupt('?')",
        "db.execute('UPDATE t SET state = 1')\ninterrupt('?')",
        "client.post('http://x/', headers={'Idempotency-Key': state['id']})\ninterrupt('?')",
        "open('x').read()\ninterrupt('?')",
        "create_summary(state)\ninterrupt('?')",
        "client.chat.completions.create(model='m')\ninterrupt('?')",
        "runtime.context.effects.once('key', lambda: tell('x'))\ninterrupt('?')",
        "while True:\n    if interrupt('?'):\n        tell('x')\n        break",
        "while True:\n    if interrupt('?'):\n        tell('x')\n        return {}",
        "def pay():\n    tell('x')\ninterrupt('?')",
        "later = lambda: tell('x')\ninterrupt('?')",
        "tell('x')\nreturn {}",
        "threading.Lock().acquire()\ninterrupt('?')",
    ],
    "memory-before-question": [
        "count = {'n': 0}\ncount['n'] += 1\ninterrupt('?')",
        "lines = []\nlines.append('x')\ninterrupt('?')",
        "interrupt('?')\nCOUNT['n'] += 1",
        "n = 0\nn += 1\ninterrupt('?')",
        "state['items'].append('x')\ninterrupt('?')",
    ],
    "interrupt-swallowed": [
        "try:\n    interrupt('?')\nexcept ValueError:\n    pass",
        "try:\n    interrupt('?')\nexcept Exception:\n    pure(state)\n    raise",
        "try:\n    interrupt('?')\nexcept Exception as error:\n    raise error",
        "try:\n    interrupt('?')\nexcept GraphInterrupt:\n    raise\nexcept Exception:\n    pass",
        "interrupt('?')\ntry:\n    pure(state)\nexcept Exception:\n    pass",
        "with contextlib.suppress(KeyError):\n    interrupt('?')",
        "try:\n    interrupt('?')\nfinally:\n    pure(state)",
    ],
    "order-changes": [
        "for item in state['items']:\n    interrupt(item)",
        "for name in sorted(NAMES):\n    interrupt(name)",
        "for step in STEPS:\n    interrupt(step)",
        "for name in NAMES:\n    pure(name)\ninterrupt('?')",
        "if len(set(state['items'])) > 1:\n    interrupt('?')",
        "if interrupt('?'):\n    interrupt('really?')",
        "while not interrupt('?'):\n    pass",
    ],
    "question-from-chance": [
        "interrupt('?')\nreturn {'at': time.time()}",
        "began = time.time()\npure(state)\ninterrupt('?')",
        "interrupt({'from': state['at'], 'for': datetime.timedelta(days=1)})",
        "interrupt(str(uuid.uuid5(uuid.NAMESPACE_URL, state['id'])))",
        "interrupt(datetime.datetime.fromisoformat(state['at']))",
    ],
    "key-from-chance": [
        "runtime.context.effects.once(f\"pay:{state['id']}\", lambda: time.time())",
    ],
}
FIELDS = {
    True: ["f: Callable[[int], int]", "f: threading.Event", "f: dict[str, Iterator[int]]", "f: Db"],
    False: [
        "f: dict[str, Any] | None",
        "f: Annotated[Any, UntrackedValue]",
        "f: Annotated[threading.Event, UntrackedValue]",
        "f: set[tuple[int, ...]]",
        "f: datetime.datetime",
        "f: Path",
        "f: object",
        "f: list[Inner]",
        "f: Answers",
    ],
}


def loaded(directory: Path, body: str, fields: str = "    pass") -> Any:
    """A module with one node of this body, as it would be imported."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    file = directory / "mine.py"
    node = f"\ndef node(state, runtime=None):\n{lines}"
    file.write_text(HEAD + node + FOOT.format(fields=fields), encoding="utf-8")
    name = f"mine_{directory.name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    module.client.close()
    return module.graph


def found_in(directory: Path, body: str, fields: str = "    pass") -> list[Finding]:
    workflow = maker("mine", loaded(directory, body, fields), "mine")()
    return sifted(read(workflow.graph, workflow.state_types), read_text)


def cases(of: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(rule, body) for rule, bodies in of.items() for body in bodies]


@pytest.mark.parametrize(("rule", "body"), cases(TOLD))
def test_it_is_told(rule: str, body: str, tmp_path: Path) -> None:
    found = found_in(tmp_path, body)
    assert [each.rule for each in found] == [rule]
    assert found[0].node == "node"
    assert found[0].place


@pytest.mark.parametrize(("rule", "body"), cases(NOT_TOLD))
def test_what_looks_like_it_is_not_told(rule: str, body: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, body) == []


@pytest.mark.parametrize("field", FIELDS[True])
def test_a_type_that_cannot_be_kept_is_told(field: str, tmp_path: Path) -> None:
    [found] = found_in(tmp_path, "return {}", f"    {field}")
    assert found.rule == "state-type"
    assert found.place
    assert read_text(found.place.file).splitlines()[found.place.line - 1] == f"    {field}"


@pytest.mark.parametrize("field", FIELDS[False])
def test_a_type_that_is_kept_is_not(field: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, "return {}", f"    {field}") == []


def test_every_rule_of_reading_has_examples_of_both_kinds() -> None:
    assert set(TOLD) == set(NOT_TOLD)
    told = {rule.id for rule in RULES.values() if "reading" in rule.by}
    assert told == {*TOLD, "state-type", "reason-missing"}


# --- the comment that silences a line

BECAUSE = "# countersign: replay-safe because the server knows it"


@pytest.mark.parametrize(
    ("comment", "rules"),
    [
        (f"tell('x')  {BECAUSE}\ninterrupt('?')", []),
        (f"{BECAUSE}\ntell('x')\ninterrupt('?')", []),
        ("tell('x')  # countersign: replay-safe\ninterrupt('?')", ["reason-missing"]),
        ("tell('x')  # countersign: replay-safe because\ninterrupt('?')", ["reason-missing"]),
        (f"{BECAUSE}\npure(1)\ntell('x')\ninterrupt('?')", [BEFORE]),
        (f"tell('x')\ninterrupt('?')  {BECAUSE}", [BEFORE]),
        (f"text = {BECAUSE!r}; tell('x')\ninterrupt('?')", [BEFORE]),
    ],
)
def test_a_comment_silences_its_line_and_gives_a_reason(
    comment: str, rules: list[str], tmp_path: Path
) -> None:
    assert [each.rule for each in found_in(tmp_path, comment)] == rules


def test_the_reason_is_read() -> None:
    assert silences(f"a = 1  {BECAUSE}\nb = 2\n") == {1: "the server knows it"}
    assert silences("a = (\n") == {}
