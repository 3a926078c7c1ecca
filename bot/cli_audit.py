"""`countersign audit ...`: the story of a thread, its proof, and exports."""

import contextlib
import json
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn
from typer.core import TyperGroup

from bot.app import REAL, open_records
from bot.audit import AuditEvent
from bot.auditor import Auditor, row
from bot.exporting import Format, NoParquet, Write, writing
from bot.settings import BotSettings, StoreSettings
from bot.slack import SlackGateway
from bot.story import story
from bot.terminal import Failed, err, loaded, out, result_of
from bot.verifying import Finding, Rules

MANY = 20  # threads between two words of the progress

Time = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"], metavar="TIME"),
]


class OrShow(TyperGroup):
    """`audit THREAD_ID` is `audit show THREAD_ID`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["show", *args]
        return super().parse_args(ctx, args)


audit = typer.Typer(
    cls=OrShow,
    no_args_is_help=True,
    help="Who approved what, and what exactly they saw: audit THREAD_ID, verify, export.",
)


@audit.command()
def show(
    thread_id: Annotated[str, typer.Argument(help="Of any run, also of one that has ended.")],
    as_json: Annotated[bool, typer.Option("--json", help="The events, for programs.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The same as a table.")] = False,
) -> None:
    """Tell the story of one run: what was asked and shown, who decided, what was done."""
    events = result_of(_events(loaded(StoreSettings), thread_id))
    if as_json or as_csv:
        with writing("csv" if as_csv else "jsonl", sys.stdout) as write:
            write([row(event) for event in events])
    else:
        out.print(story(events), soft_wrap=True)


async def _events(settings: StoreSettings, thread_id: str) -> list[AuditEvent]:
    async with open_records(settings) as store:
        events = await store.trail(thread_id)
    if not events:
        raise Failed(f"There is no run {thread_id!r}. `countersign list` lists the pending.")
    return events


@audit.command()
def verify(
    thread_id: Annotated[str | None, typer.Argument(help="Of one run.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Of all there are.")] = False,
    slack: Annotated[
        bool, typer.Option("--slack", help="Compare the replies that stand in Slack, too.")
    ] = False,
    unsigned_until: Time = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line for each finding.")] = False,
) -> None:
    """Is the trail what was written, and are the records the sum of it? Exit 1 where not.

    Finds an event that was changed, removed, inserted or moved, a trail that was cut at its end,
    and records that say something else than it; with --slack a reply that differs or is missing.
    The first bad event of a thread is named. With COUNTERSIGN_AUDIT_KEY each event must be signed;
    those of before you used one: --unsigned-until TIME.
    """
    if bool(thread_id) == every:
        raise typer.BadParameter("name a THREAD_ID, or --all")
    settings = loaded(BotSettings if slack else StoreSettings)
    rules = Rules(settings.keyring, _aware(unsigned_until))

    async def go() -> tuple[int, list[Finding]]:
        found: list[Finding] = []
        seen = 0
        async with _auditor(settings, rules) as auditor:
            with _progress("threads verified", quiet=not every) as tell:
                async for each in auditor.threads() if every else _only(thread_id or ""):
                    wrong = await auditor.verify(each)
                    _tell(wrong, as_json=as_json)
                    found += wrong[:1]
                    seen += 1
                    tell(seen)
        return seen, found

    seen, found = result_of(go())
    if found:
        err.print(f"{len(found)} of {seen} threads are not what was written.", style="red")
        raise typer.Exit(1)
    if not as_json:
        out.print(f"{seen} {'thread is' if seen == 1 else 'threads are'} as written.")


@audit.command()
def export(
    since: Time = None,
    until: Time = None,
    form: Annotated[Format, typer.Option("--format", help="parquet: extra `parquet`.")] = "jsonl",
    to: Annotated[
        Path, typer.Option("--output", "-o", help="A file; - is standard output.")
    ] = Path("-"),
) -> None:
    """Write the events of all threads, oldest thread first; docs/audit.md describes the columns.

    --since and --until are of the event's time, in UTC where they name no zone.
    """
    if form == "parquet" and str(to) == "-":
        raise typer.BadParameter("a parquet file needs --output FILE")
    settings = loaded(StoreSettings)

    async def go(write: Write) -> int:
        written = 0
        async with _auditor(settings, Rules(settings.keyring)) as auditor:
            with _progress("events written") as tell:
                async for rows in auditor.rows(_aware(since), _aware(until)):
                    write(rows)
                    written += len(rows)
                    tell(written)
        return written

    try:
        with writing(form, sys.stdout if str(to) == "-" else to) as write:
            written = result_of(go(write))
    except (OSError, NoParquet) as problem:
        raise typer.BadParameter(str(problem)) from None
    err.print(f"{written:,} events written.")


@contextlib.asynccontextmanager
async def _auditor(settings: StoreSettings, rules: Rules) -> AsyncGenerator[Auditor, None]:
    async with open_records(settings) as store:
        slack = None
        if isinstance(settings, BotSettings):
            token = settings.bot_token.get_secret_value()
            slack = await SlackGateway.connect(REAL.slack(token, settings.api_url))
        yield Auditor(store, rules, slack)


async def _only(thread_id: str) -> AsyncGenerator[str, None]:
    yield thread_id


def _tell(findings: list[Finding], *, as_json: bool) -> None:
    for each in findings:
        where = f"#{each.seq}" if each.seq is not None else "its records"
        line = {"thread_id": each.thread_id, "seq": each.seq, "what": each.what}
        words = json.dumps(line) if as_json else f"{each.thread_id} {where}: {each.what}"
        out.print(words, markup=False, soft_wrap=True)


@contextlib.contextmanager
def _progress(what: str, *, quiet: bool = False) -> Generator[Callable[[int], None], None, None]:
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f}"), TextColumn(what))
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task(what, total=None)

        def tell(count: int) -> None:
            progress.update(task, completed=count)

        yield tell


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
