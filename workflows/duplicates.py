"""What makes two requests the same business: the same payee and amount, the same patient and
template. A workflow declares it; who is asked is told of the others."""

import hashlib
import json
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

WINDOW_AT_MOST = timedelta(days=366)


class DuplicateKey(BaseModel):
    """parts: what has to be the same, by name; upper and lower case and spaces make no other.
    within: how long ago the other one may have been asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: Annotated[dict[str, str], Field(min_length=1, max_length=10)]
    within: Annotated[timedelta, Field(gt=timedelta(0), le=WINDOW_AT_MOST)] = timedelta(days=7)

    def hashed(self, workflow: str) -> str:
        """SHA-256 (hex): what is kept under it may be restricted, and names of keys are not."""
        plain = {name: " ".join(value.casefold().split()) for name, value in self.parts.items()}
        canonical = json.dumps([workflow, plain], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
