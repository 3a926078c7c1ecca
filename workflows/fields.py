"""The labelled values that a request shows, in order; the kind says how each is drawn."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from workflows.money import Currency

SLACK_USER = r"^[UW][A-Z0-9]{2,}$"

Label = Annotated[str, StringConstraints(min_length=1, max_length=75, strip_whitespace=True)]
SlackUserId = Annotated[str, StringConstraints(pattern=SLACK_USER)]
SlackChannelId = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{2,}$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=3000)]


class _Labelled(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Label


class TextField(_Labelled):
    """Plain text; any length, the card cuts it visibly."""

    kind: Literal["text"] = "text"
    value: str


class MoneyField(_Labelled):
    """An amount in minor units (cents) of an ISO 4217 currency."""

    kind: Literal["money"] = "money"
    amount_minor: int
    currency: Currency


class DateField(_Labelled):
    """A day, or a moment with its zone; moments are shown in each reader's own zone."""

    kind: Literal["date"] = "date"
    value: AwareDatetime | date


class UserField(_Labelled):
    """A Slack user by id, shown by name and never notified by the field."""

    kind: Literal["user"] = "user"
    value: SlackUserId


class UrlField(_Labelled):
    """An http(s) link; the card shows the whole address, not only a text that may mislead."""

    kind: Literal["url"] = "url"
    value: HttpUrl


class CodeField(_Labelled):
    """Text in which every character counts, shown in a fixed width."""

    kind: Literal["code"] = "code"
    value: str


class DiffField(_Labelled):
    """What is there now and what would be there; None: nothing."""

    kind: Literal["diff"] = "diff"
    before: str | None
    after: str | None


RequestField = Annotated[
    TextField | MoneyField | DateField | UserField | UrlField | CodeField | DiffField,
    Field(discriminator="kind"),
]
