"""How a decision or a run ended, and what a record says of that. It is compared, and stands in the
audit chain, so it is stored in English; views/stored.py says it in the language of the deployment.

A `{name}` stands for what is not ours: an error, a receipt, a key.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from bot.texts import later

NOTHING_EXECUTED = later("Nothing was executed")
WENT_ON = later("The workflow went on")
ENDED = later("The workflow ended")  # of a graph that keeps no ledger: who knows what it did
NOT_TAKEN = later("The workflow did not take the decision that it was given")
TOO_LATE = later("Not executed: the workflow ended without this decision")
CHANGED_SINCE = later("Not executed: changed since it was approved")
# In words of ours that name nothing of the request.
PLAIN = frozenset({NOTHING_EXECUTED, ENDED, WENT_ON, NOT_TAKEN, TOO_LATE, CHANGED_SINCE})

CARRIED_OUT = later("Carried out")
NOTHING_YET = later("Nothing was executed yet")
STOPPED = later("the breakpoint was not approved")
ELSEWHERE = later("countersign show tells why")

# What a person says of an effect that may have happened, and what the button says.
ANSWERS = {
    "done": later("It happened"),
    "not_done": later("It did not happen"),
    "retry": later("Try again"),
}
# Of an effect of which only a person knows: its receipt, as `summary, id`.
CONFIRMED = later("{who} says that it happened, receipt unknown")
IN_DOUBT = later("It may have happened: ask the provider for {keys}")
IN_DOUBT_AND_FAILED = later("It may have happened: ask the provider for {keys}: {why}")
DOUBT_ASKED = later("It may have happened ({key}): a card of its own asks whether it did")
CHANGED_SO = later("Not executed: changed since it was approved: {changes}")
FAILED = later("The workflow failed: {why}")
NOT_EXECUTED = later("Not executed: {why}")
DONE_AND_FAILED = later("{done}, but then the workflow failed: {why}")
ON_HOLD = later("{reason}. {done}")
GAVE_UP = later("Gave up: {count} attempts did not come back.")
STRANGE = later("{kind} (reference {number})")


class Outcome(BaseModel):
    """What became of the decision, as the card says it. run_failed: the whole run did, and may
    be tried again."""

    model_config = ConfigDict(frozen=True)

    state: Literal["done", "failed"]
    text: str
    at: AwareDatetime
    run_failed: bool = False
