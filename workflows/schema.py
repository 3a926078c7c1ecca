"""The form of what is stored, over the versions of the code: what is older is brought up when it
is read, and written back as read; what is newer is left alone.

Whoever changes the form of a stored model gives it the next number, and a migration from the one
before: versions of the code run side by side while a deploy lasts, and a field that the older one
does not know would be lost by its next write.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

Stored = dict[str, Any]
Migration = Callable[[Stored], Stored]
M = TypeVar("M", bound=BaseModel)

FIELD = "schema_version"


class Unreadable(Exception):
    """What is stored there is nothing that this code can read; it is left as it is."""


class NewerRecord(Unreadable):
    """Written by newer code than this one; it is that code's to go on with."""


@dataclass(frozen=True)
class Schema:
    """version: of what this code writes. migrations: by the version that each one takes, and
    brings to the next."""

    version: int = 1
    migrations: Mapping[int, Migration] = field(default_factory=dict[int, Migration])

    def read(self, model: type[M], stored: Stored, name: str) -> M:
        """name: what an operator finds it by. Raises NewerRecord, Unreadable."""
        try:
            return model.model_validate(self._brought_up(stored, name))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(f"{name} cannot be read ({type(error).__name__})") from error

    def _brought_up(self, stored: Stored, name: str) -> Stored:
        found = int(stored.get(FIELD, 1))
        if found > self.version:
            raise NewerRecord(
                f"{name} was written by a newer version of Countersign (its form is {found}, and "
                f"this one knows {self.version})"
            )
        for version in range(found, self.version):
            stored = {**self.migrations[version](stored), FIELD: version + 1}
        return stored
