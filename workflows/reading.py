"""The replay check by reading: what in a node's code is likely to go wrong when it runs again.

A node runs from its top each time one of its questions is answered. So of each function that asks
it is told what may be done before a question comes, backwards from its end.
"""

import ast
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

from workflows.findings import Finding, Place
from workflows.judging import Scope, calls_in
from workflows.sources import UNKNOWN, Source, module_tree, sources_of
from workflows.statetypes import unkept

TOO_MUCH = ("Exception", "BaseException", "GraphInterrupt", "GraphBubbleUp")
PAUSES = ("GraphInterrupt", "GraphBubbleUp")
ON_LISTS = ("append", "extend", "insert", "pop", "remove", "clear", "appendleft", "popleft")
CHANGES = (*ON_LISTS, "add", "update", "setdefault", "discard", "subtract")
STEADY = ("sorted", "min", "max", "sum", "len", "any", "all")  # of a set, whatever its order


def read(graph: Any, state_types: Iterable[type] = ()) -> list[Finding]:
    """What the code of the graph's nodes, and its state, give reason to tell."""
    found: list[Finding] = []
    for source in _reached(sources_of(graph)):
        reader = Reader(Scope(source))
        found += reader.all()
    return [*found, *unkept(graph, state_types)]


def _reached(sources: list[Source]) -> Iterator[Source]:
    """The nodes' functions, and those of the user's that they call: each once."""
    waiting, seen = [Scope(each) for each in sources], set[tuple[str, int]]()
    while waiting:
        scope = waiting.pop(0)
        spot = (scope.source.file, scope.source.tree.lineno)
        if spot in seen:
            continue
        seen.add(spot)
        yield scope.source
        for statement in scope.source.body:
            inner = (scope.called(call) for call in calls_in(statement))
            waiting += [each for each in inner if each is not None]


class Reader:
    """Reads one function."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._found: list[Finding] = []
        self._loops: list[tuple[bool, bool]] = []  # does a question follow: a break, a continue?
        self._chance = _Taint(scope)

    def all(self) -> list[Finding]:
        body = self._scope.source.body
        self._chance.learn(body)
        self._keys(body)
        if self._scope.may_ask():
            self._walk(body, after=False)
            self._swallowed(body)
            self._order(body)
            self._questions(body)
        return self._found

    def _tell(self, rule: str, at: ast.AST, words: str) -> None:
        line: int = getattr(at, "lineno", self._scope.source.tree.lineno)
        place = Place(self._scope.source.file, line)
        self._found.append(Finding(rule, self._scope.source.node, words, place))

    def _asks(self, *trees: ast.AST) -> bool:
        return any(self._scope.asks(call) for tree in trees for call in calls_in(tree))

    # --- what comes before a question

    def _walk(self, body: list[ast.stmt], *, after: bool) -> bool:
        """Does a question come from here on? after: does one come behind the body?"""
        for statement in reversed(body):
            after = self._statement(statement, after=after)
        return after

    def _statement(self, statement: ast.stmt, *, after: bool) -> bool:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return after
            case ast.Return() | ast.Raise():
                return self._plain(statement, after=False)
            case ast.Break() | ast.Continue():
                ends, goes_on = self._loops[-1]
                return ends if isinstance(statement, ast.Break) else goes_on
            case _:
                return self._block(statement, after=after)

    def _block(self, statement: ast.stmt, *, after: bool) -> bool:
        match statement:
            case ast.If():
                then = self._walk(statement.body, after=after)
                other = self._walk(statement.orelse, after=after)
                return self._plain(statement.test, after=then or other)
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(statement, after=after)
            case ast.With() | ast.AsyncWith():
                inside = self._walk(statement.body, after=after)
                return self._plain(*(item.context_expr for item in statement.items), after=inside)
            case ast.Try() | ast.TryStar():
                return self._try(statement, after=after)
            case ast.Match():
                cases = [self._walk(case.body, after=after) for case in statement.cases]
                return self._plain(statement.subject, after=after or any(cases))
            case _:
                return self._plain(statement, after=after)

    def _loop(self, loop: ast.For | ast.AsyncFor | ast.While, *, after: bool) -> bool:
        again = self._asks(*loop.body)
        ends = self._walk(loop.orelse, after=after)
        self._loops.append((after, again or ends))
        inside = self._walk(loop.body, after=again or ends)
        self._loops.pop()
        head = loop.test if isinstance(loop, ast.While) else loop.iter
        return self._plain(head, after=inside or ends)

    def _try(self, statement: ast.Try | ast.TryStar, *, after: bool) -> bool:
        at_last = self._walk(statement.finalbody, after=after)
        handled = [self._walk(each.body, after=at_last) for each in statement.handlers]
        well = self._walk(statement.orelse, after=at_last)
        return self._walk(statement.body, after=well or any(handled))

    def _plain(self, *trees: ast.AST, after: bool) -> bool:
        """What has no statements in it, in the order in which it is evaluated."""
        calls = [call for tree in trees for call in calls_in(tree)]
        for call in reversed(calls):
            if self._scope.asks(call):
                after = True
            elif after:
                self._before_a_question(call)
        if after:
            for tree in trees:
                if isinstance(tree, ast.AugAssign) and self._outlives(tree.target):
                    words = f"{ast.unparse(tree)[:80]}"
                    self._tell("memory-before-question", tree, words)
        return after

    def _before_a_question(self, call: ast.Call) -> None:
        what = self._scope.writes(call)
        if what:
            self._tell("call-before-question", call, f"{what}(…) comes before a question")
        elif self._changes_memory(call):
            self._tell("memory-before-question", call, ast.unparse(call)[:80])

    def _changes_memory(self, call: ast.Call) -> bool:
        if isinstance(call.func, ast.Name) and call.func.id == "next" and call.args:
            return self._outlives(call.args[0])
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in CHANGES:
            return False
        kept = self._scope.means(call.func.value)
        return isinstance(kept, list | dict | set) or type(kept).__name__ == "deque"

    def _outlives(self, target: ast.expr) -> bool:
        """Is it something of the module, of what encloses the function, or of its object?"""
        root = target
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if not isinstance(root, ast.Name):
            return False
        is_self = root.id == "self" and root is not target
        return is_self or self._scope.means(root) is not UNKNOWN

    # --- a pause that is caught

    def _swallowed(self, body: list[ast.stmt]) -> None:
        for each in _within(body):
            if isinstance(each, ast.Try) and self._asks(*each.body):
                self._caught(each)
            elif isinstance(each, ast.With) and self._asks(*each.body):
                for item in each.items:
                    if _suppresses(item.context_expr):
                        words = f"{ast.unparse(item.context_expr)} around a question"
                        self._tell("interrupt-swallowed", self._asking(each), words)

    def _caught(self, statement: ast.Try) -> None:
        for handler in statement.handlers:
            names = _names_of(handler.type)
            if any(name in PAUSES for name in names) and _raises_again(handler):
                return  # the pause is let through before anything else sees it
            if any(name in TOO_MUCH for name in names) and not _raises_again(handler):
                words = f"{ast.unparse(handler).splitlines()[0]} around a question"
                self._tell("interrupt-swallowed", self._asking(statement), words)
                return
        for each in _within(statement.finalbody):
            if isinstance(each, ast.Return):
                words = "a return in finally around a question"
                self._tell("interrupt-swallowed", self._asking(statement), words)

    def _asking(self, block: ast.Try | ast.With) -> ast.AST:
        calls = (call for each in block.body for call in calls_in(each))
        return next((call for call in calls if self._scope.asks(call)), block)

    # --- which question comes when

    def _order(self, body: list[ast.stmt]) -> None:
        for each in _within(body):
            match each:
                case ast.For() | ast.AsyncFor() if self._asks(*each.body):
                    why = self._chance.of(each.iter) or self._unordered(each.iter)
                    what = "goes over"
                    head = each.iter
                case ast.If() | ast.While() if self._asks(*each.body, *each.orelse):
                    why, what, head = self._chance.of(each.test), "depends on", each.test
                case _:
                    continue
            if why:
                words = f"whether or when it asks {what} {ast.unparse(head)[:80]}: {why}"
                self._tell("order-changes", each, words)

    def _unordered(self, expression: ast.expr) -> str:
        if isinstance(expression, ast.Call):
            if isinstance(expression.func, ast.Name) and expression.func.id in STEADY:
                return ""
            inner = [self._unordered(each) for each in expression.args]
            is_set = getattr(expression.func, "id", "") in ("set", "frozenset")
            return "a set has another order in each process" if is_set else "".join(inner[:1])
        if isinstance(expression, ast.BinOp):
            return self._unordered(expression.left)
        found = self._scope.means(expression)
        if isinstance(expression, ast.Set | ast.SetComp) or isinstance(found, set | frozenset):
            return "a set has another order in each process"
        if isinstance(expression, ast.Name) and isinstance(found, list | dict):
            return self._changed_elsewhere(expression.id)
        return self._chance.unordered(expression)

    def _changed_elsewhere(self, name: str) -> str:
        """Of the module: is it changed by what runs later?"""
        tree = module_tree(self._scope.source.file)
        functions = [e for e in ast.walk(tree or ast.Module([], [])) if isinstance(e, _FUNCTIONS)]
        changed = any(_changes(each, name) for function in functions for each in ast.walk(function))
        return f"{name} is changed while the program runs" if changed else ""

    # --- what questions and keys are made from

    def _questions(self, body: list[ast.stmt]) -> None:
        for call in (call for each in body for call in calls_in(each)):
            if self._scope.asks(call):
                given = [*call.args, *(each.value for each in call.keywords)]
                for why in filter(None, map(self._chance.of_chance, given)):
                    self._tell("question-from-chance", call, f"the question is made from {why}")
                    break

    def _keys(self, body: list[ast.stmt]) -> None:
        for call in (call for each in body for call in calls_in(each)):
            if ast.unparse(call.func).endswith("effects.once"):
                named = [each.value for each in call.keywords if each.arg == "key"]
                for why in filter(None, map(self._chance.of_chance, [*call.args[:1], *named])):
                    self._tell("key-from-chance", call, f"the key is made from {why}")


class _Taint:
    """Which local names are made from time, chance or the outside, and by what."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._chance: dict[str, str] = {}
        self._outside: dict[str, str] = {}
        self._sets: set[str] = set()

    def learn(self, body: list[ast.stmt]) -> None:
        for each in _within(body):
            if not isinstance(each, ast.Assign | ast.AnnAssign | ast.AugAssign) or not each.value:
                continue
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            names = [t.id for target in targets for t in ast.walk(target) if _is_name(t)]
            chance, outside = self.of_chance(each.value), self.of(each.value)
            self._chance |= dict.fromkeys(names, chance) if chance else {}
            self._outside |= dict.fromkeys(names, outside) if outside else {}
            if _is_set(each.value):
                self._sets |= set(names)

    def of_chance(self, expression: ast.expr) -> str:
        """By what call it depends on time or chance; "" where it does not."""
        for each in calls_in(expression):
            if not self._scope.asks(each) and self._scope.by_chance(each):
                return f"{ast.unparse(each.func)}()"
        used = (each.id for each in ast.walk(expression) if _is_name(each))
        return next((self._chance[name] for name in used if name in self._chance), "")

    def of(self, expression: ast.expr) -> str:
        """The same, and what comes from outside."""
        for each in calls_in(expression):
            if self._scope.from_outside(each):
                return f"{ast.unparse(each.func)}() may answer something else"
        used = (each.id for each in ast.walk(expression) if _is_name(each))
        outside = next((self._outside[name] for name in used if name in self._outside), "")
        chance = self.of_chance(expression)
        return outside or (f"{chance} answers something else each time" if chance else "")

    def unordered(self, expression: ast.expr) -> str:
        is_set = isinstance(expression, ast.Name) and expression.id in self._sets
        return "a set has another order in each process" if is_set else ""


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _within(body: Iterable[ast.AST]) -> Iterator[Any]:
    """All in it, but for functions that are only defined there; in the order of the code."""
    for each in body:
        yield each
        if not isinstance(each, (*_FUNCTIONS, ast.ClassDef)):
            yield from _within(ast.iter_child_nodes(each))


def _is_name(each: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(each, ast.Name)


def _is_set(value: ast.expr) -> bool:
    made = isinstance(value, ast.Call) and getattr(value.func, "id", "") in ("set", "frozenset")
    return made or isinstance(value, ast.Set | ast.SetComp)


def _names_of(caught: ast.expr | None) -> list[str]:
    """What a handler catches; a bare one catches everything."""
    if caught is None:
        return ["BaseException"]
    each = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return [ast.unparse(one).rpartition(".")[2] for one in each]


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Whatever it caught, at the end of it."""
    last = handler.body[-1]
    if not isinstance(last, ast.Raise):
        return False
    return last.exc is None or (isinstance(last.exc, ast.Name) and last.exc.id == handler.name)


def _suppresses(context: ast.expr) -> bool:
    if not isinstance(context, ast.Call) or not ast.unparse(context.func).endswith("suppress"):
        return False
    return any(name in TOO_MUCH for each in context.args for name in _names_of(each))


def _changes(each: ast.AST, name: str) -> bool:
    match each:
        case ast.Global():
            return name in each.names
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attr)):
            return owner == name and attr in CHANGES
        case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del()):
            return owner == name
        case _:
            return False
