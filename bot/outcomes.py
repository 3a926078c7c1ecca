"""What a card says of how a decision ended, in words of ours that name nothing of the request."""

NOTHING_EXECUTED = "Nothing was executed"
WENT_ON = "The workflow went on"
NOT_TAKEN = "The workflow did not take the decision that it was given"
TOO_LATE = "Not executed: the workflow ended without this decision"
PLAIN = frozenset({NOTHING_EXECUTED, WENT_ON, NOT_TAKEN, TOO_LATE})
