"""What the replay check finds: the rules by name, the cures, and the comment that silences a line.

Pure: what was found comes in, what a person is told goes out.
"""

import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

CURES = (
    "Move it after the gate: into a node that runs once the question is answered.",
    "Make it idempotent by key, made from the run: runtime.context.effects.once(key, call).",
    "Split prepare from mutate: one node makes the payload, the gate only asks, the next acts.",
)
STATE_ONLY = (
    "Build it from the state alone: what comes from time or chance is made by a node before."
)


@dataclass(frozen=True)
class Rule:
    """means: what is wrong, for the report's heading. cures: what to do, one of them. by: how it
    is found."""

    id: str
    means: str
    by: tuple[str, ...]
    severity: Severity = "error"
    cures: tuple[str, ...] = CURES


RUNNING, READING, BOTH = ("running",), ("reading",), ("running", "reading")

_ALL = (
    Rule("call-twice", "an outside call is made again each time the node resumes", RUNNING),
    Rule(
        "call-twice-after-crash",
        "an outside call is made again where the process dies before the node's end is saved",
        RUNNING,
        "warning",
        (CURES[1],),
    ),
    Rule(
        "question-changes",
        "the same question asks something else when the node runs again",
        RUNNING,
        cures=(*CURES, STATE_ONLY),
    ),
    Rule("key-changes", "the key of an effect is another one when the node runs again", RUNNING),
    Rule("fails-on-replay", "the node fails when it runs again", RUNNING),
    Rule(
        "state-not-stored",
        "the state holds what the saver cannot keep",
        RUNNING,
        cures=(
            "Keep JSON values, or types that Countersign stores, and list them in state_types.",
        ),
    ),
    Rule(
        "question-unreadable",
        "the question cannot be put to people",
        RUNNING,
        cures=("Ask with text, JSON values or an ApprovalRequest.",),
    ),
    Rule(
        "interrupt-swallowed",
        "the pause is an exception, and it is caught: nobody is asked",
        BOTH,
        cures=("Catch the errors that you expect by name, or ask outside of the try block.",),
    ),
    Rule(
        "call-before-question", "what looks like an outside call stands before a question", READING
    ),
    Rule("memory-before-question", "what outlives the node is changed before a question", READING),
    Rule(
        "order-changes",
        "which question comes when depends on time, chance or the outside, and answers go by order",
        READING,
        cures=("Ask one question a node, or in an order that the state alone decides.",),
    ),
    Rule(
        "question-from-chance",
        "the question is made from time or chance, and so is another one on resume",
        READING,
        cures=(STATE_ONLY,),
    ),
    Rule(
        "key-from-chance",
        "the key of an effect is made from time or chance, and so is another one on resume",
        READING,
        cures=("Make the key from the run: its thread_id, or what the state has kept.",),
    ),
    Rule(
        "state-type",
        "the state has a type that the saver cannot keep",
        READING,
        cures=(
            "Keep JSON values, or types that Countersign stores, and list them in state_types.",
        ),
    ),
    Rule(
        "reason-missing",
        "a line is silenced without a reason",
        READING,
        cures=("Write why: # countersign: replay-safe because ...",),
    ),
)
RULES = {rule.id: rule for rule in _ALL}


@dataclass(frozen=True, order=True)
class Place:
    """file: its path, absolute. line: from 1."""

    file: str
    line: int


@dataclass(frozen=True)
class Finding:
    """words: what happened, or what stands there, in this case. node: of the graph."""

    rule: str
    node: str
    words: str
    place: Place | None = None

    @property
    def severity(self) -> Severity:
        return RULES[self.rule].severity


def sifted(found: Iterable[Finding], read: Callable[[str], str]) -> list[Finding]:
    """Each once, without what a comment silences, in the order of the code; with what a comment
    silences without a reason. read: the text of a file."""
    known = _each_once(found)
    comments = {file: silences(read(file)) for file in {f.place.file for f in known if f.place}}
    kept: list[Finding] = []
    for each in _without_echoes(known):
        reason = comments[each.place.file].get(each.place.line) if each.place else None
        if reason is None:
            kept.append(each)
        elif not reason:
            kept.append(
                Finding("reason-missing", each.node, f"it silences {each.rule}", each.place)
            )
    return sorted(dict.fromkeys(kept), key=_order)


def _each_once(found: Iterable[Finding]) -> list[Finding]:
    """Of one rule at one line the first is enough."""
    first: dict[tuple[object, ...], Finding] = {}
    for each in found:
        first.setdefault((each.rule, each.node, each.place, "" if each.place else each.words), each)
    return list(first.values())


def _without_echoes(found: list[Finding]) -> Iterator[Finding]:
    """What was seen to happen need not be told as a suspicion, nor as a danger, too."""
    sure = {(f.place, f.node): f.rule for f in found if f.rule in _ECHOES}
    for each in found:
        echoed = _ECHOES.get(sure.get((each.place, each.node), ""), ())
        if each.rule not in echoed:
            yield each


_ECHOES = {
    "call-twice": ("call-before-question", "call-twice-after-crash"),
    "question-changes": ("question-from-chance",),
    "key-changes": ("key-from-chance", "call-before-question", "call-twice-after-crash"),
}


def _order(finding: Finding) -> tuple[bool, Place, str]:
    return finding.place is None, finding.place or Place("", 0), finding.rule


SILENCE = re.compile(r"#\s*countersign:\s*replay-safe\b(?:\s+because\b)?[\s:]*(?P<reason>.*)$")


def silences(source: str) -> dict[int, str]:
    """The reason by line: of a comment at its end, or alone above it; "" where none is given."""
    found: dict[int, str] = {}
    alone: str | None = None  # of the comment lines right above
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                match = SILENCE.match(token.string)
                reason = match["reason"].strip(" .") if match else None
                if reason is not None and not token.line[: token.start[1]].strip():
                    alone = reason
                elif reason is not None:
                    found[token.start[0]] = reason
            elif alone is not None and token.type not in _BLANK:
                found.setdefault(token.start[0], alone)
                alone = None
    except (tokenize.TokenError, SyntaxError):  # it will not have run, either
        pass
    return found


_BLANK = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
