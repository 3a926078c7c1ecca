"""What all records share: a version for the compare in commit.lua, and their workspace."""

from typing import Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from bot.audit import Draft
from workflows.schema import Schema

# The next form takes the next number, and a migration to it: {1: brought_to_2, ...}. A migration
# is given the stored dict of a Run or of an Approval; only the latter has an "id".
SCHEMA = Schema(2, {1: lambda stored: stored})  # 2: policies of stages; votes that count


class Record(BaseModel):
    """A frozen value; a transition returns the next one.

    version: how often it was committed; 0 is new. team: enterprise or team id of its Slack
    workspace, "" until a bot of that workspace has seen it.
    """

    model_config = ConfigDict(frozen=True)
    form: ClassVar[Schema] = SCHEMA

    schema_version: int = SCHEMA.version
    version: int = 0
    team: str = ""

    def to(self, **changes: Any) -> Self:
        return self.model_copy(update=changes)


class Change(NamedTuple):
    """A record as it shall be, and what the trail says of it."""

    record: Any
    events: tuple[Draft, ...] = ()
