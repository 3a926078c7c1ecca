"""What a reviewer asked the requester back, and the answer."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from workflows.protocol import Actor


class Inquiry(BaseModel):
    """answer: "" where there is none yet. heard: the ts of the message in the card's thread that
    was the answer; "" where it came by the form."""

    model_config = ConfigDict(frozen=True)

    by: Actor
    at: AwareDatetime
    question: str
    answer: str = ""
    answered_at: AwareDatetime | None = None
    heard: str = ""
