"""How a decision ended; and what a card says of that in words of ours, which name nothing of the
request."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

NOTHING_EXECUTED = "Nothing was executed"
WENT_ON = "The workflow went on"
NOT_TAKEN = "The workflow did not take the decision that it was given"
TOO_LATE = "Not executed: the workflow ended without this decision"
CHANGED_SINCE = "Not executed: changed since it was approved"
PLAIN = frozenset({NOTHING_EXECUTED, WENT_ON, NOT_TAKEN, TOO_LATE, CHANGED_SINCE})


class Outcome(BaseModel):
    """What became of the decision, as the card says it. run_failed: the whole run did, and may
    be tried again."""

    model_config = ConfigDict(frozen=True)

    state: Literal["done", "failed"]
    text: str
    at: AwareDatetime
    run_failed: bool = False
