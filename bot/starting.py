"""Starting a run: checked before anything is written, and the same start twice is one run."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot import steps
from bot.queue import Queue
from bot.records import Change
from bot.runs import RETENTION, Run
from bot.store import Conflict, Store
from bot.texts import later, t
from workflows.catalog import Catalog, Workflow
from workflows.clock import Clock, utc_now
from workflows.fields import SlackChannelId, SlackUserId
from workflows.protocol import ThreadId
from workflows.serializer import reserved_within


class BadStart(Exception):
    """The run was not started; the message says what to change."""


@dataclass(frozen=True)
class Starter:
    """Writes the run and queues its first step; any process with a Redis may do it. retention:
    how long the state of a graph outlives its run."""

    store: Store
    queue: Queue
    catalog: Catalog
    now: Clock = utc_now
    retention: timedelta = RETENTION

    async def start_run(
        self,
        workflow: str,
        values: Mapping[str, Any],
        *,
        thread_id: str | None = None,
        requester: str | None = None,
        channel: str | None = None,
        team: str = "",
    ) -> Run:
        """The run, new or the one that was started with the same before.

        values: the workflow's input. requester: Slack user id of who wants it done. channel: id,
        None for the default. Raises UnknownWorkflow, InvalidInput, BadStart, OtherInput.
        """
        chosen = self._startable(workflow)
        checked = chosen.read_input(values)
        _refuse_markers(checked)
        if thread_id is None:  # "" is an id that someone forgot to set
            thread_id = made_thread_id(workflow, secrets.token_hex(5))
        _check("thread_id", thread_id)
        _check("requested_by", requester)
        _check("channel", channel)
        change = Run.start(
            thread_id=thread_id,
            workflow=workflow,
            workflow_version=chosen.version,
            values=checked,
            requester=requester,
            channel=channel,
            team=team,
            now=self.now(),
            retention=self.retention,
        )
        run = await self._write(change, thread_id)
        same_input = run.workflow == workflow and chosen.same_input(run.input, checked)
        run.same_start(change.record, same_input=same_input)
        for step in steps.due(run, self.now()):
            await self.queue.add(step)
        return run

    def _startable(self, name: str) -> Workflow:
        workflow = self.catalog[name]
        if workflow.lacks:
            words = t(
                "The workflow {name} cannot be started here: {lacks}.",
                name=name,
                lacks=workflow.lacks,
            )
            raise BadStart(words)
        return workflow

    async def _write(self, change: Change, thread_id: str) -> Run:
        known = await self.store.run(thread_id)
        if known is not None:
            return known
        try:
            (run,) = await self.store.commit(change)
        except Conflict:  # someone else started it just now
            known = await self.store.run(thread_id)
            if known is None:
                raise
            return known
        return run


def made_thread_id(workflow: str, unique: str) -> str:
    """`refund`, `3f9a12bc88` -> `refund-3f9a12bc88`."""
    return f"{workflow.lower().replace('_', '-')}-{unique}"


def _refuse_markers(values: Mapping[str, Any]) -> None:
    """BadStart where the graph would find an object in its state, and not the data that was
    given."""
    marked = reserved_within(values)
    if marked is not None:
        keys = ", ".join(sorted(str(key) for key in marked)[:5])
        raise BadStart(f"The input has an object with the keys {keys}, which are reserved")


_FORMS: dict[str, tuple[TypeAdapter[str], str]] = {
    "thread_id": (
        TypeAdapter(ThreadId),
        later("use 1 to 128 of a-z, 0-9, '_', '.', ':' and '-', beginning with a letter or digit"),
    ),
    "requested_by": (
        TypeAdapter(SlackUserId),
        later("use the id of a Slack user, such as U012AB3CD"),
    ),
    "channel": (
        TypeAdapter(SlackChannelId),
        later(
            "use the id of a channel, such as C012AB3CD (in its details in Slack, at the bottom)"
        ),
    ),
}


def check_thread_id(thread_id: str) -> None:
    """BadStart, with the form that one has, unless it is one."""
    _check("thread_id", thread_id)


def _check(name: str, value: str | None) -> None:
    """BadStart unless the value has the form of its kind; None: not given."""
    adapter, form = _FORMS[name]
    try:
        if value is not None:
            adapter.validate_python(value)
    except ValidationError:
        raise BadStart(f"{name} {value!r}: {t(form)}") from None
