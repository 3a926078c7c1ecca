"""The next version of Countersign as a process of its own: its records have another form, a field
more, and it knows a kind of step that the present version does not.

Each class takes the place of the present one before the modules that use it are imported.
"""

# ruff: noqa: E402
# pyright: reportConstantRedefinition=false, reportAttributeAccessIssue=false, reportPrivateUsage=false

import sys
from datetime import datetime

from bot import records
from workflows import effects
from workflows.schema import Schema, Stored


def coloured(stored: Stored) -> Stored:
    return {**stored, "colour": "brought up"}


PRESENT = records.SCHEMA
NEXT = Schema(PRESENT.version + 1, {**PRESENT.migrations, PRESENT.version: coloured})
records.SCHEMA = effects.SCHEMA = NEXT


class EffectEntry(effects.EffectEntry):
    schema_version: int = NEXT.version
    colour: str = "next"


effects.EffectEntry = EffectEntry

from bot import runs


class Run(runs.Run):
    form = NEXT
    schema_version: int = NEXT.version
    colour: str = "next"


runs.Run = Run

from bot import approvals


class Approval(approvals.Approval):
    form = NEXT
    schema_version: int = NEXT.version
    colour: str = "next"


approvals.Approval = Approval

from bot import steps

owed_before = steps._owed


def also_polished(record: Run | Approval) -> list[tuple[datetime, steps.Step]]:
    """A run that ended is polished, once."""
    owed = owed_before(record)
    if isinstance(record, Run) and record.closed and record.colour != "polished":
        owed.append((record.updated_at, steps.Step("polish", record.thread_id, "1")))  # pyright: ignore[reportArgumentType]
    return owed


steps._owed = also_polished

from bot import tasks
from bot.audit import Draft, Tag
from bot.records import Change


class Tasks(tasks.Tasks):
    def register(self) -> None:
        super().register()
        self.changes.queue.serve(polish=self.polish)

    async def polish(self, thread_id: str) -> None:
        run = await self.changes.store.run(thread_id)
        if isinstance(run, Run) and run.colour != "polished":
            tag = Tag("run:polished")
            told = Draft(thread_id=thread_id, tag=tag, at=self.changes.now(), mood="calm")  # pyright: ignore[reportCallIssue]
            await self.changes.store.commit(Change(run.to(colour="polished"), (told,)))


tasks.Tasks = Tasks

from bot import supervising
from bot.child import main

supervising.COMMAND = (sys.executable, "-m", "tests.faults.next_version", "worker", "--of")

if __name__ == "__main__":
    main()
