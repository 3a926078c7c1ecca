"""The command line: `countersign`."""

import json
import os
from importlib.metadata import version as installed_version
from typing import Annotated, Any, Literal

import typer

from bot import app as composition
from bot import report
from bot.app import Roles, open_doctor, open_store
from bot.changes import LOOKS, Changes
from bot.checking import check
from bot.cli_audit import audit
from bot.doctor import Examination, examined_text
from bot.retrying import retry_run
from bot.runs import Run
from bot.settings import BotSettings, ListenerSettings, StoreSettings
from bot.slack_calls import SlackRefused, SlackUnavailable
from bot.starting import check_thread_id
from bot.store import Conflict
from bot.telemetry import configure_logging
from bot.terminal import Failed, given, loaded, out, result_of
from workflows.effects import EffectLedger

REQUESTED_BY = (
    "Slack user id of who wants it done, and so may not approve it. Without it nobody is ruled out."
)
ROOM = 150  # columns of a terminal that has room for all of the list

cli = typer.Typer(
    name="countersign",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    help="Human approvals in Slack for LangGraph workflows: a person says yes before it happens.",
    epilog="Try it without a Slack account: [bold]countersign demo[/bold]",
)


def _name_graphs(graphs: list[str] | None) -> list[str] | None:
    """As the setting does, so that child processes have them too."""
    if graphs:
        known = os.environ.get("COUNTERSIGN_GRAPHS", "")
        os.environ["COUNTERSIGN_GRAPHS"] = ",".join([*([known] if known else []), *graphs])
    return graphs


Graphs = Annotated[
    list[str] | None,
    typer.Option(
        "--graph",
        metavar="PATH.TO:GRAPH",
        callback=_name_graphs,
        help="Serve this graph too: path.to:graph, name=path.to:graph, or a langgraph.json.",
    ),
]


cli.add_typer(audit, name="audit")
cli.command()(check)


def main() -> None:
    """The console script."""
    cli()


def _version(on: bool) -> None:
    if on:
        print(f"countersign {installed_version('countersign')}")  # noqa: T201
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_version, help="Show it."),
    ] = False,
) -> None:
    pass


@cli.command()
def bot(
    worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help="Advance workflows too, in a child process."),
    ] = True,
    graph: Graphs = None,  # noqa: ARG001 - its callback keeps it
) -> None:
    """Listen to Slack, and advance workflows: run as many of these as you like.

    Socket Mode where SLACK_APP_TOKEN is set, else HTTP with SLACK_SIGNING_SECRET on PORT.
    """
    _serve(loaded(ListenerSettings), Roles(listens=True, works=worker))


@cli.command()
def worker(
    of: Annotated[
        str | None, typer.Option(hidden=True, help="Its name, where a bot has started it.")
    ] = None,
    graph: Graphs = None,  # noqa: ARG001 - its callback keeps it
) -> None:
    """Advance workflows and keep cards up to date, without listening to Slack."""
    settings = loaded(BotSettings)
    if of:  # the bot tells of its health
        settings = settings.model_copy(update={"instance": of, "health_port": None})
    _serve(settings, Roles(listens=False, works=True))


@cli.command()
def start(
    workflow: Annotated[str, typer.Argument(help="Its name, such as refund.")],
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="Its input.")
    ] = None,
    thread_id: Annotated[
        str | None, typer.Option(help="Start it under this id; the same start twice is one run.")
    ] = None,
    requested_by: Annotated[
        str | None,
        typer.Option(metavar="USER", help=REQUESTED_BY),
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="Channel id for its cards, instead of COUNTERSIGN_CHANNEL.")
    ] = None,
    input: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(metavar="JSON|@FILE|-", help="Its input as JSON; - reads stdin.")
    ] = None,
    graph: Graphs = None,  # noqa: ARG001 - its callback keeps it
) -> None:
    """Start a workflow, and print its thread_id.

    For example: countersign start refund customer="Acme GmbH" amount=120.50 currency=EUR
    reason="Damaged parcel"
    """
    values = given(input, fields or [])
    settings = loaded(StoreSettings)

    async def go() -> str:
        async with open_store(settings) as (_, starter):
            run = await starter.start_run(
                workflow, values, thread_id=thread_id, requester=requested_by, channel=channel
            )
            return run.thread_id

    print(result_of(go()))  # noqa: T201 - the one thing that a script wants


@cli.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
) -> None:
    """List what is waiting for a decision, oldest first."""

    settings = loaded(StoreSettings)

    async def go() -> list[dict[str, Any]]:
        async with open_store(settings) as (store, _):
            return await report.pending_rows(store, limit)

    rows = result_of(go())
    if as_json:
        print(json.dumps(rows, indent=2))  # noqa: T201
    else:
        out.print(report.pending_table(rows, wide=out.width >= ROOM))


@cli.command()
def show(
    thread_id: Annotated[str, typer.Argument(help="As `countersign start` printed it.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show one run: its questions, decisions, effects and audit trail."""

    settings = loaded(StoreSettings)

    async def go() -> dict[str, Any]:
        async with open_store(settings) as (store, _):
            found = await report.of_thread(
                store, EffectLedger(store.redis, store.keys.prefix), thread_id
            )
            if found is None:
                check_thread_id(thread_id)
                raise Failed(
                    f"There is no run {thread_id!r}. `countersign list` lists the pending."
                )
            return found

    found = result_of(go())
    if as_json:
        print(json.dumps(found, indent=2))  # noqa: T201
    else:
        out.print(report.thread_text(found))


@cli.command()
def retry(
    thread_id: Annotated[str, typer.Argument(help="Of a run that failed.")],
) -> None:
    """Have a failed run tried again: what was decided is carried out, what was done is not
    repeated."""

    settings = loaded(StoreSettings)

    async def go() -> Run:
        async with open_store(settings) as (store, starter):
            changes = Changes(store, starter.queue)
            for _ in range(LOOKS):
                try:
                    return await retry_run(changes, thread_id, None)
                except Conflict:
                    continue  # its cards are being drawn just now
            raise Failed(f"{thread_id} changes all the while: try it again in a moment.")

    result_of(go())
    out.print(f"{thread_id} is tried again; `countersign show {thread_id}` tells how it goes.")


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    graph: Graphs = None,  # noqa: ARG001 - its callback keeps it
) -> None:
    """Before a deploy: does the code that is installed here know how to go on with every run?

    Run it with the NEW code, on the Redis of the old. It looks at each run that is not closed, and
    lists those whose node or workflow is gone, whose state it cannot read, or whose records were
    written by a newer version; then it exits with 1. It changes nothing.

    A run that is listed is not lost when you deploy all the same: it is put on hold, its card says
    why, and it goes on by itself once a worker has the code for it.
    """
    settings = loaded(StoreSettings)

    async def go() -> Examination:
        async with open_doctor(settings) as examining:
            return await examining.examine()

    found = result_of(go())
    if as_json:
        print(json.dumps(found.as_json(), indent=2))  # noqa: T201
    else:
        out.print(examined_text(found))
    if found.obstacles:
        raise typer.Exit(1)


@cli.command()
def demo(
    port: Annotated[int | None, typer.Option(help="Of the page; 8421.", min=0, max=65535)] = None,
    tour: Annotated[
        bool, typer.Option("--tour", help="Play the journey here, and check it.")
    ] = False,
    graph: Graphs = None,  # noqa: ARG001 - its callback keeps it
) -> None:
    """See all of it without a Slack account: a local workspace, two bots, sample requests."""
    # Here, not above: nothing else needs bot.local and what it is made of.
    from bot.local import demo as local_demo  # noqa: PLC0415
    from bot.local import tour as local_tour  # noqa: PLC0415

    configure_logging("ERROR")
    if not tour:
        result_of(local_demo.demo(8421 if port is None else port, out), local_demo.EXPECTED)
    elif not result_of(local_tour.tour(port or 0, out), local_demo.EXPECTED):
        raise typer.Exit(1)


@cli.command()
def torture(
    target: Annotated[
        str, typer.Argument(help="A workflow's name, such as refund; or path.to:graph.")
    ],
    input: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(metavar="JSON|@FILE|-", help="What it is started with.")
    ] = None,
    decide: Annotated[
        Literal["approve", "reject"], typer.Option(help="What the reviewer clicks on each card.")
    ] = "approve",
    every: Annotated[int, typer.Option(min=1, help="Crash at each K-th call only.")] = 1,
    freeze: Annotated[
        bool,
        typer.Option("--freeze", help="Freeze it there, until another has gone on in its place."),
    ] = False,
) -> None:
    """Kill a workflow at every call that it makes, and see whether it ends the same way.

    With a local workspace and a Redis of its own: nobody is asked, but what the graph calls is
    called, and so give it providers that are for trying out. path.to:graph is a Workflow, a
    StateGraph that is not compiled, or a function without arguments that returns one of these.
    """
    from bot.local.torture import command  # noqa: PLC0415 - as in demo

    configure_logging("CRITICAL")
    asked = command.Asked(target, given(input, []), decide, every, "frozen" if freeze else "killed")
    if not result_of(command.torture(asked, out), command.EXPECTED):
        raise typer.Exit(1)


def _serve(settings: BotSettings, roles: Roles) -> None:
    async def go() -> None:
        try:
            await composition.serve(settings, roles)
        except (SlackRefused, SlackUnavailable) as error:
            raise Failed(composition.why_slack_failed(error, settings)) from None

    result_of(go())
