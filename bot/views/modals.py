"""What all our modals share: what they carry, and how one tells that it was refused."""

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.approvals import Approval
from bot.texts import later, t
from bot.views.text import Block, plain, section

TITLE_AT_MOST = 24
SAID_AT_MOST = 3000
NOT_RECORDED = later("Not recorded")  # a title


class Carried(BaseModel):
    """A modal's private_metadata: ids only, never what is asked. opener: who alone may submit it.
    approval, digest, revision: as in a button's value; "" where it is about none. home: it was
    opened in App Home, which shows what was submitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opener: str
    approval: str = ""
    digest: str = ""
    revision: int = 0
    about: str = ""
    home: bool = False

    @property
    def text(self) -> str:
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def read(cls, metadata: str) -> "Carried | None":
        """None where it is not one of ours."""
        try:
            return cls.model_validate_json(metadata)
        except ValidationError:
            return None

    @classmethod
    def of(cls, approval: Approval, opener: str, about: str = "") -> "Carried":
        drawn = approval.revision if approval.taken_back else 0
        id_, digest = approval.id, approval.terms
        return cls(opener=opener, approval=id_, digest=digest, revision=drawn, about=about)


def modal(
    callback_id: str, title: str, blocks: list[Block], carried: Carried, submit: str = ""
) -> Block:
    """A view for views.open. submit: the label of its button; without it, it is only read."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, TITLE_AT_MOST),
        "close": plain(t("Cancel") if submit else t("Close"), TITLE_AT_MOST),
        "private_metadata": carried.text,
        "blocks": blocks,
    }
    return {**view, "submit": plain(submit, TITLE_AT_MOST)} if submit else view


def told_view(words: str, title: str = NOT_RECORDED) -> Block:
    """In place of the modal that was submitted. words: mrkdwn of ours. title: of the catalog."""
    return {
        "type": "modal",
        "title": plain(t(title), TITLE_AT_MOST),
        "close": plain(t("Close"), TITLE_AT_MOST),
        "blocks": [section(words[:SAID_AT_MOST])],
    }
