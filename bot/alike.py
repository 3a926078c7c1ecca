"""What an approval knows of others that ask the same business in other threads."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from bot.inslack import InSlack


class Alike(BaseModel):
    """Another approval as it stood when it was last looked at. by: who decided it. failed: it was
    decided, and then it could not be carried out. at: of its decision, or since when it waits.
    link: to its card; "" where it is in Slack not yet."""

    model_config = ConfigDict(frozen=True)

    id: str
    thread_id: str
    status: str
    by: str | None = None
    failed: bool = False
    at: AwareDatetime
    link: str = ""


class AmongOthers(InSlack):
    """alike: the newest of those with the same key, of any status. compared: under which key it
    was compared, and how it stood then; what the others know of it. wanted: how often others wanted
    it to look at them; heeded: how often it did."""

    alike: tuple[Alike, ...] = ()
    compared: str = ""
    wanted: int = 0
    heeded: int = 0
