"""`countersign check`: would a workflow do something twice? Which ones are asked, and with what;
verdicts.py tells."""

import contextlib
import json
import shlex
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field, SecretStr

from bot.app import catalog, open_store
from bot.given import BadInput, field_values, given_input
from bot.settings import StoreSettings, load
from bot.telemetry import configure_logging
from bot.terminal import in_words, say
from bot.trying import stores
from bot.verdicts import Format, drawn, exit_code
from workflows.catalog import InvalidInput, Workflow
from workflows.loading import BadTarget, named
from workflows.protocol import BY_NOBODY
from workflows.rehearsal import Given
from workflows.replay import Ended, Report, check_replay, read_only, run
from workflows.watching import listen

WORDS = ("approve", "reject", "edit", "respond", *BY_NOBODY)


class CannotCheck(Exception):
    """There is nothing to check as it was asked; the message says why."""


EXPECTED = (BadInput, BadTarget, CannotCheck, Ended)


class CheckSettings(StoreSettings):
    """Redis is needed for a recorded run only."""

    redis_url: Annotated[SecretStr, Field(alias="REDIS_URL")] = SecretStr("redis://not-set")


@dataclass(frozen=True)
class Asked:
    """As it was typed. values: None where no input was given."""

    target: str | None
    values: dict[str, Any] | None
    decisions: tuple[Given, ...]
    thread: str | None
    allow: tuple[str, ...]
    call_effects: bool


Target = Annotated[
    str | None,
    typer.Argument(
        metavar="[WORKFLOW|PATH.TO:GRAPH]",
        help="Its name, path.to:graph, or a langgraph.json; without it, all there are.",
    ),
]
Fields = Annotated[list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="Its input.")]
Input = Annotated[
    str | None, typer.Option(metavar="JSON|@FILE|-", help="Its input as JSON; - reads stdin.")
]
Decisions = Annotated[
    str | None,
    typer.Option(
        metavar="WORDS|JSON|@FILE",
        help="What is answered, in order: reject,approve, or a JSON list; else approvals.",
    ),
]
Thread = Annotated[
    str | None, typer.Option(metavar="ID", help="With the input and decisions of this run.")
]
Allow = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST", help="May be called, besides this machine; or: subprocess."),
]
CallEffects = Annotated[
    bool, typer.Option("--call-effects", help="Call what goes through the ledger, too.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail for what a crash alone would repeat, too.")
]


def check(
    target: Target = None,
    fields: Fields = None,
    input: Input = None,  # noqa: A002 - the option's name
    decisions: Decisions = None,
    thread: Thread = None,
    allow: Allow = None,
    call_effects: CallEffects = False,
    strict: Strict = False,
    format: Annotated[Format, typer.Option(help="How it is told.")] = "text",  # noqa: A002
) -> None:
    """Find what a workflow would do twice when its node runs again, before production does.

    It is run in memory, with a resume and a crash at every checkpoint, and its code is read.
    Nothing leaves this machine unless you --allow it; what stays on it (files, local servers)
    is done as often as the graph does it, so give it what is for trying out. Exit code 0: nothing
    found, 1: something was, 2: it could not be checked. docs/replay-safety.md has the rules.
    """
    configure_logging("ERROR")
    listen()
    with in_words(EXPECTED, code=2):
        asked = Asked(
            target,
            given_input(input, fields or []) if input is not None or fields else None,
            _decisions(decisions),
            thread,
            tuple(allow or ()),
            call_effects,
        )
        with contextlib.redirect_stdout(sys.stderr):  # what nodes print is none of the verdict
            reports = run(_checked(asked))
    print(drawn(reports, format, strict=strict))  # noqa: T201 - for people and for programs
    raise typer.Exit(exit_code(reports, strict=strict))


async def _checked(asked: Asked) -> list[Report]:
    with tempfile.TemporaryDirectory(prefix="countersign-") as directory:
        settings = load(CheckSettings)
        mine = settings.model_copy(update=stores(Path(directory)))
        if asked.thread is not None:
            return [await _recorded(asked, asked.thread, settings, mine)]
        return [await _of(workflow, asked) for workflow in _chosen(asked, mine)]


def _chosen(asked: Asked, settings: StoreSettings) -> list[Workflow]:
    target = asked.target
    if target is not None and (":" in target or target.endswith(".json")):
        return named([target])
    known = catalog(settings)
    if target is not None:
        return [known[target]]
    if asked.values is not None:
        raise CannotCheck("Name the workflow that the input is for.")
    for workflow in known.values():
        if workflow.lacks:
            words = f"{workflow.name} is left out, as it cannot be started here: {workflow.lacks}"
            say(words)  # no part of the report
    return [workflow for workflow in known.values() if not workflow.lacks]


async def _of(workflow: Workflow, asked: Asked) -> Report:
    """With what was given, or with each of the workflow's own examples."""
    examples = [dict(field_values(shlex.split(each))) for each in workflow.examples]
    inputs = [asked.values] if asked.values is not None else examples or [{}]
    reports = [await _with(workflow, values, asked, asked.decisions) for values in inputs]
    found = dict.fromkeys(each for report in reports for each in report.findings)
    return replace(
        reports[0],
        findings=tuple(found),
        unchecked=next((report.unchecked for report in reports if report.unchecked), ""),
        questions=sum(report.questions for report in reports),
        crashes=sum(report.crashes for report in reports),
    )


async def _with(
    workflow: Workflow, values: Mapping[str, Any], asked: Asked, decisions: Sequence[Given]
) -> Report:
    try:
        given = workflow.read_input(values)
    except InvalidInput as error:
        words = " ".join(str(error).split())
        return read_only(workflow, words if values else f"give it an input. {words}")
    report = await check_replay(
        workflow, given, decisions, allow=asked.allow, call_effects=asked.call_effects
    )
    if report.unchecked and not values:
        return replace(report, unchecked=f"{report.unchecked}. It was given no input: --input")
    return report


async def _recorded(asked: Asked, thread: str, settings: StoreSettings, mine: Any) -> Report:
    """As the run went: its input, and what was decided on it, in the order of the questions."""
    if settings.redis_url.get_secret_value() == "redis://not-set":
        raise CannotCheck("--thread needs REDIS_URL, where the run is.")
    async with open_store(settings) as (store, _):
        run = await store.run(thread)
        if run is None:
            raise CannotCheck(f"There is no run {thread!r}.")
        approvals = [each for each in await store.approvals_of(thread) if each.doubt is None]
    workflow = catalog(mine)[run.workflow]
    decided = [each.decision for each in approvals if each.decision is not None]
    return await _with(workflow, run.input, asked, asked.decisions or decided)


def _decisions(typed: str | None) -> tuple[Given, ...]:
    if typed is None:
        return ()
    try:
        text = Path(typed[1:]).read_text(encoding="utf-8") if typed.startswith("@") else typed
        if not text.lstrip().startswith("["):
            return _known([each.strip() for each in text.split(",")])
        return _known(json.loads(text))
    except (OSError, ValueError) as error:
        raise BadInput(f"--decisions: {error}") from None


def _known(decisions: Iterable[Any]) -> tuple[Given, ...]:
    for each in decisions:
        kind = each.get("type", "") if isinstance(each, Mapping) else each
        if kind not in WORDS and not (isinstance(each, Mapping) and "answer" in each):
            words = ", ".join(WORDS)
            raise BadInput(
                f'--decisions: {each!r}: write {words}, {{"type": "edit", "values": ...}}, or '
                '{"answer": ...} as the graph wants it'
            )
    return tuple(decisions)
