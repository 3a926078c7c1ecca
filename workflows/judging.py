"""What a call in a node's code is, as far as reading tells: does it ask, does it look like a write,
does it depend on time, chance or the outside?

Few false alarms: a function of the user's own is judged by what stands in it, not by its name;
what is not known is taken to be harmless.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from langgraph.pregel import Pregel
from langgraph.types import interrupt

from workflows import sql
from workflows.protocol import request_approval
from workflows.sources import UNKNOWN, Source, imported_here, meaning, source_of, sources_of

DEPTH = 4  # of the user's functions that call one another
NO_DOUBT = {  # by module and name
    *(f"{module}.{verb}" for module in ("requests.api", "httpx") for verb in ("post", "patch")),
    *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")),
    *(f"asyncio.subprocess.create_subprocess_{how}" for how in ("exec", "shell")),
    *(f"{module}.{name}" for module in ("posix", "nt", "os") for name in ("system", "remove")),
    *(f"{module}.{name}" for module in ("posix", "nt", "os") for name in ("unlink", "rename")),
    *(f"shutil.{name}" for name in ("copy", "copy2", "copyfile", "copytree", "move", "rmtree")),
    "aiosmtplib.api.send",
    "urllib.request.urlopen",
}
METHODS = re.compile(
    r"^(send|create|insert|append_to|append_row|add_to|publish|post|patch|charge|pay|refund|transfer"
    r"|notify|book|capture|payout|place|enqueue|bulk_create|write_text|write_bytes)"
    r"(_|$)"
)
# What models and frameworks are asked for is made, and not left anywhere.
MADE = re.compile(
    r"(completions|messages|responses|embeddings|chat|moderations|client\.beta)\.create"
)
HARMLESS = ("langchain", "langgraph", "langsmith", "pydantic", "asyncio", "typing", "collections")
CHANCE = re.compile(
    r"(^|\.)(uuid1|uuid4|uuid7|urandom|getpid|token_hex|token_urlsafe|token_bytes|utcnow|utc_now)$"
    r"|(^|\.)(datetime|date|pendulum|arrow|timezone)\.(now|today|utcnow)$"
    r"|(^|\.)time\.(time|time_ns|monotonic|monotonic_ns|perf_counter)$"
    r"|(^|\.)(random|secrets)\.\w+$"
)
OUTSIDE = re.compile(
    r"(^|\.)(listdir|scandir|iterdir|glob|rglob|fetchall|fetchone|fetchmany)$"
    r"|^(requests|httpx)\.(get|request)$|^os\.(environ\.get|getenv)$"
)
INVOKES = ("invoke", "ainvoke", "stream", "astream")


@dataclass
class Scope:
    """One function, and what its names mean. depth: of the calls that lead to it."""

    source: Source
    depth: int = 0
    names: dict[str, Any] = field(init=False)
    local: set[str] = field(init=False)

    def __post_init__(self) -> None:
        own = imported_here(self.source.tree)
        self.names = {**self.source.names, **own}
        self.local = _bound(self.source.tree) - set(own)

    def means(self, expression: ast.expr) -> Any:
        return meaning(expression, self.names, self.local)

    def called(self, call: ast.Call) -> "Scope | None":
        """The user's own function that is called, by its name."""
        found = self.means(call.func)
        if found is UNKNOWN or self.depth >= DEPTH or inspect.isclass(found):
            return None
        source = source_of(found, self.source.node) if inspect.isfunction(found) else None
        return Scope(source, self.depth + 1) if source else None

    # --- does it ask?

    def asks(self, call: ast.Call) -> bool:
        found = self.means(call.func)
        if found is interrupt or found is request_approval:
            return True
        graph = self._graph(call)
        if graph is not None:
            return any(Scope(each, self.depth + 1).may_ask() for each in sources_of(graph))
        inner = self.called(call)
        return inner is not None and inner.may_ask()

    def may_ask(self) -> bool:
        if self.depth > DEPTH:
            return False
        return any(self.asks(call) for each in self.source.body for call in calls_in(each))

    def _graph(self, call: ast.Call) -> Any:
        """A graph that is run as a function."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in INVOKES:
            return None
        found = self.means(call.func.value)
        return found if isinstance(found, Pregel) and self.depth < DEPTH else None

    # --- does it look like a write?

    def writes(self, call: ast.Call) -> str:
        """What is called; "" where it does not look like a write, or has a key."""
        text = ast.unparse(call.func)
        if text.endswith("effects.once") or _has_key(call):
            return ""
        found = self.means(call.func)
        if f"{_module(found)}.{_name(found)}" in NO_DOUBT and not _reads(call, found):
            return text
        if _opens_to_write(call, found):
            return text
        if isinstance(call.func, ast.Attribute):
            return text if self._method_writes(call, call.func, text, found) else ""
        inner = self.called(call)
        return text if inner is not None and inner.may_write() else ""

    def _method_writes(self, call: ast.Call, func: ast.Attribute, text: str, found: Any) -> bool:
        if func.attr in ("execute", "executemany", "executescript"):
            return _writes_sql(call)
        if text.endswith("session.commit"):
            return True
        if MADE.search(text) or _module(found).startswith(HARMLESS):
            return False
        if METHODS.match(func.attr) and not inspect.ismodule(self.means(func.value)):
            return True
        inner = self.called(call)
        return inner is not None and inner.may_write()

    def may_write(self) -> bool:
        return any(
            self.writes(call) and not self.asks(call)
            for each in self.source.body
            for call in calls_in(each)
        )

    # --- does it depend on time or chance?

    def by_chance(self, call: ast.Call) -> bool:
        found = self.means(call.func)
        whole = f"{_module(found)}.{_name(found)}" if found is not UNKNOWN else ""
        if CHANCE.search(ast.unparse(call.func)) or CHANCE.search(whole):
            return True
        inner = self.called(call)
        return inner is not None and inner.has_chance()

    def has_chance(self) -> bool:
        return any(self.by_chance(call) for each in self.source.body for call in calls_in(each))

    def from_outside(self, call: ast.Call) -> bool:
        return bool(OUTSIDE.search(ast.unparse(call.func)))


def calls_in(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls that are made where this is run, in the order in which they are; not those of a
    function that is only defined here."""
    for child in ast.iter_child_nodes(tree):
        if not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
        ):
            yield from calls_in(child)
    if isinstance(tree, ast.Call):
        yield tree


def _bound(tree: ast.AST) -> set[str]:
    """The names that are the function's own: parameters, and what it assigns."""
    declared = {
        name
        for each in ast.walk(tree)
        if isinstance(each, ast.Global | ast.Nonlocal)
        for name in each.names
    }
    stored = {
        each.id
        for each in ast.walk(tree)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    given = {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    return (stored | given) - declared


def _has_key(call: ast.Call) -> bool:
    """An idempotency key, as an argument or as a header."""
    text = ast.unparse(call).lower()
    return "idempotency_key" in text or "idempotency-key" in text


def _opens_to_write(call: ast.Call, found: Any) -> bool:
    is_open = found is open or (isinstance(call.func, ast.Attribute) and call.func.attr == "open")
    if not is_open:
        return False
    at = 1 if found is open else 0
    given = [*call.args[at : at + 1], *(each.value for each in call.keywords if each.arg == "mode")]
    modes = [str(each.value) for each in given if isinstance(each, ast.Constant)]
    return any(set(mode) & set("wax+") for mode in modes)


def _reads(call: ast.Call, found: Any) -> bool:
    """urlopen without data is a GET."""
    return _name(found) == "urlopen" and len(call.args) < 2 and not call.keywords


def _writes_sql(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Call) and first.args:  # text("INSERT ...")
        first = first.args[0]
    if isinstance(first, ast.JoinedStr) and first.values:
        first = first.values[0]
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return False
    return sql.writes(first.value) and not sql.is_same_again(first.value)


def _module(found: Any) -> str:
    own = getattr(found, "__module__", None) or getattr(type(found), "__module__", "")
    return own if isinstance(own, str) and found is not UNKNOWN else ""


def _name(found: Any) -> str:
    return str(getattr(found, "__name__", ""))
